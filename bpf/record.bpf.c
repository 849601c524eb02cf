// SPDX-License-Identifier: GPL-2.0
/*
 * Puts each miss, update, invalidation and eviction of all device IOTLBs, and each
 * access that fails, on a ring buffer, see include/iotlb_event.h. Hits are far too many
 * for that: those are counted, by counters.bpf.c.
 *
 * The programs are bound to no types, so that CAP_SYS_ADMIN is not needed, see
 * counters_raw.bpf.c. Compared with a miss, what that costs is nothing.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "iotlb_counters.h"
#include "iotlb_event.h"
#include "vhost.h"

/* A tracepoint has the arguments that it has. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

/* The size is set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

/* Events for which there was no room. */
__u64 lost;

/* Set before loading: offsets of members, in bytes. */
const volatile __u32 vq_dev_at;
const volatile __u32 vq_index_at;
const volatile __u32 vq_asid_at;
const volatile __u32 dev_id_at;

/* Set before loading: tracepoints tell address spaces, as their last argument. */
const volatile bool has_asid;

static __always_inline __u32 argument(const unsigned long long *ctx, int n)
{
	return has_asid ? ctx[n] : 0;
}

static __always_inline __u64 device_id(const struct vhost_dev *dev)
{
	__u64 id = 0;

	bpf_probe_read_kernel(&id, sizeof(id), (const void *)dev + dev_id_at);
	return id;
}

static __always_inline __u64 vq_device(const struct vhost_virtqueue *vq)
{
	struct vhost_dev *dev = 0;

	bpf_probe_read_kernel(&dev, sizeof(dev), (const void *)vq + vq_dev_at);
	return device_id(dev);
}

static __always_inline __u32 vq_index(const struct vhost_virtqueue *vq)
{
	__u32 index = 0;

	bpf_probe_read_kernel(&index, sizeof(index), (const void *)vq + vq_index_at);
	return index;
}

static __always_inline __u32 vq_asid(const struct vhost_virtqueue *vq)
{
	__u32 asid = 0;

	if (has_asid)
		bpf_probe_read_kernel(&asid, sizeof(asid), (const void *)vq + vq_asid_at);
	return asid;
}

static __always_inline void put(__u64 dev, __u32 vq, __u32 asid, __u64 iova, __u64 size,
				enum iotlb_event_kind kind, int verdict)
{
	struct iotlb_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	event->time = bpf_ktime_get_ns();
	event->dev = dev;
	event->iova = iova;
	event->size = size;
	event->vq = vq;
	event->kind = kind;
	event->verdict = verdict;
	event->asid = asid;
	event->pad = 0;
	/* The reader looks by itself now and then. To wake it would cost more. */
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

SEC("raw_tp/vhost_iotlb_miss")
int BPF_PROG(record_miss, struct vhost_virtqueue *vq, __u64 iova, __u64 len, __u32 access,
	     __u32 area, int verdict)
{
	put(vq_device(vq), vq_index(vq), vq_asid(vq), iova, len, IOTLB_EVENT_MISS, verdict);
	return 0;
}

/* Older vhost modules have no such tracepoint: user space then does not load this. */
SEC("raw_tp/vhost_iotlb_fail")
int BPF_PROG(record_fail, struct vhost_virtqueue *vq, __u64 iova)
{
	put(vq_device(vq), vq_index(vq), vq_asid(vq), iova, 1, IOTLB_EVENT_FAIL, 0);
	return 0;
}

SEC("raw_tp/vhost_iotlb_update")
int BPF_PROG(record_update, struct vhost_dev *dev, __u64 iova, __u64 size, __u64 uaddr, __u32 perm,
	     int ret)
{
	put(device_id(dev), IOTLB_VQ_DEVICE, argument(ctx, 6), iova, size, IOTLB_EVENT_UPDATE, ret);
	return 0;
}

SEC("raw_tp/vhost_iotlb_invalidate")
int BPF_PROG(record_invalidate, struct vhost_dev *dev, __u64 iova, __u64 size)
{
	put(device_id(dev), IOTLB_VQ_DEVICE, argument(ctx, 3), iova, size, IOTLB_EVENT_INVALIDATE,
	    0);
	return 0;
}

SEC("raw_tp/vhost_iotlb_evict")
int BPF_PROG(record_evict, struct vhost_dev *dev, __u64 iova, __u64 size, __u32 perm)
{
	put(device_id(dev), IOTLB_VQ_DEVICE, argument(ctx, 4), iova, size, IOTLB_EVENT_EVICT, 0);
	return 0;
}
