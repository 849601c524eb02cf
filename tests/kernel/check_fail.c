// SPDX-License-Identifier: GPL-2.0
/* Misses that are answered with a failure. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/virtio_net.h>

#include "asid.h"
#include "batch.h"
#include "check.h"
#include "device.h"
#include "fail.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "module.h"
#include "process.h"
#include "resolve.h"
#include "trace.h"

#define RO VHOST_ACCESS_RO
#define WO VHOST_ACCESS_WO
#define RW VHOST_ACCESS_RW

/* What a virtqueue waits for, what is mapped, and where nobody is. */
#define WAITED FIRST_PAGE
#define MAPPED (FIRST_PAGE + 1)
#define ELSEWHERE 0x700000000ULL

static const struct device_shape usual;

/* What may change how buffers are taken and given back. */
static const struct device_shape shapes[] = {
	{0},
	{.features = 1ULL << VIRTIO_RING_F_EVENT_IDX},
	{.features = 1ULL << VIRTIO_NET_F_MRG_RXBUF},
	{.features = 1ULL << VIRTIO_NET_F_MRG_RXBUF | 1ULL << VIRTIO_RING_F_EVENT_IDX},
};

#define NR_SHAPES (sizeof(shapes) / sizeof(*shapes))

/* For each of them. */
static bool each(bool (*check)(struct failing *f))
{
	struct failing f;

	for (unsigned int i = 0; i < NR_SHAPES; i++) {
		fail_open(&f, &shapes[i]);
		if (!check(&f))
			return check_failed(false, __FILE__, __LINE__, "check(&f)",
					    "with features 0x%llx",
					    (unsigned long long)shapes[i].features);
		fail_close(&f);
	}
	return true;
}

/* Ask to be told of what is used next, if the device looks at that. */
static void want_call(struct device *d, int queue)
{
	struct queue *q = &d->queues[queue];

	(void)!read(q->call, &(uint64_t){0}, sizeof(uint64_t));
	q->avail->ring[d->ring_size] = q->used->idx;
}

static bool is_called(const struct device *d, int queue)
{
	uint64_t count = 0;

	(void)!read(d->queues[queue].call, &count, sizeof(count));
	EXPECT(count == 1, "called %llu times", (unsigned long long)count);
	return true;
}

/* TX waits for the page WAITED. Returns its descriptor. */
static unsigned int wait_tx(struct failing *f, uint64_t *token)
{
	unsigned int head = device_send(f->device, WAITED, 1);

	if (!fail_is_asked(f->device, device_iova(WAITED), RO, token))
		bail_out("it does not wait");
	return head;
}

/* TX goes on, and what it sends comes out next. */
static bool sends(struct failing *f, uint32_t tag)
{
	int64_t out;

	EXPECT(!device_map(f->device, MAPPED, RO), "refused");
	frame_put(device_page(f->device, MAPPED), tag);
	out = device_transmit(f->device, device_iova(MAPPED));
	EXPECT(out == tag, "frame %lld came out, not %u", (long long)out, tag);
	return true;
}

static bool send_fails(struct failing *f)
{
	struct device *d = f->device;
	unsigned int count = fail_count(d), head;

	trace_open_event("fail");
	for (unsigned int i = 0; i < 3; i++) {
		head = wait_tx(f, NULL);
		want_call(d, TX);
		EXPECT(!fail_access(d, device_iova(WAITED), PAGE, RO), "refused");
		device_flush(d);
		PART(fail_gives_back(f, TX, 2 * i + 1, head));
		PART(is_called(d, TX));
		PART(nothing_to_read(d));
		EXPECT(fail_count(d) == count + i + 1, "counted: %u", fail_count(d) - count);
		PART(sends(f, 100 + i));
		PART(fail_has_none(f, RX, 0));
	}
	EXPECT(trace_count("fail", "dev=%llu vq=1 iova=0x%llx access=r area=buffer asid=0",
			   (unsigned long long)fdinfo_id(d->fd),
			   (unsigned long long)device_iova(WAITED)) == 3,
	       "not three events");
	trace_close();
	return true;
}

static bool send(void)
{
	return each(send_fails);
}

/* Several packets wait: those before and behind are sent. */
static bool send_some(struct failing *f)
{
	struct device *d = f->device;
	const unsigned int missing = 3, nr = 8;

	for (unsigned int i = 0; i < nr; i++) {
		if (i != missing)
			EXPECT(!device_map(d, FIRST_PAGE + i, RO), "refused");
		frame_put(device_page(d, FIRST_PAGE + i), i);
		device_offer(d, TX, device_iova(FIRST_PAGE + i), FRAME_BUFFER);
	}
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == missing, "%u used", device_used(d, TX));
	PART(fail_is_asked(d, device_iova(FIRST_PAGE + missing), RO, NULL));
	EXPECT(!fail_access(d, 0, 0, RW), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == nr, "%u used", device_used(d, TX));
	EXPECT(fail_errors(f, TX) == 1, "not one error");
	for (unsigned int i = 0; i < nr; i++) {
		EXPECT(fail_used(d, TX, i).id == i, "%u is not in its place", i);
		EXPECT(fail_used(d, TX, i).len == 0, "with length %u", fail_used(d, TX, i).len);
		if (i != missing)
			EXPECT(device_wait_frame(d) == i, "not frame %u", i);
	}
	return true;
}

static bool sends_others(void)
{
	return each(send_some);
}

#define NR_PARTS_OF_CHAIN 3

/* A frame in three buffers, of which one is not mapped: the table, if it is the last. */
static bool chain_fails(struct failing *f, unsigned int missing, bool indirect)
{
	const uint32_t lengths[] = {FRAME_HEADER, 50, FRAME_BUFFER - FRAME_HEADER - 50};
	const unsigned int table = FIRST_PAGE + NR_PARTS_OF_CHAIN;
	unsigned int used = device_used(f->device, TX), at = 0;
	struct segment parts[NR_PARTS_OF_CHAIN];
	struct device *d = f->device;
	uint8_t packet[FRAME_BUFFER];
	uint64_t missed;

	frame_put(packet, 77);
	EXPECT(!device_invalidate(d, 0, 0), "refused");
	for (unsigned int page = 0; page < device_ring_pages(d); page++)
		EXPECT(!device_map(d, page, RW), "refused");
	for (unsigned int i = 0; i <= NR_PARTS_OF_CHAIN; i++) {
		if (i != missing)
			EXPECT(!device_map(d, FIRST_PAGE + i, RO), "refused");
		if (i == NR_PARTS_OF_CHAIN)
			break;
		parts[i] = (struct segment){device_iova(FIRST_PAGE + i) + i, lengths[i]};
		memcpy((uint8_t *)device_page(d, FIRST_PAGE + i) + i, packet + at, lengths[i]);
		at += lengths[i];
	}
	missed = missing == NR_PARTS_OF_CHAIN ? device_iova(table) : parts[missing].iova;

	/* Then it works. */
	for (unsigned int i = 0; i < 2; i++) {
		if (indirect)
			device_offer_indirect(d, TX, device_page(d, table), device_iova(table),
					      parts, NR_PARTS_OF_CHAIN);
		else
			device_offer_chain(d, TX, parts, NR_PARTS_OF_CHAIN);
		device_kick_and_flush(d, TX);
		PART(fail_has_none(f, TX, used + i));
		PART(fail_is_asked(d, missed, RO, NULL));
		if (i) {
			EXPECT(!device_map(d, FIRST_PAGE + missing, RO), "refused");
			device_flush(d);
			PART(fail_has_none(f, TX, used + 2));
			EXPECT(device_wait_frame(d) == 77, "another frame came out");
		} else {
			EXPECT(!fail_access(d, missed, 1, RO), "refused");
			device_flush(d);
			PART(fail_gives_back(f, TX, used + 1, 0));
			PART(nothing_to_read(d));
		}
	}
	return true;
}

static bool chains_fail(struct failing *f)
{
	for (unsigned int i = 0; i < NR_PARTS_OF_CHAIN; i++)
		PART(chain_fails(f, i, false));
	for (unsigned int i = 0; i <= NR_PARTS_OF_CHAIN; i++)
		PART(chain_fails(f, i, true));
	return true;
}

static bool chains(void)
{
	return each(chains_fail);
}

/* RX waits for the page WAITED. */
static unsigned int wait_rx(struct failing *f, uint32_t tag)
{
	unsigned int head = device_offer(f->device, RX, device_iova(WAITED), PAGE);

	device_inject(f->device, tag);
	device_kick_and_flush(f->device, RX);
	if (!fail_is_asked(f->device, device_iova(WAITED), WO, NULL))
		bail_out("it does not wait");
	return head;
}

/* The packet is in a page, as the last that was used. */
static bool is_received(struct failing *f, unsigned int page, unsigned int used, uint32_t tag)
{
	const uint8_t *packet = device_page(f->device, page);
	const struct virtio_net_hdr_v1 *header = (const void *)packet;
	int64_t found;

	PART(fail_has_none(f, RX, used));
	EXPECT(fail_used(f->device, RX, used - 1).len == FRAME_BUFFER, "length %u",
	       fail_used(f->device, RX, used - 1).len);
	found = frame_tag(packet + FRAME_HEADER, FRAME_SIZE);
	EXPECT(found == tag, "%lld is there, not %u", (long long)found, tag);
	EXPECT(header->num_buffers <= 1, "%u buffers", header->num_buffers);
	return true;
}

static bool receive_fails(struct failing *f)
{
	struct device *d = f->device;
	unsigned int head;

	memset(device_page(d, WAITED), 0xee, PAGE);
	for (unsigned int i = 0; i < 3; i++) {
		head = wait_rx(f, i);
		want_call(d, RX);
		EXPECT(!fail_access(d, device_iova(WAITED), PAGE, WO), "refused");
		device_flush(d);
		PART(fail_gives_back(f, RX, 2 * i + 1, head));
		PART(is_called(d, RX));
		PART(nothing_to_read(d));
		EXPECT(*(uint8_t *)device_page(d, WAITED) == 0xee, "it was written to");
		/* The packet has waited. */
		EXPECT(!device_map(d, MAPPED, RW), "refused");
		device_offer(d, RX, device_iova(MAPPED), PAGE);
		device_kick_and_flush(d, RX);
		PART(is_received(f, MAPPED, 2 * i + 2, i));
	}
	return true;
}

static bool receive(void)
{
	return each(receive_fails);
}

/* The next buffer is there already, and the next packets. */
static bool receive_some(struct failing *f)
{
	struct device *d = f->device;
	const unsigned int nr = 5;
	unsigned int head;

	for (unsigned int i = 0; i < nr; i++)
		EXPECT(!device_map(d, MAPPED + i, RW), "refused");
	head = wait_rx(f, 0);
	for (unsigned int i = 0; i < nr; i++) {
		device_offer(d, RX, device_iova(MAPPED + i), PAGE);
		if (i)
			device_inject(d, i);
	}
	device_flush(d);
	EXPECT(!fail_access(d, device_iova(WAITED), PAGE, WO), "refused");
	device_flush(d);
	EXPECT(fail_errors(f, RX) == 1, "not one error");
	EXPECT(fail_used(d, RX, 0).id == head && !fail_used(d, RX, 0).len, "not given back");
	for (unsigned int i = 0; i < nr; i++) {
		const uint8_t *packet = device_page(d, MAPPED + i);

		EXPECT(fail_used(d, RX, i + 1).len == FRAME_BUFFER, "length %u",
		       fail_used(d, RX, i + 1).len);
		EXPECT(frame_tag(packet + FRAME_HEADER, FRAME_SIZE) == i, "not %u", i);
	}
	return fail_has_none(f, RX, nr + 1);
}

static bool receives_others(void)
{
	return each(receive_some);
}

/* Buffers that are too small for a packet, and how many it takes. */
#define SMALL 80
#define NR_SMALL 3

/* It is in the buffers on the pages from @page on, which are the last used. */
static bool is_merged(struct failing *f, unsigned int page, unsigned int used, uint32_t tag)
{
	const struct virtio_net_hdr_v1 *header = device_page(f->device, page);
	uint8_t packet[NR_SMALL * SMALL];
	uint32_t length = 0;

	PART(fail_has_none(f, RX, used));
	EXPECT(header->num_buffers == NR_SMALL, "%u buffers", header->num_buffers);
	for (unsigned int i = 0; i < NR_SMALL; i++) {
		length += fail_used(f->device, RX, used - NR_SMALL + i).len;
		memcpy(packet + i * SMALL, device_page(f->device, page + i), SMALL);
	}
	EXPECT(length == FRAME_BUFFER, "length %u", length);
	EXPECT(frame_tag(packet + FRAME_HEADER, FRAME_SIZE) == tag, "not %u", tag);
	return true;
}

/* One of the buffers of a packet fails, and there are as many more, or none. */
static bool merged_fails(const struct device_shape *shape, unsigned int missing, bool more)
{
	const unsigned int first = MAPPED + NR_SMALL;
	unsigned int used = missing + 1;
	struct failing f;
	struct device *d;

	fail_open(&f, shape);
	d = f.device;
	/* What the packet needs is there, or will be. */
	for (unsigned int i = 0; i < 3 * NR_SMALL; i++)
		if (i != missing)
			EXPECT(!device_map(d, MAPPED + i, RW), "refused");
	for (unsigned int i = 0; i < (more ? 2 * NR_SMALL : NR_SMALL); i++)
		device_offer(d, RX, device_iova(MAPPED + i), SMALL);
	device_inject(d, 9);
	device_kick_and_flush(d, RX);
	PART(fail_is_asked(d, device_iova(MAPPED + missing), WO, NULL));
	EXPECT(!fail_access(d, device_iova(MAPPED + missing), PAGE, WO), "refused");
	device_flush(d);

	EXPECT(fail_errors(&f, RX) == 1, "not one error");
	for (unsigned int i = 0; i <= missing; i++)
		EXPECT(fail_used(d, RX, i).id == i && !fail_used(d, RX, i).len,
		       "%u is %u with length %u", i, fail_used(d, RX, i).id,
		       fail_used(d, RX, i).len);
	if (!more) {
		PART(fail_has_none(&f, RX, used));
		for (unsigned int i = 0; i < NR_SMALL; i++)
			device_offer(d, RX, device_iova(first + i), SMALL);
		device_kick_and_flush(d, RX);
	}
	PART(is_merged(&f, MAPPED + used, used + NR_SMALL, 9));

	/* And the next packet, with what is left of them. */
	for (unsigned int i = 0; i < NR_SMALL; i++)
		device_offer(d, RX, device_iova(first + NR_SMALL + i), SMALL);
	device_inject(d, 10);
	device_kick_and_flush(d, RX);
	PART(is_merged(&f, MAPPED + used + NR_SMALL, used + 2 * NR_SMALL, 10));
	fail_close(&f);
	return true;
}

static bool merged(void)
{
	for (unsigned int i = 0; i < NR_SHAPES; i++)
		for (unsigned int j = 0; j < 2 * NR_SMALL; j++)
			if (shapes[i].features & 1ULL << VIRTIO_NET_F_MRG_RXBUF)
				PART(merged_fails(&shapes[i], j % NR_SMALL, j < NR_SMALL));
	return true;
}

/* Both are answered at once; each waits for its own kind of access. */
static bool both(void)
{
	struct failing f;
	unsigned int tx, rx;

	for (unsigned int perm = RO; perm <= RW; perm++) {
		fail_open(&f, &usual);
		tx = wait_tx(&f, NULL);
		rx = wait_rx(&f, 1);
		EXPECT(!fail_access(f.device, device_iova(WAITED), PAGE, perm), "refused");
		device_flush(f.device);
		if (perm & RO)
			PART(fail_gives_back(&f, TX, 1, tx));
		else
			PART(fail_has_none(&f, TX, 0));
		if (perm & WO)
			PART(fail_gives_back(&f, RX, 1, rx));
		else
			PART(fail_has_none(&f, RX, 0));
		fail_close(&f);
	}
	return true;
}

/* It waits on, and gets what it waits for. */
static bool still_waits(struct failing *f)
{
	device_flush(f->device);
	PART(fail_has_none(f, TX, 0));
	PART(nothing_to_read(f->device));
	EXPECT(!fail_count(f->device), "counted: %u", fail_count(f->device));
	EXPECT(!device_map(f->device, WAITED, RO), "refused");
	device_flush(f->device);
	PART(fail_has_none(f, TX, 1));
	EXPECT(device_wait_frame(f->device) == 1, "another frame came out");
	return true;
}

static bool other_than(uint32_t asid, uint64_t iova, uint64_t size, int perm)
{
	struct failing f;

	fail_open(&f, &usual);
	wait_tx(&f, NULL);
	EXPECT(!fail_in(f.device, asid, iova, size, perm), "refused");
	if (!still_waits(&f))
		return check_failed(false, __FILE__, __LINE__, "still_waits(&f)",
				    "asid %u, 0x%llx bytes from 0x%llx, access %d", asid,
				    (unsigned long long)size, (unsigned long long)iova, perm);
	fail_close(&f);
	return true;
}

static bool others(void)
{
	const uint64_t iova = device_iova(WAITED);

	PART(other_than(1, iova, PAGE, RO));
	PART(other_than(-1U, 0, 0, RW));
	PART(other_than(0, iova, PAGE, WO));
	PART(other_than(0, iova + 1, PAGE, RO));
	PART(other_than(0, iova - PAGE, PAGE, RW));
	PART(other_than(0, 0, iova, RW));
	return other_than(0, iova + 1, -iova - 1, RW);
}

/* Whoever misses later is asked. */
static bool nobody_waits(void)
{
	struct failing f;

	fail_open(&f, &usual);
	EXPECT(!fail_access(f.device, 0, 0, RW), "refused");
	EXPECT(!fail_access(f.device, device_iova(WAITED), PAGE, RW), "refused");
	device_flush(f.device);
	wait_tx(&f, NULL);
	PART(still_waits(&f));
	/* Nor does it any more. */
	EXPECT(!fail_access(f.device, device_iova(WAITED), PAGE, RW), "refused");
	device_flush(f.device);
	EXPECT(!device_invalidate(f.device, device_iova(WAITED), PAGE), "refused");
	device_send(f.device, WAITED, 2);
	PART(fail_has_none(&f, TX, 1));
	return fail_is_asked(f.device, device_iova(WAITED), RO, NULL);
}

/* A miss of the same address that comes later has nothing to do with it. */
static bool just_one(void)
{
	unsigned int first, second;
	struct failing f;
	struct device *d;

	fail_open(&f, &usual);
	d = f.device;
	first = wait_tx(&f, NULL);
	second = device_offer(d, TX, device_iova(WAITED), FRAME_BUFFER);
	EXPECT(!fail_access(d, device_iova(WAITED), PAGE, RO), "refused");
	device_flush(d);
	PART(fail_gives_back(&f, TX, 1, first));
	PART(fail_is_asked(d, device_iova(WAITED), RO, NULL));
	for (unsigned int i = 0; i < 3; i++)
		device_kick_and_flush(d, TX);
	PART(fail_has_none(&f, TX, 1));
	EXPECT(!fail_access(d, device_iova(WAITED), PAGE, RO), "refused");
	device_flush(d);
	return fail_gives_back(&f, TX, 2, second);
}

/* In one message, so that the virtqueue does not run in between. */
static bool together(const struct vhost_iotlb_op *before, const struct vhost_iotlb_op *after,
		     bool fails, bool sent)
{
	struct batch b;
	struct failing f;
	unsigned int head;

	fail_open(&f, &usual);
	head = wait_tx(&f, NULL);
	batch_init(&b);
	if (before)
		*batch_add(&b, 0, 0, 0) = *before;
	batch_add(&b, VHOST_IOTLB_ACCESS_FAIL, device_iova(WAITED), PAGE)->perm = RO;
	if (after)
		*batch_add(&b, 0, 0, 0) = *after;
	for (unsigned int i = 0; i < b.num; i++)
		if (b.ops[i].type == VHOST_IOTLB_UPDATE)
			b.ops[i].uaddr = (uintptr_t)device_page(f.device, WAITED);
	EXPECT(batch_write(f.device, &b) == (int)b.num, "not all were applied");
	device_flush(f.device);
	if (fails)
		PART(fail_gives_back(&f, TX, 1, head));
	else
		PART(fail_has_none(&f, TX, sent));
	if (sent)
		EXPECT(device_wait_frame(f.device) == 1, "another frame came out");
	if (!fails && !sent) {
		PART(fail_is_asked(f.device, device_iova(WAITED), RO, NULL));
		PART(still_waits(&f));
	}

	/* Nothing of it is left. */
	EXPECT(!device_invalidate(f.device, device_iova(WAITED), PAGE), "refused");
	device_send(f.device, WAITED, 2);
	PART(fail_has_none(&f, TX, 1));
	PART(fail_is_asked(f.device, device_iova(WAITED), RO, NULL));
	fail_close(&f);
	return true;
}

static bool in_one_message(void)
{
	struct vhost_iotlb_op update = {
		.type = VHOST_IOTLB_UPDATE,
		.iova = device_iova(WAITED),
		.size = PAGE,
		.perm = RO,
	};
	struct vhost_iotlb_op no_use = update, elsewhere = update;
	struct vhost_iotlb_op drop = {
		.type = VHOST_IOTLB_INVALIDATE,
		.iova = device_iova(WAITED),
		.size = PAGE,
	};
	struct vhost_iotlb_op drop_elsewhere = drop;

	no_use.perm = WO;
	elsewhere.iova = ELSEWHERE;
	drop_elsewhere.iova = device_iova(WAITED) + 1;
	PART(together(NULL, &update, false, true));
	PART(together(&update, NULL, false, true));
	PART(together(NULL, &no_use, false, false));
	PART(together(NULL, &elsewhere, true, false));
	PART(together(&elsewhere, NULL, true, false));
	PART(together(NULL, &drop, false, false));
	PART(together(&drop, NULL, true, false));
	PART(together(NULL, &drop_elsewhere, true, false));
	return together(&drop_elsewhere, NULL, true, false);
}

/* The guest has changed what it wants from the device: that is not what was asked for. */
static bool guest_changes(void)
{
	const unsigned int other = WAITED + 2;
	unsigned int head;
	struct failing f;
	struct device *d;

	fail_open(&f, &usual);
	d = f.device;
	EXPECT(!device_map(d, MAPPED, RO), "refused");
	frame_put(device_page(d, MAPPED), 3);

	/* To what is mapped; what is behind it is about the same address. */
	head = wait_tx(&f, NULL);
	device_set_address(d, TX, head, device_iova(MAPPED));
	device_offer(d, TX, device_iova(WAITED), FRAME_BUFFER);
	EXPECT(!fail_access(d, device_iova(WAITED), PAGE, RO), "refused");
	device_flush(d);
	PART(fail_has_none(&f, TX, 1));
	EXPECT(device_wait_frame(d) == 3, "another frame came out");
	PART(fail_is_asked(d, device_iova(WAITED), RO, NULL));

	/* To what is not. */
	device_set_address(d, TX, head + 1, device_iova(other));
	EXPECT(!fail_access(d, device_iova(WAITED), PAGE, RO), "refused");
	device_flush(d);
	PART(fail_has_none(&f, TX, 1));
	PART(fail_is_asked(d, device_iova(other), RO, NULL));
	/* And back. */
	device_set_address(d, TX, head + 1, device_iova(WAITED));
	device_kick_and_flush(d, TX);
	PART(fail_has_none(&f, TX, 1));
	PART(fail_is_asked(d, device_iova(WAITED), RO, NULL));

	/* To something else than to be read. */
	d->queues[TX].desc[head + 1].flags = VRING_DESC_F_WRITE;
	EXPECT(!fail_access(d, device_iova(WAITED), PAGE, RO), "refused");
	device_flush(d);
	PART(fail_has_none(&f, TX, 1));
	return fail_is_asked(d, device_iova(WAITED), WO, NULL);
}

/* However long it takes until the same address is at the same place of the ring. */
static bool comes_round(void)
{
	struct failing f;
	struct device *d;
	unsigned int head;

	fail_open(&f, &usual);
	d = f.device;
	EXPECT(!device_map(d, MAPPED, RO), "refused");
	/* No frame: nobody has to take it from the socket. */
	memset(device_page(d, MAPPED), 0, PAGE);
	head = wait_tx(&f, NULL);
	device_set_address(d, TX, head, device_iova(MAPPED));
	EXPECT(!fail_access(d, device_iova(WAITED), PAGE, RO), "refused");
	device_flush(d);
	for (unsigned int i = 1; i < 65536; i++) {
		device_offer(d, TX, device_iova(MAPPED), FRAME_BUFFER);
		if (i % (RING_SIZE / 2) == 0)
			device_kick_and_flush(d, TX);
	}
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 0, "%u used", device_used(d, TX));
	device_send(d, WAITED, 1);
	PART(fail_has_none(&f, TX, 0));
	return fail_is_asked(d, device_iova(WAITED), RO, NULL);
}

/* A token of before what has changed is refused, and the miss comes again. */
static bool tokens(void)
{
	const uint64_t iova = device_iova(WAITED);
	uint64_t token, later;
	unsigned int head;
	struct failing f;
	struct device *d;

	fail_open(&f, &usual);
	d = f.device;
	head = wait_tx(&f, &token);
	EXPECT(fail_by(d, iova, PAGE, RO, token + 1) == -EINVAL, "a token of tomorrow");
	EXPECT(!batch_invalidate(d, iova + PAGE - 1, PAGE), "refused");
	EXPECT(fail_by(d, iova, PAGE, RO, token) == -ESTALE, "not stale");
	device_flush(d);
	PART(fail_has_none(&f, TX, 0));
	PART(fail_is_asked(d, iova, RO, &later));
	EXPECT(later > token, "the same token");
	/* What has changed elsewhere does not matter. */
	EXPECT(!batch_invalidate(d, iova + PAGE, PAGE), "refused");
	EXPECT(!device_set_memory_table(d), "refused");
	EXPECT(fail_by(d, iova, PAGE, RO, later) == -ESTALE, "another memory table");
	device_flush(d);
	PART(fail_is_asked(d, iova, RO, &later));
	EXPECT(!batch_invalidate(d, iova + PAGE, PAGE), "refused");
	EXPECT(!fail_by(d, iova, PAGE, RO, later), "refused");
	device_flush(d);
	PART(fail_gives_back(&f, TX, 1, head));
	return nothing_to_read(d);
}

/* A stale one behind others ends the message there. */
static bool stale_in_message(void)
{
	struct vhost_iotlb_op *op;
	struct failing f;
	uint64_t token;
	struct batch b;

	fail_open(&f, &usual);
	wait_tx(&f, &token);
	batch_init(&b);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(WAITED), 1);
	op = batch_add(&b, VHOST_IOTLB_ACCESS_FAIL, device_iova(WAITED), PAGE);
	op->perm = RO;
	op->flags = VHOST_IOTLB_OP_F_TOKEN;
	op->token = token;
	EXPECT(batch_write(f.device, &b) == 1, "not just the first was applied");
	return still_waits(&f);
}

static bool malformed(void)
{
	const struct vhost_iotlb_op good = {
		.type = VHOST_IOTLB_ACCESS_FAIL,
		.iova = device_iova(WAITED),
		.size = PAGE,
		.perm = RO,
	};
	struct vhost_iotlb_op bad[11];
	struct failing f;

	for (unsigned int i = 0; i < 11; i++)
		bad[i] = good;
	bad[0].perm = 0;
	bad[1].perm = 4;
	bad[2].perm = 7;
	bad[3].uaddr = 1;
	bad[4].token = 1;
	bad[5].flags = VHOST_IOTLB_OP_F_TOKEN | VHOST_IOTLB_OP_F_ALL_ASIDS;
	bad[6].flags = VHOST_IOTLB_OP_F_ALL_ASIDS, bad[6].asid = 1;
	bad[7].flags = 4;
	bad[8].size = 0;
	bad[9].size = -device_iova(WAITED) + 1;
	bad[10].flags = VHOST_IOTLB_OP_F_TOKEN, bad[10].token = 1000000;

	fail_open(&f, &usual);
	wait_tx(&f, NULL);
	for (unsigned int i = 0; i < 11; i++)
		EXPECT(batch_write_op(f.device, &bad[i]) == -EINVAL, "number %u", i);
	return still_waits(&f);
}

static int write_old(const struct device *d, int version, uint32_t asid, uint64_t iova,
		     uint64_t size, int perm)
{
	struct vhost_iotlb_msg iotlb = {
		.iova = iova, .size = size, .perm = perm, .type = VHOST_IOTLB_ACCESS_FAIL};
	struct vhost_msg_v2 v2 = {.type = version, .asid = asid, .iotlb = iotlb};
	struct vhost_msg v1 = {.type = version, .iotlb = iotlb};
	const void *msg = version == VHOST_IOTLB_MSG ? (void *)&v1 : (void *)&v2;
	ssize_t written = write(d->fd, msg, sizeof(v2));

	_Static_assert(sizeof(v1) == sizeof(v2), "one size");
	if (written < 0)
		return -errno;
	return written == sizeof(v2) ? 0 : -EPROTO;
}

static bool old_messages(void)
{
	const uint64_t iova = device_iova(WAITED);
	unsigned int head;
	struct failing f;
	struct device *d;

	for (int version = VHOST_IOTLB_MSG; version <= VHOST_IOTLB_MSG_V2; version++) {
		fail_open(&f, &usual);
		d = f.device;
		head = wait_tx(&f, NULL);
		EXPECT(write_old(d, version, 0, iova, PAGE, 0) == -EFAULT, "no access");
		EXPECT(write_old(d, version, 0, iova, PAGE, 4) == -EFAULT, "access 4");
		EXPECT(!write_old(d, version, 0, iova, PAGE, WO), "refused");
		EXPECT(!write_old(d, version, 0, iova - PAGE, PAGE, RW), "refused");
		EXPECT(!write_old(d, version, 0, iova, 0, RW), "refused");
		device_flush(d);
		PART(fail_has_none(&f, TX, 0));
		EXPECT(!write_old(d, version, 0, iova, version == 1 ? PAGE : -1ULL, RO), "refused");
		device_flush(d);
		PART(fail_gives_back(&f, TX, 1, head));
		head = wait_tx(&f, NULL);
		EXPECT(!write_old(d, version, 0, 0, 0, RW), "refused");
		device_flush(d);
		PART(fail_gives_back(&f, TX, 2, head));
		PART(sends(&f, 5));
		fail_close(&f);
	}
	return true;
}

/* Both wait for the same address, in spaces of their own. */
static bool spaces_fail(uint32_t asid, bool all, bool old)
{
	struct device *d = asid_open_running();
	struct vhost_iotlb_op op;
	struct failing f;

	fail_watch(&f, d);
	/* TX writes nothing, RX reads nothing: a failure of all accesses. */
	asid_receive(d, 1);
	asid_send(d, FIRST_PAGE, 2);
	for (int i = 0; i < NR_QUEUES; i++)
		EXPECT(!batch_read_miss(d, &op) && op.iova == ASID_BUFFER, "no miss");
	if (old) {
		EXPECT(!write_old(d, VHOST_IOTLB_MSG_V2, asid, ASID_BUFFER, PAGE, RW), "refused");
	} else {
		op = (struct vhost_iotlb_op){
			.type = VHOST_IOTLB_ACCESS_FAIL,
			.iova = ASID_BUFFER,
			.size = PAGE,
			.perm = RW,
			.asid = asid,
			.flags = all ? VHOST_IOTLB_OP_F_ALL_ASIDS : 0,
		};
		EXPECT(!batch_write_op(d, &op), "refused");
	}
	device_flush(d);
	if (all || asid == ASID_RX)
		PART(fail_gives_back(&f, RX, 1, 0));
	else
		PART(fail_has_none(&f, RX, 0));
	if (all || asid == ASID_TX)
		PART(fail_gives_back(&f, TX, 1, 0));
	else
		PART(fail_has_none(&f, TX, 0));
	PART(nothing_to_read(d));
	/* The other one has not noticed. */
	if (asid == ASID_RX) {
		EXPECT(!asid_map(d, ASID_TX, ASID_BUFFER, FIRST_PAGE), "refused");
		EXPECT(device_wait_frame(d) == 2, "another frame came out");
	}
	if (asid == ASID_TX) {
		EXPECT(!asid_map(d, ASID_RX, ASID_BUFFER, FIRST_PAGE), "refused");
		device_flush(d);
		EXPECT(asid_received(d, FIRST_PAGE) == 1, "another frame came in");
	}
	fail_close(&f);
	return true;
}

/* What another address space has at the same address makes no difference. */
static bool apart(int type)
{
	struct device *d = asid_open_running();
	struct vhost_iotlb_op *op;
	struct failing f;
	struct batch b;

	fail_watch(&f, d);
	asid_send(d, FIRST_PAGE, 2);
	batch_init(&b);
	op = batch_add(&b, VHOST_IOTLB_ACCESS_FAIL, ASID_BUFFER, PAGE);
	op->asid = ASID_TX;
	op->perm = RO;
	op = batch_add_update(&b, ASID_BUFFER, PAGE, device_page(d, FIRST_PAGE), RW);
	op->asid = ASID_RX;
	if (type == VHOST_IOTLB_INVALIDATE) {
		op->type = type;
		op->perm = 0;
		op->uaddr = 0;
	}
	EXPECT(batch_write(d, &b) == 2, "not both were applied");
	device_flush(d);
	PART(fail_gives_back(&f, TX, 1, 0));
	fail_close(&f);
	return true;
}

static bool spaces(void)
{
	PART(apart(VHOST_IOTLB_UPDATE));
	PART(apart(VHOST_IOTLB_INVALIDATE));
	for (int old = 0; old < 2; old++) {
		PART(spaces_fail(ASID_RX, false, old));
		PART(spaces_fail(ASID_TX, false, old));
		PART(spaces_fail(0, false, old));
		PART(spaces_fail(ASID_OTHER, false, old));
	}
	return spaces_fail(0, true, false);
}

/* A part of the ring: it stops, and asks again when it is kicked. */
static bool ring_fails(int queue, int part)
{
	const unsigned int page = device_ring_page(queue, part);
	const int perm = part == USED ? WO : RO;
	struct failing f;
	struct device *d;

	fail_open(&f, &usual);
	d = f.device;
	EXPECT(!device_map(d, MAPPED, RW), "refused");
	EXPECT(!batch_invalidate(d, device_iova(page), PAGE), "refused");
	frame_put(device_page(d, MAPPED), 6);
	device_offer(d, queue, device_iova(MAPPED), PAGE);
	if (queue == RX)
		device_inject(d, 6);
	for (unsigned int i = 0; i < 2; i++) {
		device_kick_and_flush(d, queue);
		PART(fail_is_asked(d, device_iova(page), perm, NULL));
		EXPECT(!fail_access(d, device_iova(page), PAGE, perm), "refused");
		device_flush(d);
		EXPECT(fail_errors(&f, queue) == 1, "not one error");
		PART(nothing_to_read(d));
		PART(fail_has_none(&f, queue, 0));
	}
	EXPECT(fail_count(d) == 2, "counted: %u", fail_count(d));
	device_kick_and_flush(d, queue);
	PART(fail_is_asked(d, device_iova(page), perm, NULL));
	EXPECT(!device_map(d, page, RW), "refused");
	device_flush(d);
	PART(fail_has_none(&f, queue, 1));
	if (queue == RX)
		PART(is_received(&f, MAPPED, 1, 6));
	fail_close(&f);
	return true;
}

static bool rings(void)
{
	for (int part = 0; part < NR_PARTS; part++) {
		PART(ring_fails(TX, part));
		PART(ring_fails(RX, part));
	}
	return true;
}

/* The ioctl that starts a virtqueue has failed already, and asks each time. */
static bool start_fails(void)
{
	struct device *d = device_open();
	const uint64_t used = device_iova(device_ring_page(TX, USED));
	struct failing f;

	batch_accept(d);
	fail_watch(&f, d);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
		PART(fail_is_asked(d, used, WO, NULL));
		EXPECT(!fail_access(d, used, PAGE, WO), "refused");
		device_flush(d);
		PART(nothing_to_read(d));
	}
	EXPECT(!fail_count(d), "counted: %u", fail_count(d));
	device_run(d);
	fail_errors(&f, TX);
	return sends(&f, 8);
}

/* Stopped before it was told, and started again. */
static bool stops(void)
{
	struct failing f;
	struct device *d;

	fail_open(&f, &usual);
	d = f.device;
	wait_tx(&f, NULL);
	EXPECT(!device_stop_queue(d, TX), "cannot stop");
	EXPECT(!fail_access(d, 0, 0, RW), "refused");
	EXPECT(!device_start_queue(d, TX), "cannot start");
	device_kick_and_flush(d, TX);
	PART(fail_has_none(&f, TX, 0));
	PART(fail_is_asked(d, device_iova(WAITED), RO, NULL));
	return still_waits(&f);
}

static bool silent(void)
{
	struct device *d = device_open_running();
	struct failing f = {.device = d};

	/* Nobody wants to be told. */
	batch_accept(d);
	wait_tx(&f, NULL);
	EXPECT(!fail_access(d, device_iova(WAITED), PAGE, RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	EXPECT(fail_count(d) == 1, "counted: %u", fail_count(d));
	return true;
}

/* Not read yet, by nobody. */
static bool unread(void)
{
	struct failing f;
	unsigned int head;

	fail_open(&f, &usual);
	head = device_send(f.device, WAITED, 1);
	EXPECT(!fail_access(f.device, device_iova(WAITED), PAGE, RO), "refused");
	device_flush(f.device);
	PART(fail_gives_back(&f, TX, 1, head));
	return nothing_to_read(f.device);
}

/* A program has taken it, and is asked about the next. */
static bool taken(void)
{
	struct hook *h = hook_open(HOOK_QUEUED);
	struct hook_record record;
	struct failing f;
	unsigned int head;

	fail_open(&f, &usual);
	for (unsigned int i = 1; i < 4; i++) {
		head = device_send(f.device, WAITED, 1);
		PART(is_asked(h, i));
		EXPECT(!hook_take(h, &record), "no record");
		EXPECT(!fail_by(f.device, record.iova, record.len, record.access, record.token),
		       "refused");
		device_flush(f.device);
		PART(fail_gives_back(&f, TX, i, head));
		PART(is_asked(h, i));
	}
	/* There is nothing to hand over. */
	hook_detach(h);
	PART(nothing_to_read(f.device));
	return sends(&f, 4);
}

/* What comes before the access in the chain is resolved anew each time. */
static bool behind_resolved(void)
{
	const struct segment parts[] = {
		{device_iova(WAITED), FRAME_HEADER},
		{device_iova(MAPPED + 1), FRAME_SIZE},
	};
	struct hook *h = hook_open(HOOK_QUEUED);
	struct failing f;

	fail_open(&f, &usual);
	resolve_pages(h, WAITED, 1, WAITED, RO);
	device_offer_chain(f.device, TX, parts, 2);
	device_kick_and_flush(f.device, TX);
	PART(fail_has_none(&f, TX, 0));
	PART(is_asked(h, 2));
	EXPECT(!fail_access(f.device, parts[1].iova, 1, RO), "refused");
	device_flush(f.device);
	PART(is_asked(h, 3));
	return fail_gives_back(&f, TX, 1, 0);
}

/* The virtqueues are polled for a while when there is nothing to do. */
static bool busy_polling(void)
{
	struct failing f;

	for (unsigned int i = 0; i < NR_SHAPES; i++) {
		fail_open(&f, &shapes[i]);
		for (unsigned int queue = 0; queue < NR_QUEUES; queue++) {
			struct vhost_vring_state busy = {queue, 50};

			if (ioctl(f.device->fd, VHOST_SET_VRING_BUSYLOOP_TIMEOUT, &busy))
				bail_out_errno("VHOST_SET_VRING_BUSYLOOP_TIMEOUT failed");
		}
		PART(send_fails(&f));
		PART(chains_fail(&f));
		fail_close(&f);
	}
	return true;
}

/* Frames that are large enough for the device to send them from where they are. */
static bool in_place(struct failing *f)
{
	const size_t size = 1000;
	const unsigned int missing = 2, nr = 6;
	struct device *d = f->device;
	unsigned int used = 0;

	for (unsigned int i = 0; i < nr; i++) {
		uint8_t *packet = device_page(d, FIRST_PAGE + i);

		if (i != missing)
			EXPECT(!device_map(d, FIRST_PAGE + i, RO), "refused");
		memset(packet, 0, FRAME_HEADER);
		frame_fill_size(packet + FRAME_HEADER, size, i);
		device_offer(d, TX, device_iova(FIRST_PAGE + i), FRAME_HEADER + size);
	}
	device_kick_and_flush(d, TX);
	PART(fail_is_asked(d, device_iova(FIRST_PAGE + missing), RO, NULL));
	EXPECT(!fail_access(d, device_iova(FIRST_PAGE + missing), PAGE, RO), "refused");
	device_flush(d);
	EXPECT(fail_errors(f, TX) == 1, "not one error");
	for (unsigned int i = 0; i < nr; i++)
		if (i != missing)
			EXPECT(device_wait_frame(d) == i, "not frame %u", i);
	device_kick_and_flush(d, TX);
	PART(fail_has_none(f, TX, nr));
	for (unsigned int i = 0; i < nr; i++) {
		EXPECT(!(used & 1U << fail_used(d, TX, i).id), "%u is given back twice",
		       fail_used(d, TX, i).id);
		used |= 1U << fail_used(d, TX, i).id;
		EXPECT(fail_used(d, TX, i).len == 0, "with length %u", fail_used(d, TX, i).len);
	}
	return true;
}

static bool zerocopy(void)
{
	char *const load[] = {"modprobe", "vhost_net", "experimental_zcopytx=1", NULL};
	bool good;

	device_close_all();
	if (module_unload("vhost_net") || !process_run(load))
		bail_out("cannot load vhost_net with experimental_zcopytx=1");
	good = each(in_place) && each(send_fails) && each(chains_fail);
	device_close_all();
	if (module_unload("vhost_net") || !module_load("vhost_net"))
		bail_out("cannot load vhost_net");
	return good;
}

/* It would lose packets of which the guest thinks that they cannot be lost. */
static bool vsock(void)
{
	struct device *d = device_open_vsock();

	EXPECT(fail_access(d, device_iova(WAITED), PAGE, RO) == -EOPNOTSUPP, "not refused");
	EXPECT(write_old(d, VHOST_IOTLB_MSG, 0, 0, 0, RO) == -EFAULT, "not refused");
	EXPECT(write_old(d, VHOST_IOTLB_MSG_V2, 0, 0, 0, RO) == -EFAULT, "not refused");
	return true;
}

static bool no_iotlb(void)
{
	struct device *d = device_open_without_iotlb();

	EXPECT(fail_access(d, 0, 0, RW) == -ENODEV, "not refused");
	EXPECT(write_old(d, VHOST_IOTLB_MSG_V2, 0, 0, 0, RW) == -EFAULT, "not refused");
	return true;
}

static const struct check list[] = {
	{"a buffer to send", send, STOCK_LACKS},
	{"packets before and behind it are sent", sends_others, STOCK_LACKS},
	{"any buffer of a chain, an indirect one, its table", chains, STOCK_LACKS},
	{"a buffer to receive", receive, STOCK_LACKS},
	{"packets go into those behind it", receives_others, STOCK_LACKS},
	{"any of the buffers that a packet is merged from", merged, STOCK_LACKS},
	{"of the access that fails, on both virtqueues", both, STOCK_LACKS},
	{"not of another address space, address, or access", others, STOCK_LACKS},
	{"not if nobody waits", nobody_waits, STOCK_LACKS},
	{"not the next access to the same address", just_one, STOCK_LACKS},
	{"UPDATE and INVALIDATE in the same message", in_one_message, STOCK_LACKS},
	{"not if the guest has changed the descriptor", guest_changes, STOCK_LACKS},
	{"not when the ring has come round", comes_round, STOCK_LACKS},
	{"by token, if nothing has changed", tokens, STOCK_LACKS},
	{"one that is stale ends the message", stale_in_message, STOCK_LACKS},
	{"one that is malformed: EINVAL", malformed, STOCK_LACKS},
	{"messages of type V1 and V2", old_messages, STOCK_LACKS},
	{"virtqueues in address spaces", spaces, STOCK_LACKS},
	{"rings", rings, STOCK_LACKS},
	{"a virtqueue that cannot be started", start_fails, STOCK_LACKS},
	{"a virtqueue that was stopped", stops, STOCK_LACKS},
	{"nobody is told", silent, STOCK_LACKS},
	{"a miss that nobody has read", unread, STOCK_LACKS},
	{"misses that a program has taken", taken, STOCK_LACKS},
	{"behind what a program has resolved", behind_resolved, STOCK_LACKS},
	{"while the virtqueues are polled", busy_polling, STOCK_LACKS},
	{"buffers that are sent without copying", zerocopy, STOCK_LACKS},
	{"vhost-vsock refuses it", vsock, STOCK_LACKS},
	{"without an IOTLB", no_iotlb, STOCK_LACKS},
};

CHECK_GROUP(fail, list);
