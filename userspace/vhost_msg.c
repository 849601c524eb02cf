// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/vhost_types.h>
#include <unistd.h>

#include "vhost_msg.h"

/* Version 2 has the same layout in 32-bit and 64-bit programs, and the kernel
 * takes it whatever version the owner has chosen for reading.
 */
static int msg_write(int fd, const struct vhost_iotlb_msg *iotlb)
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

int vhost_msg_update(int fd, uint64_t iova, uint64_t size, uint64_t hva, uint8_t perm)
{
	return msg_write(fd, &(struct vhost_iotlb_msg){
				     .type = VHOST_IOTLB_UPDATE,
				     .iova = iova,
				     .size = size,
				     .uaddr = hva,
				     .perm = perm,
			     });
}

int vhost_msg_invalidate(int fd, uint64_t iova, uint64_t size)
{
	return msg_write(fd, &(struct vhost_iotlb_msg){
				     .type = VHOST_IOTLB_INVALIDATE,
				     .iova = iova,
				     .size = size,
			     });
}

int vhost_msg_invalidate_all(int fd)
{
	/* The size of all 2^64 addresses does not fit into one message. */
	const uint64_t half = 1ULL << 63;
	int err = vhost_msg_invalidate(fd, 0, half);

	return err ? err : vhost_msg_invalidate(fd, half, half);
}
