/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel really has in the IOTLBs of a device: a BPF program copies
 * all of them, as they lie in memory, after each write to the vhost fd.
 */
#ifndef FUZZ_SNAPSHOT_H
#define FUZZ_SNAPSHOT_H

/* Also read by snapshot.bpf.c, which has no C library. */
#include <linux/types.h>

/* Mappings that are copied at most. */
#define SNAPSHOT_MAX 8192

/* Room for a struct vhost_iotlb_map. */
#define SNAPSHOT_RAW 128

/* Address spaces: the first, and that of the virtqueue TX if it is elsewhere. */
#define SNAPSHOT_SPACES 2

#define SNAPSHOT_VQS 4
#define SNAPSHOT_ADDRS 3

/* Offsets within the copies. */
struct snapshot_layout {
	__u32 size;
	__u32 rb, link;
	__u32 start, last, bytes, addr, perm, subtree_last;
	__u32 rb_parent, rb_right, rb_left;
};

struct snapshot_map {
	__u64 address;
	__u8 raw[SNAPSHOT_RAW];
};

/**
 * struct snapshot_head - of an address space, beside the mappings
 * @iotlb:	address, or 0: then what follows up to @nmaps has no meaning
 * @root:	of the tree
 * @leftmost:	first of the tree
 * @nr:		mappings on the list, SNAPSHOT_MAX at most
 * @ended:	whether the end of the list was found
 * @nmaps:	mappings that the kernel counts
 * @now:	invalidations so far, which is what tokens are made from
 * @asid:	its number
 * @ring:	mappings that the virtqueues in it keep for their rings, or 0
 */
struct snapshot_head {
	__u64 iotlb;
	__u64 root, leftmost;
	__u32 nr, ended;
	__u32 nmaps, asid;
	__u64 now;
	__u64 ring[SNAPSHOT_VQS][SNAPSHOT_ADDRS];
};

#ifndef __bpf__

#include <stdbool.h>

#include "model.h"

/**
 * struct snapshot - the state of an address space
 * @has_iotlb:	whether it is there at all
 * @list:	the mappings, sorted by address
 * @fault:	what is broken in the kernel's structures, or an empty string
 */
struct snapshot {
	bool has_iotlb;
	uint32_t asid;
	uint64_t now;
	struct mapping_list list;
	char fault[200];
	const struct mapping *ring[SNAPSHOT_VQS][SNAPSHOT_ADDRS];
};

/* Begin to look at what this process writes. Ends the program on failure. */
void snapshot_open(void);
void snapshot_close(void);

/* Without looking, writes are faster. */
void snapshot_enable(bool enable);

/*
 * Of the last write while enabled, SNAPSHOT_SPACES of them. Returns false if
 * there was none since.
 */
bool snapshot_take(struct snapshot *s);

#endif /* __bpf__ */

#endif /* FUZZ_SNAPSHOT_H */
