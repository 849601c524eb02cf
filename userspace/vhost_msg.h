/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages that whoever holds a vhost fd may write to it to change the device
 * IOTLB. Version 3 (vhost_msg_v3.h) says all that there is to say; version 2
 * (struct vhost_msg_v2, <linux/vhost_types.h>) is for kernels without it.
 */
#ifndef IOTLB_VHOST_MSG_H
#define IOTLB_VHOST_MSG_H

#include <stdbool.h>

#include "vhost_msg_v3.h"

/* vhost_iotlb_op::flags of an INVALIDATE: of all address spaces, not of @asid */
#ifndef VHOST_IOTLB_OP_F_ALL_ASIDS
#define VHOST_IOTLB_OP_F_ALL_ASIDS 0x2
#endif

/* Does the device behind this vhost fd take messages of version 3? */
bool vhost_msg_has_v3(int fd);

/* Does it keep address spaces apart, so that operations have an asid? */
bool vhost_msg_has_asid(int fd);

/* Can it end a descriptor with an error, by VHOST_IOTLB_ACCESS_FAIL? */
bool vhost_msg_has_access_fail(int fd);

/**
 * vhost_msg_v2_apply() - write an operation as a message of version 2
 * @fd:		vhost fd
 * @op:		the operation; VHOST_IOTLB_MISS and VHOST_IOTLB_RETRY, and
 *		tokens, are more than version 2 can say, and are left out
 *
 * Return: 0 or a negative errno. The kernel says -EFAULT whatever is wrong,
 * and that most often is that the device has been reset and has no IOTLB.
 */
int vhost_msg_v2_apply(int fd, const struct vhost_iotlb_op *op);

#endif /* IOTLB_VHOST_MSG_H */
