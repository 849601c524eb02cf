// SPDX-License-Identifier: GPL-2.0
/* The BPF program says where rings are, which is kept. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "resolve.h"
#include "trace.h"

#define RW VHOST_ACCESS_RW

/* The mapping that has the rings, with pages around them that nobody uses. */
#define RING_MAPPING 32

/* Buffers. */
#define BUFFER_PAGE 40

static bool starts(struct device *d)
{
	EXPECT(!device_start_queue(d, RX), "cannot start RX");
	EXPECT(!device_start_queue(d, TX), "cannot start TX");
	device_flush(d);
	return true;
}

struct resolved {
	struct device *d;
	struct hook *h;
	struct hook_answer *ring, *buffers;
};

/* Nothing is mapped. The rings are in one mapping, buffers are in others. */
static void prepare(struct resolved *r)
{
	r->d = device_open();
	r->h = hook_open(HOOK_PASS);
	r->ring = resolve_pages(r->h, 0, RING_MAPPING, 0, RW);
	r->buffers = resolve_pages(r->h, BUFFER_PAGE, NR_PAGES - BUFFER_PAGE, BUFFER_PAGE, RW);
	r->buffers->piece = PAGE;
}

static void open_started(struct resolved *r)
{
	prepare(r);
	if (!starts(r->d) || device_has_message(r->d))
		bail_out("cannot start");
	/* They look at all of their rings when they have something to do. */
	device_kick_and_flush(r->d, RX);
	device_kick_and_flush(r->d, TX);
}

/* With @asked questions about rings a frame comes out. */
static bool sends(struct resolved *r, unsigned int asked, uint32_t tag)
{
	uint64_t before = r->ring->calls, buffers = r->buffers->calls;

	PART(is_sent(r->d, BUFFER_PAGE, BUFFER_PAGE, tag));
	EXPECT(r->ring->calls - before == asked, "asked %llu times for the ring, not %u",
	       (unsigned long long)(r->ring->calls - before), asked);
	EXPECT(r->buffers->calls - buffers == 1, "asked %llu times for the buffer",
	       (unsigned long long)(r->buffers->calls - buffers));
	return nothing_to_read(r->d);
}

static bool start(void)
{
	struct resolved r;
	uint64_t calls;

	prepare(&r);
	trace_open();
	PART(starts(r.d));
	PART(nothing_to_read(r.d));
	EXPECT(trace_count("miss", "vq=0 area=used verdict=2") >= 1, "no event of RX");
	EXPECT(trace_count("miss", "vq=1 area=used verdict=2") >= 1, "no event of TX");
	device_kick_and_flush(r.d, RX);
	PART(is_sent(r.d, BUFFER_PAGE, BUFFER_PAGE, 0));
	calls = r.ring->calls;
	for (unsigned int i = 0; i < 10; i++)
		PART(sends(&r, 0, i));
	EXPECT(fdinfo_entries(r.d->fd) == 0, "%u entries", fdinfo_entries(r.d->fd));

	device_offer(r.d, RX, device_iova(BUFFER_PAGE + 1), PAGE);
	device_inject(r.d, 10);
	device_flush(r.d);
	EXPECT(device_used(r.d, RX) == 1, "%u used", device_used(r.d, RX));
	EXPECT(r.ring->calls == calls, "asked again");
	return true;
}

/* They lie in one mapping. */
static bool start_asks_once(void)
{
	struct resolved r;

	prepare(&r);
	PART(starts(r.d));
	device_kick_and_flush(r.d, TX);
	device_kick_and_flush(r.d, RX);
	EXPECT(r.ring->calls == 2, "%llu calls", r.ring->calls);
	return true;
}

/* In the ioctl, by one who must not wait. */
static bool start_asks(void)
{
	struct resolved r;
	struct hook_record record;

	prepare(&r);
	EXPECT(!device_start_queue(r.d, TX), "cannot start");
	EXPECT(!hook_take(r.h, &record), "no record");
	EXPECT(record.iova == device_iova(device_ring_page(TX, USED)) &&
		       record.access == VHOST_ACCESS_WO,
	       "0x%llx, access %u", record.iova, record.access);
	return true;
}

static bool start_without_answer(void)
{
	struct resolved r;

	prepare(&r);
	r.ring->perm = VHOST_ACCESS_RO;
	EXPECT(device_start_queue(r.d, TX) == -EFAULT, "started with a ring that is read-only");
	EXPECT(r.ring->returned == -EACCES, "error %d", r.ring->returned);
	PART(reads_miss(r.d, device_iova(device_ring_page(TX, USED))));
	r.ring->perm = RW;
	EXPECT(!device_start_queue(r.d, TX), "cannot start");
	return nothing_to_read(r.d);
}

static bool start_queued(void)
{
	struct device *d = device_open();
	struct hook *h = hook_open(HOOK_QUEUED);

	EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
	PART(nothing_to_read(d));
	resolve_pages(h, 0, NR_PAGES, 0, RW);
	EXPECT(device_start_queue(d, TX) == -EFAULT, "started without being asked for");
	PART(is_asked(h, 1));
	EXPECT(!batch_retry(d, 0, 0), "refused");
	EXPECT(!device_start_queue(d, TX), "cannot start");
	device_flush(d);
	PART(nothing_to_read(d));
	return is_sent(d, FIRST_PAGE, FIRST_PAGE, 1);
}

/*
 * Have the pages of the device in the opposite order where vhost looks for
 * them: nothing is where it would be if one page was taken for two.
 */
static void reverse_memory(struct device *d)
{
	size_t size = d->nr_pages * PAGE;
	int fd = memfd_create("memory", MFD_CLOEXEC);
	struct vhost_memory_region region = {.memory_size = size};
	uint8_t *reversed = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags = MAP_SHARED | MAP_FIXED;

	if (fd < 0 || ftruncate(fd, size) || reversed == MAP_FAILED ||
	    mmap(d->memory, size, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED)
		bail_out_errno("no memory");
	for (unsigned int page = 0; page < d->nr_pages; page++)
		if (mmap(reversed + (d->nr_pages - 1 - page) * PAGE, PAGE, PROT_READ | PROT_WRITE,
			 flags, fd, page * PAGE) == MAP_FAILED)
			bail_out_errno("no memory");
	close(fd);
	region.userspace_addr = (uintptr_t)reversed;
	if (device_set_regions(d, &region, 1))
		bail_out("VHOST_SET_MEM_TABLE failed");
}

/* Rings of several pages, which have nothing to do with each other. */
static bool scattered(void)
{
	const struct device_shape shape = {.ring_size = 1024, .nr_pages = 128};
	struct device *d = device_open_shaped(&shape);
	struct hook *h = hook_open(HOOK_PASS);
	unsigned int last = device_ring_pages(d);
	struct hook_answer *a = resolve_pages(h, 0, d->nr_pages, d->nr_pages - 1, RW);

	EXPECT(last == 2 * (4 + 1 + 3), "rings of %u pages", last);
	reverse_memory(d);
	a->piece = PAGE;
	a->backward = true;
	PART(starts(d));
	PART(nothing_to_read(d));
	/* RX looks at the others when it has something to do. */
	EXPECT(a->calls >= last / 2 && a->calls <= last, "%llu calls", a->calls);

	/* Through all of the ring, and then some. */
	for (unsigned int i = 0; i < 1100; i++) {
		unsigned int page = last + i % (d->nr_pages - last);
		uint64_t before = a->calls;

		PART(is_sent(d, page, page, i));
		EXPECT(a->calls == before + 1 || !i, "asked %llu times",
		       (unsigned long long)(a->calls - before));
		EXPECT(device_used(d, TX) == i + 1, "%u used", device_used(d, TX));
	}
	EXPECT(fdinfo_entries(d->fd) == 0, "%u entries", fdinfo_entries(d->fd));
	return true;
}

static int invalidate_v1(const struct device *d, uint64_t iova, uint64_t size)
{
	struct vhost_msg msg = {
		.type = VHOST_IOTLB_MSG,
		.iotlb = {.iova = iova, .size = size, .type = VHOST_IOTLB_INVALIDATE},
	};

	return write(d->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

typedef int (*invalidate_fn)(const struct device *d, uint64_t iova, uint64_t size);

static bool invalidate_ranges(invalidate_fn invalidate)
{
	static const struct {
		int64_t offset;
		uint64_t size;
		bool concerns;
	} ranges[] = {
		{-PAGE, PAGE, false},
		{-1, 1, false},
		{RING_MAPPING * PAGE, 1, false},
		{RING_MAPPING * PAGE, PAGE, false},
		{BUFFER_PAGE * PAGE, PAGE, false},
		{0, 1, true},
		{-PAGE, PAGE + 1, true},
		{RING_MAPPING * PAGE - 1, 1, true},
		{RING_MAPPING * PAGE - 1, 100 * PAGE, true},
		/* Of the mapping, but not of a ring. */
		{20 * PAGE + 17, 1, true},
		{DESC * PAGE, PAGE, true},
		{(NR_PARTS + AVAIL) * PAGE, PAGE, true},
		{(NR_PARTS + USED) * PAGE, PAGE, true},
		{-PAGE, NR_PAGES * PAGE, true},
	};
	struct resolved r;

	open_started(&r);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		EXPECT(!invalidate(r.d, device_iova(0) + ranges[i].offset, ranges[i].size),
		       "refused");
		if (!sends(&r, ranges[i].concerns, i))
			return check_failed(false, __FILE__, __LINE__, "sends", "range %zu", i);
	}
	EXPECT(!invalidate(r.d, 0, 0), "refused");
	PART(sends(&r, 1, 100));
	return sends(&r, 0, 101);
}

static bool invalidate_v1_ranges(void)
{
	return invalidate_ranges(invalidate_v1);
}

static bool invalidate_v2_ranges(void)
{
	return invalidate_ranges(device_invalidate);
}

static bool invalidate_v3_ranges(void)
{
	return invalidate_ranges(batch_invalidate);
}

/* There is something before the first page for the program to speak of. */
static void shift_memory(const struct device *d)
{
	struct vhost_memory_region region = {
		.guest_phys_addr = page_gpa(1),
		.memory_size = d->nr_pages * PAGE,
		.userspace_addr = (uintptr_t)d->memory,
	};

	if (device_set_regions(d, &region, 1))
		bail_out("VHOST_SET_MEM_TABLE failed");
}

/* Pieces that are in no mapping that vhost keeps for a whole part of a ring. */
static bool invalidate_pieces(void)
{
	struct resolved r;

	prepare(&r);
	shift_memory(r.d);
	r.ring->gpa = page_gpa(1);
	r.ring->piece = 16;
	r.buffers->gpa += PAGE;
	PART(starts(r.d));
	device_kick_and_flush(r.d, RX);
	device_kick_and_flush(r.d, TX);
	PART(sends(&r, 0, 1));
	for (int part = 0; part < NR_PARTS; part++) {
		uint64_t iova = device_iova(device_ring_page(TX, part)), before;

		for (unsigned int version = 2; version <= 3; version++) {
			before = r.ring->calls;
			EXPECT(!(version == 2 ? device_invalidate : batch_invalidate)(r.d,
										      iova + 16, 1),
			       "refused");
			PART(is_sent(r.d, BUFFER_PAGE, BUFFER_PAGE, version));
			EXPECT(r.ring->calls > before, "not asked about part %d", part);
			PART(sends(&r, 0, 4));
		}
	}
	/* Not near: it is no part of what was said of any. */
	EXPECT(!batch_invalidate(r.d, device_iova(RING_PAGES), PAGE), "refused");
	return sends(&r, 0, 5);
}

/* Among many that do not come near. */
static bool invalidate_in_batch(void)
{
	struct resolved r;
	struct batch b;

	open_started(&r);
	batch_init(&b);
	batch_add_map(&b, r.d, BUFFER_PAGE + 1, RW);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(20), PAGE);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(NR_PAGES), PAGE);
	EXPECT(batch_write(r.d, &b) == 3, "not all applied");
	PART(sends(&r, 1, 1));

	/* On both sides, and of other types. */
	batch_init(&b);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(0) - PAGE, PAGE);
	batch_add(&b, VHOST_IOTLB_RETRY, 0, 0);
	batch_add(&b, VHOST_IOTLB_MISS, 0, 0);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(RING_MAPPING), PAGE);
	EXPECT(batch_write(r.d, &b) == 4, "not all applied");
	return sends(&r, 0, 2);
}

/* Of a page that reaches over the end of a region. */
static bool invalidate_beyond_region(void)
{
	struct resolved r;
	struct vhost_memory_region regions[2];

	prepare(&r);
	regions[0] = (struct vhost_memory_region){0, 16 * PAGE, (uintptr_t)device_page(r.d, 0), 0};
	regions[1] = (struct vhost_memory_region){16 * PAGE, (NR_PAGES - 16) * PAGE,
						  (uintptr_t)device_page(r.d, 16), 0};
	if (device_set_regions(r.d, regions, 2))
		bail_out("VHOST_SET_MEM_TABLE failed");
	PART(starts(r.d));
	device_kick_and_flush(r.d, TX);
	PART(sends(&r, 0, 1));
	EXPECT(!device_invalidate(r.d, device_iova(20), 1), "refused");
	PART(sends(&r, 1, 2));
	return sends(&r, 0, 3);
}

static bool invalidated_without_answer(void)
{
	struct resolved r;

	open_started(&r);
	PART(sends(&r, 0, 1));
	hook_forget(r.ring);
	EXPECT(!device_invalidate(r.d, device_iova(20), PAGE), "refused");
	device_send(r.d, BUFFER_PAGE, 2);
	EXPECT(device_used(r.d, TX) == 1, "sent");
	PART(reads_miss(r.d, device_iova(device_ring_page(TX, DESC))));
	for (int part = 0; part < NR_PARTS; part++)
		EXPECT(!device_map(r.d, device_ring_page(TX, part), RW), "refused");
	device_flush(r.d);
	EXPECT(device_used(r.d, TX) == 2, "%u used", device_used(r.d, TX));
	return true;
}

/* Elsewhere, where the same is, and the rest of the device's memory is not. */
static bool ring_moves(void)
{
	struct resolved r;
	void *old;

	open_started(&r);
	PART(sends(&r, 0, 1));
	old = device_page(r.d, 0);
	/* The rings' pages are at RING_MAPPING from now on. */
	memcpy(device_page(r.d, 16), old, RING_PAGES * PAGE);
	r.ring->gpa = page_gpa(16);
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		struct queue *q = &r.d->queues[queue];

		q->desc = device_page(r.d, 16 + device_ring_page(queue, DESC));
		q->avail = device_page(r.d, 16 + device_ring_page(queue, AVAIL));
		q->used = device_page(r.d, 16 + device_ring_page(queue, USED));
	}
	EXPECT(!device_invalidate(r.d, device_iova(device_ring_page(TX, DESC)), 1), "refused");
	PART(sends(&r, 1, 2));
	return sends(&r, 0, 3);
}

static bool update(void)
{
	struct resolved r;

	open_started(&r);
	/* Not near. */
	EXPECT(!device_map(r.d, RING_MAPPING, RW), "refused");
	PART(sends(&r, 0, 1));

	/* A part of the ring, which is no answer's any more; the rest is. */
	EXPECT(!device_map(r.d, device_ring_page(TX, DESC), RW), "refused");
	PART(sends(&r, 1, 2));
	PART(sends(&r, 0, 3));

	/* All of it. */
	for (unsigned int page = 0; page < RING_PAGES; page++)
		EXPECT(!device_map(r.d, page, RW), "refused");
	r.ring->perm = 0;
	PART(sends(&r, 0, 4));
	return sends(&r, 0, 5);
}

/* A ring's page that has moved, by an UPDATE over what was resolved. */
static bool update_over(void)
{
	struct resolved r;
	unsigned int page = device_ring_page(TX, DESC);

	open_started(&r);
	PART(sends(&r, 0, 1));
	memcpy(device_page(r.d, RING_MAPPING), device_page(r.d, page), PAGE);
	EXPECT(!device_update(r.d, device_iova(page), PAGE, device_page(r.d, RING_MAPPING), RW),
	       "refused");
	r.d->queues[TX].desc = device_page(r.d, RING_MAPPING);
	PART(sends(&r, 1, 2));
	return sends(&r, 0, 3);
}

/* Both virtqueues see at once that they do not know their rings any more. */
static bool misses_rings(struct resolved *r)
{
	unsigned int used = device_used(r->d, TX);
	struct vhost_iotlb_msg first, second;
	uint64_t rx = device_iova(device_ring_page(RX, DESC));
	uint64_t tx = device_iova(device_ring_page(TX, DESC));

	device_send(r->d, BUFFER_PAGE, 1000);
	EXPECT(device_used(r->d, TX) == used, "sent by what a program said that has gone");
	EXPECT(!device_read_miss(r->d, &first) && !device_read_miss(r->d, &second),
	       "not two messages");
	EXPECT((first.iova == rx && second.iova == tx) || (first.iova == tx && second.iova == rx),
	       "0x%llx and 0x%llx", (unsigned long long)first.iova,
	       (unsigned long long)second.iova);
	for (unsigned int page = 0; page < RING_PAGES; page++)
		EXPECT(!device_map(r->d, page, RW), "refused");
	device_flush(r->d);
	PART(reads_miss(r->d, device_iova(BUFFER_PAGE)));
	PART(goes_on(r->d, BUFFER_PAGE, used + 1));
	EXPECT(device_wait_frame(r->d) == 1000, "another frame came out");
	return true;
}

static bool detached(void)
{
	struct resolved r;

	open_started(&r);
	PART(sends(&r, 0, 1));
	hook_detach(r.h);
	EXPECT(device_wait_message(r.d), "an idle virtqueue does not see it");
	return misses_rings(&r);
}

static bool detached_forced(void)
{
	struct resolved r;

	open_started(&r);
	PART(sends(&r, 0, 1));
	EXPECT(!hook_detach_forced(r.h), "cannot detach");
	return misses_rings(&r);
}

/* The next knows as much, but has to be asked. */
static bool other_program(void)
{
	struct resolved r;

	open_started(&r);
	PART(sends(&r, 0, 1));
	hook_close(r.h);
	r.h = hook_open(HOOK_PASS);
	r.ring = resolve_pages(r.h, 0, RING_MAPPING, 0, RW);
	r.buffers = resolve_pages(r.h, BUFFER_PAGE, 1, BUFFER_PAGE, RW);
	EXPECT(!batch_retry(r.d, 0, 0), "refused");
	device_flush(r.d);
	EXPECT(r.ring->calls == 2, "asked %llu times", r.ring->calls);
	PART(nothing_to_read(r.d));
	return sends(&r, 0, 2);
}

/* The program goes while the virtqueue is stopped. */
static bool detached_while_stopped(void)
{
	struct resolved r;

	open_started(&r);
	PART(sends(&r, 0, 1));
	EXPECT(!device_stop_queue(r.d, TX), "cannot stop");
	EXPECT(!device_stop_queue(r.d, RX), "cannot stop");
	hook_detach(r.h);
	EXPECT(device_start_queue(r.d, TX) == -EFAULT,
	       "started by what a program said that has gone");
	return reads_miss(r.d, device_iova(device_ring_page(TX, USED)));
}

static bool stopped(void)
{
	struct resolved r;

	open_started(&r);
	PART(sends(&r, 0, 1));
	EXPECT(!device_stop_queue(r.d, TX), "cannot stop");
	EXPECT(!device_invalidate(r.d, device_iova(0), PAGE), "refused");
	hook_forget(r.ring);
	EXPECT(device_start_queue(r.d, TX) == -EFAULT, "started by what was invalidated");
	return reads_miss(r.d, device_iova(device_ring_page(TX, USED)));
}

static bool other_memory(void)
{
	struct resolved r;
	uint8_t *old;
	void *memory;
	unsigned int old_used;

	open_started(&r);
	PART(sends(&r, 0, 1));
	old = r.d->memory;
	memory = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (memory == MAP_FAILED)
		bail_out_errno("no memory");
	old_used = device_used(r.d, TX);
	device_move_memory(r.d, memory);
	EXPECT(!device_set_memory_table(r.d), "refused");
	PART(sends(&r, 1, 2));
	PART(sends(&r, 0, 3));
	EXPECT(*(uint16_t *)(old + device_ring_page(TX, USED) * PAGE + 2) == old_used,
	       "the old memory was used");
	munmap(old, NR_PAGES * PAGE);
	return sends(&r, 0, 4);
}

/* The mapping goes on before and behind the region. */
static bool kept_is_cut(void)
{
	struct resolved r;
	struct vhost_memory_region region = {.memory_size = 2 * PAGE};
	unsigned int desc = device_ring_page(TX, DESC), avail = device_ring_page(TX, AVAIL);

	prepare(&r);
	region.guest_phys_addr = page_gpa(avail);
	region.userspace_addr = (uintptr_t)device_page(r.d, avail);
	EXPECT(!device_set_regions(r.d, &region, 1), "refused");
	EXPECT(!device_start_queue(r.d, TX), "cannot start");
	device_kick_and_flush(r.d, TX);
	EXPECT(r.ring->returned == -EFAULT, "error %d", r.ring->returned);
	PART(reads_miss(r.d, device_iova(desc)));

	/* The used ring is mapped, and no other: there is none before it. */
	region.guest_phys_addr = page_gpa(desc - 1);
	region.userspace_addr = (uintptr_t)device_page(r.d, desc - 1);
	EXPECT(!device_set_regions(r.d, &region, 1), "refused");
	EXPECT(!device_map(r.d, device_ring_page(TX, USED), RW), "refused");
	device_kick_and_flush(r.d, TX);
	EXPECT(r.ring->returned == -EFAULT, "error %d", r.ring->returned);
	return reads_miss(r.d, device_iova(avail));
}

/* The memory that has the ring is not the guest's any more. */
static bool no_memory(void)
{
	struct resolved r;
	struct vhost_memory_region region = {.memory_size = PAGE};

	open_started(&r);
	PART(sends(&r, 0, 1));
	region.userspace_addr = (uintptr_t)device_page(r.d, NR_PAGES - 1);
	region.guest_phys_addr = page_gpa(NR_PAGES - 1);
	EXPECT(!device_set_regions(r.d, &region, 1), "refused");
	device_send(r.d, BUFFER_PAGE, 2);
	EXPECT(r.ring->returned == -EFAULT, "error %d", r.ring->returned);
	EXPECT(device_used(r.d, TX) == 1, "sent");
	return reads_miss(r.d, device_iova(device_ring_page(TX, DESC)));
}

static bool new_iotlb(void)
{
	struct resolved r;

	open_started(&r);
	PART(sends(&r, 0, 1));
	EXPECT(!device_set_features(r.d, true), "refused");
	PART(sends(&r, 1, 2));
	return sends(&r, 0, 3);
}

static bool new_owner(void)
{
	struct resolved r;
	uint64_t before;

	open_started(&r);
	PART(sends(&r, 0, 1));
	EXPECT(!ioctl(r.d->fd, VHOST_RESET_OWNER, NULL), "errno %d", errno);
	EXPECT(!ioctl(r.d->fd, VHOST_SET_OWNER, NULL), "errno %d", errno);
	EXPECT(!device_set_features(r.d, true), "refused");
	EXPECT(!device_set_memory_table(r.d), "refused");
	device_set_up_queues(r.d);
	before = r.ring->calls;
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		struct vhost_vring_state base = {queue, r.d->queues[queue].avail->idx};

		EXPECT(!ioctl(r.d->fd, VHOST_SET_VRING_BASE, &base), "errno %d", errno);
	}
	PART(starts(r.d));
	EXPECT(r.ring->calls >= before + 2, "asked %llu times",
	       (unsigned long long)(r.ring->calls - before));
	device_kick_and_flush(r.d, TX);
	return sends(&r, 0, 2);
}

static bool new_addresses(void)
{
	struct resolved r;

	open_started(&r);
	PART(sends(&r, 0, 1));
	device_set_rings(r.d, true);
	return sends(&r, 1, 2);
}

/* More pieces than are kept from one run to the next. */
static bool tiny_pieces(void)
{
	const struct device_shape shape = {.ring_size = 256};
	struct device *d = device_open_shaped(&shape);
	struct hook *h = hook_open(HOOK_PASS);
	struct hook_answer *a = resolve_pages(h, 0, NR_PAGES, 1, RW);

	shift_memory(d);
	a->piece = 16;
	PART(starts(d));
	for (unsigned int i = 0; i < 60; i++) {
		uint64_t before = a->calls;

		PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, i));
		EXPECT(a->calls - before > 256, "asked only %llu times",
		       (unsigned long long)(a->calls - before));
	}
	EXPECT(fdinfo_entries(d->fd) == 0, "%u entries", fdinfo_entries(d->fd));
	PART(nothing_to_read(d));

	/* With answers that are large again, they are kept again. */
	a->piece = 0;
	PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 301));
	PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 302));
	return is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 303);
}

/* More pieces than are kept at all: an UPDATE can still help. */
static bool too_many_pieces(void)
{
	const struct device_shape shape = {.ring_size = 1024};
	struct device *d = device_open_shaped(&shape);
	struct hook *h = hook_open(HOOK_PASS);
	struct hook_answer *a = resolve_pages(h, 0, NR_PAGES, 1, RW);

	shift_memory(d);
	a->piece = 16;
	EXPECT(!device_start_queue(d, TX), "cannot start");
	device_send(d, BUFFER_PAGE, 1);
	EXPECT(device_has_message(d), "no message");
	EXPECT(device_used(d, TX) == 0, "sent");
	for (unsigned int page = 0; page < device_ring_pages(d); page++)
		EXPECT(!device_map(d, page, RW), "refused");
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	return is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 2);
}

/* As many as are kept: asked once. */
static bool small_pieces(void)
{
	struct device *d = device_open();
	struct hook *h = hook_open(HOOK_PASS);
	struct hook_answer *ring = resolve_pages(h, 0, RING_PAGES, 1, RW);

	shift_memory(d);
	resolve_pages(h, BUFFER_PAGE, 1, BUFFER_PAGE + 1, RW);
	ring->piece = 16;
	PART(starts(d));
	PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 0));
	for (unsigned int i = 1; i < 200; i++) {
		uint64_t before = ring->calls;

		PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, i));
		EXPECT(ring->calls == before, "asked %llu times",
		       (unsigned long long)(ring->calls - before));
	}
	return true;
}

/* Said of the whole ring first, and then the same again, with less permission. */
static bool read_only_first(void)
{
	struct device *d = device_open();
	struct hook *h = hook_open(HOOK_PASS);
	struct hook_answer *a = resolve_pages(h, 0, RING_MAPPING, 0, RW);
	uint64_t before;

	PART(starts(d));
	resolve_pages(h, BUFFER_PAGE, 1, BUFFER_PAGE, RW);
	/* What the ring's descriptors need is asked first, and is not enough. */
	a->perm = VHOST_ACCESS_RO;
	EXPECT(!device_invalidate(d, 0, 0), "refused");
	device_send(d, BUFFER_PAGE, 1);
	EXPECT(a->returned == -EACCES, "error %d", a->returned);
	PART(reads_miss(d, device_iova(device_ring_page(TX, USED))));
	a->perm = RW;
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	before = a->calls;
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 2));
	EXPECT(a->calls <= before + 1, "asked %llu times", (unsigned long long)(a->calls - before));
	before = a->calls;
	PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 3));
	EXPECT(a->calls == before, "asked again");
	return nothing_to_read(d);
}

static bool kthread(void)
{
	const struct device_shape shape = {.kthread = true};
	struct device *d = device_open_shaped(&shape);
	struct hook *h = hook_open(HOOK_PASS);
	unsigned int calls;

	resolve_pages(h, 0, RING_MAPPING, 0, RW);
	resolve_pages(h, BUFFER_PAGE, 1, BUFFER_PAGE, RW);
	PART(starts(d));
	PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 1));
	calls = hook_calls(h);
	PART(is_sent(d, BUFFER_PAGE, BUFFER_PAGE, 2));
	return is_asked(h, calls + 1);
}

static const struct check list[] = {
	{"virtqueues start with nothing mapped, and go on without asking", start, STOCK_LACKS},
	{"asked once for each virtqueue", start_asks_once, STOCK_LACKS},
	{"asked in the ioctl that starts a virtqueue", start_asks, STOCK_LACKS},
	{"no start with a ring that may not be written", start_without_answer, STOCK_LACKS},
	{"a start is queued, and resolved after RETRY", start_queued, STOCK_LACKS},
	{"rings of pages that are not contiguous", scattered, STOCK_LACKS},
	{"INVALIDATE (V1) of any part of the mapping ends it", invalidate_v1_ranges, STOCK_LACKS},
	{"INVALIDATE (V2) of any part of the mapping ends it", invalidate_v2_ranges, STOCK_LACKS},
	{"INVALIDATE (V3) of any part of the mapping ends it", invalidate_v3_ranges, STOCK_LACKS},
	{"INVALIDATE of pieces", invalidate_pieces, STOCK_LACKS},
	{"INVALIDATE among others in a message", invalidate_in_batch, STOCK_LACKS},
	{"INVALIDATE of what a region cuts off", invalidate_beyond_region, STOCK_LACKS},
	{"INVALIDATE, and nobody knows better", invalidated_without_answer, STOCK_LACKS},
	{"INVALIDATE, and the ring is elsewhere", ring_moves, STOCK_LACKS},
	{"UPDATE ends what it comes near, and comes first", update, STOCK_LACKS},
	{"UPDATE over a page of a ring", update_over, STOCK_LACKS},
	{"the program is detached", detached, STOCK_LACKS},
	{"the program is detached by force", detached_forced, STOCK_LACKS},
	{"a new program is asked", other_program, STOCK_LACKS},
	{"detached while the virtqueue is stopped", detached_while_stopped, STOCK_LACKS},
	{"INVALIDATE while the virtqueue is stopped", stopped, STOCK_LACKS},
	{"the memory table has the memory elsewhere", other_memory, STOCK_LACKS},
	{"what is outside of the region is not kept", kept_is_cut, STOCK_LACKS},
	{"the memory table has the ring no more", no_memory, STOCK_LACKS},
	{"asked again with a new IOTLB", new_iotlb, STOCK_LACKS},
	{"asked again with a new owner", new_owner, STOCK_LACKS},
	{"asked again with new addresses", new_addresses, STOCK_LACKS},
	{"more pieces than are kept", tiny_pieces, STOCK_LACKS},
	{"more pieces than can be kept", too_many_pieces, STOCK_LACKS},
	{"as many pieces as are kept", small_pieces, STOCK_LACKS},
	{"an answer with more permission takes the place of another", read_only_first, STOCK_LACKS},
	{"a worker that is a kernel thread", kthread, STOCK_LACKS},
};

CHECK_GROUP(resolve_ring, list);
