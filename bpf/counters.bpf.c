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
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "iotlb_counters.h"
#include "slots.h"
#include "vhost.h"

#define TRACEPOINT(name) SEC("tp_btf/" name)

static __always_inline __u64 vq_device(const struct vhost_virtqueue *vq)
{
	return vq->dev->id;
}

static __always_inline __u32 vq_index(const struct vhost_virtqueue *vq)
{
	return vq->index;
}

static __always_inline __u32 vq_asid(const struct vhost_virtqueue *vq)
{
	return vq->asid;
}

static __always_inline __u64 device_id(const struct vhost_dev *dev)
{
	return dev->id;
}

static __always_inline __u32 device_vqs(const struct vhost_dev *dev)
{
	return dev->nvqs;
}

#include "count_events.h"
