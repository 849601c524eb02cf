// SPDX-License-Identifier: GPL-2.0
#include "running.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "area.h"
#include "change.h"
#include "miss.h"
#include "state.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/hook.h"
#include "vhost_msg_v3.h"

/* The rings take one mapping, so that an IOTLB of one is enough to start. */
static int map_rings(const struct device *d)
{
	return device_update(d, device_iova(0), RING_PAGES * PAGE, d->memory, VHOST_ACCESS_RW);
}

static void attach_hook(void)
{
	int error = hook_attach(session.own_hook);

	if (error)
		bail_out("cannot attach a BPF program: error %d", error);
	session.hook = session.own_hook;
}

void running_detach_hook(void)
{
	if (session.hook)
		hook_detach(session.hook);
	session.hook = NULL;
}

bool running_open(void)
{
	session.device = device_open();
	session.fd = session.device->fd;
	session.has_owner = true;
	session.round.target = (uintptr_t)session.device->memory;
	session.round.target_size = NR_PAGES * PAGE;
	if (map_rings(session.device) || device_start_queue(session.device, RX) ||
	    device_start_queue(session.device, TX))
		return session_fail("the virtqueues do not start");
	device_flush(session.device);
	if (session.round.hook)
		attach_hook();
	return change_backend(session.round.v3);
}

/* Have something to send or room to receive, at some address above the rings. */
static void offer(struct device *d, int queue, uint64_t random)
{
	const uint16_t offered = d->queues[queue].avail->idx;
	const uint64_t iova = device_iova(RING_PAGES) + random % (12 * PAGE);

	if ((uint16_t)(offered - device_used(d, queue)) < RING_SIZE / 2)
		device_offer(d, queue, iova, 1 + (random >> 32) % (3 * PAGE));
}

void running_kick(struct device *d, uint64_t random)
{
	const int queue = random & 1 ? TX : RX;

	if (random & 2)
		offer(d, queue, random >> 2);
	if (queue == RX)
		device_inject(d, 1);
	device_kick_and_flush(d, queue);
}

/* Answer misses as a good server does. */
static bool serve_misses(struct device *d)
{
	uint8_t bytes[sizeof(struct vhost_msg)];
	struct miss miss;
	unsigned int page;
	ssize_t got;

	for (int i = 0; i < 2; i++) {
		got = area_result(read(d->fd, bytes, sizeof(bytes)));
		if (got == -EAGAIN)
			break;
		if (!miss_parse(bytes, got, &miss))
			return false;
		page = (miss.iova - device_iova(0)) / PAGE;
		if (page < RING_PAGES ? map_rings(d) : device_map(d, page, VHOST_ACCESS_RO))
			return session_fail("the answer to a miss is refused");
	}
	device_flush(d);
	return true;
}

static void drain(int fd)
{
	uint8_t byte;

	while (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0)
		;
}

static bool stop_queue(const struct device *d, unsigned int queue)
{
	struct vhost_vring_state base = {queue, 0};
	/* vhost forgets them when an IOTLB comes or goes. */
	struct vhost_vring_addr address = {
		.index = queue,
		.desc_user_addr = device_iova(device_ring_page(queue, DESC)),
		.avail_user_addr = device_iova(device_ring_page(queue, AVAIL)),
		.used_user_addr = device_iova(device_ring_page(queue, USED)),
	};

	if (device_stop_queue(d, queue) || ioctl(d->fd, VHOST_SET_VRING_BASE, &base) ||
	    ioctl(d->fd, VHOST_SET_VRING_ADDR, &address))
		return session_fail("virtqueue %u does not stop: %s", queue, strerror(errno));
	return true;
}

/* Write UPDATEs of pages from @iova on, all to one page, with such a stride. */
static bool write_updates(const struct device *d, uint64_t iova, unsigned int nr, uint64_t stride)
{
	static struct {
		struct vhost_msg_v3 head;
		struct vhost_iotlb_op ops[VHOST_IOTLB_MAX_OPS];
	} many = {.head = {.type = VHOST_IOTLB_MSG_V3, .num = VHOST_IOTLB_MAX_OPS}};

	for (unsigned int i = 0; i < nr; i++) {
		/* Not twice the same in sequence: that changes nothing. */
		many.ops[i % VHOST_IOTLB_MAX_OPS] = (struct vhost_iotlb_op){
			.iova = iova + i * stride,
			.size = (1 + i % 2) * PAGE,
			.uaddr = (uintptr_t)device_page(d, FIRST_PAGE),
			.perm = VHOST_ACCESS_RO,
			.type = VHOST_IOTLB_UPDATE,
		};
		if ((i + 1) % VHOST_IOTLB_MAX_OPS)
			continue;
		if (write(d->fd, &many, sizeof(many)) != sizeof(many))
			return session_fail("UPDATEs are refused: %s", strerror(errno));
	}
	return true;
}

static bool expect_most(unsigned int most)
{
	if (!session_probe())
		return false;
	if (*session.snapshots[FIRST].fault)
		return session_fail("the kernel's IOTLB is broken: %s",
				    session.snapshots[FIRST].fault);
	if (session.snapshots[FIRST].list.nr > most)
		return session_fail("%zu mappings, %u allowed", session.snapshots[FIRST].list.nr,
				    most);
	if (session.tally.most < session.snapshots[FIRST].list.nr)
		session.tally.most = session.snapshots[FIRST].list.nr;
	return true;
}

static bool forget_all(const struct device *d)
{
	if (device_invalidate(d, 0, 0))
		return session_fail("INVALIDATE is refused");
	model_invalidate(&session.models[FIRST], 0, UINT64_MAX);
	return true;
}

/* While a virtqueue waits, which keeps what may be its answer, more than may be. */
static bool flood(struct device *d)
{
	const uint64_t elsewhere = device_iova(1 << 20);

	if (!forget_all(d))
		return false;
	device_kick_and_flush(d, TX);
	return write_updates(d, elsewhere, HELD_MAX, 2 * PAGE) &&
	       expect_most(session.limit + HELD_MAX);
}

/*
 * Where nobody waits, the limit is kept, after as many UPDATEs as there were
 * too many mappings. What virtqueues keep for their rings may stay.
 */
static bool shrink_to_limit(const struct device *d)
{
	const unsigned int most = session.limit + RING_PAGES;
	unsigned int nr = HELD_MAX;

	if (!write_updates(d, device_iova(FIRST_PAGE), VHOST_IOTLB_MAX_OPS, 0) || !session_probe())
		return false;
	/* Most often, there are not too many. */
	if (session.snapshots[FIRST].list.nr <= most)
		nr = 0;
	return write_updates(d, device_iova(FIRST_PAGE), nr, 0) && expect_most(most);
}

static bool next_miss(const struct device *d, struct miss *miss)
{
	uint8_t bytes[sizeof(struct vhost_msg)];
	ssize_t got = area_result(read(d->fd, bytes, sizeof(bytes)));

	if (got == -EAGAIN)
		return session_fail("a virtqueue that waits has no miss");
	return miss_parse(bytes, got, miss);
}

/* A virtqueue whose miss was read, and answered too late, asks again. */
static bool ask_again(struct device *d)
{
	struct {
		struct vhost_msg_v3 head;
		struct vhost_iotlb_op op;
	} late = {
		.head = {.type = VHOST_IOTLB_MSG_V3, .num = 1},
		.op =
			{
				.size = 1,
				.uaddr = (uintptr_t)d->memory,
				.perm = VHOST_ACCESS_RW,
				.type = VHOST_IOTLB_UPDATE,
				.flags = VHOST_IOTLB_OP_F_TOKEN,
			},
	};
	struct miss first, again;

	if (!forget_all(d))
		return false;
	device_kick_and_flush(d, TX);
	if (!next_miss(d, &first))
		return false;
	late.op.iova = first.iova;
	late.op.token = session.models[FIRST].now;
	if (!forget_all(d))
		return false;
	if (write(d->fd, &late, sizeof(late)) != -1 || errno != ESTALE)
		return session_fail("an answer that is late is not refused as such");
	device_flush(d);
	if (!next_miss(d, &again))
		return false;
	return again.iova == first.iova || session_fail("another miss is offered anew");
}

/* With empty rings, have a packet sent. */
static bool send_packet(struct device *d)
{
	const uint32_t tag = 0xf22;
	unsigned int tries = 0;

	memset(d->memory, 0, NR_PAGES * PAGE);
	drain(d->socket);
	if (!forget_all(d))
		return false;

	while (device_start_queue(d, TX)) {
		if (tries++ == 20)
			return session_fail("virtqueue does not start: %s", strerror(errno));
		if (!serve_misses(d))
			return false;
	}
	device_flush(d);
	if (!ask_again(d))
		return false;
	device_send(d, FIRST_PAGE, tag);
	while (!device_used(d, TX)) {
		if (tries++ == 40)
			return session_fail("no packet is sent any more");
		if (!serve_misses(d))
			return false;
	}
	if (device_wait_frame(d) != tag)
		return session_fail("another packet is sent");
	return true;
}

bool running_finish(void)
{
	struct device *d = session.device;

	if (session.round.wide && !flood(d))
		return false;
	return stop_queue(d, RX) && stop_queue(d, TX) && shrink_to_limit(d) && send_packet(d);
}
