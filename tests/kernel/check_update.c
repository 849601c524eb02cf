// SPDX-License-Identifier: GPL-2.0
/* UPDATEs that overlap what is mapped already: the newest counts. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "device.h"
#include "frame.h"

static int64_t send_as_it_is(struct device *d, unsigned int page)
{
	return device_transmit(d, device_iova(page));
}

static void write_frame(struct device *d, unsigned int page, uint32_t tag)
{
	frame_put(device_page(d, page), tag);
}

static bool moved(void)
{
	struct device *d = device_open_running();
	int64_t tag;

	write_frame(d, FIRST_PAGE, 31);
	write_frame(d, FIRST_PAGE + 1, 32);
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RW), "refused");
	tag = send_as_it_is(d, FIRST_PAGE);
	EXPECT(tag == 31, "frame %lld came out", (long long)tag);

	EXPECT(!device_update(d, device_iova(FIRST_PAGE), PAGE, device_page(d, FIRST_PAGE + 1),
			      VHOST_ACCESS_RW),
	       "refused");
	tag = send_as_it_is(d, FIRST_PAGE);
	FEATURE(tag == 32, "frame %lld came out, from the old place", (long long)tag);
	return true;
}

static bool raised(void)
{
	struct device *d = device_open_running();
	int64_t tag;

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RW), "refused");
	write_frame(d, FIRST_PAGE, 33);
	tag = send_as_it_is(d, FIRST_PAGE);
	FEATURE(tag == 33, "the page stays write-only");
	return true;
}

static bool lowered(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RW), "refused");
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	device_send(d, FIRST_PAGE, 34);
	FEATURE(device_used(d, TX) == 0, "read what is write-only");
	EXPECT(!device_read_miss(d, &msg), "no miss");
	return true;
}

/* Maps four pages from @page on to @target in one. */
static int map_four(struct device *d, unsigned int page, unsigned int target)
{
	return device_update(d, device_iova(page), 4 * PAGE, device_page(d, target),
			     VHOST_ACCESS_RW);
}

static bool overlapped_inside(void)
{
	struct device *d = device_open_running();
	int64_t tag;

	for (int i = 0; i < 4; i++)
		write_frame(d, FIRST_PAGE + i, 60 + i);
	write_frame(d, FIRST_PAGE + 10, 36);
	EXPECT(!map_four(d, FIRST_PAGE, FIRST_PAGE), "refused");
	EXPECT(!device_update(d, device_iova(FIRST_PAGE + 1), PAGE, device_page(d, FIRST_PAGE + 10),
			      VHOST_ACCESS_RW),
	       "refused");
	tag = send_as_it_is(d, FIRST_PAGE + 1);
	FEATURE(tag == 36, "frame %lld came out, from the old place", (long long)tag);

	/* The rest of the old mapping stays where it was. */
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		tag = send_as_it_is(d, FIRST_PAGE + i);
		EXPECT(tag == 60 + i, "frame %lld came out of page %d", (long long)tag, i);
	}
	EXPECT(!device_has_message(d), "a miss");
	return true;
}

static bool overlapped_above(void)
{
	struct device *d = device_open_running();
	int64_t tag;

	write_frame(d, FIRST_PAGE + 3, 38);
	write_frame(d, FIRST_PAGE + 21, 39);
	EXPECT(!map_four(d, FIRST_PAGE, FIRST_PAGE), "refused");
	EXPECT(!map_four(d, FIRST_PAGE + 2, FIRST_PAGE + 20), "refused");
	tag = send_as_it_is(d, FIRST_PAGE + 3);
	FEATURE(tag == 39, "frame %lld came out, from the old place", (long long)tag);
	write_frame(d, FIRST_PAGE + 1, 37);
	tag = send_as_it_is(d, FIRST_PAGE + 1);
	EXPECT(tag == 37, "frame %lld came out of what stays", (long long)tag);
	return true;
}

static bool overlapped_below(void)
{
	struct device *d = device_open_running();
	int64_t tag;

	write_frame(d, FIRST_PAGE + 2, 40);
	write_frame(d, FIRST_PAGE + 22, 41);
	EXPECT(!map_four(d, FIRST_PAGE + 2, FIRST_PAGE + 2), "refused");
	EXPECT(!map_four(d, FIRST_PAGE, FIRST_PAGE + 20), "refused");
	tag = send_as_it_is(d, FIRST_PAGE + 2);
	EXPECT(tag == 41, "frame %lld came out, from the old place", (long long)tag);
	return true;
}

static bool neighbours_stay(void)
{
	struct device *d = device_open_running();
	int64_t tag;

	for (int i = 0; i < 3; i++) {
		write_frame(d, FIRST_PAGE + i, 42 + i);
		EXPECT(!device_map(d, FIRST_PAGE + i, VHOST_ACCESS_RW), "refused");
	}
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RW), "refused");
	for (int i = 0; i < 3; i++) {
		tag = send_as_it_is(d, FIRST_PAGE + i);
		EXPECT(tag == 42 + i, "frame %lld came out of page %d", (long long)tag, i);
	}
	return true;
}

/* The driver goes on with a copy of a ring, which begins at @page. */
static void move_ring(struct device *d, int queue, unsigned int page)
{
	struct queue *q = &d->queues[queue];

	memcpy(device_page(d, page), q->desc, NR_PARTS * PAGE);
	q->desc = device_page(d, page + DESC);
	q->avail = device_page(d, page + AVAIL);
	q->used = device_page(d, page + USED);
}

/* vhost remembers where the rings are: an UPDATE must make it forget. */
static bool moved_ring(void)
{
	struct device *d = device_open_running();
	const unsigned int new_page = FIRST_PAGE + 5;
	int64_t tag;

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_send(d, FIRST_PAGE, 45);
	EXPECT(device_used(d, TX) == 1, "not sent");

	move_ring(d, TX, new_page);
	EXPECT(!device_update(d, device_iova(device_ring_page(TX, DESC)), NR_PARTS * PAGE,
			      device_page(d, new_page), VHOST_ACCESS_RW),
	       "refused");
	device_send(d, FIRST_PAGE, 46);
	FEATURE(device_used(d, TX) == 2, "the old ring is still in use");
	tag = device_wait_frame(d);
	EXPECT(tag == 45, "frame %lld came out", (long long)tag);
	tag = device_wait_frame(d);
	EXPECT(tag == 46, "frame %lld came out", (long long)tag);
	return true;
}

static bool invalidated(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	device_send(d, FIRST_PAGE, 47);
	EXPECT(device_used(d, TX) == 0, "sent without a translation");
	EXPECT(!device_read_miss(d, &msg), "no miss");
	return true;
}

static bool refused(void)
{
	struct device *d = device_open_running();
	const uint64_t iova = device_iova(FIRST_PAGE);
	void *kernel = (void *)0xffff888000000000ULL;
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 48);
	EXPECT(device_update(d, iova, PAGE, kernel, VHOST_ACCESS_RW) < 0,
	       "the kernel's memory was mapped");
	EXPECT(device_update(d, iova, 0, d->memory, VHOST_ACCESS_RW) < 0, "nothing was mapped");
	EXPECT(device_update(d, iova, -PAGE, d->memory, VHOST_ACCESS_RW) < 0,
	       "a range beyond the last address was mapped");
	device_flush(d);
	EXPECT(device_used(d, TX) == 0, "sent without a translation");
	EXPECT(!device_read_miss(d, &msg), "the miss is gone");
	return true;
}

static bool refused_keeps_the_old(void)
{
	struct device *d = device_open_running();
	void *kernel = (void *)0xffff888000000000ULL;
	int64_t tag;

	write_frame(d, FIRST_PAGE, 49);
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RW), "refused");
	EXPECT(device_update(d, device_iova(FIRST_PAGE), PAGE, kernel, VHOST_ACCESS_RW) < 0,
	       "the kernel's memory was mapped");
	tag = send_as_it_is(d, FIRST_PAGE);
	EXPECT(tag == 49, "frame %lld came out", (long long)tag);
	return true;
}

static const struct check list[] = {
	{"a page that moves is read at its new place", moved, STOCK_FAILS},
	{"a permission can be raised", raised, STOCK_FAILS},
	{"a permission can be lowered", lowered, STOCK_FAILS},
	{"a page within an older mapping is replaced, and only that", overlapped_inside,
	 STOCK_FAILS},
	{"the end of an older mapping is replaced", overlapped_above, STOCK_FAILS},
	{"the start of an older mapping is replaced", overlapped_below, STOCK_PASSES},
	{"neighbours of what is replaced stay", neighbours_stay, STOCK_PASSES},
	{"a ring that moves is used at its new place", moved_ring, STOCK_FAILS},
	{"INVALIDATE removes a mapping", invalidated, STOCK_PASSES},
	{"an UPDATE that is refused answers no miss", refused, STOCK_PASSES},
	{"an UPDATE that is refused replaces nothing", refused_keeps_the_old, STOCK_PASSES},
};

CHECK_GROUP(update, list);
