// SPDX-License-Identifier: GPL-2.0
/*
 * The same as counters.bpf.c for who has no CAP_SYS_ADMIN, which the kernel wants
 * of those who bind a program to the types of a module. These programs are bound
 * to nothing: user space, who may read those types in a file, tells them where
 * members are, and they are read by a helper, which takes longer.
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

#define TRACEPOINT(name) SEC("raw_tp/" name)

/* Set before loading: offsets of members, in bytes. */
const volatile __u32 vq_dev_at;
const volatile __u32 vq_index_at;
const volatile __u32 vq_asid_at;
const volatile __u32 dev_id_at;
const volatile __u32 dev_nvqs_at;

static __always_inline __u64 read_u64(const void *object, __u32 at)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), object + at);
	return value;
}

static __always_inline __u32 read_u32(const void *object, __u32 at)
{
	__u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), object + at);
	return value;
}

static __always_inline __u64 device_id(const struct vhost_dev *dev)
{
	return read_u64(dev, dev_id_at);
}

static __always_inline __u32 device_vqs(const struct vhost_dev *dev)
{
	return read_u32(dev, dev_nvqs_at);
}

static __always_inline __u64 vq_device(const struct vhost_virtqueue *vq)
{
	return device_id((const void *)read_u64(vq, vq_dev_at));
}

static __always_inline __u32 vq_index(const struct vhost_virtqueue *vq)
{
	return read_u32(vq, vq_index_at);
}

static __always_inline __u32 vq_asid(const struct vhost_virtqueue *vq)
{
	return read_u32(vq, vq_asid_at);
}

#include "count_events.h"
