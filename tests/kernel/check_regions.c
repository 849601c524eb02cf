// SPDX-License-Identifier: GPL-2.0
/*
 * A virtqueue remembers the regions of the memory table that its program has
 * last used. When the table changes, nothing may go by the old one.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "check.h"
#include "device.h"
#include "frame.h"
#include "guest.h"
#include "hook.h"
#include "process.h"
#include "resolve.h"

/* In a frame, where none is like another. */
#define READ_AT 32
#define READ_SIZE 64

/* Where the guest's memory may be, each with room for a table's pages. */
#define NR_MEMORIES 4
#define MEMORY_PAGES 64

struct view {
	struct device *d;
	struct hook *h;
	struct hook_answer *answer; /* to misses of FIRST_PAGE */
	uint8_t *memories[NR_MEMORIES];
	uint32_t tag;
};

static uint8_t *new_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bail_out_errno("no memory");
	memset(memory, 0x5a, size);
	return memory;
}

static void view_open(struct view *v, bool kthread)
{
	const struct device_shape shape = {.kthread = kthread};

	*v = (struct view){.d = device_open_shaped(&shape)};
	device_run(v->d);
	v->h = hook_open(HOOK_PASS);
	v->answer = resolve_pages(v->h, FIRST_PAGE, 1, 0, VHOST_ACCESS_RW);
	for (int i = 0; i < NR_MEMORIES; i++)
		v->memories[i] = new_memory(MEMORY_PAGES * PAGE);
}

static void view_close(struct view *v)
{
	for (int i = 0; i < NR_MEMORIES; i++)
		munmap(v->memories[i], MEMORY_PAGES * PAGE);
}

static uint8_t *page_of(const struct view *v, int memory, unsigned int page)
{
	return v->memories[memory] + page * PAGE;
}

/* Regions of whole pages: @page for the guest is @at of a memory. */
struct area {
	unsigned int page, nr;
	int memory;
	unsigned int at;
};

static bool set_areas(const struct view *v, const struct area *areas, unsigned int nr)
{
	struct vhost_memory_region regions[4];

	for (unsigned int i = 0; i < nr; i++)
		regions[i] = (struct vhost_memory_region){
			.guest_phys_addr = page_gpa(areas[i].page),
			.memory_size = areas[i].nr * PAGE,
			.userspace_addr = (uintptr_t)page_of(v, areas[i].memory, areas[i].at),
		};
	EXPECT(!device_set_regions(v->d, regions, nr), "refused");
	return true;
}

#define SET_AREAS(v, ...)                                                                          \
	PART(set_areas(v, (const struct area[]){__VA_ARGS__},                                      \
		       sizeof((const struct area[]){__VA_ARGS__}) / sizeof(struct area)))

/* What the program is to read, and to say, at the next misses. */
static uint64_t aim(struct view *v, unsigned int page, bool word)
{
	v->answer->gpa = page_gpa(page);
	if (word)
		hook_set_read_word(v->h, page_gpa(page) + READ_AT, 0);
	else
		hook_set_read(v->h, page_gpa(page) + READ_AT, READ_SIZE);
	return hook_read(v->h)->calls;
}

/* A frame is at @at, and at @also, if there is: it is sent, and seen. */
static bool sends_from(struct view *v, unsigned int page, uint8_t *at, uint8_t *also, bool word)
{
	uint64_t calls = aim(v, page, word);
	int64_t out;

	frame_put(at, ++v->tag);
	if (also)
		frame_put(also, v->tag);
	out = device_transmit(v->d, device_iova(FIRST_PAGE));
	EXPECT(out == v->tag, "frame %lld came out, not %u, of page %u", (long long)out, v->tag,
	       page);
	return guest_has_read(v->h, calls, 0, at + READ_AT);
}

/* A frame comes in there, or at the other, and what was there is seen. */
static bool receives_at(struct view *v, unsigned int page, uint8_t *at, uint8_t *also, bool word)
{
	uint64_t calls = aim(v, page, word);
	unsigned int used = device_used(v->d, RX);
	uint8_t before[READ_SIZE];

	frame_put(at, ++v->tag);
	if (also)
		frame_put(also, v->tag);
	memcpy(before, at + READ_AT, sizeof(before));
	device_offer(v->d, RX, device_iova(FIRST_PAGE), PAGE);
	device_inject(v->d, ++v->tag);
	device_flush(v->d);
	EXPECT(device_used(v->d, RX) == used + 1, "%u used", device_used(v->d, RX));
	EXPECT(frame_tag(at + FRAME_HEADER, FRAME_SIZE) == v->tag ||
		       (also && frame_tag(also + FRAME_HEADER, FRAME_SIZE) == v->tag),
	       "another frame came in at page %u", page);
	return guest_has_read(v->h, calls, 0, before);
}

/*
 * By both virtqueues, each with its own way to read. Of regions that overlap,
 * either will do.
 */
static bool finds_either(struct view *v, unsigned int page, uint8_t *at, uint8_t *also)
{
	bool word = v->tag / 4 % 2;

	PART(sends_from(v, page, at, also, word));
	PART(receives_at(v, page, at, also, !word));
	/* And with the region known. */
	PART(sends_from(v, page, at, also, !word));
	return receives_at(v, page, at, also, word);
}

static bool finds(struct view *v, unsigned int page, uint8_t *at)
{
	return finds_either(v, page, at, NULL);
}

static bool waits(struct view *v, int queue, unsigned int used, uint64_t calls)
{
	PART(guest_has_read(v->h, calls, -EFAULT, NULL));
	EXPECT(v->answer->returned == -EFAULT, "error %d", v->answer->returned);
	EXPECT(device_used(v->d, queue) == used, "used, by memory that is none");
	PART(reads_miss(v->d, device_iova(FIRST_PAGE)));
	EXPECT(!device_map(v->d, FIRST_PAGE, VHOST_ACCESS_RW), "refused");
	device_flush(v->d);
	EXPECT(device_used(v->d, queue) == used + 1, "not woken");
	EXPECT(!device_invalidate(v->d, device_iova(FIRST_PAGE), PAGE), "refused");
	return true;
}

/* No memory of the guest's. */
static bool lacks(struct view *v, unsigned int page)
{
	bool word = v->tag / 4 % 2;
	unsigned int used;
	uint64_t calls;

	calls = aim(v, page, word);
	used = device_used(v->d, TX);
	device_send(v->d, FIRST_PAGE, ++v->tag);
	PART(waits(v, TX, used, calls));
	EXPECT(device_wait_frame(v->d) == v->tag, "another frame came out");

	calls = aim(v, page, !word);
	used = device_used(v->d, RX);
	device_offer(v->d, RX, device_iova(FIRST_PAGE), PAGE);
	device_inject(v->d, ++v->tag);
	device_flush(v->d);
	v->tag += 2;
	return waits(v, RX, used, calls);
}

static bool moves(bool kthread)
{
	struct view v;

	view_open(&v, kthread);
	for (int i = 0; i < 8; i++) {
		SET_AREAS(&v, {0, 16, i % NR_MEMORIES, 0});
		PART(finds(&v, 4, page_of(&v, i % NR_MEMORIES, 4)));
	}
	/* For the owner it is as near as can be. */
	for (unsigned int i = 0; i < 4; i++) {
		SET_AREAS(&v, {0, 16, 0, i});
		PART(finds(&v, 4, page_of(&v, 0, 4 + i)));
	}
	/* What was the guest's is nobody's any more. */
	SET_AREAS(&v, {0, 16, 1, 0});
	PART(finds(&v, 4, page_of(&v, 1, 4)));
	SET_AREAS(&v, {0, 16, 2, 0});
	if (mprotect(v.memories[1], MEMORY_PAGES * PAGE, PROT_NONE))
		bail_out_errno("mprotect");
	PART(finds(&v, 4, page_of(&v, 2, 4)));
	view_close(&v);
	return true;
}

static bool moved(void)
{
	return moves(false);
}

static bool moved_kthread(void)
{
	return moves(true);
}

static bool moved_for_the_guest(void)
{
	struct view v;

	view_open(&v, false);
	SET_AREAS(&v, {0, 16, 0, 0});
	PART(finds(&v, 12, page_of(&v, 0, 12)));
	SET_AREAS(&v, {8, 16, 0, 0});
	PART(finds(&v, 12, page_of(&v, 0, 4)));
	PART(lacks(&v, 4));
	PART(finds(&v, 20, page_of(&v, 0, 12)));
	SET_AREAS(&v, {0, 16, 0, 0});
	PART(lacks(&v, 20));
	PART(finds(&v, 12, page_of(&v, 0, 12)));
	view_close(&v);
	return true;
}

static bool gone(void)
{
	struct view v;

	view_open(&v, false);
	for (int i = 0; i < 2; i++) {
		SET_AREAS(&v, {0, 16, 0, 0}, {32, 16, 1, 0});
		PART(finds(&v, 36, page_of(&v, 1, 4)));
		PART(finds(&v, 4, page_of(&v, 0, 4)));
		SET_AREAS(&v, {32, 16, 1, 0});
		PART(lacks(&v, 4));
		PART(finds(&v, 36, page_of(&v, 1, 4)));
		PART(lacks(&v, 4));
		EXPECT(!device_set_regions(v.d, NULL, 0), "refused");
		PART(lacks(&v, 36));
	}
	view_close(&v);
	return true;
}

static bool split(void)
{
	struct view v;

	view_open(&v, false);
	for (int i = 0; i < 2; i++) {
		SET_AREAS(&v, {0, 16, 0, 0});
		PART(finds(&v, i ? 4 : 12, page_of(&v, 0, i ? 4 : 12)));
		SET_AREAS(&v, {0, 8, 0, 0}, {8, 8, 1, 0});
		PART(finds(&v, 12, page_of(&v, 1, 4)));
		PART(finds(&v, 4, page_of(&v, 0, 4)));
		PART(finds(&v, 8, page_of(&v, 1, 0)));
		/* And one again. */
		SET_AREAS(&v, {0, 16, 2, 0});
		PART(finds(&v, 12, page_of(&v, 2, 12)));
		/* With a hole. */
		SET_AREAS(&v, {0, 8, 2, 0}, {13, 3, 2, 13});
		PART(lacks(&v, 12));
		PART(finds(&v, 7, page_of(&v, 2, 7)));
		PART(lacks(&v, 8));
		PART(finds(&v, 13, page_of(&v, 2, 13)));
	}
	view_close(&v);
	return true;
}

/* What is read, and what is resolved, is in one region each. */
static bool across_split(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);
	struct vhost_memory_region regions[] = {
		{0, 4 * PAGE, (uintptr_t)from, 0},
		{2 * PAGE, 2 * PAGE, (uintptr_t)from + 2 * PAGE, 0},
	};

	for (int i = 0; i < 2; i++) {
		regions[0].memory_size = 4 * PAGE;
		EXPECT(!device_set_regions(d, regions, 1), "refused");
		PART(guest_reads(d, h, 2 * PAGE - 32, 64, 0, from + 2 * PAGE - 32));
		regions[0].memory_size = 2 * PAGE;
		EXPECT(!device_set_regions(d, regions, 2), "refused");
		PART(guest_reads(d, h, 2 * PAGE - 32, 64, -EFAULT, NULL));
		PART(guest_reads(d, h, 2 * PAGE - 8, 8, 0, from + 2 * PAGE - 8));
		PART(guest_reads(d, h, 2 * PAGE, 8, 0, from + 2 * PAGE));
	}
	return true;
}

/* A page for the guest that lies in both regions is either's, of that table. */
static bool overlap(void)
{
	struct view v;

	view_open(&v, false);
	for (int i = 0; i < 2; i++) {
		unsigned int first = i ? 4 : 40;

		SET_AREAS(&v, {0, 32, 0, 0}, {16, 32, 1, 0});
		PART(finds(&v, 40, page_of(&v, 1, 24)));
		PART(finds_either(&v, 20, page_of(&v, 0, 20), page_of(&v, 1, 4)));
		PART(finds(&v, 4, page_of(&v, 0, 4)));
		PART(finds_either(&v, 20, page_of(&v, 0, 20), page_of(&v, 1, 4)));
		PART(finds(&v, first, page_of(&v, i ? 0 : 1, i ? 4 : 24)));

		SET_AREAS(&v, {0, 32, 2, 0}, {16, 32, 3, 0});
		PART(finds_either(&v, 20, page_of(&v, 2, 20), page_of(&v, 3, 4)));
		PART(finds(&v, 40, page_of(&v, 3, 24)));
		PART(finds_either(&v, 20, page_of(&v, 2, 20), page_of(&v, 3, 4)));
		PART(finds(&v, first, page_of(&v, i ? 2 : 3, i ? 4 : 24)));
		PART(finds_either(&v, 20, page_of(&v, 2, 20), page_of(&v, 3, 4)));

		/* One of them goes, or moves. */
		SET_AREAS(&v, {16, 32, 3, 0});
		PART(finds(&v, 20, page_of(&v, 3, 4)));
		PART(lacks(&v, 4));
		SET_AREAS(&v, {0, 32, 2, 0}, {40, 8, 3, 24});
		PART(finds(&v, 20, page_of(&v, 2, 20)));
		PART(lacks(&v, 36));
	}

	/* All of it is in both. */
	SET_AREAS(&v, {0, 32, 0, 0}, {0, 32, 1, 0});
	PART(finds_either(&v, 20, page_of(&v, 0, 20), page_of(&v, 1, 20)));
	for (int i = 0; i < 2; i++) {
		SET_AREAS(&v, {0, 32, i, 0});
		PART(finds(&v, 20, page_of(&v, i, 20)));
	}
	view_close(&v);
	return true;
}

/* Of a region that cannot be read by the word, nothing can be resolved. */
static bool not_good(void)
{
	struct view v;
	struct vhost_memory_region region = {.memory_size = 16 * PAGE};

	view_open(&v, false);
	for (unsigned int offset = 1; offset < 8; offset++) {
		SET_AREAS(&v, {0, 16, 0, 0});
		PART(finds(&v, 4, page_of(&v, 0, 4)));
		region.userspace_addr = (uintptr_t)page_of(&v, 0, 0) + offset;
		EXPECT(!device_set_regions(v.d, &region, 1), "refused");
		PART(lacks(&v, 4));
	}
	view_close(&v);
	return true;
}

/* A table that is refused leaves the one that was there. */
static bool refused(void)
{
	struct view v;
	struct vhost_memory_region region = {
		.memory_size = 16 * PAGE,
		.userspace_addr = -PAGE,
	};

	view_open(&v, false);
	SET_AREAS(&v, {0, 16, 0, 0});
	PART(finds(&v, 4, page_of(&v, 0, 4)));
	EXPECT(device_set_regions(v.d, &region, 1) == -EFAULT, "not refused");
	PART(finds(&v, 4, page_of(&v, 0, 4)));
	view_close(&v);
	return true;
}

/* A virtqueue that is stopped is told, too. */
static bool stopped(void)
{
	struct view v;

	view_open(&v, false);
	SET_AREAS(&v, {0, 16, 0, 0});
	PART(finds(&v, 4, page_of(&v, 0, 4)));
	for (int queue = 0; queue < NR_QUEUES; queue++)
		EXPECT(!device_stop_queue(v.d, queue), "cannot stop");
	SET_AREAS(&v, {0, 16, 1, 0});
	for (int queue = 0; queue < NR_QUEUES; queue++)
		EXPECT(!device_start_queue(v.d, queue), "cannot start");
	PART(finds(&v, 4, page_of(&v, 1, 4)));
	view_close(&v);
	return true;
}

/* For the next owner, which is a copy of this process. */
static struct view *inherited;
static bool *good;

/* The ring is nowhere: the program is asked, and reads. */
static bool starts_without_table(struct view *v, int queue, bool word)
{
	uint64_t calls = aim(v, 4, word);
	struct hook_answer *ring = resolve_pages(v->h, 0, RING_PAGES, 4, VHOST_ACCESS_RW);
	int error = device_start_queue(v->d, queue);

	EXPECT(error == -EFAULT, "virtqueue %d started by another owner's table: %d", queue, error);
	EXPECT(ring->calls == 1 && ring->returned == -EFAULT, "%llu calls, error %d", ring->calls,
	       ring->returned);
	hook_forget(ring);
	return guest_has_read(v->h, calls, -EFAULT, NULL);
}

static bool takes_over(struct view *v)
{
	uint64_t backend = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2;
	struct device *d = v->d;

	EXPECT(!ioctl(d->fd, VHOST_SET_OWNER, NULL), "errno %d", errno);
	EXPECT(!ioctl(d->fd, VHOST_SET_BACKEND_FEATURES, &backend), "errno %d", errno);
	EXPECT(!device_set_features(d, true), "refused");
	device_set_up_queues(d);
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		struct vhost_vring_state base = {queue, d->queues[queue].avail->idx};

		EXPECT(!ioctl(d->fd, VHOST_SET_VRING_BASE, &base), "errno %d", errno);
		PART(starts_without_table(v, queue, queue));
	}
	device_run(d);
	/* The old memory is here, too, with what the former owner had there. */
	PART(lacks(v, 4));
	SET_AREAS(v, {0, 16, 1, 0});
	PART(finds(v, 4, page_of(v, 1, 4)));
	SET_AREAS(v, {0, 16, 0, 0});
	PART(finds(v, 4, page_of(v, 0, 4)));
	return true;
}

static void take_over(void)
{
	*good = takes_over(inherited);
}

static bool next_owner(void)
{
	struct process p;
	struct view v;
	uint8_t *old;

	good = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (good == MAP_FAILED)
		bail_out_errno("no memory");
	view_open(&v, false);
	SET_AREAS(&v, {0, 16, 0, 0});
	PART(finds(&v, 4, page_of(&v, 0, 4)));
	old = page_of(&v, 0, 4);
	EXPECT(!ioctl(v.d->fd, VHOST_RESET_OWNER, NULL), "errno %d", errno);

	inherited = &v;
	process_start(&p, take_over);
	EXPECT(*good, "not with another owner");
	EXPECT(frame_tag(old + FRAME_HEADER, FRAME_SIZE) == v.tag, "the old owner's memory");
	process_kill(&p);
	munmap(good, PAGE);
	view_close(&v);
	return true;
}

static const struct check list[] = {
	{"the memory is elsewhere", moved, STOCK_LACKS},
	{"the memory is elsewhere, and the worker a kernel thread", moved_kthread, STOCK_LACKS},
	{"the memory is elsewhere for the guest", moved_for_the_guest, STOCK_LACKS},
	{"a region is gone", gone, STOCK_LACKS},
	{"a region is split, and whole again", split, STOCK_LACKS},
	{"what is read may not be split", across_split, STOCK_LACKS},
	{"regions that overlap", overlap, STOCK_LACKS},
	{"a region that is not aligned any more", not_good, STOCK_LACKS},
	{"a table that is refused changes nothing", refused, STOCK_LACKS},
	{"the table changes while virtqueues are stopped", stopped, STOCK_LACKS},
	{"another process is the next owner", next_owner, STOCK_LACKS},
};

CHECK_GROUP(regions, list);
