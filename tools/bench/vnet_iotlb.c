// SPDX-License-Identifier: GPL-2.0
/* What a device's vhost is told about translations. */
#include "vnet.h"

#include <errno.h>
#include <unistd.h>
#include <linux/vhost_types.h>

#include "vhost_msg_v3.h"

_Static_assert(FLUSH_BATCH <= VHOST_IOTLB_MAX_OPS, "a batch fits into a message");

static int send_message(const struct vnet *v, const void *message, size_t size)
{
	ssize_t written = write(v->fd, message, size);

	if (written == (ssize_t)size)
		return 0;
	return written < 0 ? -errno : -EIO;
}

int vnet_map(const struct vnet *v, const struct guest *g, uint32_t asid,
	     const struct mapping *mapping)
{
	struct vhost_msg_v2 message = {
		.type = VHOST_IOTLB_MSG_V2,
		.asid = asid,
		.iotlb =
			{
				.type = VHOST_IOTLB_UPDATE,
				.iova = mapping->iova,
				.size = mapping->size,
				.uaddr = (uintptr_t)guest_memory(g, mapping->gpa),
				.perm = mapping->perm,
			},
	};

	return send_message(v, &message, sizeof(message));
}

int vnet_fail(const struct vnet *v, uint32_t asid, const struct vhost_iotlb_msg *miss)
{
	struct vhost_msg_v2 message = {
		.type = VHOST_IOTLB_MSG_V2,
		.asid = asid,
		.iotlb =
			{
				.type = VHOST_IOTLB_ACCESS_FAIL,
				.iova = miss->iova,
				.size = 1,
				.perm = miss->perm,
			},
	};

	return send_message(v, &message, sizeof(message));
}

static int invalidate_one(const struct vnet *v, uint32_t asid, uint64_t iova, uint64_t size)
{
	struct vhost_msg_v2 message = {
		.type = VHOST_IOTLB_MSG_V2,
		.asid = asid,
		.iotlb =
			{
				.type = VHOST_IOTLB_INVALIDATE,
				.iova = iova,
				.size = size,
			},
	};

	return send_message(v, &message, sizeof(message));
}

static int invalidate_batch(const struct vnet *v, uint32_t asid, const uint64_t *iovas,
			    unsigned int count, uint64_t size)
{
	struct {
		struct vhost_msg_v3 head;
		struct vhost_iotlb_op ops[FLUSH_BATCH];
	} message = {
		.head = {.type = VHOST_IOTLB_MSG_V3, .num = count},
	};

	for (unsigned int i = 0; i < count; i++)
		message.ops[i] = (struct vhost_iotlb_op){
			.type = VHOST_IOTLB_INVALIDATE,
			.iova = iovas[i],
			.size = size,
			.asid = asid,
		};
	return send_message(v, &message, sizeof(message.head) + count * sizeof(message.ops[0]));
}

int vnet_invalidate_all(const struct vnet *v, uint32_t asid)
{
	static const uint64_t first;

	return invalidate_batch(v, asid, &first, 1, 0);
}

int vnet_invalidate(const struct vnet *v, uint32_t asid, const uint64_t *iovas, unsigned int count,
		    uint64_t size)
{
	int result = 0;

	if (v->has_batches && count > 1) {
		result = invalidate_batch(v, asid, iovas, count, size);
		return result ? result : 1;
	}
	for (unsigned int i = 0; i < count && !result; i++)
		result = invalidate_one(v, asid, iovas[i], size);
	return result ? result : (int)count;
}
