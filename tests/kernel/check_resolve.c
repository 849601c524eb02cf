// SPDX-License-Identifier: GPL-2.0
/* The BPF program says where buffers are. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "module.h"
#include "process.h"
#include "resolve.h"
#include "trace.h"

#define KICKS 20

/* Bytes of a frame on the first of two pages that it is on. */
#define FIRST_PART 100

#define RW VHOST_ACCESS_RW

/* A second page, which the other is not next to. */
#define OTHER_PAGE 40

/* Puts a frame on the end of one page and the start of another. */
static void put_parts(struct device *d, unsigned int first, unsigned int second, uint32_t tag)
{
	uint8_t buffer[FRAME_BUFFER];

	frame_put(buffer, tag);
	memcpy((uint8_t *)device_page(d, first) + PAGE - FIRST_PART, buffer, FIRST_PART);
	memcpy(device_page(d, second), buffer + FIRST_PART, FRAME_BUFFER - FIRST_PART);
}

/* Offers such a frame that begins on @page. */
static int64_t transmit_parts(struct device *d, unsigned int page)
{
	return device_transmit(d, device_iova(page) + PAGE - FIRST_PART);
}

static bool transmit(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	unsigned int before = fdinfo_entries(d->fd);
	struct hook_answer *a = resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, VHOST_ACCESS_RO);
	struct hook_record r;

	trace_open();
	PART(is_sent(d, FIRST_PAGE, OTHER_PAGE, 1));
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	EXPECT(a->calls == 1 && !a->returned, "%llu calls, error %d", a->calls, a->returned);
	EXPECT(!hook_take(h, &r), "no record");
	EXPECT(r.dev == fdinfo_id(d->fd) && r.vq == TX && r.iova == device_iova(FIRST_PAGE) &&
		       r.len == FRAME_BUFFER && r.access == VHOST_ACCESS_RO,
	       "another record");
	PART(nothing_to_read(d));
	EXPECT(trace_count("miss", "vq=1 iova=0x%llx access=r area=buffer verdict=2",
			   (unsigned long long)device_iova(FIRST_PAGE)) == 1,
	       "not one event");
	EXPECT(trace_count("miss", " ") == 1, "%u misses", trace_count("miss", " "));
	EXPECT(fdinfo_entries(d->fd) == before, "%u entries after %u", fdinfo_entries(d->fd),
	       before);
	return true;
}

/* By the answer of that time: nothing is kept. */
static bool asked_anew(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	struct hook_answer *a = resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, RW);
	unsigned int before = fdinfo_entries(d->fd);

	for (unsigned int i = 0; i < 10; i++) {
		a->gpa = page_gpa(OTHER_PAGE + i);
		PART(is_sent(d, FIRST_PAGE, OTHER_PAGE + i, i));
		PART(is_asked(h, i + 1));
	}
	EXPECT(fdinfo_entries(d->fd) == before, "in the IOTLB");

	/* And without an answer there is none. */
	hook_forget(a);
	device_send(d, FIRST_PAGE, 10);
	return reads_miss(d, device_iova(FIRST_PAGE));
}

static bool receive(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	struct hook_answer *a = resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, VHOST_ACCESS_WO);
	uint8_t *page = device_page(d, OTHER_PAGE);
	int64_t tag;

	trace_open();
	device_offer(d, RX, device_iova(FIRST_PAGE), PAGE);
	device_inject(d, 2);
	device_flush(d);
	EXPECT(device_used(d, RX) == 1, "%u used", device_used(d, RX));
	tag = frame_tag(page + FRAME_HEADER, FRAME_SIZE);
	EXPECT(tag == 2, "frame %lld came in", (long long)tag);
	EXPECT(a->calls == 1, "%llu calls", a->calls);
	EXPECT(trace_count("miss", "vq=0 access=w area=buffer verdict=2") == 1, "not one event");
	return nothing_to_read(d);
}

/* Parts that are in no order in memory, each with an answer of its own. */
static bool pieces(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	struct hook_answer *first = resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE + 1, RW);
	struct hook_answer *second = resolve_pages(h, FIRST_PAGE + 1, 1, OTHER_PAGE, RW);

	put_parts(d, OTHER_PAGE + 1, OTHER_PAGE, 3);
	EXPECT(transmit_parts(d, FIRST_PAGE) == 3, "another frame came out");
	EXPECT(first->calls == 1 && second->calls == 1, "%llu and %llu calls", first->calls,
	       second->calls);
	return nothing_to_read(d);
}

static bool pieces_in_one(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);

	resolve_pages(h, FIRST_PAGE - 1, 4, OTHER_PAGE, RW);
	put_parts(d, OTHER_PAGE + 1, OTHER_PAGE + 2, 4);
	EXPECT(transmit_parts(d, FIRST_PAGE) == 4, "another frame came out");
	return is_asked(h, 1);
}

static bool pieces_received(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	uint8_t frame[FRAME_BUFFER];

	resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE + 1, VHOST_ACCESS_WO);
	resolve_pages(h, FIRST_PAGE + 1, 1, OTHER_PAGE, VHOST_ACCESS_WO);
	device_offer(d, RX, device_iova(FIRST_PAGE + 1) - FIRST_PART, PAGE);
	device_inject(d, 5);
	device_flush(d);
	EXPECT(device_used(d, RX) == 1, "%u used", device_used(d, RX));
	memcpy(frame, (uint8_t *)device_page(d, OTHER_PAGE + 2) - FIRST_PART, FIRST_PART);
	memcpy(frame + FIRST_PART, device_page(d, OTHER_PAGE), FRAME_BUFFER - FIRST_PART);
	EXPECT(frame_tag(frame + FRAME_HEADER, FRAME_SIZE) == 5, "another frame came in");
	return true;
}

/* Of 16 bytes, so that a buffer has many. */
static bool tiny_pieces(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	struct hook_answer *a = resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, RW);

	a->piece = 16;
	PART(is_sent(d, FIRST_PAGE, OTHER_PAGE, 6));
	EXPECT(a->calls == (FRAME_BUFFER + 15) / 16, "%llu calls", a->calls);
	return true;
}

/* The table and what it describes. */
static bool indirect(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	const struct segment parts[] = {
		{device_iova(FIRST_PAGE), FIRST_PART},
		{device_iova(FIRST_PAGE + 1) + FIRST_PART, FRAME_BUFFER - FIRST_PART},
	};

	resolve_pages(h, FIRST_PAGE, 2, OTHER_PAGE, RW);
	resolve_pages(h, FIRST_PAGE + 2, 1, OTHER_PAGE + 2, RW);
	frame_put(device_page(d, OTHER_PAGE), 7);
	memcpy(device_page(d, OTHER_PAGE + 1), device_page(d, OTHER_PAGE), FRAME_BUFFER);
	device_offer_indirect(d, TX, device_page(d, OTHER_PAGE + 2), device_iova(FIRST_PAGE + 2),
			      parts, 2);
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	EXPECT(device_wait_frame(d) == 7, "another frame came out");
	return is_asked(h, 3);
}

static bool update_first(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);

	resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, RW);
	PART(is_sent(d, FIRST_PAGE, OTHER_PAGE, 8));
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	PART(is_sent(d, FIRST_PAGE, FIRST_PAGE, 9));
	PART(is_asked(h, 1));
	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	PART(is_sent(d, FIRST_PAGE, OTHER_PAGE, 10));
	return is_asked(h, 2);
}

/* The answer goes beyond the start of a mapping. */
static bool clipped_by_update(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);

	resolve_pages(h, FIRST_PAGE, 2, OTHER_PAGE, RW);
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RO), "refused");
	put_parts(d, OTHER_PAGE, FIRST_PAGE + 1, 11);
	EXPECT(transmit_parts(d, FIRST_PAGE) == 11, "another frame came out");
	return is_asked(h, 1);
}

/* The same, behind a mapping that does not do. */
static bool clipped_behind(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);

	resolve_pages(h, FIRST_PAGE, 2, OTHER_PAGE, RW);
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RO), "refused");
	put_parts(d, OTHER_PAGE, FIRST_PAGE + 1, 12);
	EXPECT(transmit_parts(d, FIRST_PAGE) == 12, "another frame came out");
	return is_asked(h, 1);
}

/* A mapping, and behind it what has to be asked. */
static bool after_update(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);

	resolve_pages(h, FIRST_PAGE, 2, OTHER_PAGE, RW);
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	put_parts(d, FIRST_PAGE, OTHER_PAGE + 1, 13);
	EXPECT(transmit_parts(d, FIRST_PAGE) == 13, "another frame came out");
	return is_asked(h, 1);
}

static bool update_of_permission(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);

	resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, RW);
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	PART(is_sent(d, FIRST_PAGE, OTHER_PAGE, 14));
	return is_asked(h, 1);
}

/* What the program says of FIRST_PAGE, and what the kernel makes of it. */
struct claim {
	int64_t iova; /* from FIRST_PAGE on */
	uint64_t gpa, size;
	unsigned int perm;
	int error;
};

/* The guest's memory begins here, for these. */
#define BASE 0x100000ULL
#define END (BASE + (NR_PAGES - FIRST_PAGE) * PAGE)

static struct device *open_with_base(struct hook **h)
{
	struct device *d = resolve_open(h);
	struct vhost_memory_region region = {
		.guest_phys_addr = BASE,
		.memory_size = END - BASE,
		.userspace_addr = (uintptr_t)device_page(d, FIRST_PAGE),
	};

	if (device_set_regions(d, &region, 1))
		bail_out("VHOST_SET_MEM_TABLE failed");
	return d;
}

static bool is_refused(const struct claim *c)
{
	struct hook *h;
	struct device *d = open_with_base(&h);
	struct hook_answer *a;

	a = hook_resolve(h, device_iova(FIRST_PAGE), PAGE, c->gpa, c->perm);
	a->iova += c->iova;
	a->size = c->size;

	trace_open();
	device_send(d, FIRST_PAGE, 15);
	EXPECT(a->calls == 1 && a->returned == c->error, "%llu calls, error %d, not %d", a->calls,
	       a->returned, c->error);
	PART(reads_miss(d, device_iova(FIRST_PAGE)));
	PART(nothing_to_read(d));
	EXPECT(trace_count("miss", "verdict=0") == 1, "not one event");
	EXPECT(device_used(d, TX) == 0, "sent");
	trace_close();
	PART(goes_on(d, FIRST_PAGE, 1));
	hook_close(h);
	device_close(d);
	return true;
}

static bool refused(const struct claim *claims, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!is_refused(&claims[i]))
			return check_failed(false, __FILE__, __LINE__, "refused",
					    "0x%llx at 0x%llx, 0x%llx bytes, perm %u",
					    (unsigned long long)claims[i].iova,
					    (unsigned long long)claims[i].gpa,
					    (unsigned long long)claims[i].size, claims[i].perm);
	return true;
}

#define REFUSED(list) refused(list, sizeof(list) / sizeof(*(list)))

static bool not_the_miss(void)
{
	static const struct claim claims[] = {
		{0, BASE, 0, RW, -EINVAL},
		{-8, BASE, 0, RW, -EINVAL},
		{8, BASE, PAGE, RW, -EINVAL},
		{PAGE, BASE, PAGE, RW, -EINVAL},
		{-8, BASE, 8, RW, -EINVAL},
		{-PAGE, BASE, PAGE, RW, -EINVAL},
		/* Less than a page, and not whole words. */
		{0, BASE, 8, RW, -EINVAL},
		{0, BASE, PAGE - 8, RW, -EINVAL},
		{-4, BASE, 2 * PAGE, RW, -EINVAL},
		{0, BASE + 4, PAGE, RW, -EINVAL},
		{0, BASE, PAGE + 4, RW, -EINVAL},
		/* Around the end of all addresses and to the miss. */
		{8, BASE, -8, RW, -EINVAL},
		{PAGE, BASE, -PAGE, RW, -EINVAL},
	};

	return REFUSED(claims);
}

static bool wraps(void)
{
	static const struct claim claims[] = {
		{0, BASE, -8, RW, -EINVAL},
		{0, -PAGE, 2 * PAGE, RW, -EINVAL},
		{-PAGE, -8, 2 * PAGE, RW, -EINVAL},
		{-(int64_t)BASE, -BASE, 3 * BASE, RW, -EINVAL},
	};

	return REFUSED(claims);
}

static bool no_memory(void)
{
	static const struct claim claims[] = {
		{0, 0, PAGE, RW, -EFAULT},
		{0, BASE - 8, PAGE, RW, -EFAULT},
		{0, BASE - PAGE, 2 * PAGE, RW, -EFAULT},
		{0, END, PAGE, RW, -EFAULT},
		{0, -PAGE, PAGE, RW, -EFAULT},
		{-PAGE, END - PAGE, 2 * PAGE, RW, -EFAULT},
		{0, 0, BASE, RW, -EFAULT},
	};

	return REFUSED(claims);
}

static bool no_permission(void)
{
	static const struct claim claims[] = {
		{0, BASE, PAGE, VHOST_ACCESS_WO, -EACCES},
		{0, BASE, PAGE, 0, -EACCES},
		{0, BASE, PAGE, RW | 4, -EINVAL},
		{0, BASE, PAGE, 0x80000000 | VHOST_ACCESS_RO, -EINVAL},
	};

	return REFUSED(claims);
}

/* Of the mapping, what is in the region. */
static bool is_clipped(int64_t iova, uint64_t gpa, uint64_t size, unsigned int at)
{
	struct hook *h;
	struct device *d = open_with_base(&h);
	struct hook_answer *a;

	a = hook_resolve(h, device_iova(FIRST_PAGE), PAGE, gpa, RW);
	a->iova += iova;
	a->size = size;
	PART(is_sent(d, FIRST_PAGE, at, 16));
	EXPECT(!a->returned, "error %d", a->returned);
	hook_close(h);
	device_close(d);
	return true;
}

static bool clipped(void)
{
	PART(is_clipped(0, BASE, PAGE, FIRST_PAGE));
	PART(is_clipped(-PAGE, BASE - PAGE, 3 * PAGE, FIRST_PAGE));
	PART(is_clipped(-(int64_t)BASE, 0, 2 * BASE, FIRST_PAGE));
	PART(is_clipped(0, END - PAGE, 10 * PAGE, NR_PAGES - 1));
	PART(is_clipped(0, END - PAGE, UINT32_MAX & -PAGE, NR_PAGES - 1));
	return is_clipped(-(int64_t)(32 * PAGE), BASE, END, FIRST_PAGE + 32);
}

/* Regions that meet for the guest are apart for the owner. */
static bool two_regions(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	const struct vhost_memory_region regions[] = {
		{0, 32 * PAGE, (uintptr_t)device_page(d, 0), 0},
		{32 * PAGE, 16 * PAGE, (uintptr_t)device_page(d, 40), 0},
	};

	if (device_set_regions(d, regions, 2))
		bail_out("VHOST_SET_MEM_TABLE failed");
	resolve_pages(h, FIRST_PAGE, 8, 28, RW);
	put_parts(d, 31, 40, 17);
	EXPECT(transmit_parts(d, FIRST_PAGE + 3) == 17, "another frame came out");
	return is_asked(h, 2);
}

static bool write_to_read_only(int fallback)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	struct hook_answer *a = resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, VHOST_ACCESS_RO);

	a->refused = fallback;
	device_offer(d, RX, device_iova(FIRST_PAGE), PAGE);
	device_inject(d, 18);
	device_flush(d);
	EXPECT(a->returned == -EACCES, "error %d", a->returned);
	EXPECT(device_used(d, RX) == 0, "received");
	if (fallback == HOOK_QUEUED)
		PART(nothing_to_read(d));
	else
		PART(reads_miss(d, device_iova(FIRST_PAGE)));
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	device_flush(d);
	EXPECT(device_used(d, RX) == 1, "RX was not woken");
	return true;
}

static bool read_only(void)
{
	PART(write_to_read_only(HOOK_PASS));
	device_close_all();
	hook_close_all();
	PART(write_to_read_only(HOOK_QUEUED));
	device_close_all();
	hook_close_all();
	/* It says that it is resolved, which it is not. */
	return write_to_read_only(HOOK_RESOLVED);
}

static bool without_answer(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(HOOK_RESOLVED);

	trace_open();
	device_send(d, FIRST_PAGE, 19);
	PART(is_asked(h, 1));
	PART(reads_miss(d, device_iova(FIRST_PAGE)));
	EXPECT(trace_count("miss", "verdict=0") == 1, "not one event");
	return goes_on(d, FIRST_PAGE, 1);
}

/* The verdict counts, not what was said before. */
static bool other_verdict(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	struct hook_answer *a = resolve_pages(h, FIRST_PAGE, 2, OTHER_PAGE, RW);

	a->verdict = HOOK_PASS;
	device_send(d, FIRST_PAGE, 20);
	EXPECT(!a->returned, "error %d", a->returned);
	PART(reads_miss(d, device_iova(FIRST_PAGE)));
	PART(goes_on(d, FIRST_PAGE, 1));

	a->verdict = HOOK_QUEUED;
	device_send(d, FIRST_PAGE + 1, 21);
	PART(nothing_to_read(d));
	EXPECT(device_used(d, TX) == 1, "sent");
	PART(is_asked(h, 2));
	device_kick_and_flush(d, TX);
	PART(is_asked(h, 2));
	return goes_on(d, FIRST_PAGE + 1, 2);
}

/* The message is there, read or not, when the program knows better. */
static bool passed_then_resolved(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	struct hook_answer *a;

	for (unsigned int i = 0; i < 4; i++) {
		device_send(d, FIRST_PAGE, i);
		EXPECT(device_has_message(d), "no message");
		if (i % 2)
			PART(reads_miss(d, device_iova(FIRST_PAGE)));
		a = resolve_pages(h, FIRST_PAGE, 1, FIRST_PAGE, RW);
		device_kick_and_flush(d, TX);
		EXPECT(device_wait_frame(d) == i, "another frame came out");
		PART(nothing_to_read(d));
		hook_forget(a);
	}
	/* Nobody waits: none comes to be read later. */
	hook_detach(h);
	device_flush(d);
	return nothing_to_read(d);
}

static bool queued_then_resolved(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(HOOK_QUEUED);
	struct fdinfo info;

	trace_open();
	device_send(d, FIRST_PAGE, 22);
	PART(is_asked(h, 1));
	resolve_pages(h, FIRST_PAGE, 1, FIRST_PAGE, RW);
	device_kick_and_flush(d, TX);
	PART(is_asked(h, 1));
	EXPECT(device_used(d, TX) == 0, "sent, without being asked for");

	EXPECT(!batch_retry(d, device_iova(FIRST_PAGE), 1), "refused");
	device_flush(d);
	PART(is_asked(h, 2));
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	EXPECT(device_wait_frame(d) == 22, "another frame came out");
	EXPECT(trace_count("miss", "verdict=1") == 1 && trace_count("miss", "verdict=2") == 1,
	       "other events");
	PART(nothing_to_read(d));

	/* It is not with the program any more. */
	hook_detach(h);
	PART(nothing_to_read(d));
	fdinfo_read(&info, d->fd);
	EXPECT(!info.detached && !info.refused && !info.timeouts, "a fallback");
	return true;
}

static bool handed_back_then_resolved(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(HOOK_QUEUED);

	device_send(d, FIRST_PAGE, 23);
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	EXPECT(device_has_message(d), "no message");
	resolve_pages(h, FIRST_PAGE, 1, FIRST_PAGE, RW);
	EXPECT(!batch_retry(d, 0, 0), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	return nothing_to_read(d);
}

static unsigned int records_of(struct hook *h, unsigned int page)
{
	struct hook_record r;
	unsigned int nr = 0;

	while (!hook_take(h, &r))
		nr += r.iova == device_iova(page);
	return nr;
}

/* The rest of a buffer is with the program, and the guest kicks all the time. */
static bool second_part_queued(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(HOOK_QUEUED);
	unsigned int nr;

	trace_open();
	resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, RW);
	put_parts(d, OTHER_PAGE, FIRST_PAGE + 1, 24);
	device_offer(d, TX, device_iova(FIRST_PAGE + 1) - FIRST_PART, FRAME_BUFFER);
	for (unsigned int i = 0; i < KICKS; i++)
		device_kick_and_flush(d, TX);
	nr = records_of(h, FIRST_PAGE + 1);
	EXPECT(nr == 1, "asked %u times", nr);
	EXPECT(trace_count("miss", "verdict=1") == 1, "a retry counts as a miss");
	PART(nothing_to_read(d));
	PART(goes_on(d, FIRST_PAGE + 1, 1));
	EXPECT(device_wait_frame(d) == 24, "another frame came out");
	return nothing_to_read(d);
}

/* What was handed back of such a buffer stays with the reader. */
static bool second_part_handed_back(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(HOOK_QUEUED);
	unsigned int nr;

	resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, RW);
	put_parts(d, OTHER_PAGE, FIRST_PAGE + 1, 25);
	device_offer(d, TX, device_iova(FIRST_PAGE + 1) - FIRST_PART, FRAME_BUFFER);
	device_kick_and_flush(d, TX);
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	PART(reads_miss(d, device_iova(FIRST_PAGE + 1)));
	device_kick_and_flush(d, TX);
	nr = records_of(h, FIRST_PAGE + 1);
	EXPECT(nr == 1, "asked %u times", nr);
	PART(reads_miss(d, device_iova(FIRST_PAGE + 1)));
	return goes_on(d, FIRST_PAGE + 1, 1);
}

static bool second_part_passed(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);

	resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, RW);
	put_parts(d, OTHER_PAGE, FIRST_PAGE + 1, 26);
	device_offer(d, TX, device_iova(FIRST_PAGE + 1) - FIRST_PART, FRAME_BUFFER);
	for (unsigned int i = 0; i < 3; i++) {
		device_kick_and_flush(d, TX);
		PART(reads_miss(d, device_iova(FIRST_PAGE + 1)));
		PART(nothing_to_read(d));
	}
	PART(goes_on(d, FIRST_PAGE + 1, 1));
	EXPECT(device_wait_frame(d) == 26, "another frame came out");
	return nothing_to_read(d);
}

/* The guest has put another address there meanwhile; the message may stay. */
static bool other_address(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	unsigned int descriptor = device_send(d, FIRST_PAGE, 27);

	EXPECT(device_has_message(d), "no message");
	resolve_pages(h, FIRST_PAGE + 1, 1, FIRST_PAGE, RW);
	device_set_address(d, TX, descriptor, device_iova(FIRST_PAGE + 1));
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	EXPECT(device_wait_frame(d) == 27, "another frame came out");
	return goes_on(d, FIRST_PAGE, 1);
}

/* The last page there is: an address more is none. */
static bool last_page(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	struct hook_answer *a = hook_resolve(h, -PAGE, PAGE, page_gpa(OTHER_PAGE), RW);

	frame_put(device_page(d, OTHER_PAGE), 28);
	EXPECT(device_transmit(d, -PAGE) == 28, "error %d", a->returned);
	frame_put((uint8_t *)device_page(d, OTHER_PAGE) + PAGE - FRAME_BUFFER, 29);
	EXPECT(device_transmit(d, -FRAME_BUFFER) == 29, "error %d", a->returned);
	a = hook_resolve(h, 0, PAGE, page_gpa(OTHER_PAGE + 1), RW);
	frame_put(device_page(d, OTHER_PAGE + 1), 30);
	EXPECT(device_transmit(d, 0) == 30, "error %d", a->returned);
	return true;
}

/* Programs come and go while packets are sent; none gets lost. */
static bool comes_and_goes(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);

	resolve_pages(h, 0, NR_PAGES, 0, RW);
	for (unsigned int i = 0; i < 200; i++) {
		frame_put(device_page(d, FIRST_PAGE), i);
		device_offer(d, TX, device_iova(FIRST_PAGE), FRAME_BUFFER);
		device_kick(d, TX);
		hook_detach(h);
		EXPECT(!hook_attach(h), "cannot attach again");
		device_flush(d);
		EXPECT(device_wait_frame(d) == i, "frame %u is lost", i);
		EXPECT(device_used(d, TX) == i + 1, "%u used", device_used(d, TX));
	}
	return nothing_to_read(d);
}

static unsigned int *progress;

/* Nothing is mapped: all is resolved. */
static void send_for_ever(void)
{
	struct device *d = device_open();
	struct hook *h = hook_open(HOOK_PASS);

	resolve_pages(h, 0, NR_PAGES, 0, RW);
	if (device_start_queue(d, TX))
		bail_out("cannot start");
	for (;;) {
		device_send(d, FIRST_PAGE, *progress);
		if (device_wait_frame(d) != *progress)
			bail_out("frame %u is lost", *progress);
		__atomic_add_fetch(progress, 1, __ATOMIC_RELEASE);
	}
}

/* That of one that was killed goes a while after it. */
static bool attaches(void)
{
	struct hook *h;
	int error;

	h = hook_load(HOOK_GOOD, &error);
	EXPECT(h, "error %d", error);
	for (int waited = 0; waited < LIMIT_MS; waited++) {
		error = hook_attach(h);
		if (error != -EBUSY)
			break;
		poll(NULL, 0, 1);
	}
	EXPECT(!error, "error %d", error);
	hook_close(h);
	return true;
}

static bool killed(void)
{
	int references;

	progress = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		bail_out_errno("no memory");
	references = module_references("vhost_net");
	for (unsigned int i = 0; i < 10; i++) {
		struct process p;
		int waited = 0;

		*progress = 0;
		process_begin(&p, send_for_ever);
		while (__atomic_load_n(progress, __ATOMIC_ACQUIRE) < 10 + i && waited++ < LIMIT_MS)
			poll(NULL, 0, 1);
		process_kill(&p);
		EXPECT(waited < LIMIT_MS, "%u frames", *progress);
		PART(attaches());
	}
	munmap(progress, PAGE);
	EXPECT(module_references("vhost_net") == references, "devices have stayed");
	return true;
}

static bool closed(void)
{
	for (unsigned int i = 0; i < 20; i++) {
		struct device *d = device_open();
		struct hook *h = hook_open(HOOK_PASS);

		resolve_pages(h, 0, NR_PAGES, 0, RW);
		EXPECT(!device_start_queue(d, TX), "cannot start");
		device_offer(d, TX, device_iova(FIRST_PAGE), FRAME_BUFFER);
		device_kick(d, TX);
		if (i % 2)
			hook_close(h);
		device_close(d);
		if (!(i % 2))
			hook_close(h);
	}
	return true;
}

static bool kthread(void)
{
	const struct device_shape shape = {.kthread = true};
	struct device *d = device_open_shaped(&shape);
	struct hook *h = hook_open(HOOK_PASS);
	struct hook_record r;

	device_run(d);
	resolve_pages(h, FIRST_PAGE, 1, OTHER_PAGE, RW);
	PART(is_sent(d, FIRST_PAGE, OTHER_PAGE, 31));
	EXPECT(!hook_take(h, &r), "no record");
	EXPECT(r.tgid != (unsigned int)getpid(), "a thread of ours");
	return nothing_to_read(d);
}

static bool load_refused(enum hook_kind kind, int expected)
{
	int error;

	EXPECT(!hook_load(kind, &error), "kind %d is loaded", kind);
	EXPECT(error == expected, "kind %d: error %d", kind, error);
	return true;
}

static bool bad_programs(void)
{
	PART(load_refused(HOOK_MAPS_OTHER, -EINVAL));
	PART(load_refused(HOOK_READS_OTHER, -EINVAL));
	PART(load_refused(HOOK_READS_BEYOND, -EINVAL));
	PART(load_refused(HOOK_READS_WORD_OTHER, -EINVAL));
	PART(load_refused(HOOK_READS_WORD_BEYOND, -EINVAL));
	PART(load_refused(HOOK_SETS_OTHER, -EINVAL));
	return load_refused(HOOK_SLEEPS_READS, -EINVAL);
}

static bool tracing_program(void)
{
	int error = hook_load_tracing();

	EXPECT(error == -EACCES, "error %d", error);
	return true;
}

static const struct check list[] = {
	{"a buffer that is sent", transmit, STOCK_LACKS},
	{"asked with every packet, and nothing kept", asked_anew, STOCK_LACKS},
	{"a buffer that is received", receive, STOCK_LACKS},
	{"a buffer on two pages, by two answers", pieces, STOCK_LACKS},
	{"a buffer on two pages, by one answer", pieces_in_one, STOCK_LACKS},
	{"two pages that are received", pieces_received, STOCK_LACKS},
	{"a buffer in many pieces", tiny_pieces, STOCK_LACKS},
	{"an indirect table and its buffers", indirect, STOCK_LACKS},
	{"UPDATE comes first, until INVALIDATE", update_first, STOCK_LACKS},
	{"an answer ends where a mapping begins", clipped_by_update, STOCK_LACKS},
	{"also behind a mapping that lacks the permission", clipped_behind, STOCK_LACKS},
	{"asked for what is behind a mapping", after_update, STOCK_LACKS},
	{"asked for what a mapping does not permit", update_of_permission, STOCK_LACKS},
	{"refused: not around the miss", not_the_miss, STOCK_LACKS},
	{"refused: wraps around", wraps, STOCK_LACKS},
	{"refused: not in the memory table", no_memory, STOCK_LACKS},
	{"refused: permissions", no_permission, STOCK_LACKS},
	{"what is outside of the region is cut", clipped, STOCK_LACKS},
	{"an answer across two regions counts for each by itself", two_regions, STOCK_LACKS},
	{"no write to what is read-only", read_only, STOCK_LACKS},
	{"RESOLVED without an answer counts as PASS", without_answer, STOCK_LACKS},
	{"an answer with another verdict is none", other_verdict, STOCK_LACKS},
	{"PASS, then resolved: no message is left", passed_then_resolved, STOCK_LACKS},
	{"QUEUED, RETRY, then resolved", queued_then_resolved, STOCK_LACKS},
	{"handed back, RETRY, then resolved", handed_back_then_resolved, STOCK_LACKS},
	{"one part is resolved, one passed", second_part_passed, STOCK_LACKS},
	{"one part is resolved, one queued, and kicks", second_part_queued, STOCK_LACKS},
	{"one part is resolved, one handed back", second_part_handed_back, STOCK_LACKS},
	{"another address is resolved than was missed", other_address, STOCK_LACKS},
	{"the last and the first page", last_page, STOCK_LACKS},
	{"programs come and go", comes_and_goes, STOCK_LACKS},
	{"device and program are killed", killed, STOCK_LACKS},
	{"device and program are closed", closed, STOCK_LACKS},
	{"a worker that is a kernel thread", kthread, STOCK_LACKS},
	{"programs that the verifier refuses", bad_programs, STOCK_LACKS},
	{"a tracing program cannot read", tracing_program, STOCK_LACKS},
};

CHECK_GROUP(resolve, list);
