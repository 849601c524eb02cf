/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages that whoever holds a vhost fd may write to it to change the device
 * IOTLB (struct vhost_msg_v2, include/uapi/linux/vhost_types.h).
 */
#ifndef IOTLB_VHOST_MSG_H
#define IOTLB_VHOST_MSG_H

#include <stdint.h>

/**
 * vhost_msg_update() - put a translation into the device IOTLB
 * @fd:		vhost fd
 * @iova:	first I/O virtual address
 * @size:	bytes, not zero
 * @hva:	address of @iova in the address space of the device's owner
 * @perm:	VHOST_ACCESS_RO, _WO or _RW
 *
 * Return: 0 or a negative errno. The kernel says -EFAULT whatever is wrong,
 * and that most often is that the device has been reset and has no IOTLB.
 */
int vhost_msg_update(int fd, uint64_t iova, uint64_t size, uint64_t hva, uint8_t perm);

/**
 * vhost_msg_invalidate() - drop all translations that touch a range
 * @fd:		vhost fd
 * @iova:	first I/O virtual address
 * @size:	bytes, not zero
 *
 * When this returns, the device does not use them any more.
 *
 * Return: 0 or a negative errno, as for vhost_msg_update().
 */
int vhost_msg_invalidate(int fd, uint64_t iova, uint64_t size);

/* Drop all translations. Return: as for vhost_msg_invalidate(). */
int vhost_msg_invalidate_all(int fd);

#endif /* IOTLB_VHOST_MSG_H */
