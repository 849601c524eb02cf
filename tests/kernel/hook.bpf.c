// SPDX-License-Identifier: GPL-2.0
/*
 * Takes IOTLB misses, or not, as the test says, and writes down what it is
 * asked. Next to it are struct_ops that the kernel must refuse.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "hook.h"
#include "vhost.h"

/* BPF_PROG() makes functions with a parameter that not all of them use. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

int verdict;
__u64 calls;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} records SEC(".maps");

SEC("struct_ops/take_miss")
int BPF_PROG(take_miss, struct vhost_iotlb_miss_ctx *miss)
{
	struct hook_record *record;

	__sync_fetch_and_add(&calls, 1);
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (record) {
		*record = (struct hook_record){
			.dev = miss->vq->dev->id,
			.iova = miss->iova,
			.len = miss->len,
			.token = miss->token,
			.vq = miss->vq->index,
			.access = miss->access,
			.tgid = bpf_get_current_pid_tgid() >> 32,
		};
		bpf_ringbuf_submit(record, 0);
	}
	return verdict;
}

SEC("struct_ops.s/take_miss_slowly")
int BPF_PROG(take_miss_slowly, struct vhost_iotlb_miss_ctx *miss)
{
	return verdict;
}

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_good = {
	.miss = (void *)take_miss,
};

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_sleeps = {
	.miss = (void *)take_miss_slowly,
};

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_empty = {};

SEC(".struct_ops")
struct vhost_iotlb_ops test_no_link = {
	.miss = (void *)take_miss,
};
