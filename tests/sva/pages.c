// SPDX-License-Identifier: GPL-2.0
#include "pages.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tables.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/frame.h"

/**
 * struct errors - of a virtqueue
 * @fd:		eventfd of VHOST_SET_VRING_ERR, 0 before it is asked for
 * @count:	how many there were
 */
static struct errors {
	int fd;
	uint64_t count;
} errors[NR_QUEUES];

static void watch_errors(const struct device *d, int queue)
{
	struct vhost_vring_file file = {.index = queue};

	file.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (file.fd < 0 || ioctl(d->fd, VHOST_SET_VRING_ERR, &file))
		bail_out_errno("VHOST_SET_VRING_ERR failed");
	errors[queue].fd = file.fd;
}

static uint64_t count_errors(const struct device *d, int queue)
{
	struct errors *e = &errors[queue];
	uint64_t more;

	if (!e->fd)
		watch_errors(d, queue);
	if (read(e->fd, &more, sizeof(more)) == sizeof(more))
		e->count += more;
	return e->count;
}

static bool waits(const struct device *d, int queue)
{
	return device_used(d, queue) != d->queues[queue].avail->idx;
}

static void show_errors(struct device *d)
{
	uint64_t rx, tx;

	device_flush(d);
	rx = count_errors(d, RX);
	tx = count_errors(d, TX);
	printf("errors %" PRIu64 " %" PRIu64 " waiting %d\n", rx, tx, waits(d, RX) + waits(d, TX));
}

static void offer(struct device *d, unsigned int nth)
{
	memset(device_page(d, tables_buffer(RX, nth)), 0, PAGE);
	device_offer(d, RX, PROCESS_BUFFERS + nth * PAGE, PAGE);
	device_kick(d, RX);
}

static void post(struct device *d, unsigned int nth)
{
	offer(d, nth);
	device_inject(d, nth);
	puts("posted");
}

static bool wait_taken(const struct device *d)
{
	struct pollfd call = {.fd = d->queues[RX].call, .events = POLLIN};
	uint64_t calls;

	while (waits(d, RX)) {
		if (poll(&call, 1, LIMIT_MS) != 1)
			return false;
		(void)!read(call.fd, &calls, sizeof(calls));
	}
	return true;
}

static void show_taken(const struct device *d)
{
	const struct queue *q = &d->queues[RX];
	const struct vring_used_elem *last;
	unsigned int nth;

	if (!wait_taken(d)) {
		puts("not taken");
		return;
	}
	last = &q->used->ring[(device_used(d, RX) - 1) % RING_SIZE];
	nth = (q->desc[last->id].addr - PROCESS_BUFFERS) / PAGE;
	printf("frame %" PRId64 " length %u\n",
	       frame_tag((uint8_t *)device_page(d, tables_buffer(RX, nth)) + FRAME_HEADER,
			 FRAME_SIZE),
	       last->len);
}

static bool change_page(const struct device *d, const char *how, int queue, unsigned int nth)
{
	if (!strcmp(how, "map"))
		tables_map_buffer(d, queue, nth, tables_buffer(queue, nth));
	else if (!strcmp(how, "protect"))
		tables_protect_buffer(d, queue, nth, tables_buffer(queue, nth));
	else if (!strcmp(how, "unmap"))
		tables_unmap_buffer(d, queue, nth);
	else
		return false;
	printf("%s %d %u\n", how, queue, nth);
	return true;
}

bool pages_handle(struct device *d, const char *line)
{
	unsigned int queue, nth;
	char how[8];

	if (sscanf(line, "post %u", &nth) == 1) {
		post(d, nth);
	} else if (sscanf(line, "offer %u", &nth) == 1) {
		offer(d, nth);
		puts("offered");
	} else if (!strcmp(line, "taken\n")) {
		show_taken(d);
	} else if (!strcmp(line, "errors\n")) {
		show_errors(d);
	} else {
		return sscanf(line, "%7s %u %u", how, &queue, &nth) == 3 && queue < NR_QUEUES &&
		       nth < NR_BUFFERS && change_page(d, how, queue, nth);
	}
	return true;
}
