/* SPDX-License-Identifier: GPL-2.0 */
/* What in_kernel.bpf.c shares with its loader. */
#ifndef WALK_IN_KERNEL_H
#define WALK_IN_KERNEL_H

#include <linux/types.h>

#include "vtd_types.h"

/**
 * struct in_kernel_result - how a walk ended in the kernel
 * @number:	of the case, once all else is known
 * @took_ns:	by the walk, and reading the clock
 * @clock_ns:	by the latter
 * @reads:	of the guest's memory
 * @mapped:	what bpf_vhost_iotlb_map() said to the translation, if there is one
 * @returned:	by vtd_walk()
 * @where, @translation: what else that has said
 */
struct in_kernel_result {
	__u64 number;
	__u64 took_ns;
	__u64 clock_ns;
	__u32 reads;
	__s32 mapped;
	__u32 returned;
	struct vtd_walk where;
	struct vtd_translation translation;
};

#endif /* WALK_IN_KERNEL_H */
