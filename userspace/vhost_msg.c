// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/vhost.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vhost_msg.h"

static bool has_feature(int fd, unsigned int bit)
{
	uint64_t features;

	if (ioctl(fd, VHOST_GET_BACKEND_FEATURES, &features))
		return false;
	return features >> bit & 1;
}

bool vhost_msg_has_v3(int fd)
{
	return has_feature(fd, VHOST_BACKEND_F_IOTLB_MSG_V3);
}

bool vhost_msg_has_asid(int fd)
{
	return has_feature(fd, VHOST_BACKEND_F_IOTLB_ASID);
}

bool vhost_msg_has_access_fail(int fd)
{
	return has_feature(fd, VHOST_BACKEND_F_IOTLB_ACCESS_FAIL);
}

/* Version 2 has the same layout in 32-bit and 64-bit programs, and the kernel
 * takes it whatever version the owner has chosen for reading.
 */
static int v2_write(int fd, const struct vhost_iotlb_msg *iotlb)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = *iotlb,
	};
	ssize_t written;

	do {
		written = write(fd, &msg, sizeof(msg));
	} while (written < 0 && errno == EINTR);

	if (written < 0)
		return -errno;
	return written == sizeof(msg) ? 0 : -EIO;
}

static int v2_invalidate(int fd, uint64_t iova, uint64_t size)
{
	return v2_write(fd, &(struct vhost_iotlb_msg){
				    .type = VHOST_IOTLB_INVALIDATE,
				    .iova = iova,
				    .size = size,
			    });
}

static int v2_invalidate_all(int fd)
{
	/* The size of all 2^64 addresses does not fit into one message. */
	const uint64_t half = 1ULL << 63;
	int err = v2_invalidate(fd, 0, half);

	return err ? err : v2_invalidate(fd, half, half);
}

int vhost_msg_v2_apply(int fd, const struct vhost_iotlb_op *op)
{
	switch (op->type) {
	case VHOST_IOTLB_UPDATE:
		return v2_write(fd, &(struct vhost_iotlb_msg){
					    .type = VHOST_IOTLB_UPDATE,
					    .iova = op->iova,
					    .size = op->size,
					    .uaddr = op->uaddr,
					    .perm = op->perm,
				    });
	case VHOST_IOTLB_INVALIDATE:
		return op->size ? v2_invalidate(fd, op->iova, op->size) : v2_invalidate_all(fd);
	default:
		return 0;
	}
}
