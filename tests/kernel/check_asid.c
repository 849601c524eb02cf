// SPDX-License-Identifier: GPL-2.0
/*
 * Virtqueues in address spaces of their own: what is said of one of them is
 * not for the other, although all addresses are the same.
 */
#include <errno.h>
#include <string.h>

#include "asid.h"
#include "batch.h"
#include "check.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "trace.h"

/* Pages that are at ASID_BUFFER, in one or the other. */
#define TX_PAGE FIRST_PAGE
#define RX_PAGE (FIRST_PAGE + 1)
#define SPARE_PAGE (FIRST_PAGE + 2)

/* So many invalidations does vhost remember. */
#define HISTORY 128

#define QUEUED 1

#define EVERYTHING 0, 0

/* A device that can send and receive. */
static struct device *open_mapped(void)
{
	struct device *d = asid_open_running();

	if (asid_map(d, ASID_TX, ASID_BUFFER, TX_PAGE) ||
	    asid_map(d, ASID_RX, ASID_BUFFER, RX_PAGE))
		bail_out("cannot map a buffer");
	return d;
}

/* A frame goes out, or comes in, without a miss. */
static bool sends(struct device *d, uint32_t tag)
{
	asid_send(d, TX_PAGE, tag);
	EXPECT(!device_has_message(d), "a miss");
	EXPECT(device_wait_frame(d) == tag, "another frame came out");
	return true;
}

static bool receives(struct device *d, uint32_t tag)
{
	memset(device_page(d, RX_PAGE), 0, PAGE);
	asid_receive(d, tag);
	EXPECT(!device_has_message(d), "a miss");
	EXPECT(asid_received(d, RX_PAGE) == tag, "another frame came in");
	return true;
}

/* TX waits for an address, and says so. */
static bool waits(struct device *d, uint64_t iova, struct vhost_iotlb_op *miss)
{
	struct vhost_iotlb_op more;

	EXPECT(!batch_read_miss(d, miss), "no miss");
	EXPECT(miss->asid == ASID_TX, "in address space 0x%x", miss->asid);
	EXPECT(miss->iova == iova, "at 0x%llx", miss->iova);
	EXPECT(batch_read_miss(d, &more) == -EAGAIN, "a second message");
	return true;
}

/* TX waits for its buffer. */
static bool waits_for_buffer(struct device *d, uint32_t tag, struct vhost_iotlb_op *miss)
{
	asid_send(d, TX_PAGE, tag);
	return waits(d, ASID_BUFFER, miss);
}

static bool kept_apart(void)
{
	struct device *d = open_mapped();

	for (uint32_t tag = 1; tag < 100; tag += 2) {
		PART(sends(d, tag));
		PART(receives(d, tag + 1));
	}
	EXPECT(device_used(d, TX) == 50, "%u sent", device_used(d, TX));
	EXPECT(device_used(d, RX) == 50, "%u received", device_used(d, RX));
	EXPECT(fdinfo_entries(d->fd) == 0, "%u entries", fdinfo_entries(d->fd));
	return true;
}

/* What is mapped elsewhere is not found, and wakes nobody. */
static bool answered_elsewhere(void)
{
	static const uint32_t others[] = {0, ASID_RX};
	struct device *d = asid_open_running();
	struct vhost_iotlb_op miss;

	EXPECT(!asid_map(d, ASID_RX, ASID_BUFFER, RX_PAGE), "refused");
	frame_put(device_page(d, RX_PAGE), 666);
	PART(waits_for_buffer(d, 1, &miss));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		EXPECT(!asid_map(d, others[i], ASID_BUFFER, RX_PAGE), "refused");
		EXPECT(!asid_map_v2(d, others[i], ASID_BUFFER, RX_PAGE), "refused");
		EXPECT(!asid_write(d, others[i], VHOST_IOTLB_RETRY, EVERYTHING), "refused");
		device_flush(d);
		EXPECT(!device_has_message(d), "it tried again");
		EXPECT(device_used(d, TX) == 0, "sent from another address space");
	}
	EXPECT(!asid_map(d, ASID_TX, ASID_BUFFER, TX_PAGE), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	return true;
}

static bool retried(void)
{
	struct device *d = asid_open_running();
	struct vhost_iotlb_op miss;

	PART(waits_for_buffer(d, 1, &miss));
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_RETRY, ASID_BUFFER, PAGE), "refused");
	device_flush(d);
	PART(waits(d, ASID_BUFFER, &miss));
	EXPECT(!asid_write_all(d, VHOST_IOTLB_RETRY, EVERYTHING), "refused");
	device_flush(d);
	return waits(d, ASID_BUFFER, &miss);
}

static bool version_2(void)
{
	struct device *d = asid_open_running();
	struct vhost_iotlb_msg msg;
	uint32_t asid;

	EXPECT(!asid_accept(d, false), "refused");
	asid_send(d, TX_PAGE, 1);
	EXPECT(!device_read_miss_in(d, &asid, &msg), "no miss");
	EXPECT(asid == ASID_TX && msg.iova == ASID_BUFFER, "0x%llx in 0x%x", msg.iova, asid);
	EXPECT(!asid_map_v2(d, ASID_TX, ASID_BUFFER, TX_PAGE), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");

	/* Of all of one address space, and a mapping that an address is in. */
	EXPECT(!asid_map_v2(d, ASID_RX, ASID_BUFFER, RX_PAGE), "refused");
	EXPECT(!device_invalidate_in(d, ASID_RX, EVERYTHING), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_RX) == 0, "not empty");
	EXPECT(!device_invalidate_in(d, ASID_OTHER, EVERYTHING), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 4, "%d entries",
	       fdinfo_entries_in(d->fd, ASID_TX));
	EXPECT(!device_invalidate_in(d, ASID_TX, ASID_BUFFER + 100, 1), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 3, "%d entries",
	       fdinfo_entries_in(d->fd, ASID_TX));

	EXPECT(asid_map_v2(d, ASID_OTHER, ASID_BUFFER, TX_PAGE) == -ENXIO, "not refused");
	EXPECT(asid_map_v2(d, ASID_TX, -PAGE, TX_PAGE) == 0, "refused");
	EXPECT(asid_map_v2(d, ASID_TX, -PAGE + 1, TX_PAGE) == -EFAULT, "another error");
	return true;
}

/* Who has not agreed to it writes what they like there. */
static bool version_2_without(void)
{
	struct device *d = device_open_running();

	EXPECT(!asid_map_v2(d, ASID_OTHER, device_iova(FIRST_PAGE), FIRST_PAGE), "refused");
	device_send(d, FIRST_PAGE, 1);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	EXPECT(!device_invalidate_in(d, ASID_OTHER, device_iova(FIRST_PAGE), PAGE), "refused");
	device_send(d, FIRST_PAGE, 2);
	EXPECT(device_used(d, TX) == 1, "not invalidated");
	return true;
}

/* By range, in one and in the other. */
static bool invalidated_range(void)
{
	struct device *d = open_mapped();
	struct vhost_iotlb_op miss;

	EXPECT(!asid_write(d, ASID_RX, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE), "refused");
	EXPECT(!asid_write(d, 0, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE), "refused");
	EXPECT(!asid_write(d, ASID_OTHER, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE), "refused");
	PART(sends(d, 1));
	EXPECT(!asid_map(d, ASID_RX, ASID_BUFFER, RX_PAGE), "refused");
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE), "refused");
	PART(receives(d, 2));
	return waits_for_buffer(d, 3, &miss);
}

/* Of the ring, which the virtqueue has looked up already. */
static bool invalidated_ring(void)
{
	struct device *d = open_mapped();
	struct vhost_iotlb_op miss;

	EXPECT(!asid_write(d, ASID_RX, VHOST_IOTLB_INVALIDATE, ASID_RINGS, 3 * PAGE), "refused");
	PART(sends(d, 1));
	asid_map_ring(d, RX, ASID_RX);
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, ASID_RINGS, PAGE), "refused");
	asid_send(d, TX_PAGE, 2);
	PART(waits(d, ASID_RINGS, &miss));
	PART(receives(d, 3));

	/* The answer may be another page. */
	memcpy(device_page(d, SPARE_PAGE), device_page(d, device_ring_page(TX, DESC)), PAGE);
	memset(device_page(d, device_ring_page(TX, DESC)), 0, PAGE);
	EXPECT(!asid_map_by(d, ASID_TX, ASID_RINGS, SPARE_PAGE, miss.token), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 2, "another frame came out");
	return true;
}

static bool invalidated_space(void)
{
	struct device *d = open_mapped();
	struct vhost_iotlb_op miss;

	EXPECT(!asid_write(d, ASID_RX, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_RX) == 0, "not empty");
	EXPECT(!asid_write(d, 0, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 4, "%d entries",
	       fdinfo_entries_in(d->fd, ASID_TX));
	PART(sends(d, 1));
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 0, "not empty");
	asid_send(d, TX_PAGE, 2);
	return waits(d, ASID_RINGS, &miss);
}

static bool invalidated_all(void)
{
	struct device *d = open_mapped();
	struct vhost_iotlb_op miss;

	EXPECT(!asid_map(d, 0, ASID_BUFFER, SPARE_PAGE), "refused");
	EXPECT(!asid_map(d, 0, ASID_RINGS, SPARE_PAGE), "refused");
	EXPECT(!asid_write_all(d, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE), "refused");
	EXPECT(fdinfo_entries_in(d->fd, 0) == 1, "%d entries", fdinfo_entries_in(d->fd, 0));
	EXPECT(fdinfo_entries_in(d->fd, ASID_RX) == 3, "%d entries",
	       fdinfo_entries_in(d->fd, ASID_RX));
	PART(waits_for_buffer(d, 1, &miss));
	EXPECT(!asid_map(d, ASID_TX, ASID_BUFFER, TX_PAGE), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");

	EXPECT(!asid_write_all(d, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	EXPECT(fdinfo_entries_in(d->fd, 0) == 0, "not empty");
	EXPECT(fdinfo_entries_in(d->fd, ASID_RX) == 0, "not empty");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 0, "not empty");
	asid_send(d, TX_PAGE, 2);
	return waits(d, ASID_RINGS, &miss);
}

/* Only what is invalidated in the same address space makes an answer old. */
static bool tokens(void)
{
	static const uint32_t others[] = {0, ASID_RX, ASID_OTHER};
	struct device *d = asid_open_running();
	struct vhost_iotlb_op miss, again;

	PART(waits_for_buffer(d, 1, &miss));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		for (int n = 0; n < HISTORY + 1; n++)
			EXPECT(!asid_write(d, others[i], VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE),
			       "refused");
	EXPECT(!asid_map_by(d, ASID_TX, ASID_BUFFER, TX_PAGE, miss.token), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");

	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE), "refused");
	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, TX_PAGE, miss.token) == -ESTALE, "accepted");
	PART(waits_for_buffer(d, 2, &miss));
	EXPECT(!asid_write_all(d, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, 1), "refused");
	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, TX_PAGE, miss.token) == -ESTALE, "accepted");
	device_flush(d);
	PART(waits(d, ASID_BUFFER, &again));
	EXPECT(again.token == miss.token + 1, "token %llu after %llu", again.token, miss.token);
	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, TX_PAGE, again.token + 1) == -EINVAL,
	       "a token from the future");
	EXPECT(!asid_map_by(d, ASID_TX, ASID_BUFFER, TX_PAGE, again.token), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 2, "another frame came out");
	return true;
}

/* Whatever replaces the memory is for all of them. */
static bool memory_table(void)
{
	struct device *d = asid_open_running();
	struct vhost_iotlb_op miss;

	PART(waits_for_buffer(d, 1, &miss));
	EXPECT(!device_set_memory_table(d), "refused");
	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, TX_PAGE, miss.token) == -ESTALE, "accepted");
	device_flush(d);
	return waits(d, ASID_BUFFER, &miss);
}

/* The rest of a message is not lost by an address space that has gone. */
static bool in_a_batch(void)
{
	struct device *d = open_mapped();
	struct batch b;

	batch_init(&b);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE)->asid = ASID_RX;
	batch_add_update(&b, ASID_BUFFER, PAGE, device_page(d, TX_PAGE), VHOST_ACCESS_RW)->asid =
		ASID_OTHER;
	batch_add(&b, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE)->asid = ASID_TX;
	EXPECT(batch_write(d, &b) == 1, "not up to the second operation");
	EXPECT(fdinfo_entries_in(d->fd, ASID_RX) == 3, "not invalidated");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 4, "invalidated");
	EXPECT(fdinfo_entries_in(d->fd, ASID_OTHER) == -1, "it is there now");
	b.num = 1;
	b.ops[0] = b.ops[1];
	EXPECT(batch_write(d, &b) == -ENXIO, "not refused");
	return true;
}

static bool bad_operations(void)
{
	static const int types[] = {VHOST_IOTLB_INVALIDATE, VHOST_IOTLB_RETRY, VHOST_IOTLB_MISS};
	struct device *d = open_mapped();
	struct vhost_iotlb_op op = {
		.type = VHOST_IOTLB_UPDATE,
		.iova = ASID_BUFFER,
		.size = PAGE,
		.uaddr = (uintptr_t)device_page(d, TX_PAGE),
		.perm = VHOST_ACCESS_RW,
		.flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
	};

	EXPECT(batch_write_op(d, &op) == -EINVAL, "an UPDATE of all");
	op.asid = ASID_TX;
	EXPECT(batch_write_op(d, &op) == -EINVAL, "an UPDATE of all and one");
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		op = (struct vhost_iotlb_op){.type = types[i]};
		op.asid = ASID_OTHER;
		EXPECT(!batch_write_op(d, &op), "refused where nothing is, type %d", types[i]);
		op.flags = VHOST_IOTLB_OP_F_ALL_ASIDS;
		EXPECT(batch_write_op(d, &op) == -EINVAL, "all and one, type %d", types[i]);
		op.asid = 0;
		for (unsigned int bit = 2; bit < 16; bit++) {
			op.flags = VHOST_IOTLB_OP_F_ALL_ASIDS | 1U << bit;
			EXPECT(batch_write_op(d, &op) == -EINVAL, "flag 0x%x", op.flags);
		}
	}
	PART(sends(d, 1));
	return receives(d, 2);
}

/* Each has a limit of its own: what one evicts is not another's. */
static bool evicted(void)
{
	const unsigned int limit = fdinfo_limit();
	struct device *d = open_mapped();
	unsigned long long dev = fdinfo_id(d->fd);
	struct fdinfo info;

	trace_open_event("evict");
	for (unsigned int i = 0; i < limit; i++)
		EXPECT(!asid_map(d, ASID_TX, ASID_BUFFER + (2 * i + 2) * PAGE, SPARE_PAGE),
		       "refused");
	EXPECT(trace_count("evict", "dev=%llu asid=%u", dev, ASID_TX) == 4, "%u evictions",
	       trace_count("evict", "dev=%llu asid=%u", dev, ASID_TX));
	EXPECT(trace_count("evict", "dev=%llu", dev) == 4, "others, too");
	EXPECT(fdinfo_entries_in(d->fd, ASID_RX) == 4, "%d entries",
	       fdinfo_entries_in(d->fd, ASID_RX));
	fdinfo_read(&info, d->fd);
	EXPECT(info.nr_spaces == 2 && info.spaces[1].asid == ASID_TX, "another order");
	EXPECT(info.spaces[1].entries == limit && info.spaces[1].limit == limit, "%u of %u",
	       info.spaces[1].entries, info.spaces[1].limit);
	return receives(d, 1);
}

static bool shown(void)
{
	struct device *d = open_mapped();
	struct fdinfo info;

	EXPECT(!asid_map(d, 0, ASID_BUFFER, SPARE_PAGE), "refused");
	fdinfo_read(&info, d->fd);
	EXPECT(info.has_iotlb && info.entries == 1, "%u entries in the first", info.entries);
	EXPECT(info.nr_spaces == 2, "%u others", info.nr_spaces);
	EXPECT(info.spaces[0].asid == ASID_RX, "0x%x", info.spaces[0].asid);
	EXPECT(info.spaces[0].entries == 4 && info.spaces[0].limit == fdinfo_limit(), "%u of %u",
	       info.spaces[0].entries, info.spaces[0].limit);
	EXPECT(!strcmp(info.spaces[0].queues, "0"), "virtqueues %s", info.spaces[0].queues);
	EXPECT(!strcmp(info.spaces[1].queues, "1"), "virtqueues %s", info.spaces[1].queues);

	d = device_open_running();
	fdinfo_read(&info, d->fd);
	EXPECT(info.has_iotlb && !info.nr_spaces, "%u others", info.nr_spaces);
	return true;
}

static bool traced(void)
{
	struct device *d = asid_open_running();
	unsigned long long dev = fdinfo_id(d->fd);
	struct vhost_iotlb_op miss;

	trace_open();
	PART(waits_for_buffer(d, 1, &miss));
	EXPECT(trace_count("miss", "dev=%llu vq=1 asid=%u", dev, ASID_TX) == 1, "no miss");
	EXPECT(!asid_map(d, ASID_TX, ASID_BUFFER, TX_PAGE), "refused");
	device_flush(d);
	EXPECT(trace_count("update", "dev=%llu ret=0 asid=%u", dev, ASID_TX) == 1, "no update");
	EXPECT(trace_count("hit", "dev=%llu area=buffer asid=%u", dev, ASID_TX) == 1, "no hit");
	EXPECT(trace_count("hit", "dev=%llu asid=0", dev) == 0, "hits in the first");
	EXPECT(asid_map(d, ASID_OTHER, ASID_BUFFER, TX_PAGE) == -ENXIO, "not refused");
	EXPECT(trace_count("update", "dev=%llu ret=-6 asid=%u", dev, ASID_OTHER) == 1,
	       "no update that was refused");
	EXPECT(!asid_write(d, ASID_OTHER, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	EXPECT(trace_count("invalidate", "dev=%llu asid=%u", dev, ASID_OTHER) == 1,
	       "no invalidation of nothing");
	EXPECT(!asid_write_all(d, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	EXPECT(trace_count("invalidate", "dev=%llu asid=0 and all others", dev) == 1,
	       "no invalidation of all");
	EXPECT(trace_count("invalidate", "dev=%llu", dev) == 2, "more of them");
	return true;
}

/* A program is told where the virtqueue is, and what it resolves stays there. */
static bool resolved(void)
{
	struct device *d = asid_open_running();
	struct hook *h = hook_open(QUEUED);
	struct hook_answer *answer;
	struct hook_record r;

	answer = hook_resolve(h, ASID_RINGS, 3 * PAGE, device_ring_page(TX, DESC) * PAGE,
			      VHOST_ACCESS_RW);
	hook_resolve(h, ASID_BUFFER, PAGE, TX_PAGE * PAGE, VHOST_ACCESS_RW);
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	asid_send(d, TX_PAGE, 1);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	EXPECT(!hook_take(h, &r) && r.asid == ASID_TX && r.vq == TX, "in 0x%x", r.asid);
	EXPECT(answer->calls > 0, "not asked about the ring");

	/* It keeps the ring until that is invalidated where it is. */
	answer->calls = 0;
	EXPECT(!asid_write(d, ASID_RX, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	EXPECT(!asid_write(d, 0, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	asid_send(d, TX_PAGE, 2);
	EXPECT(device_wait_frame(d) == 2, "another frame came out");
	EXPECT(answer->calls == 0, "asked %llu times", answer->calls);
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, ASID_RINGS, 1), "refused");
	asid_send(d, TX_PAGE, 3);
	EXPECT(device_wait_frame(d) == 3, "another frame came out");
	EXPECT(answer->calls > 0, "not asked again");
	answer->calls = 0;
	EXPECT(!asid_write_all(d, VHOST_IOTLB_INVALIDATE, ASID_RINGS, 1), "refused");
	asid_send(d, TX_PAGE, 4);
	EXPECT(device_wait_frame(d) == 4, "another frame came out");
	EXPECT(answer->calls > 0, "not asked again");
	return true;
}

/* Misses that a program has taken are handed back where they are. */
static bool handed_back(void)
{
	struct device *d = asid_open_running();
	struct hook *h = hook_open(QUEUED);
	struct vhost_iotlb_op miss;

	asid_send(d, TX_PAGE, 1);
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	EXPECT(!asid_write(d, ASID_RX, VHOST_IOTLB_MISS, EVERYTHING), "refused");
	EXPECT(!asid_write(d, 0, VHOST_IOTLB_MISS, EVERYTHING), "refused");
	EXPECT(!device_has_message(d), "handed back elsewhere");
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_MISS, EVERYTHING), "refused");
	PART(waits(d, ASID_BUFFER, &miss));
	EXPECT(!asid_map_by(d, ASID_TX, ASID_BUFFER, TX_PAGE, miss.token), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");

	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE), "refused");
	asid_send(d, TX_PAGE, 2);
	EXPECT(!asid_write_all(d, VHOST_IOTLB_MISS, EVERYTHING), "refused");
	PART(waits(d, ASID_BUFFER, &miss));
	/* So they are when the program goes. */
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_RETRY, EVERYTHING), "refused");
	device_flush(d);
	EXPECT(!device_has_message(d), "the program was not asked");
	hook_detach(h);
	return waits(d, ASID_BUFFER, &miss);
}

static const struct check list[] = {
	{"the same addresses are other pages", kept_apart, STOCK_LACKS},
	{"an answer in another address space is none", answered_elsewhere, STOCK_LACKS},
	{"RETRY is for one or all", retried, STOCK_LACKS},
	{"messages of type V2", version_2, STOCK_LACKS},
	{"of which nobody looks at the number if that was not agreed on", version_2_without,
	 STOCK_PASSES},
	{"INVALIDATE of a range", invalidated_range, STOCK_LACKS},
	{"INVALIDATE of a ring", invalidated_ring, STOCK_LACKS},
	{"INVALIDATE of an address space", invalidated_space, STOCK_LACKS},
	{"INVALIDATE of all address spaces", invalidated_all, STOCK_LACKS},
	{"tokens are those of an address space", tokens, STOCK_LACKS},
	{"a new memory table is for all of them", memory_table, STOCK_LACKS},
	{"one that there is not: ENXIO when it is its turn", in_a_batch, STOCK_LACKS},
	{"operations that make no sense", bad_operations, STOCK_LACKS},
	{"each has a limit", evicted, STOCK_LACKS},
	{"fdinfo shows them", shown, STOCK_LACKS},
	{"tracepoints tell", traced, STOCK_LACKS},
	{"a program resolves in one of them", resolved, STOCK_LACKS},
	{"a program's misses are handed back in one of them", handed_back, STOCK_LACKS},
};

CHECK_GROUP(asid, list);
