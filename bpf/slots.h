/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots, in which BPF programs count, see include/iotlb_counters.h. To be
 * included by one file of an object only, after the headers of libbpf.
 */
#ifndef BPF_SLOTS_H
#define BPF_SLOTS_H

#include "iotlb_counters.h"

/* Set before loading: how many slots may be taken. */
const volatile __u64 usable = IOTLB_SLOTS_USABLE;

struct iotlb_slot slots[IOTLB_SLOTS] __attribute__((aligned(512)));

/* Slots that are owned; user space takes off what it frees. */
__u64 owned;

/* Events that were not counted because no slot was to be had. */
__u64 lost;

struct task_struct {
	int tgid;
	struct task_struct *group_leader;
	char comm[16];
} __attribute__((preserve_access_index));

/* The verifier must see at each place that the index is small enough. What the
 * compiler knows of a global function's result (clang 19 does) it does not see.
 */
static __always_inline struct iotlb_slot *slot_at(__u32 index)
{
	barrier_var(index);
	return &slots[index & (IOTLB_SLOTS - 1)];
}

static __always_inline void slot_name(struct iotlb_slot *slot)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	bpf_probe_read_kernel_str(slot->comm, sizeof(slot->comm), task->group_leader->comm);
	slot->tgid = task->tgid;
}

static __always_inline void slot_take(struct iotlb_slot *slot, __u64 key, int named)
{
	slot->tgid = 0;
	if (named)
		slot_name(slot);
	/* Last: user space reads the slot from now on. */
	barrier();
	*(volatile __u64 *)&slot->key = key;
}

/* Global functions: verified once, not once for each caller. */

/* Index of the slot of this thing, negative if it has none. */
__noinline int slot_find(__u64 key)
{
	__u32 index = iotlb_slot_home(key);
	struct iotlb_slot *slot;
	__u32 probe;

	if (slot_at(index)->key == key)
		return index;
	for (probe = 0; probe < IOTLB_SLOT_PROBES; probe++) {
		index = iotlb_slot_next(key, probe);
		slot = slot_at(index);
		if (slot->key == key)
			return index;
		if (slot->state == IOTLB_SLOT_NEVER)
			break;
	}
	return -1;
}

static __always_inline int slot_try(__u32 index, __u64 key, int named)
{
	struct iotlb_slot *slot = slot_at(index);
	__u32 state = slot->state;

	if (state == IOTLB_SLOT_OWNED ||
	    __sync_val_compare_and_swap(&slot->state, state, IOTLB_SLOT_OWNED) != state)
		return 0;
	slot_take(slot, key, named);
	return 1;
}

/*
 * Index of a new slot for this thing, negative if there is none to be had.
 * @named: this is the owner's context.
 */
__noinline int slot_claim(__u64 key, int named)
{
	__u32 index = iotlb_slot_home(key);
	__u32 probe;

	/* Two CPUs at once may take one too many. There are spare ones. */
	if (!key || *(volatile __u64 *)&owned >= usable)
		return -1;
	__sync_fetch_and_add(&owned, 1);
	if (slot_try(index, key, named))
		return index;
	for (probe = 0; probe < IOTLB_SLOT_PROBES; probe++) {
		index = iotlb_slot_next(key, probe);
		if (slot_try(index, key, named))
			return index;
	}
	__sync_fetch_and_add(&owned, -1);
	return -1;
}

/* The slot of this thing, NULL if it has none and gets none. */
static __always_inline struct iotlb_slot *slot_get(__u64 key, int named)
{
	int index = slot_find(key);

	if (index < 0)
		index = slot_claim(key, named);
	if (index >= 0)
		return slot_at(index);
	__sync_fetch_and_add(&lost, 1);
	return 0;
}

static __always_inline void count(struct iotlb_slot *slot, enum iotlb_counter which)
{
	slot->counters.count[which]++;
}

/* Floor of the binary logarithm, 0 for 0. */
static __always_inline __u32 log2_u64(__u64 value)
{
	__u32 log = 0;

	if (value >> 32) {
		value >>= 32;
		log += 32;
	}
	if (value >> 16) {
		value >>= 16;
		log += 16;
	}
	if (value >> 8) {
		value >>= 8;
		log += 8;
	}
	if (value >> 4) {
		value >>= 4;
		log += 4;
	}
	if (value >> 2) {
		value >>= 2;
		log += 2;
	}
	return log + (value >> 1);
}

/**
 * struct slot_update - an UPDATE that has been installed
 * @dev:	its device
 * @iova:	the first address
 * @size:	in bytes
 * @time:	when, nanoseconds of CLOCK_MONOTONIC
 * @perm:	what it permits
 * @asid:	in which address space
 */
struct slot_update {
	__u64 dev;
	__u64 iova;
	__u64 size;
	__u64 time;
	__u64 perm;
	__u64 asid;
};

/* Does the update answer the outstanding miss of this slot? As vhost does,
 * the first address of the miss decides.
 */
static __always_inline int update_answers(const struct slot_update *update,
					  const struct iotlb_slot *slot)
{
	return slot->miss_time && slot->miss_asid == update->asid &&
	       slot->miss_iova >= update->iova && slot->miss_iova - update->iova < update->size &&
	       (slot->miss_access & update->perm) == slot->miss_access;
}

/* Counts the latency of this slot's miss if the update answers it. */
static __always_inline void slot_answer(struct iotlb_slot *slot, const struct slot_update *update)
{
	__u64 latency;
	__u32 bucket;

	if (!update_answers(update, slot))
		return;
	latency = update->time - slot->miss_time;
	bucket = log2_u64(latency);
	if (bucket >= IOTLB_LATENCY_BUCKETS)
		bucket = IOTLB_LATENCY_BUCKETS - 1;
	slot->miss_time = 0;
	slot->counters.latency[bucket]++;
	slot->counters.count[IOTLB_LATENCY_NS] += latency;
}

/*
 * What is about an address space other than 0 is counted there, and what is about 0 or
 * about all of them, for the device. So is what finds no room.
 */
static __always_inline void count_device(__u64 dev, __u32 asid, enum iotlb_counter which)
{
	struct iotlb_slot *slot;
	int index = -1;
	__u64 key;

	if (asid && dev < IOTLB_KEY_SPACE_DEVS) {
		key = iotlb_key_space(dev, asid);
		index = slot_find(key);
		if (index < 0 && owned < IOTLB_SLOTS_SPACES)
			index = slot_claim(key, 1);
	}
	if (index >= 0)
		slot = slot_at(index);
	else
		slot = slot_get(iotlb_key(dev, IOTLB_VQ_DEVICE), 1);
	if (slot)
		count(slot, which);
}

#endif /* BPF_SLOTS_H */
