/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs that count, for all ways to look into vhost's structures. Whoever
 * includes this defines before
 *	TRACEPOINT(name)	section of the program of a tracepoint
 *	vq_device(vq)		id of the virtqueue's device
 *	vq_index(vq)		its index
 *	vq_asid(vq)		the address space that it is in, if has_asid
 *	device_id(dev)		id of the device
 *	device_vqs(dev)		number of its virtqueues
 */
#ifndef BPF_COUNT_EVENTS_H
#define BPF_COUNT_EVENTS_H

/* A tracepoint has the arguments that it has. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

/* Set before loading: vhost has address spaces, and its tracepoints tell them. */
const volatile bool has_asid;

/*
 * An argument that older tracepoints do not have. It is not given a name, or the
 * compiler might load it where it is not there.
 */
static __always_inline __u32 argument(const unsigned long long *ctx, int n)
{
	return has_asid ? ctx[n] : 0;
}

/* More virtqueues than any vhost device has: vhost-scsi, 1024 and two. */
#define VQS_MAX 2048

static __always_inline __u64 vq_key(const struct vhost_virtqueue *vq)
{
	return iotlb_key(vq_device(vq), vq_index(vq));
}

__noinline int count_hit_elsewhere(__u64 key, __u64 area)
{
	struct iotlb_slot *slot = slot_get(key, 1);

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
TRACEPOINT("vhost_iotlb_hit")
int BPF_PROG(count_hit, struct vhost_virtqueue *vq, __u64 iova, __u64 len, __u64 area)
{
	struct iotlb_slot *slot;
	__u64 key;

	if (!vq)
		return 0;
	key = vq_key(vq);
	slot = &slots[iotlb_slot_home(key)];
	barrier_var(slot);
	if (slot->key != key || area > VHOST_IOTLB_AREA_RING)
		return count_hit_elsewhere(key, area);
	count(slot, IOTLB_HIT_DESC + area);
	return 0;
}

TRACEPOINT("vhost_iotlb_miss")
int BPF_PROG(count_miss, struct vhost_virtqueue *vq, __u64 iova, __u64 len, __u32 access,
	     __u32 area, int verdict)
{
	struct iotlb_slot *slot;

	if (!vq)
		return 0;
	slot = slot_get(vq_key(vq), 1);
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

	slot->miss_asid = has_asid ? vq_asid(vq) : 0;
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
TRACEPOINT("vhost_iotlb_fallback")
int BPF_PROG(count_fallback, struct vhost_virtqueue *vq, __u64 iova, __u64 waited, __u32 access,
	     __u64 reason)
{
	struct iotlb_slot *slot;

	if (!vq || reason > VHOST_IOTLB_FALLBACK_DETACHED)
		return 0;
	slot = slot_get(vq_key(vq), 0);
	if (slot)
		count(slot, IOTLB_FALLBACK_TIMEOUT + reason);
	return 0;
}

/*
 * Nobody waits for an answer any more: the virtqueue goes on without. Older vhost
 * modules have no such tracepoint: user space then does not load this.
 */
TRACEPOINT("vhost_iotlb_fail")
int BPF_PROG(count_fail, struct vhost_virtqueue *vq)
{
	struct iotlb_slot *slot;

	if (!vq)
		return 0;
	slot = slot_get(vq_key(vq), 1);
	if (!slot)
		return 0;
	count(slot, IOTLB_ACCESS_FAILED);
	slot->miss_time = 0;
	return 0;
}

static long answer_vq(__u32 vq, struct slot_update *update)
{
	int index = slot_find(iotlb_key(update->dev, vq));

	if (index >= 0)
		slot_answer(slot_at(index), update);
	return 0;
}

TRACEPOINT("vhost_iotlb_update")
int BPF_PROG(count_update, struct vhost_dev *dev, __u64 iova, __u64 size, __u64 uaddr, __u32 perm,
	     int ret)
{
	struct slot_update update = {
		.iova = iova,
		.size = size,
		.time = bpf_ktime_get_ns(),
		.perm = perm,
		.asid = argument(ctx, 6),
	};
	enum iotlb_counter which = IOTLB_UPDATE;
	__u32 vqs;

	if (!dev)
		return 0;
	update.dev = device_id(dev);
	vqs = device_vqs(dev);
	if (ret)
		which = ret == -ESTALE ? IOTLB_UPDATE_STALE : IOTLB_UPDATE_FAILED;
	else
		/* vhost has yet to wake those who wait. */
		bpf_loop(vqs < VQS_MAX ? vqs : VQS_MAX, answer_vq, &update, 0);
	count_device(update.dev, update.asid, which);
	return 0;
}

TRACEPOINT("vhost_iotlb_invalidate")
int BPF_PROG(count_invalidate, struct vhost_dev *dev, __u64 iova, __u64 size)
{
	if (!dev)
		return 0;
	/* One for all address spaces has 0. */
	count_device(device_id(dev), argument(ctx, 3), IOTLB_INVALIDATE);
	return 0;
}

TRACEPOINT("vhost_iotlb_evict")
int BPF_PROG(count_evict, struct vhost_dev *dev, __u64 iova, __u64 size, __u32 perm)
{
	if (!dev)
		return 0;
	count_device(device_id(dev), argument(ctx, 4), IOTLB_EVICT);
	return 0;
}

#endif /* BPF_COUNT_EVENTS_H */
