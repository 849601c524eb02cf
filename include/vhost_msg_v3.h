/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the patched vhost understands beyond the <linux/vhost.h> of the system:
 * many IOTLB operations in one message, answers that name the state they were
 * computed in, address spaces, and accesses that fail. The patches add to the
 * kernel Documentation/virt/vhost_iotlb.rst, which describes it.
 */
#ifndef VHOST_MSG_V3_H
#define VHOST_MSG_V3_H

#include <linux/types.h>
#include <linux/vhost_types.h>

#ifndef VHOST_IOTLB_MSG_V3

#define VHOST_IOTLB_MSG_V3 0x3

/* Bit of VHOST_GET_BACKEND_FEATURES: messages may be of this type. */
#define VHOST_BACKEND_F_IOTLB_MSG_V3 0x9

/*
 * Bit of VHOST_GET_BACKEND_FEATURES, need not be set: VHOST_IOTLB_ACCESS_FAIL may
 * be written, in messages of all types. What waits for an address in the range,
 * for an access in perm, fails; that one access, and none that comes later.
 */
#define VHOST_BACKEND_F_IOTLB_ACCESS_FAIL 0xa

/*
 * Beside VHOST_IOTLB_MISS, VHOST_IOTLB_UPDATE, VHOST_IOTLB_INVALIDATE and
 * VHOST_IOTLB_ACCESS_FAIL.
 */
#define VHOST_IOTLB_RETRY 7

#define VHOST_IOTLB_MAX_OPS 256

/* vhost_iotlb_op::token is valid. */
#define VHOST_IOTLB_OP_F_TOKEN 0x1

/* All address spaces are meant, and @asid is zero; not for UPDATE, nor with a token. */
#define VHOST_IOTLB_OP_F_ALL_ASIDS 0x2

/* The address space that a virtqueue is in: struct vhost_vring_state. */
#define VHOST_SET_VRING_ASID _IOW(VHOST_VIRTIO, 0x17, struct vhost_vring_state)

/**
 * struct vhost_iotlb_op - an operation on the device IOTLB
 * @iova:	first I/O virtual address, bytes
 * @size:	bytes; 0 at @iova 0 is the whole address space (not for UPDATE)
 * @uaddr:	UPDATE: what @iova is mapped to in the owner's address space
 * @token:	UPDATE, ACCESS_FAIL: the state that it was computed in; MISS that is
 *		read: the state it happened in
 * @asid:	the address space
 * @type:	VHOST_IOTLB_MISS, _UPDATE, _INVALIDATE, _ACCESS_FAIL or _RETRY
 * @perm:	UPDATE, ACCESS_FAIL, and MISS that is read: VHOST_ACCESS_RO, _WO or
 *		_RW
 * @flags:	VHOST_IOTLB_OP_F_*
 */
struct vhost_iotlb_op {
	__u64 iova;
	__u64 size;
	__u64 uaddr;
	__u64 token;
	__u32 asid;
	__u8 type;
	__u8 perm;
	__u16 flags;
};

/**
 * struct vhost_msg_v3 - operations, applied in order under one lock
 * @type:	VHOST_IOTLB_MSG_V3
 * @num:	of @ops, VHOST_IOTLB_MAX_OPS at most
 * @ops:	the operations
 */
struct vhost_msg_v3 {
	__u32 type;
	__u32 num;
	struct vhost_iotlb_op ops[];
};

#endif /* VHOST_IOTLB_MSG_V3 */

_Static_assert(sizeof(struct vhost_iotlb_op) == 40, "no padding");

#endif /* VHOST_MSG_V3_H */
