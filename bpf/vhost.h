/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What BPF programs see of the vhost module: only the members that they use,
 * found at load time by CO-RE in the BTF of the module, so that one object
 * file fits every kernel that carries the patches.
 */
#ifndef BPF_VHOST_H
#define BPF_VHOST_H

#include <linux/types.h>

/* Bound to these types at load time; the rest of each type is left out. */
#define VHOST_CORE __attribute__((preserve_access_index))

/* The first kernels with the hook have no @umem_seq and no @iotlb_gen. */
struct vhost_dev {
	__u64 id;
	int nvqs;
	__u64 umem_seq;
	__u64 iotlb_gen;
} VHOST_CORE;

/* The first kernels with the hook have no @asid: all is in the same. */
struct vhost_virtqueue {
	struct vhost_dev *dev;
	__u32 index;
	__u32 asid;
} VHOST_CORE;

/* Argument of vhost_iotlb_ops.miss(); @access is VHOST_ACCESS_RO or _WO. The
 * first kernels with the hook have no @token, and no @asid. All have @dev_id.
 */
struct vhost_iotlb_miss_ctx {
	struct vhost_virtqueue *vq;
	__u64 dev_id;
	__u64 iova;
	__u64 len;
	__u32 access;
	__u32 asid;
	__u64 token;
} VHOST_CORE;

/* libbpf matches the members of a struct_ops by name, without CO-RE. */
struct vhost_iotlb_ops {
	int (*miss)(struct vhost_iotlb_miss_ctx *ctx);
};

/* What miss() answers; a negative errno counts as VHOST_IOTLB_MISS_PASS. */
#define VHOST_IOTLB_MISS_PASS 0	    /* message on the vhost fd, as ever */
#define VHOST_IOTLB_MISS_QUEUED 1   /* the program has told user space */
#define VHOST_IOTLB_MISS_RESOLVED 2 /* the program has said what it is */

/* Argument "area" of the tracepoints vhost_iotlb_hit and vhost_iotlb_miss. */
#define VHOST_IOTLB_AREA_DESC 0
#define VHOST_IOTLB_AREA_AVAIL 1
#define VHOST_IOTLB_AREA_USED 2
#define VHOST_IOTLB_AREA_BUFFER 3
#define VHOST_IOTLB_AREA_RING 4 /* all of the first three at once */

/* Argument "reason" of the tracepoint vhost_iotlb_fallback. */
#define VHOST_IOTLB_FALLBACK_TIMEOUT 0	/* nobody answered in time */
#define VHOST_IOTLB_FALLBACK_REFUSED 1	/* user space handed it back */
#define VHOST_IOTLB_FALLBACK_DETACHED 2 /* the program is not attached any more */

#endif /* BPF_VHOST_H */
