// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what the tracepoints of the device IOTLB report, see
 * include/iotlb_counters.h.
 *
 * A packet that finds all its translations hits about four times, so the cost
 * of a hit matters more than all else here: one look at the home slot of the
 * virtqueue, one increment. All the rest is out of line.
 *
 * Neither atomic nor per-CPU counters are needed. vhost looks into the IOTLB
 * for a virtqueue only with the mutex of the virtqueue held, and changes the
 * IOTLB with that of the device and of all its virtqueues held. So at any time
 * one CPU at most is about to count for a slot, or to take a slot for the same
 * thing.
 *
 * The exception is a miss that changes hands while its virtqueue waits: only
 * the iotlb_lock of the device is held then. Those counters are changed nowhere
 * else. Should that event and another one be the first of a virtqueue, on two
 * CPUs at once, it gets two slots, which readers add up.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "iotlb_counters.h"
#include "vhost.h"

/* A tracepoint has the arguments that it has. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

/* More virtqueues than any vhost device has: vhost-scsi, 1024 and two. */
#define VQS_MAX 2048

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

/* The verifier must see at each place that the index is small enough. */
static __always_inline struct iotlb_slot *slot_at(__u32 index)
{
	return &slots[index & (IOTLB_SLOTS - 1)];
}

static __always_inline int slot_is(const struct iotlb_slot *slot, __u64 dev, __u32 vq)
{
	return slot->dev == dev && slot->vq == vq;
}

static __always_inline void slot_name(struct iotlb_slot *slot)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	bpf_probe_read_kernel_str(slot->comm, sizeof(slot->comm), task->group_leader->comm);
	slot->tgid = task->tgid;
}

static __always_inline void slot_take(struct iotlb_slot *slot, __u64 dev, __u32 vq, int named)
{
	slot->vq = vq;
	slot->tgid = 0;
	if (named)
		slot_name(slot);
	/* Last: user space reads the slot from now on. */
	barrier();
	*(volatile __u64 *)&slot->dev = dev;
}

/* Global functions: verified once, not once for each caller. */

/* Index of the slot of this thing, negative if it has none. */
__noinline int slot_find(__u64 dev, __u32 vq)
{
	__u32 index = iotlb_slot_home(dev, vq);
	struct iotlb_slot *slot;
	__u32 probe;

	if (slot_is(slot_at(index), dev, vq))
		return index;
	for (probe = 0; probe < IOTLB_SLOT_PROBES; probe++) {
		index = iotlb_slot_next(dev, vq, probe);
		slot = slot_at(index);
		if (slot_is(slot, dev, vq))
			return index;
		if (slot->state == IOTLB_SLOT_NEVER)
			break;
	}
	return -1;
}

static __always_inline int slot_try(__u32 index, __u64 dev, __u32 vq, int named)
{
	struct iotlb_slot *slot = slot_at(index);
	__u64 state = slot->state;

	if (state == IOTLB_SLOT_OWNED ||
	    __sync_val_compare_and_swap(&slot->state, state, IOTLB_SLOT_OWNED) != state)
		return 0;
	slot_take(slot, dev, vq, named);
	return 1;
}

/*
 * Index of a new slot for this thing, negative if there is none to be had.
 * @named: this is the owner's context.
 */
__noinline int slot_claim(__u64 dev, __u32 vq, int named)
{
	__u32 index = iotlb_slot_home(dev, vq);
	__u32 probe;

	/* Two CPUs at once may take one too many. There are spare ones. */
	if (!dev || *(volatile __u64 *)&owned >= usable)
		return -1;
	__sync_fetch_and_add(&owned, 1);
	if (slot_try(index, dev, vq, named))
		return index;
	for (probe = 0; probe < IOTLB_SLOT_PROBES; probe++) {
		index = iotlb_slot_next(dev, vq, probe);
		if (slot_try(index, dev, vq, named))
			return index;
	}
	__sync_fetch_and_add(&owned, -1);
	return -1;
}

/* The slot of this thing, NULL if it has none and gets none. */
static __always_inline struct iotlb_slot *slot_get(__u64 dev, __u32 vq, int named)
{
	int index = slot_find(dev, vq);

	if (index < 0)
		index = slot_claim(dev, vq, named);
	if (index >= 0)
		return slot_at(index);
	__sync_fetch_and_add(&lost, 1);
	return 0;
}

static __always_inline void count(struct iotlb_slot *slot, enum iotlb_counter which)
{
	slot->counters.count[which]++;
}

__noinline int count_hit_elsewhere(__u64 dev, __u32 vq, __u64 area)
{
	struct iotlb_slot *slot = slot_get(dev, vq, 1);

	if (slot && area <= VHOST_IOTLB_AREA_RING)
		count(slot, IOTLB_HIT_DESC + area);
	return 0;
}

/*
 * The verifier takes the arguments of a module's tracepoints for perhaps NULL,
 * so each has to be looked at, though it never is.
 */

/*
 * All variables here are as wide as a register, and the compiler is kept from
 * working out the address once more, to save instructions.
 */
SEC("tp_btf/vhost_iotlb_hit")
int BPF_PROG(count_hit, struct vhost_virtqueue *vq, __u64 iova, __u64 len, __u64 area)
{
	struct iotlb_slot *slot;
	__u64 dev, index;

	if (!vq)
		return 0;
	dev = vq->dev->id;
	index = vq->index;
	slot = slot_at(iotlb_slot_home(dev, index));
	barrier_var(slot);
	if (!slot_is(slot, dev, index) || area > VHOST_IOTLB_AREA_RING)
		return count_hit_elsewhere(dev, index, area);
	count(slot, IOTLB_HIT_DESC + area);
	return 0;
}

SEC("tp_btf/vhost_iotlb_miss")
int BPF_PROG(count_miss, struct vhost_virtqueue *vq, __u64 iova, __u64 len, __u32 access,
	     __u32 area, int verdict)
{
	struct iotlb_slot *slot;

	if (!vq)
		return 0;
	slot = slot_get(vq->dev->id, vq->index, 1);
	if (!slot)
		return 0;
	if (!slot->tgid)
		slot_name(slot);

	count(slot, IOTLB_MISS);
	if (area == VHOST_IOTLB_AREA_BUFFER)
		count(slot, IOTLB_MISS_BUFFER);
	if (verdict == VHOST_IOTLB_MISS_RESOLVED) {
		count(slot, IOTLB_RESOLVED);
		if (area == VHOST_IOTLB_AREA_BUFFER)
			count(slot, IOTLB_RESOLVED_BUFFER);
		/* Whatever it waited for before. */
		slot->miss_time = 0;
		return 0;
	}
	if (verdict < 0)
		count(slot, IOTLB_MISS_DROP);
	else if (verdict == VHOST_IOTLB_MISS_PASS)
		count(slot, IOTLB_MISS_FD);
	else if (verdict == VHOST_IOTLB_MISS_QUEUED)
		count(slot, IOTLB_MISS_RING);

	slot->miss_iova = iova;
	slot->miss_access = access;
	slot->miss_time = bpf_ktime_get_ns();
	return 0;
}

/*
 * The miss waits on, and its time runs on. Older vhost modules have no such
 * tracepoint: user space then does not load this. Whoever runs into it, such as
 * the watchdog's kernel thread, says nothing about the owner.
 */
SEC("tp_btf/vhost_iotlb_fallback")
int BPF_PROG(count_fallback, struct vhost_virtqueue *vq, __u64 iova, __u64 waited, __u32 access,
	     __u64 reason)
{
	struct iotlb_slot *slot;

	if (!vq || reason > VHOST_IOTLB_FALLBACK_DETACHED)
		return 0;
	slot = slot_get(vq->dev->id, vq->index, 0);
	if (slot)
		count(slot, IOTLB_FALLBACK_TIMEOUT + reason);
	return 0;
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

struct update {
	__u64 dev;
	__u64 iova;
	__u64 size;
	__u64 time;
	__u64 perm;
};

/* Does the update answer the outstanding miss of this slot? As vhost does,
 * the first address of the miss decides.
 */
static __always_inline int update_answers(const struct update *update,
					  const struct iotlb_slot *slot)
{
	return slot->miss_time && slot->miss_iova >= update->iova &&
	       slot->miss_iova - update->iova < update->size &&
	       (slot->miss_access & update->perm) == slot->miss_access;
}

static long answer_vq(__u32 vq, struct update *update)
{
	int index = slot_find(update->dev, vq);
	struct iotlb_slot *slot;
	__u64 latency;
	__u32 bucket;

	if (index < 0)
		return 0;
	slot = slot_at(index);
	if (!update_answers(update, slot))
		return 0;

	latency = update->time - slot->miss_time;
	bucket = log2_u64(latency);
	if (bucket >= IOTLB_LATENCY_BUCKETS)
		bucket = IOTLB_LATENCY_BUCKETS - 1;
	slot->miss_time = 0;
	slot->counters.latency[bucket]++;
	slot->counters.count[IOTLB_LATENCY_NS] += latency;
	return 0;
}

static __always_inline void count_device(__u64 dev, enum iotlb_counter which)
{
	struct iotlb_slot *slot = slot_get(dev, IOTLB_VQ_DEVICE, 1);

	if (slot)
		count(slot, which);
}

SEC("tp_btf/vhost_iotlb_update")
int BPF_PROG(count_update, struct vhost_dev *dev, __u64 iova, __u64 size, __u64 uaddr, __u32 perm,
	     int ret)
{
	struct update update = {
		.iova = iova,
		.size = size,
		.time = bpf_ktime_get_ns(),
		.perm = perm,
	};
	__u32 vqs;

	if (!dev)
		return 0;
	update.dev = dev->id;
	vqs = dev->nvqs;
	if (ret) {
		count_device(update.dev, ret == -ESTALE ? IOTLB_UPDATE_STALE : IOTLB_UPDATE_FAILED);
		return 0;
	}

	/* vhost has yet to wake those who wait. */
	bpf_loop(vqs < VQS_MAX ? vqs : VQS_MAX, answer_vq, &update, 0);
	count_device(update.dev, IOTLB_UPDATE);
	return 0;
}

SEC("tp_btf/vhost_iotlb_invalidate")
int BPF_PROG(count_invalidate, struct vhost_dev *dev, __u64 iova, __u64 size)
{
	if (dev)
		count_device(dev->id, IOTLB_INVALIDATE);
	return 0;
}

SEC("tp_btf/vhost_iotlb_evict")
int BPF_PROG(count_evict, struct vhost_dev *dev, __u64 iova, __u64 size, __u32 perm)
{
	if (dev)
		count_device(dev->id, IOTLB_EVICT);
	return 0;
}
