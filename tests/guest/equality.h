/* SPDX-License-Identifier: GPL-2.0 */
/* What equality.bpf.c and equality.c share. */
#ifndef GUEST_EQUALITY_H
#define GUEST_EQUALITY_H

#include <linux/types.h>

/* More than QEMU makes of a guest's memory here. */
#define EQUALITY_REGIONS 32

/* Virtqueues of the device, a power of two */
#define EQUALITY_VQS 8

/* Differences that are kept, to be looked at. */
#define EQUALITY_KEPT 8

/**
 * struct equality_region - a piece of guest memory
 * @gpa:	first guest-physical address
 * @last:	last one
 * @hva:	address of @gpa in QEMU's address space
 */
struct equality_region {
	__u64 gpa;
	__u64 last;
	__u64 hva;
};

/* What a virtqueue wants to be translated, and the access: VTD_READ, VTD_WRITE */
struct equality_miss {
	__u64 iova;
	__u32 access;
};

/**
 * struct equality_answer - a translation of QEMU's, and that of the walk
 * @iova:	first address of QEMU's
 * @size:	bytes
 * @hva:	where QEMU says that it is
 * @perm:	what it allows
 * @access:	what the miss wanted that it answers
 * @fault:	of the walk; if there is one, what follows means nothing
 * @found_perm:	what the walk says that is allowed
 * @found_size:	of the page that the walk has found, in bytes
 * @found_hva:	where the walk says that @iova is; 0 if in no guest memory
 */
struct equality_answer {
	__u64 iova;
	__u64 size;
	__u64 hva;
	__u32 perm;
	__u32 access;
	__u32 fault;
	__u32 found_perm;
	__u64 found_size;
	__u64 found_hva;
};

/**
 * struct equality_result - the sum
 * @equal:	translations that lead to the same place, and of which the walk allows
 *		what the miss wanted
 * @clipped:	of these, QEMU's is one page of 4K of a larger page
 * @wider:	of these, QEMU's allows more than the guest's tables do
 * @different:	all others, but for
 * @elsewhere:	those before the device's memory table was known
 * @kept:	the first of those that are different
 */
struct equality_result {
	__u64 equal;
	__u64 clipped;
	__u64 wider;
	__u64 different;
	__u64 elsewhere;
	struct equality_answer kept[EQUALITY_KEPT];
};

#endif /* GUEST_EQUALITY_H */
