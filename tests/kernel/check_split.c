// SPDX-License-Identifier: GPL-2.0
/* Mappings that lose a part: the rest stays where it was. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "trace.h"

#define SIZE (1ULL << 30)
#define MIDDLE (SIZE / 2)
#define BASE 0x800000000ULL

/* A device that has all of @memory mapped from BASE on, in one. */
struct large {
	struct device *device;
	uint8_t *memory;
	unsigned int entries;
};

static unsigned int entries(const struct large *l)
{
	return fdinfo_entries(l->device->fd);
}

static bool open_large(struct large *l, int perm)
{
	l->device = device_open_running();
	l->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (l->memory == MAP_FAILED)
		bail_out_errno("no memory");
	EXPECT(!device_update(l->device, BASE, SIZE, l->memory, perm), "refused");
	l->entries = entries(l);
	return true;
}

static void close_large(struct large *l)
{
	munmap(l->memory, SIZE);
}

/* The frame at @offset goes out. */
static bool is_sent(struct large *l, uint64_t offset, uint32_t tag)
{
	int64_t out;

	frame_put(l->memory + offset, tag);
	out = device_transmit(l->device, BASE + offset);
	EXPECT(out == tag, "frame %lld came out of 0x%llx", (long long)out,
	       (unsigned long long)offset);
	return true;
}

/* What is left of the mapping on both sides of a range. */
static bool sides_are_sent(struct large *l, uint64_t offset, uint64_t size)
{
	uint64_t end = offset + size;

	if (offset >= FRAME_BUFFER) {
		PART(is_sent(l, 0, 1));
		PART(is_sent(l, offset / 2, 2));
		PART(is_sent(l, offset - FRAME_BUFFER, 3));
	}
	if (end + FRAME_BUFFER <= SIZE) {
		PART(is_sent(l, end, 4));
		PART(is_sent(l, end + (SIZE - end) / 2, 5));
		PART(is_sent(l, SIZE - FRAME_BUFFER, 6));
	}
	EXPECT(!device_has_message(l->device), "a miss");
	return true;
}

/* A frame at @at misses @miss, and goes out when the range is mapped again. */
static bool misses(struct large *l, uint64_t at, uint64_t miss, uint64_t offset, uint64_t size)
{
	struct device *d = l->device;
	struct vhost_iotlb_msg msg;

	frame_put(l->memory + at, 7);
	EXPECT(device_transmit(d, BASE + at) == -1, "sent");
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(msg.iova == BASE + miss, "a miss of 0x%llx, not 0x%llx",
	       (unsigned long long)msg.iova, (unsigned long long)BASE + miss);
	EXPECT(!device_update(d, BASE + offset, size, l->memory + offset, VHOST_ACCESS_RW),
	       "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 7, "another frame came out");
	EXPECT(!device_has_message(d), "one more miss");
	return true;
}

/* INVALIDATEs the range, after which @parts are left. */
static bool cut(uint64_t offset, uint64_t size, unsigned int parts)
{
	uint64_t first = offset >= 100 ? offset - 100 : offset;
	struct large l;

	if (first + FRAME_BUFFER > SIZE)
		first = SIZE - FRAME_BUFFER;
	PART(open_large(&l, VHOST_ACCESS_RW));
	EXPECT(!batch_invalidate(l.device, BASE + offset, size), "refused");
	EXPECT(entries(&l) == l.entries - 1 + parts, "%u entries after %u", entries(&l), l.entries);
	PART(sides_are_sent(&l, offset, size));
	/* Across the start of the range, and from its last byte on. */
	PART(misses(&l, first, first > offset ? first : offset, offset, size));
	EXPECT(!batch_invalidate(l.device, BASE + offset, size), "refused");
	if (offset + size - 1 + FRAME_BUFFER <= SIZE)
		PART(misses(&l, offset + size - 1, offset + size - 1, offset, size));
	close_large(&l);
	return true;
}

static bool start(void)
{
	return cut(0, PAGE, 1);
}

static bool middle(void)
{
	return cut(MIDDLE, PAGE, 2);
}

static bool end(void)
{
	return cut(SIZE - PAGE, PAGE, 1);
}

static bool odd(void)
{
	return cut(MIDDLE + 4097, 12345, 2);
}

static bool one_byte(void)
{
	PART(cut(0, 1, 1));
	PART(cut(MIDDLE, 1, 2));
	return cut(SIZE - 1, 1, 1);
}

static bool whole(void)
{
	struct large l;

	PART(cut(0, SIZE, 0));

	PART(open_large(&l, VHOST_ACCESS_RW));
	EXPECT(!batch_invalidate(l.device, BASE - 1, SIZE + 2), "refused");
	EXPECT(entries(&l) == l.entries - 1, "%u entries", entries(&l));
	close_large(&l);
	return true;
}

/* Once more in what is left. */
static bool again(void)
{
	struct large l;

	PART(open_large(&l, VHOST_ACCESS_RW));
	for (unsigned int i = 1; i <= 20; i++) {
		EXPECT(!batch_invalidate(l.device, BASE + i * (SIZE / 32), PAGE), "refused");
		EXPECT(entries(&l) == l.entries + i, "%u entries", entries(&l));
	}
	for (unsigned int i = 0; i <= 20; i++)
		PART(is_sent(&l, i * (SIZE / 32) + PAGE, 100 + i));
	EXPECT(!batch_invalidate(l.device, BASE, SIZE), "refused");
	EXPECT(entries(&l) == l.entries - 1, "%u entries", entries(&l));
	close_large(&l);
	return true;
}

/* A frame of which the first @head bytes are at one place, the rest at another. */
static bool is_composed(struct device *d, uint64_t iova, uint8_t *first, unsigned int head,
			uint8_t *second, uint32_t tag)
{
	uint8_t packet[FRAME_BUFFER];
	int64_t out;

	frame_put(packet, tag);
	memcpy(first, packet, head);
	memcpy(second, packet + head, sizeof(packet) - head);
	out = device_transmit(d, iova);
	EXPECT(out == tag, "frame %lld came out of 0x%llx", (long long)out,
	       (unsigned long long)iova);
	return true;
}

static bool replaced(uint64_t offset, uint64_t size, unsigned int parts)
{
	const unsigned int head = 100;
	struct device *d;
	uint8_t *other;
	struct large l;

	PART(open_large(&l, VHOST_ACCESS_RW));
	d = l.device;
	other = device_page(d, FIRST_PAGE);
	EXPECT(!device_update(d, BASE + offset, size, other, VHOST_ACCESS_RW), "refused");
	EXPECT(entries(&l) == l.entries + parts, "%u entries after %u", entries(&l), l.entries);
	PART(sides_are_sent(&l, offset, size));

	frame_put(other, 8);
	frame_put(l.memory + offset, 9);
	EXPECT(device_transmit(d, BASE + offset) == 8, "not from the new place");
	if (offset)
		PART(is_composed(d, BASE + offset - head, l.memory + offset - head, head, other,
				 10));
	if (offset + size < SIZE)
		PART(is_composed(d, BASE + offset + size - head, other + size - head, head,
				 l.memory + offset + size, 11));
	close_large(&l);
	return true;
}

static bool update_inside(void)
{
	PART(replaced(MIDDLE, PAGE, 2));
	PART(replaced(MIDDLE + 77, 3 * PAGE + 5, 2));
	PART(replaced(0, PAGE, 1));
	return replaced(SIZE - PAGE, PAGE, 1);
}

/* What a virtqueue wants of @iova, and the access that it lacks there, or 0. */
static bool lacks(struct device *d, int queue, uint64_t iova, unsigned int access)
{
	unsigned int used = device_used(d, queue);
	struct vhost_iotlb_msg msg;

	device_offer(d, queue, iova, FRAME_BUFFER);
	if (queue == RX)
		device_inject(d, 12);
	device_kick_and_flush(d, queue);
	if (!access) {
		EXPECT(device_used(d, queue) == used + 1, "virtqueue %d waits for 0x%llx", queue,
		       (unsigned long long)iova);
		return true;
	}
	EXPECT(device_used(d, queue) == used, "virtqueue %d has used 0x%llx", queue,
	       (unsigned long long)iova);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(msg.iova == iova && msg.perm == access, "a miss of 0x%llx for %u",
	       (unsigned long long)msg.iova, msg.perm);
	/* Let it go on. */
	EXPECT(!device_update(d, iova, FRAME_BUFFER, d->memory + FIRST_PAGE * PAGE,
			      VHOST_ACCESS_RW),
	       "refused");
	device_flush(d);
	EXPECT(device_used(d, queue) == used + 1, "virtqueue %d was not woken", queue);
	return true;
}

static bool may_only(struct device *d, uint64_t iova, int perm)
{
	PART(lacks(d, TX, iova, perm & VHOST_ACCESS_RO ? 0 : VHOST_ACCESS_RO));
	return lacks(d, RX, iova + FRAME_BUFFER, perm & VHOST_ACCESS_WO ? 0 : VHOST_ACCESS_WO);
}

static bool permissions_by(bool update)
{
	static const int perms[] = {VHOST_ACCESS_RO, VHOST_ACCESS_WO, VHOST_ACCESS_RW};

	for (size_t i = 0; i < sizeof(perms) / sizeof(*perms); i++) {
		struct large l;

		PART(open_large(&l, perms[i]));
		if (update)
			EXPECT(!device_update(l.device, BASE + MIDDLE, PAGE, l.memory,
					      perms[i] ^ VHOST_ACCESS_RW ?: VHOST_ACCESS_RO),
			       "refused");
		else
			EXPECT(!batch_invalidate(l.device, BASE + MIDDLE, PAGE), "refused");
		PART(may_only(l.device, BASE + MIDDLE - PAGE, perms[i]));
		PART(may_only(l.device, BASE + MIDDLE + PAGE, perms[i]));
		close_large(&l);
	}
	return true;
}

static bool permissions(void)
{
	PART(permissions_by(false));
	return permissions_by(true);
}

/* Four mappings in a row, each with a place and a permission of its own. */
static bool several(void)
{
	static const int perms[] = {VHOST_ACCESS_RO, VHOST_ACCESS_RW, VHOST_ACCESS_RW,
				    VHOST_ACCESS_WO};
	struct device *d = device_open_running();
	unsigned int before = fdinfo_entries(d->fd);

	for (unsigned int i = 0; i < 4; i++)
		EXPECT(!device_update(d, BASE + 4 * i * PAGE, 4 * PAGE,
				      device_page(d, FIRST_PAGE + 8 * i), perms[i]),
		       "refused");
	EXPECT(!batch_invalidate(d, BASE + 2 * PAGE, 12 * PAGE), "refused");
	EXPECT(fdinfo_entries(d->fd) == before + 2, "%u entries after %u", fdinfo_entries(d->fd),
	       before);

	frame_put(device_page(d, FIRST_PAGE + 1), 13);
	EXPECT(device_transmit(d, BASE + PAGE) == 13, "not from the first");
	device_offer(d, RX, BASE + 14 * PAGE, PAGE);
	device_inject(d, 14);
	device_kick_and_flush(d, RX);
	EXPECT(device_used(d, RX) == 1, "not received");
	EXPECT(frame_tag((uint8_t *)device_page(d, FIRST_PAGE + 26) + FRAME_HEADER, FRAME_SIZE) ==
		       14,
	       "not into the last");
	PART(may_only(d, BASE, VHOST_ACCESS_RO));
	return may_only(d, BASE + 15 * PAGE, VHOST_ACCESS_WO);
}

/* An UPDATE takes the place of parts of two, and of all between them. */
static bool update_of_several(void)
{
	struct device *d = device_open_running();
	unsigned int before = fdinfo_entries(d->fd);

	for (unsigned int i = 0; i < 4; i++)
		EXPECT(!device_update(d, BASE + 4 * i * PAGE, 4 * PAGE,
				      device_page(d, FIRST_PAGE + 8 * i), VHOST_ACCESS_RW),
		       "refused");
	EXPECT(!device_update(d, BASE + 3 * PAGE, 10 * PAGE, device_page(d, FIRST_PAGE + 40),
			      VHOST_ACCESS_RW),
	       "refused");
	EXPECT(fdinfo_entries(d->fd) == before + 3, "%u entries after %u", fdinfo_entries(d->fd),
	       before);
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int page = FIRST_PAGE + 8 * (i / 4) + i % 4;

		if (i >= 3 && i < 13)
			page = FIRST_PAGE + 40 + i - 3;
		frame_put(device_page(d, page), 200 + i);
		EXPECT(device_transmit(d, BASE + i * PAGE) == 200 + i, "page %u is bad", i);
	}
	return true;
}

/* vhost knows where the rings are by a mapping that is split. */
static bool around_the_rings(void)
{
	struct device *d = device_open();
	unsigned long long dev = fdinfo_id(d->fd);

	EXPECT(!device_update(d, device_iova(0), NR_PAGES * PAGE, d->memory, VHOST_ACCESS_RW),
	       "refused");
	for (int queue = 0; queue < NR_QUEUES; queue++)
		EXPECT(!device_start_queue(d, queue), "cannot start");
	device_flush(d);
	trace_open();
	for (unsigned int i = 0; i < 20; i++) {
		frame_put(device_page(d, FIRST_PAGE + i), i);
		EXPECT(device_transmit(d, device_iova(FIRST_PAGE + i)) == i, "packet %u is bad", i);
		EXPECT(!batch_invalidate(d, device_iova(FIRST_PAGE + i), PAGE), "refused");
	}
	/* The gap between rings and buffers, too, and a hole between the rings. */
	EXPECT(!batch_invalidate(d, device_iova(RING_PAGES), PAGE), "refused");
	EXPECT(!batch_invalidate(d, device_iova(device_ring_page(RX, USED) + 1) - 1, 1), "refused");
	frame_put(device_page(d, FIRST_PAGE + 20), 20);
	EXPECT(device_transmit(d, device_iova(FIRST_PAGE + 20)) == 20, "packet 20 is bad");
	EXPECT(trace_count("miss", "dev=%llu", dev) == 0, "%u misses",
	       trace_count("miss", "dev=%llu", dev));
	EXPECT(trace_count("evict", "dev=%llu", dev) == 0, "evictions");
	return true;
}

/* There is room for one part, not for two. */
static bool full(void)
{
	unsigned int limit = fdinfo_limit(), before;
	struct large l;

	PART(open_large(&l, VHOST_ACCESS_RW));
	for (unsigned int i = 0; (before = entries(&l)) < limit; i++)
		EXPECT(!device_update(l.device, 2 * BASE + 2 * i * PAGE, PAGE, l.memory,
				      VHOST_ACCESS_RW),
		       "refused");
	trace_open();
	EXPECT(!batch_invalidate(l.device, BASE, PAGE), "refused");
	EXPECT(!batch_invalidate(l.device, BASE + SIZE - PAGE, PAGE), "refused");
	EXPECT(trace_count("evict", " ") == 0, "evictions for nothing");
	EXPECT(entries(&l) == limit, "%u entries", entries(&l));

	EXPECT(!batch_invalidate(l.device, BASE + MIDDLE, PAGE), "refused");
	EXPECT(trace_count("evict", " ") == 1, "%u evictions", trace_count("evict", " "));
	EXPECT(entries(&l) == limit, "%u entries", entries(&l));
	PART(is_sent(&l, MIDDLE - PAGE, 15));
	PART(is_sent(&l, MIDDLE + PAGE, 16));

	EXPECT(!device_update(l.device, BASE + MIDDLE / 2, PAGE, l.memory, VHOST_ACCESS_RW),
	       "refused");
	EXPECT(trace_count("evict", " ") == 3, "%u evictions", trace_count("evict", " "));
	EXPECT(entries(&l) == limit, "%u entries", entries(&l));
	PART(is_sent(&l, MIDDLE / 2 - PAGE, 17));
	PART(is_sent(&l, MIDDLE / 2 + PAGE, 18));
	close_large(&l);
	return true;
}

/* The last addresses that there are. */
static bool top(void)
{
	const uint64_t iova = 0 - 16 * PAGE;
	struct device *d = device_open_running();
	unsigned int before = fdinfo_entries(d->fd);

	EXPECT(!device_update(d, iova, 16 * PAGE, device_page(d, FIRST_PAGE), VHOST_ACCESS_RW),
	       "refused");
	EXPECT(fdinfo_entries(d->fd) == before + 1, "%u entries", fdinfo_entries(d->fd));
	EXPECT(!batch_invalidate(d, 0 - PAGE, PAGE), "refused");
	EXPECT(fdinfo_entries(d->fd) == before + 1, "%u entries", fdinfo_entries(d->fd));
	EXPECT(!batch_invalidate(d, 0 - 4 * PAGE, PAGE), "refused");
	EXPECT(fdinfo_entries(d->fd) == before + 2, "%u entries", fdinfo_entries(d->fd));
	frame_put(device_page(d, FIRST_PAGE + 14), 19);
	EXPECT(device_transmit(d, 0 - 2 * PAGE) == 19, "not from page 14");
	EXPECT(!batch_invalidate(d, iova, 16 * PAGE), "refused");
	EXPECT(fdinfo_entries(d->fd) == before, "%u entries", fdinfo_entries(d->fd));
	return true;
}

/*
 * Other messages drop all of a mapping, as other TLBs do: an IOMMU may be told
 * just one address of a large page.
 */
static bool not_by_old_messages(void)
{
	static const struct {
		uint64_t offset, size;
	} ranges[] = {
		{0, PAGE},     {MIDDLE, PAGE}, {SIZE - PAGE, PAGE}, {0, 1},	   {MIDDLE, 1},
		{SIZE - 1, 1}, {-1, 2},	       {SIZE - 1, PAGE},    {4097, 12345},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const uint64_t at[] = {0, MIDDLE / 2, SIZE - FRAME_BUFFER};
		struct vhost_iotlb_msg msg;
		struct device *d;
		struct large l;

		PART(open_large(&l, VHOST_ACCESS_RW));
		d = l.device;
		/* A neighbour on each side, which stays. */
		EXPECT(!device_update(d, BASE - 4 * PAGE, 3 * PAGE, l.memory, VHOST_ACCESS_RW),
		       "refused");
		EXPECT(!device_update(d, BASE + SIZE + PAGE, PAGE, l.memory, VHOST_ACCESS_RW),
		       "refused");
		EXPECT(!device_invalidate(d, BASE + ranges[i].offset, ranges[i].size), "refused");
		frame_put(l.memory, 20);
		EXPECT(device_transmit(d, BASE - 4 * PAGE) == 20, "the one before is gone");
		EXPECT(device_transmit(d, BASE + SIZE + PAGE) == 20, "the one behind is gone");
		EXPECT(device_transmit(d, BASE + at[i % 3]) == -1, "sent");
		EXPECT(!device_read_miss(d, &msg), "no miss");
		close_large(&l);
	}
	return true;
}

static const struct check list[] = {
	{"4K at the start of 1G", start, STOCK_LACKS},
	{"4K in the middle of 1G", middle, STOCK_LACKS},
	{"4K at the end of 1G", end, STOCK_LACKS},
	{"any number of bytes from anywhere on", odd, STOCK_LACKS},
	{"one byte", one_byte, STOCK_LACKS},
	{"the whole, and more", whole, STOCK_LACKS},
	{"parts of parts", again, STOCK_LACKS},
	{"UPDATE within a mapping", update_inside, STOCK_LACKS},
	{"what stays has its permission", permissions, STOCK_LACKS},
	{"INVALIDATE of parts of several mappings", several, STOCK_LACKS},
	{"UPDATE of parts of several mappings", update_of_several, STOCK_LACKS},
	{"beside the rings, in the same mapping", around_the_rings, STOCK_LACKS},
	{"not by messages of types V1 and V2", not_by_old_messages, STOCK_PASSES},
	{"with the IOTLB full", full, STOCK_LACKS},
	{"at the end of the address space", top, STOCK_LACKS},
};

CHECK_GROUP(split, list);
