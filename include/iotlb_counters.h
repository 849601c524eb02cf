/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters that bpf/counters.bpf.c keeps and user space reads.
 *
 * A counted thing is a virtqueue of a device, the device itself for what vhost
 * does to all its virtqueues at once, or instead of that, an address space for what
 * it does to those in it. It has a number, its key, and owns a slot, an element of
 * an array that all CPUs and user space share.
 *
 * The array is a hash table with open addressing. A thing lives in its home,
 * iotlb_slot_home(), or else in the first slot that was free of those that
 * iotlb_slot_next() names. Keys are such that the things of a device lie side
 * by side, which keeps most of them in their homes; those that are not in
 * theirs are scattered all over the array.
 *
 * A slot's state goes
 *	NEVER or FREE -> OWNED	by a program, with compare-and-exchange
 *	OWNED -> FREE		by user space, once the device is gone
 * Before the latter, user space sets @key to 0, waits until no program that
 * has seen it before still runs, and empties the slot.
 */
#ifndef IOTLB_COUNTERS_H
#define IOTLB_COUNTERS_H

#include <linux/types.h>

#define IOTLB_SLOTS 4096 /* a power of two */

/* Searches are short as long as a quarter of the slots is free. */
#define IOTLB_SLOTS_USABLE (IOTLB_SLOTS / 4 * 3)

/* With so many, no search ends in vain before the usable slots are taken. */
#define IOTLB_SLOT_PROBES 1024

enum iotlb_slot_state {
	IOTLB_SLOT_NEVER = 0, /* a search may end here */
	IOTLB_SLOT_FREE = 1,  /* may be taken, but others may follow */
	IOTLB_SLOT_OWNED = 2,
};

/*
 * Keys of a device: more than the 16 bits of a virtqueue's index, and by so many
 * that there is room for as many things without collision if devices come one after
 * the other; odd, so that no slot is left unused.
 */
#define IOTLB_KEYS_PER_DEVICE (0x10000 + 11)

/* Instead of a virtqueue: the device as a whole. */
#define IOTLB_VQ_DEVICE (IOTLB_KEYS_PER_DEVICE - 1U)

/* Instead of a virtqueue: an address space of the device, other than 0. */
#define IOTLB_VQ_SPACE (IOTLB_KEYS_PER_DEVICE - 2U)

/*
 * Address spaces come and go: none gets a slot while so many are in use for whatever,
 * so that virtqueues find room.
 */
#define IOTLB_SLOTS_SPACES (IOTLB_SLOTS_USABLE / 2)

/* Never 0, because ids of devices begin at 1. */
static inline __u64 iotlb_key(__u64 dev, __u32 vq)
{
	return dev * IOTLB_KEYS_PER_DEVICE + vq;
}

/* Keys of address spaces. A device's id has 31 bits there. */
#define IOTLB_KEY_SPACE (1ULL << 63)
#define IOTLB_KEY_SPACE_DEVS (1ULL << 31)

static inline __u64 iotlb_key_space(__u64 dev, __u32 asid)
{
	return IOTLB_KEY_SPACE | dev << 32 | asid;
}

static inline __u64 iotlb_key_dev(__u64 key)
{
	if (key & IOTLB_KEY_SPACE)
		return (key & ~IOTLB_KEY_SPACE) >> 32;
	return key / IOTLB_KEYS_PER_DEVICE;
}

static inline __u32 iotlb_key_vq(__u64 key)
{
	return key & IOTLB_KEY_SPACE ? IOTLB_VQ_SPACE : key % IOTLB_KEYS_PER_DEVICE;
}

static inline __u32 iotlb_key_asid(__u64 key)
{
	return key & IOTLB_KEY_SPACE ? (__u32)key : 0;
}

static inline __u32 iotlb_slot_home(__u64 key)
{
	return key & (IOTLB_SLOTS - 1);
}

/* @probe: 0 for the first slot to look at after the home, and so on. */
static inline __u32 iotlb_slot_next(__u64 key, __u32 probe)
{
	/* Multiplicative hash: the upper half is where the bits are mixed. */
	__u64 hash = key * 0x9e3779b97f4a7c15ULL;

	return ((__u32)(hash >> 32) + probe) & (IOTLB_SLOTS - 1);
}

enum iotlb_counter {
	/* Of a virtqueue. Hits are in the order of the tracepoint's "area". */
	IOTLB_HIT_DESC,	       /* ring metadata: descriptor table, */
	IOTLB_HIT_AVAIL,       /* available ring, */
	IOTLB_HIT_USED,	       /* used ring */
	IOTLB_HIT_BUFFER,      /* memory that descriptors point at */
	IOTLB_HIT_META,	       /* the first three at once; readers add it to each */
	IOTLB_MISS,	       /* sum of the next four, and of what is unknown */
	IOTLB_RESOLVED,	       /* answered at once by the program that is attached */
	IOTLB_MISS_RING,       /* taken by the program that is attached to misses */
	IOTLB_MISS_FD,	       /* given out on the vhost fd */
	IOTLB_MISS_DROP,       /* the program failed: given out on the fd too */
	IOTLB_MISS_BUFFER,     /* the part of IOTLB_MISS that is for buffers */
	IOTLB_RESOLVED_BUFFER, /* the same of IOTLB_RESOLVED */
	/* Taken first, given out on the fd then; in the order of the reasons. */
	IOTLB_FALLBACK_TIMEOUT,	 /* nobody answered in time */
	IOTLB_FALLBACK_REFUSED,	 /* handed back */
	IOTLB_FALLBACK_DETACHED, /* the program is not attached any more */
	IOTLB_ACCESS_FAILED,	 /* user space had answered a miss: no such page */
	IOTLB_LATENCY_NS,	 /* sum of what is in the histogram of latencies */
	/* Of a device, or of one of its address spaces. */
	IOTLB_UPDATE,	     /* translations put in */
	IOTLB_UPDATE_FAILED, /* not put in, and not part of IOTLB_UPDATE */
	IOTLB_UPDATE_STALE,  /* refused for its age, and part of neither */
	IOTLB_INVALIDATE,    /* ranges dropped on demand */
	IOTLB_EVICT,	     /* translations dropped for want of room */
	IOTLB_NR_COUNTERS,
};

/*
 * Latency of misses, in nanoseconds from a miss to the update that covers it.
 * Bucket n counts what took from 2^n to less than 2^(n+1) ns, the first one
 * also 0 ns, the last one also all that took longer: a quarter of a minute and
 * more.
 * Misses that were answered at once, or by a failure, are not in it.
 */
#define IOTLB_LATENCY_BUCKETS 35

/**
 * struct iotlb_counters - what is counted since the programs were attached
 * @count:	indexed by enum iotlb_counter
 * @latency:	histogram, one count for each answered miss of a virtqueue
 */
struct iotlb_counters {
	__u64 count[IOTLB_NR_COUNTERS];
	__u64 latency[IOTLB_LATENCY_BUCKETS];
};

_Static_assert(sizeof(struct iotlb_counters) == 456, "multiple of 8 bytes");

/**
 * struct iotlb_slot - counters, and whose they are
 * @key:	of the virtqueue, device or address space, 0 while the slot belongs
 *		to none
 * @tgid:	process in whose context a miss was first seen, or the slot was
 *		taken; that of the owner, unless vhost's workers are kernel
 *		threads; 0 if not known yet
 * @miss_asid:	address space in which this virtqueue was at its latest miss
 * @counters:	of this virtqueue or device
 * @state:	enum iotlb_slot_state
 * @miss_access: of the outstanding miss: VHOST_ACCESS_RO or _WO
 * @miss_time:	when the outstanding miss of this virtqueue began, nanoseconds
 *		of CLOCK_MONOTONIC; 0 if there is none
 * @miss_iova:	the I/O virtual address that it waits for
 * @comm:	name of the process @tgid, NUL-terminated
 *
 * No two slots have a cache line in common.
 * There is at most one outstanding miss for a virtqueue.
 */
struct iotlb_slot {
	__u64 key;
	__u32 tgid;
	__u32 miss_asid;
	struct iotlb_counters counters;
	__u32 state;
	__u32 miss_access;
	__u64 miss_time;
	__u64 miss_iova;
	char comm[16];
};

_Static_assert(sizeof(struct iotlb_slot) == 512, "a shift finds a slot");

#endif /* IOTLB_COUNTERS_H */
