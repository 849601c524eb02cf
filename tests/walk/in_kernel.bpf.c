// SPDX-License-Identifier: GPL-2.0
/*
 * The page walk at vhost's hook: for any request, and then once more as iotlbd's
 * program does it.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "resolve.h"

#include "in_kernel.h"

/* BPF_PROG() makes functions with a parameter that not all of them use. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

/* The case: its number, what is asked for, and by which device. */
__u64 number;
struct vtd_request request;
struct resolver_device device;

struct in_kernel_result result;

static __always_inline int read_counted(void *miss, enum vtd_table table, int level, __u64 gpa,
					void *to, __u32 size)
{
	result.reads++;
	return resolve_read(miss, table, level, gpa, to, size);
}

/* A function of its own, because of its stack: as resolve_walk(). */
static __noinline void walk(struct vhost_iotlb_miss_ctx *miss)
{
	struct vtd_translation found;
	struct vtd_walk where;
	__u64 began;

	result.reads = 0;
	began = bpf_ktime_get_ns();
	result.clock_ns = bpf_ktime_get_ns() - began;
	began = bpf_ktime_get_ns();
	result.returned = vtd_walk(&device.unit, &request, read_counted, miss, &found, &where);
	result.took_ns = bpf_ktime_get_ns() - began;
	result.where = where;
	if (result.returned)
		return;
	result.translation = found;
	result.mapped = bpf_vhost_iotlb_map(miss, found.iova, found.gpa, found.size, found.perm);
}

SEC("struct_ops/walk_miss")
int BPF_PROG(walk_miss, struct vhost_iotlb_miss_ctx *miss)
{
	int verdict = VHOST_IOTLB_MISS_PASS;

	if (miss->iova != request.iova)
		return VHOST_IOTLB_MISS_PASS;
	walk(miss);
	if (resolve(miss, &device, device.pasid))
		verdict = VHOST_IOTLB_MISS_RESOLVED;
	result.number = number;
	return verdict;
}

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_walk = {
	.miss = (void *)walk_miss,
};
