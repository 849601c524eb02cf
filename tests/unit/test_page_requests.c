// SPDX-License-Identifier: GPL-2.0
/* Page requests: who is asked, what answers do, and what ends without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page_requests.h"

#define TIMEOUT 1000
#define ALICE 1
#define BOB 2

#define SAID_MAX 4096

/* What was said to clients, and to devices, in its order */
enum saying { ASKED, ENDED, EMITTED };

static struct said {
	enum saying saying;
	uint64_t client;
	struct page_request request;
	enum page_request_end why;
	uint64_t device;
	struct vhost_iotlb_op op;
} said[SAID_MAX];
static size_t said_count;

static struct page_requests *requests;
static bool page_is_missing;
static unsigned int walks;

static struct said *say(enum saying saying)
{
	assert_true(said_count < SAID_MAX);
	said[said_count].saying = saying;
	return &said[said_count++];
}

static void emit(void *arg, uint64_t device, const struct vhost_iotlb_op *op)
{
	struct said *line = say(EMITTED);

	assert_ptr_equal(arg, &said);
	line->device = device;
	line->op = *op;
}

static void ask(void *arg, uint64_t client, const struct page_request *request)
{
	struct said *line = say(ASKED);

	assert_ptr_equal(arg, &said);
	line->client = client;
	line->request = *request;
}

static void end_request(void *arg, uint64_t client, const struct page_request *request,
			enum page_request_end why)
{
	struct said *line = say(ENDED);

	assert_ptr_equal(arg, &said);
	line->client = client;
	line->request = *request;
	line->why = why;
}

static bool is_missing(void *arg, const struct page_request *request)
{
	assert_ptr_equal(arg, &said);
	assert_true(request->group);
	walks++;
	return page_is_missing;
}

static int begin(void **state)
{
	const struct page_requests_options options = {
		.timeout_ns = TIMEOUT,
		.emit = emit,
		.ask = ask,
		.end = end_request,
		.is_missing = is_missing,
		.arg = &said,
	};

	(void)state;
	said_count = 0;
	page_is_missing = true;
	walks = 0;
	requests = page_requests_open(&options);
	return !requests;
}

static int end(void **state)
{
	(void)state;
	page_requests_close(requests);
	return 0;
}

#define assert_error(call, expected) assert_string_equal(sva_error_name(call), expected)

static void assert_silent(void)
{
	assert_int_equal(said_count, 0);
}

static void assert_op(size_t nth, uint64_t device, const struct vhost_iotlb_op *op)
{
	assert_true(nth < said_count);
	assert_int_equal(said[nth].saying, EMITTED);
	assert_int_equal(said[nth].device, device);
	assert_memory_equal(&said[nth].op, op, sizeof(*op));
}

static void assert_retry_all(size_t nth, uint64_t device)
{
	assert_op(nth, device,
		  &(struct vhost_iotlb_op){.type = VHOST_IOTLB_RETRY,
					   .flags = VHOST_IOTLB_OP_F_ALL_ASIDS});
}

static void assert_end(size_t nth, uint64_t client, uint64_t group, enum page_request_end why)
{
	assert_true(nth < said_count);
	assert_int_equal(said[nth].saying, ENDED);
	assert_int_equal(said[nth].client, client);
	assert_int_equal(said[nth].request.group, group);
	assert_int_equal(said[nth].why, why);
}

static void subscribe(uint64_t client, uint64_t device, bool can_fail)
{
	assert_error(page_requests_subscribe(requests, client, device, can_fail), "ok");
	assert_int_equal(said_count, 1);
	assert_retry_all(0, device);
	said_count = 0;
}

static struct page_request fault_at(uint64_t device, uint16_t queue, uint64_t address)
{
	return (struct page_request){
		.device = device,
		.pasid = 5,
		.queue = queue,
		.access = VHOST_ACCESS_RO,
		.has_token = true,
		.address = address,
		.length = 100,
		.token = 77,
	};
}

static enum page_fault_result miss(uint64_t device, uint16_t queue, uint64_t address)
{
	const struct page_request fault = fault_at(device, queue, address);

	return page_requests_fault(requests, &fault, 0);
}

/* The group of what is asked */
static uint64_t asked(uint64_t device, uint16_t queue, uint64_t address)
{
	const struct page_request fault = fault_at(device, queue, address);
	struct page_request told;

	assert_int_equal(page_requests_fault(requests, &fault, 0), PAGE_FAULT_ASKED);
	assert_int_equal(said_count, 1);
	assert_int_equal(said[0].saying, ASKED);
	told = said[0].request;
	said_count = 0;
	assert_true(told.group);
	told.group = 0;
	assert_memory_equal(&told, &fault, sizeof(told));
	return said[0].request.group;
}

static struct vhost_iotlb_op fail_op(uint64_t address)
{
	return (struct vhost_iotlb_op){
		.type = VHOST_IOTLB_ACCESS_FAIL,
		.iova = address,
		.size = 1,
		.token = 77,
		.asid = 5,
		.perm = VHOST_ACCESS_RO,
		.flags = VHOST_IOTLB_OP_F_TOKEN,
	};
}

static void assert_counts(const struct page_request_counts *expected)
{
	assert_memory_equal(page_requests_counts(requests), expected, sizeof(*expected));
}

static void test_success(void **state)
{
	uint64_t group;

	(void)state;
	subscribe(ALICE, 7, true);
	group = asked(7, 1, 0x1234);
	/* While it is outstanding, it is not asked again. */
	assert_int_equal(miss(7, 1, 0x1234), PAGE_FAULT_PENDING);
	assert_silent();
	assert_error(page_requests_respond(requests, ALICE, 7, group, 5, PAGE_RESPONSE_SUCCESS),
		     "ok");
	assert_int_equal(said_count, 1);
	assert_op(0, 7,
		  &(struct vhost_iotlb_op){
			  .type = VHOST_IOTLB_RETRY, .iova = 0x1000, .size = 0x1000, .asid = 5});
	said_count = 0;
	/* Its number is for nothing any more. */
	assert_error(page_requests_respond(requests, ALICE, 7, group, 5, PAGE_RESPONSE_SUCCESS),
		     "no-request");
	assert_int_not_equal(asked(7, 1, 0x5000), group);
	assert_int_equal(walks, 0);
	assert_counts(&(struct page_request_counts){.requests = 2, .success = 1, .outstanding = 1});
}

/* All pages that are wanted, up to the last that there is */
static void test_retried_range(void **state)
{
	static const struct {
		uint64_t address, length, iova, size;
	} cases[] = {
		{0x1fff, 2, 0x1000, 0x2000},
		{0x2000, 0x1000, 0x2000, 0x1000},
		{0x2345, 0, 0x2000, 0x1000},
		{0xfffffffffffff123, 0xfff, 0xfffffffffffff000, 0x1000},
		{0x1000, UINT64_MAX, 0x1000, 0xfffffffffffff000},
		{0, UINT64_MAX, 0, 0},
	};
	struct page_request fault;
	size_t i;

	(void)state;
	subscribe(ALICE, 7, true);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fault = fault_at(7, i, cases[i].address);
		fault.length = cases[i].length;
		assert_int_equal(page_requests_fault(requests, &fault, 0), PAGE_FAULT_ASKED);
		page_requests_respond(requests, ALICE, 7, said[0].request.group, 5,
				      PAGE_RESPONSE_SUCCESS);
		assert_op(1, 7,
			  &(struct vhost_iotlb_op){.type = VHOST_IOTLB_RETRY,
						   .iova = cases[i].iova,
						   .size = cases[i].size,
						   .asid = 5});
		said_count = 0;
	}
}

static void test_invalid(void **state)
{
	const struct vhost_iotlb_op op = fail_op(0x1234);
	struct page_request writes = fault_at(7, 4, 0x1234);
	uint64_t group, same;

	(void)state;
	subscribe(ALICE, 7, true);
	group = asked(7, 1, 0x1234);
	same = asked(7, 2, 0x1234);
	asked(7, 3, 0x1235);
	/* It may be there for one, and not for the other. */
	writes.access = VHOST_ACCESS_WO;
	page_requests_fault(requests, &writes, 0);
	said_count = 0;
	assert_error(page_requests_respond(requests, ALICE, 7, group, 5, PAGE_RESPONSE_INVALID),
		     "ok");
	assert_int_equal(said_count, 2);
	assert_op(0, 7, &op);
	/* vhost knows of addresses only. */
	assert_end(1, ALICE, same, PAGE_END_INVALID);
	assert_counts(&(struct page_request_counts){.requests = 4, .invalid = 2, .outstanding = 2});
}

static void test_failure(void **state)
{
	const struct vhost_iotlb_op op = fail_op(0x1234), other_op = fail_op(0x5000),
				    later_op = fail_op(0x9000);
	uint64_t group, other;

	(void)state;
	subscribe(ALICE, 7, true);
	subscribe(ALICE, 8, true);
	group = asked(7, 1, 0x1234);
	other = asked(7, 2, 0x5000);
	asked(8, 1, 0x1234);
	assert_error(page_requests_respond(requests, ALICE, 7, group, 5, PAGE_RESPONSE_FAILURE),
		     "ok");
	assert_int_equal(said_count, 3);
	assert_op(0, 7, &op);
	assert_op(1, 7, &other_op);
	assert_end(2, ALICE, other, PAGE_END_FAILURE);
	said_count = 0;
	/* From now on at once, even without anybody there */
	assert_int_equal(miss(7, 1, 0x9000), PAGE_FAULT_FAILED);
	assert_op(0, 7, &later_op);
	page_requests_client_gone(requests, ALICE);
	assert_int_equal(miss(7, 1, 0x9000), PAGE_FAULT_FAILED);
	assert_int_equal(miss(8, 1, 0x9000), PAGE_FAULT_WAITS);
	said_count = 0;
	/* until there is a subscription again. */
	subscribe(BOB, 7, true);
	asked(7, 1, 0x9000);
	assert_counts(&(struct page_request_counts){
		.requests = 4, .failure = 2, .withdrawn = 1, .outstanding = 1});
}

/* A vhost that knows no VHOST_IOTLB_ACCESS_FAIL */
static void test_cannot_fail(void **state)
{
	uint64_t group;

	(void)state;
	subscribe(ALICE, 7, false);
	group = asked(7, 1, 0x1000);
	assert_error(page_requests_respond(requests, ALICE, 7, group, 5, PAGE_RESPONSE_INVALID),
		     "no-access-fail");
	assert_error(page_requests_respond(requests, ALICE, 7, group, 5, PAGE_RESPONSE_FAILURE),
		     "no-access-fail");
	assert_silent();
	/* It is outstanding as before. */
	page_requests_check(requests, TIMEOUT);
	assert_int_equal(said_count, 1);
	assert_end(0, ALICE, group, PAGE_END_TIMEOUT);
}

static void test_timeout(void **state)
{
	const struct vhost_iotlb_op op = fail_op(0x1000);
	struct page_request late = fault_at(7, 2, 0x2000);
	uint64_t group;

	(void)state;
	subscribe(ALICE, 7, true);
	group = asked(7, 1, 0x1000);
	page_requests_fault(requests, &late, 10);
	said_count = 0;
	/* To miss again is no reason to wait for longer. */
	late = fault_at(7, 1, 0x1000);
	assert_int_equal(page_requests_fault(requests, &late, TIMEOUT - 1), PAGE_FAULT_PENDING);
	page_requests_check(requests, TIMEOUT - 1);
	assert_silent();
	page_requests_check(requests, TIMEOUT);
	assert_int_equal(said_count, 2);
	assert_op(0, 7, &op);
	assert_end(1, ALICE, group, PAGE_END_TIMEOUT);
	said_count = 0;
	assert_error(page_requests_respond(requests, ALICE, 7, group, 5, PAGE_RESPONSE_SUCCESS),
		     "no-request");
	page_requests_check(requests, TIMEOUT + 10);
	assert_int_equal(said_count, 2);
	assert_counts(&(struct page_request_counts){.requests = 2, .timeouts = 2});
}

static void succeed(uint64_t group)
{
	assert_error(page_requests_respond(requests, ALICE, 7, group, 5, PAGE_RESPONSE_SUCCESS),
		     "ok");
	assert_int_equal(said_count, 1);
	assert_int_equal(said[0].op.type, VHOST_IOTLB_RETRY);
	said_count = 0;
}

/* Who says success for ever, and does nothing */
static void test_in_vain(void **state)
{
	const struct vhost_iotlb_op op = fail_op(0x1000);
	uint64_t last;
	int i;

	(void)state;
	subscribe(ALICE, 7, true);
	for (i = 0; i < PAGE_REQUEST_TRIES; i++)
		succeed(asked(7, 1, 0x1000));
	assert_int_equal(miss(7, 1, 0x1000), PAGE_FAULT_FAILED);
	assert_int_equal(said_count, 3);
	assert_int_equal(said[0].saying, ASKED);
	last = said[0].request.group;
	assert_op(1, 7, &op);
	assert_end(2, ALICE, last, PAGE_END_NO_EFFECT);
	said_count = 0;
	/* The next descriptor begins anew. */
	asked(7, 1, 0x1000);
	assert_int_equal(page_requests_counts(requests)->no_effect, 1);
}

/* The same where nothing can be made to fail: it is not asked for ever. */
static void test_in_vain_and_cannot_fail(void **state)
{
	int i;

	(void)state;
	subscribe(ALICE, 7, false);
	for (i = 0; i < PAGE_REQUEST_TRIES; i++)
		succeed(asked(7, 1, 0x1000));
	assert_int_equal(miss(7, 1, 0x1000), PAGE_FAULT_WAITS);
	assert_int_equal(said_count, 2);
	assert_end(1, ALICE, said[0].request.group, PAGE_END_NO_EFFECT);
	said_count = 0;
	assert_int_equal(miss(7, 1, 0x1000), PAGE_FAULT_WAITS);
	assert_silent();
	asked(7, 1, 0x2000);
}

/* A page that comes each time, and goes again */
static void test_comes_and_goes(void **state)
{
	int i;

	(void)state;
	subscribe(ALICE, 7, true);
	page_is_missing = false;
	for (i = 0; i < 10 * PAGE_REQUEST_TRIES; i++)
		succeed(asked(7, 1, 0x1000));
	/* Another page in between, or another access, is another matter. */
	page_is_missing = true;
	for (i = 0; i < 10 * PAGE_REQUEST_TRIES; i++)
		succeed(asked(7, 1, 0x1000 + i % 2 * 0x1000));
	/* So is one that iotlbd has seen. */
	for (i = 0; i < 10 * PAGE_REQUEST_TRIES; i++) {
		succeed(asked(7, 1, 0x5000));
		page_requests_translated(requests, 7, 1);
	}
	assert_silent();
}

static void test_whose(void **state)
{
	uint64_t group, other;

	(void)state;
	assert_int_equal(miss(7, 1, 0x1000), PAGE_FAULT_WAITS);
	assert_error(page_requests_unsubscribe(requests, ALICE, 7), "not-subscribed");
	subscribe(ALICE, 7, true);
	assert_error(page_requests_subscribe(requests, BOB, 7, true), "subscribed");
	subscribe(BOB, 8, true);
	group = asked(7, 1, 0x1000);
	other = asked(8, 1, 0x1000);
	assert_error(page_requests_respond(requests, BOB, 7, group, 5, PAGE_RESPONSE_INVALID),
		     "not-subscribed");
	assert_error(page_requests_respond(requests, ALICE, 8, group, 5, PAGE_RESPONSE_INVALID),
		     "not-subscribed");
	assert_error(page_requests_respond(requests, ALICE, 7, other, 5, PAGE_RESPONSE_INVALID),
		     "no-request");
	assert_error(page_requests_respond(requests, ALICE, 7, 0, 5, PAGE_RESPONSE_INVALID),
		     "no-request");
	assert_error(page_requests_respond(requests, ALICE, 7, group, 6, PAGE_RESPONSE_INVALID),
		     "request-pasid");
	assert_error(page_requests_respond(requests, ALICE, 9, group, 5, PAGE_RESPONSE_INVALID),
		     "not-subscribed");
	assert_error(page_requests_unsubscribe(requests, BOB, 7), "not-subscribed");
	assert_silent();
	assert_counts(&(struct page_request_counts){.requests = 2, .outstanding = 2});
}

/* What was not answered is told to the next. */
static void test_next_subscriber(void **state)
{
	uint64_t group, next;

	(void)state;
	subscribe(ALICE, 7, true);
	group = asked(7, 1, 0x1000);
	page_requests_client_gone(requests, ALICE);
	assert_silent();
	assert_int_equal(page_requests_subscriber(requests, 7), PAGE_REQUESTS_NOBODY);
	assert_int_equal(miss(7, 1, 0x1000), PAGE_FAULT_WAITS);
	/* All that waits is made to miss again, see subscribe(). */
	subscribe(BOB, 7, true);
	next = asked(7, 1, 0x1000);
	assert_int_not_equal(next, group);
	assert_error(page_requests_respond(requests, BOB, 7, group, 5, PAGE_RESPONSE_INVALID),
		     "no-request");
	/* To subscribe once more takes nothing back. */
	subscribe(BOB, 7, true);
	assert_int_equal(miss(7, 1, 0x1000), PAGE_FAULT_PENDING);
	assert_error(page_requests_unsubscribe(requests, BOB, 7), "ok");
	assert_silent();
	assert_counts(&(struct page_request_counts){.requests = 2, .withdrawn = 2});
}

static void test_obsolete(void **state)
{
	struct page_request writes = fault_at(7, 1, 0x2000);
	uint64_t group;

	(void)state;
	subscribe(ALICE, 7, true);
	group = asked(7, 1, 0x1000);
	assert_int_equal(miss(7, 1, 0x2000), PAGE_FAULT_ASKED);
	assert_int_equal(said_count, 2);
	assert_end(0, ALICE, group, PAGE_END_OBSOLETE);
	group = said[1].request.group;
	said_count = 0;
	writes.access = VHOST_ACCESS_WO;
	assert_int_equal(page_requests_fault(requests, &writes, 0), PAGE_FAULT_ASKED);
	assert_end(0, ALICE, group, PAGE_END_OBSOLETE);
	group = said[1].request.group;
	said_count = 0;
	page_requests_translated(requests, 7, 2);
	page_requests_translated(requests, 8, 1);
	assert_silent();
	page_requests_translated(requests, 7, 1);
	assert_int_equal(said_count, 1);
	assert_end(0, ALICE, group, PAGE_END_OBSOLETE);
	assert_int_equal(page_requests_counts(requests)->withdrawn, 3);
}

static void test_unbound(void **state)
{
	struct page_request other = fault_at(7, 2, 0x1000);
	uint64_t group;

	(void)state;
	subscribe(ALICE, 7, true);
	group = asked(7, 1, 0x1000);
	other.pasid = 6;
	page_requests_fault(requests, &other, 0);
	said_count = 0;
	page_requests_unbound(requests, 8, 5);
	page_requests_unbound(requests, 7, 4);
	assert_silent();
	page_requests_unbound(requests, 7, 5);
	assert_int_equal(said_count, 1);
	assert_end(0, ALICE, group, PAGE_END_UNBOUND);
	said_count = 0;
	page_requests_unbound(requests, 7, 0);
	assert_int_equal(said_count, 1);
	assert_int_equal(said[0].request.pasid, 6);
}

static bool is_eight(void *arg, uint64_t device)
{
	(void)arg;
	return device == 8;
}

static void note_gone(void *arg, uint64_t client, uint64_t device)
{
	assert_int_equal(client, ALICE);
	assert_int_equal(device, 7);
	(*(int *)arg)++;
}

static void test_gone(void **state)
{
	struct page_requests_info info;
	uint64_t group;
	int gone = 0;

	(void)state;
	subscribe(ALICE, 7, true);
	subscribe(ALICE, 8, true);
	group = asked(7, 1, 0x1000);
	asked(8, 1, 0x1000);
	succeed(asked(7, 2, 0x1000));
	page_requests_forget_gone(requests, is_eight, note_gone, &gone);
	assert_int_equal(gone, 1);
	assert_int_equal(said_count, 1);
	assert_end(0, ALICE, group, PAGE_END_GONE);
	assert_false(page_requests_info_of(requests, 7, &info));
	assert_true(page_requests_info_of(requests, 8, &info));
	assert_int_equal(info.client, ALICE);
	assert_int_equal(info.outstanding, 1);
	assert_false(info.has_failed);
}

/* What finds no room waits, and misses again when there is some. */
static void test_full_device(void **state)
{
	uint64_t groups[PAGE_REQUESTS_OF_DEVICE];
	int i, half = PAGE_REQUESTS_OF_DEVICE / 2;

	(void)state;
	subscribe(ALICE, 7, true);
	for (i = 0; i < PAGE_REQUESTS_OF_DEVICE; i++)
		groups[i] = asked(7, i, 0x1000 * i);
	assert_int_equal(miss(7, i, 0x1000 * i), PAGE_FAULT_WAITS);
	assert_silent();
	for (i = 0; i < half - 1; i++)
		succeed(groups[i]);
	page_requests_respond(requests, ALICE, 7, groups[i], 5, PAGE_RESPONSE_SUCCESS);
	assert_int_equal(said_count, 2);
	assert_retry_all(1, 7);
	said_count = 0;
	/* What is only remembered takes no room. */
	for (i = 0; i < half; i++)
		asked(7, 100 + i, 0x1000 * i);
	assert_int_equal(miss(7, 99, 0), PAGE_FAULT_WAITS);
}

static void test_full(void **state)
{
	uint64_t devices = PAGE_REQUESTS_MAX / 8, device, queue;

	(void)state;
	for (device = 1; device <= devices + 1; device++)
		subscribe(ALICE, device, true);
	for (device = 1; device <= devices; device++)
		for (queue = 0; queue < 8; queue++)
			asked(device, queue, 0x1000);
	assert_int_equal(miss(device, 0, 0x1000), PAGE_FAULT_WAITS);
	assert_silent();
	/* Nor is there any for what has a slot that remembers. */
	succeed((7 - 1) * 8 + 1);
	asked(1, 8, 0x1000);
	assert_int_equal(miss(7, 0, 0x1000), PAGE_FAULT_WAITS);
	assert_silent();
	for (device = 1; device < devices / 2; device++)
		page_requests_unsubscribe(requests, ALICE, device);
	assert_silent();
	page_requests_unsubscribe(requests, ALICE, device);
	assert_int_equal(said_count, 1);
	assert_retry_all(0, devices + 1);
	assert_int_equal(page_requests_counts(requests)->outstanding, PAGE_REQUESTS_MAX / 2);
}

static void test_which_faults(void **state)
{
	struct vtd_walk walk = {};
	int fault, table, count = 0;

	(void)state;
	for (fault = 0; fault < VTD_NR_FAULTS; fault++)
		for (table = 0; table < VTD_NR_TABLES; table++) {
			walk.fault = fault;
			walk.fault_table = table;
			count += page_request_is_for(&walk);
		}
	assert_int_equal(count, 3);
	walk = (struct vtd_walk){.fault = VTD_FAULT_PRESENT, .fault_table = VTD_TABLE_FIRST_LEVEL};
	assert_true(page_request_is_for(&walk));
	walk.fault = VTD_FAULT_PERMISSION;
	assert_true(page_request_is_for(&walk));
	walk.fault = VTD_FAULT_ACCESSED_DIRTY;
	assert_true(page_request_is_for(&walk));
}

/*
 * Whatever comes in whatever order. What is outstanding is kept here in another way,
 * from what was said only.
 */
#define DEVICES 24
#define QUEUES 80
#define GROUPS 400000

/* By its number: who was asked, until it has ended */
static struct page_request open_requests[GROUPS];
static uint64_t open_client[GROUPS];
static uint64_t last_group, open_count;

/* Who is subscribed, by device */
static uint64_t subscribers[DEVICES];

static void hear_ask(const struct said *line)
{
	const struct page_request *request = &line->request;

	assert_int_equal(request->group, last_group + 1);
	assert_true(request->group < GROUPS);
	assert_int_equal(line->client, subscribers[request->device]);
	last_group = request->group;
	open_requests[last_group] = *request;
	open_client[last_group] = line->client;
	open_count++;
}

/* Has vhost been told, so that what waits there does not wait for ever? */
static bool is_emitted(const struct page_request *request, uint8_t type)
{
	size_t i;

	for (i = 0; i < said_count; i++) {
		const struct vhost_iotlb_op *op = &said[i].op;

		if (said[i].saying == EMITTED && said[i].device == request->device &&
		    op->type == type && op->asid == request->pasid && !op->flags == !op->token &&
		    request->address - op->iova < op->size &&
		    (type == VHOST_IOTLB_RETRY || op->perm & request->access))
			return true;
	}
	return false;
}

static void assert_does_not_hang(const struct said *line)
{
	switch (line->why) {
	case PAGE_END_TIMEOUT:
	case PAGE_END_NO_EFFECT:
	case PAGE_END_INVALID:
	case PAGE_END_FAILURE:
		/* One that cannot be made to fail waits as before. */
		if (line->request.device % 2)
			assert_true(is_emitted(&line->request, VHOST_IOTLB_ACCESS_FAIL));
		break;
	default:
		break;
	}
}

static void hear_end(uint64_t client, uint64_t group)
{
	assert_in_range(group, 1, last_group);
	/* Not a second time, and to who was asked */
	assert_int_equal(open_client[group], client);
	open_client[group] = 0;
	open_count--;
}

static void hear_op(const struct said *line)
{
	const struct vhost_iotlb_op *op = &line->op;

	assert_true(line->device < DEVICES);
	assert_true(op->type == VHOST_IOTLB_RETRY || op->type == VHOST_IOTLB_ACCESS_FAIL);
	assert_true(!op->flags || !op->asid || op->type == VHOST_IOTLB_ACCESS_FAIL);
	if (op->type == VHOST_IOTLB_ACCESS_FAIL)
		assert_true(line->device % 2);
}

static void hear(void)
{
	size_t i;

	for (i = 0; i < said_count; i++)
		if (said[i].saying == ASKED)
			hear_ask(&said[i]);
		else if (said[i].saying == ENDED) {
			assert_does_not_hang(&said[i]);
			hear_end(said[i].client, said[i].request.group);
		} else
			hear_op(&said[i]);
	said_count = 0;
}

/* Those of a device that nobody was told the end of */
static void forget(uint64_t device)
{
	uint64_t group;

	for (group = 1; group <= last_group; group++)
		if (open_client[group] && open_requests[group].device == device)
			hear_end(open_client[group], group);
}

static uint32_t next_number(uint32_t bound)
{
	static uint64_t number = 88172645463325252ULL;

	number ^= number << 13;
	number ^= number >> 7;
	number ^= number << 17;
	return (number >> 32) % bound;
}

/* Most of the time, one of those where much happens */
static uint64_t any_device(void)
{
	return next_number(next_number(2) ? 3 : DEVICES);
}

static void respond_to_any(void)
{
	uint64_t group = last_group ? 1 + next_number(last_group) : 0;
	uint64_t client = 1 + next_number(3), device = any_device();
	uint32_t pasid = next_number(6);
	enum page_response_code code = next_number(PAGE_NR_RESPONSES);
	enum sva_error error;
	bool is_good;

	/* Otherwise, most would be wrong. */
	if (group && next_number(4)) {
		group = last_group - next_number(last_group < 50 ? last_group : 50);
		device = open_requests[group].device;
		pasid = open_requests[group].pasid;
		client = open_client[group] ? open_client[group] : client;
	}
	if (next_number(20))
		code = next_number(4) ? PAGE_RESPONSE_SUCCESS : PAGE_RESPONSE_INVALID;
	is_good = group && open_client[group] == client && open_requests[group].device == device &&
		  open_requests[group].pasid == pasid &&
		  (code == PAGE_RESPONSE_SUCCESS || device % 2);
	error = page_requests_respond(requests, client, device, group, pasid, code);
	assert_int_equal(error == SVA_OK, is_good);
	if (error) {
		assert_silent();
		return;
	}
	assert_int_equal(said[0].saying, EMITTED);
	assert_int_equal(said[0].device, device);
	assert_int_equal(said[0].op.asid, pasid);
	assert_int_equal(said[0].op.type, code == PAGE_RESPONSE_SUCCESS ? VHOST_IOTLB_RETRY
									: VHOST_IOTLB_ACCESS_FAIL);
	/* It may have missed again since, elsewhere on the page. */
	assert_int_equal(said[0].op.iova >> 12, open_requests[group].address >> 12);
	hear_end(client, group);
}

static void miss_anywhere(uint64_t now)
{
	uint16_t queue = next_number(2) ? next_number(3) : next_number(QUEUES);
	struct page_request fault = fault_at(any_device(), queue, 0x1000);

	/* Again and again at the same place, or elsewhere */
	if (!next_number(20)) {
		fault.address = next_number(6) * 0x800;
		fault.pasid = 1 + next_number(3);
		fault.access = 1 + next_number(3);
	}
	page_requests_fault(requests, &fault, now);
}

static bool stays(void *arg, uint64_t device)
{
	return device != *(uint64_t *)arg;
}

static void goes(void *arg, uint64_t client, uint64_t device)
{
	assert_int_equal(device, *(uint64_t *)arg);
	assert_int_equal(client, subscribers[device]);
}

static void subscribe_any(void)
{
	uint64_t client = 1 + next_number(3), device = any_device();
	bool is_free = !subscribers[device] || subscribers[device] == client;

	assert_int_equal(page_requests_subscribe(requests, client, device, device % 2) == SVA_OK,
			 is_free);
	if (is_free)
		subscribers[device] = client;
}

static void unsubscribe_any(void)
{
	uint64_t client = 1 + next_number(3), device = any_device();
	bool is_his = subscribers[device] == client;

	assert_int_equal(page_requests_unsubscribe(requests, client, device) == SVA_OK, is_his);
	if (!is_his)
		return;
	subscribers[device] = 0;
	hear();
	forget(device);
}

static void lose_client(void)
{
	uint64_t client = 1 + next_number(3), device;

	page_requests_client_gone(requests, client);
	hear();
	for (device = 0; device < DEVICES; device++)
		if (subscribers[device] == client) {
			subscribers[device] = 0;
			forget(device);
		}
}

static void lose_device(void)
{
	uint64_t device = any_device();

	page_requests_forget_gone(requests, stays, goes, &device);
	hear();
	subscribers[device] = 0;
}

/* Success, and success again */
static void insist(uint64_t now)
{
	const struct page_request fault = fault_at(any_device(), next_number(3), 0x1000);
	int i;

	for (i = 0; i < PAGE_REQUEST_TRIES + 2; i++) {
		if (page_requests_fault(requests, &fault, now) != PAGE_FAULT_ASKED)
			return;
		hear();
		page_is_missing = true;
		assert_error(page_requests_respond(requests, open_client[last_group], fault.device,
						   last_group, fault.pasid, PAGE_RESPONSE_SUCCESS),
			     "ok");
		hear_end(open_client[last_group], last_group);
		hear();
	}
}

static void step(uint64_t now)
{
	uint32_t what = next_number(1000);

	page_is_missing = next_number(16);
	if (what < 500)
		miss_anywhere(now);
	else if (what < 900)
		respond_to_any();
	else if (what < 950)
		subscribe_any();
	else if (what < 955)
		page_requests_unbound(requests, any_device(), next_number(6));
	else if (what < 960)
		page_requests_translated(requests, any_device(), next_number(QUEUES));
	else if (what < 970)
		insist(now);
	else if (what < 996)
		page_requests_check(requests, now);
	else if (what < 998)
		unsubscribe_any();
	else if (what < 999)
		lose_device();
	else
		lose_client();
}

static void check_sums(void)
{
	const struct page_request_counts *counts = page_requests_counts(requests);
	struct page_requests_info info;
	uint64_t device, sum = 0;

	assert_int_equal(counts->outstanding, open_count);
	assert_true(open_count <= PAGE_REQUESTS_MAX);
	assert_int_equal(counts->requests, last_group);
	assert_int_equal(counts->requests, counts->outstanding + counts->success + counts->invalid +
						   counts->failure + counts->timeouts +
						   counts->no_effect + counts->withdrawn);
	for (device = 0; device < DEVICES; device++)
		if (page_requests_info_of(requests, device, &info)) {
			assert_true(info.outstanding <= PAGE_REQUESTS_OF_DEVICE);
			assert_int_equal(info.client, subscribers[device]);
			sum += info.outstanding;
		}
	assert_int_equal(sum, open_count);
}

static void test_anything(void **state)
{
	const struct page_request_counts *counts;
	uint64_t now, most = 0;

	(void)state;
	for (now = 0; now < 300000; now++) {
		step(now);
		hear();
		check_sums();
		most = open_count > most ? open_count : most;
	}
	/* All of it has happened, and often. */
	counts = page_requests_counts(requests);
	assert_true(counts->success > 1000 && counts->invalid > 1000 && counts->failure > 100);
	assert_true(counts->timeouts > 1000 && counts->no_effect > 100 && counts->withdrawn > 1000);
	print_message("most at a time: %zu\n", (size_t)most);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_success),	    TEST(test_retried_range),
		TEST(test_invalid),	    TEST(test_failure),
		TEST(test_cannot_fail),	    TEST(test_timeout),
		TEST(test_in_vain),	    TEST(test_in_vain_and_cannot_fail),
		TEST(test_comes_and_goes),  TEST(test_whose),
		TEST(test_next_subscriber), TEST(test_obsolete),
		TEST(test_unbound),	    TEST(test_gone),
		TEST(test_full_device),	    TEST(test_full),
		TEST(test_which_faults),    TEST(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
