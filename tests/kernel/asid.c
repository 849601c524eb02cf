// SPDX-License-Identifier: GPL-2.0
#include "asid.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "batch.h"
#include "check.h"
#include "frame.h"

int asid_accept(const struct device *d, bool v3)
{
	uint64_t features = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 |
			    1ULL << VHOST_BACKEND_F_IOTLB_ASID |
			    (uint64_t)v3 << VHOST_BACKEND_F_IOTLB_MSG_V3;

	return ioctl(d->fd, VHOST_SET_BACKEND_FEATURES, &features) ? -errno : 0;
}

int asid_move(const struct device *d, unsigned int queue, uint32_t asid)
{
	struct vhost_vring_state state = {queue, asid};

	return ioctl(d->fd, VHOST_SET_VRING_ASID, &state) ? -errno : 0;
}

int asid_write(const struct device *d, uint32_t asid, int type, uint64_t iova, uint64_t size)
{
	struct vhost_iotlb_op op = {.type = type, .iova = iova, .size = size, .asid = asid};

	return batch_write_op(d, &op);
}

int asid_write_all(const struct device *d, int type, uint64_t iova, uint64_t size)
{
	struct vhost_iotlb_op op = {
		.type = type,
		.iova = iova,
		.size = size,
		.flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
	};

	return batch_write_op(d, &op);
}

static struct vhost_iotlb_op map_op(const struct device *d, uint32_t asid, uint64_t iova,
				    unsigned int page)
{
	return (struct vhost_iotlb_op){
		.type = VHOST_IOTLB_UPDATE,
		.iova = iova,
		.size = PAGE,
		.uaddr = (uintptr_t)device_page(d, page),
		.perm = VHOST_ACCESS_RW,
		.asid = asid,
	};
}

int asid_map(const struct device *d, uint32_t asid, uint64_t iova, unsigned int page)
{
	struct vhost_iotlb_op op = map_op(d, asid, iova, page);

	return batch_write_op(d, &op);
}

int asid_map_by(const struct device *d, uint32_t asid, uint64_t iova, unsigned int page,
		uint64_t token)
{
	struct vhost_iotlb_op op = map_op(d, asid, iova, page);

	op.flags = VHOST_IOTLB_OP_F_TOKEN;
	op.token = token;
	return batch_write_op(d, &op);
}

int asid_map_v2(const struct device *d, uint32_t asid, uint64_t iova, unsigned int page)
{
	return device_update_in(d, asid, iova, PAGE, device_page(d, page), VHOST_ACCESS_RW);
}

static void place_ring(const struct device *d, unsigned int queue)
{
	struct vhost_vring_addr address = {
		.index = queue,
		.desc_user_addr = ASID_RINGS + DESC * PAGE,
		.avail_user_addr = ASID_RINGS + AVAIL * PAGE,
		.used_user_addr = ASID_RINGS + USED * PAGE,
	};

	if (ioctl(d->fd, VHOST_SET_VRING_ADDR, &address))
		bail_out_errno("VHOST_SET_VRING_ADDR failed");
}

struct device *asid_open(void)
{
	static const uint32_t asids[NR_QUEUES] = {[RX] = ASID_RX, [TX] = ASID_TX};
	struct device *d = device_open();

	if (asid_accept(d, true))
		bail_out("no address spaces");
	for (unsigned int queue = 0; queue < NR_QUEUES; queue++) {
		place_ring(d, queue);
		if (asid_move(d, queue, asids[queue]))
			bail_out("VHOST_SET_VRING_ASID failed");
	}
	return d;
}

void asid_map_ring(const struct device *d, unsigned int queue, uint32_t asid)
{
	for (int part = 0; part < NR_PARTS; part++)
		if (asid_map(d, asid, ASID_RINGS + part * PAGE, device_ring_page(queue, part)))
			bail_out("cannot map a ring in address space %u", asid);
}

struct device *asid_open_running(void)
{
	struct device *d = asid_open();

	asid_map_ring(d, RX, ASID_RX);
	asid_map_ring(d, TX, ASID_TX);
	for (int queue = 0; queue < NR_QUEUES; queue++)
		if (device_start_queue(d, queue))
			bail_out("cannot start virtqueue %d", queue);
	/* They look at their rings once. */
	device_flush(d);
	return d;
}

void asid_send(struct device *d, unsigned int page, uint32_t tag)
{
	frame_put(device_page(d, page), tag);
	device_offer(d, TX, ASID_BUFFER, FRAME_BUFFER);
	device_kick_and_flush(d, TX);
}

void asid_receive(struct device *d, uint32_t tag)
{
	device_offer(d, RX, ASID_BUFFER, PAGE);
	device_inject(d, tag);
	device_flush(d);
}

int64_t asid_received(const struct device *d, unsigned int page)
{
	return frame_tag((uint8_t *)device_page(d, page) + FRAME_HEADER, FRAME_SIZE);
}
