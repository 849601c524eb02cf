/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters that bpf/counters.bpf.c keeps and user space reads.
 *
 * A counted thing is a virtqueue of a device, or the device itself for what
 * vhost does to all its virtqueues at once. It owns a slot: one element of the
 * array "slots", shared by all CPUs, which says whose the slot is, and the
 * element of the per-CPU array "counters" with the same index.
 *
 * The array of slots is a hash table with open addressing. The home of a key
 * is iotlb_slot_home(); it lives there or in one of the IOTLB_SLOT_PROBES
 * slots from there on, around the end. One thing may own several slots, since
 * two CPUs may both give it one: readers add up all slots of a key.
 *
 * A slot's key goes
 *	NEVER or FREE -> key	by a program, with compare-and-exchange
 *	key -> BUSY -> FREE	by user space, once the device is gone
 * User space empties the counters while the slot is BUSY and no program that
 * has seen the key before still runs.
 */
#ifndef IOTLB_COUNTERS_H
#define IOTLB_COUNTERS_H

#include <linux/types.h>

/* Slots must be a power of two. */
#define IOTLB_SLOTS_MAX 4096
#define IOTLB_SLOTS_DEFAULT 1024

#define IOTLB_SLOT_PROBES 32

enum iotlb_slot_state {
	IOTLB_SLOT_NEVER = 0, /* a search for a key may end here */
	IOTLB_SLOT_FREE = 1, /* may be taken, but keys may follow */
	IOTLB_SLOT_BUSY = 2, /* user space is emptying it */
};

/* Set in every key and in no state. */
#define IOTLB_KEY_OWNED (1ULL << 63)

#define IOTLB_KEY_VQ_BITS 16

/* Instead of a virtqueue: the device as a whole. Virtqueues are below. */
#define IOTLB_VQ_DEVICE ((1U << IOTLB_KEY_VQ_BITS) - 1)

/* A device needs a number below this to be counted. */
#define IOTLB_DEV_LIMIT (1ULL << (63 - IOTLB_KEY_VQ_BITS))

/* Both below their limits. */
static inline __u64 iotlb_key(__u64 dev, __u32 vq)
{
	return IOTLB_KEY_OWNED | dev << IOTLB_KEY_VQ_BITS | vq;
}

static inline __u64 iotlb_key_dev(__u64 key)
{
	return (key & ~IOTLB_KEY_OWNED) >> IOTLB_KEY_VQ_BITS;
}

static inline __u32 iotlb_key_vq(__u64 key)
{
	return key & IOTLB_VQ_DEVICE;
}

/* Not reduced to the number of slots yet. */
static inline __u32 iotlb_slot_home(__u64 key)
{
	/* Multiplicative hash: the upper half is where the bits are mixed. */
	return (__u32)((key * 0x9e3779b97f4a7c15ULL) >> 32);
}

enum iotlb_counter {
	/* Of a virtqueue. Hits are in the order of the tracepoint's "area". */
	IOTLB_HIT_DESC, /* ring metadata: descriptor table, */
	IOTLB_HIT_AVAIL, /* available ring, */
	IOTLB_HIT_USED, /* used ring */
	IOTLB_HIT_BUFFER, /* memory that descriptors point at */
	IOTLB_MISS, /* sum of the three below, and of what is unknown */
	IOTLB_MISS_RING, /* taken by the program that is attached to misses */
	IOTLB_MISS_FD, /* given out on the vhost fd */
	IOTLB_MISS_DROP, /* the program failed: given out on the fd too */
	/* Of a device. */
	IOTLB_UPDATE, /* translations put in */
	IOTLB_UPDATE_FAILED, /* not put in, and not part of IOTLB_UPDATE */
	IOTLB_INVALIDATE, /* ranges dropped on demand */
	IOTLB_EVICT, /* translations dropped for want of room */
	IOTLB_NR_COUNTERS,
};

/*
 * Latency of misses, in nanoseconds from a miss to the update that covers it.
 * Bucket n counts what took from 2^n to less than 2^(n+1) ns, the first one
 * also 0 ns, the last one also all that took longer: nine minutes and more.
 */
#define IOTLB_LATENCY_BUCKETS 40

/**
 * struct iotlb_counters - what is counted since the programs were attached
 * @count:	indexed by enum iotlb_counter
 * @latency:	histogram, one count for each answered miss of a virtqueue
 */
struct iotlb_counters {
	__u64 count[IOTLB_NR_COUNTERS];
	__u64 latency[IOTLB_LATENCY_BUCKETS];
};

_Static_assert(sizeof(struct iotlb_counters) == 416, "multiple of 8 bytes");

/**
 * struct iotlb_slot - whose the counters with the same index are
 * @key:	iotlb_key() or enum iotlb_slot_state
 * @miss_time:	when the outstanding miss of this virtqueue began, nanoseconds
 *		of CLOCK_MONOTONIC; 0 if there is none
 * @miss_iova:	the I/O virtual address that it waits for
 * @miss_access: VHOST_ACCESS_RO or _WO
 * @tgid:	process in whose context the slot was taken; that of the owner,
 *		unless vhost's workers are kernel threads
 * @comm:	name of that process, NUL-terminated
 * @reserved:	fills a cache line, so that a virtqueue with many misses does
 *		not slow down the hits of another
 *
 * There is at most one outstanding miss for a virtqueue, and whoever sets or
 * clears it holds the mutex of the virtqueue.
 */
struct iotlb_slot {
	__u64 key;
	__u64 miss_time;
	__u64 miss_iova;
	__u32 miss_access;
	__u32 tgid;
	char comm[16];
	__u64 reserved[2];
};

_Static_assert(sizeof(struct iotlb_slot) == 64, "one cache line");

#endif /* IOTLB_COUNTERS_H */
