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

#define EAGAIN 11 /* no C library */

/* BPF_PROG() makes functions with a parameter that not all of them use. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

int bpf_vhost_guest_read(struct vhost_iotlb_miss_ctx *ctx, __u64 gpa, void *dst,
			 __u32 dst__sz) __ksym;
int bpf_vhost_guest_read_u64(struct vhost_iotlb_miss_ctx *ctx, __u64 gpa, __u64 *dst) __ksym;
int bpf_vhost_guest_set_u64(struct vhost_iotlb_miss_ctx *ctx, __u64 gpa, __u64 old,
			    __u64 bits) __ksym;
int bpf_vhost_iotlb_map(struct vhost_iotlb_miss_ctx *ctx, __u64 iova, __u64 gpa, __u64 size,
			__u32 perm) __ksym;

int verdict;
__u64 calls;
struct hook_answer answers[HOOK_ANSWERS];
struct hook_read guest;
struct hook_set set;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} records SEC(".maps");

static void read_guest(struct vhost_iotlb_miss_ctx *miss)
{
	__u32 size = guest.size, offset = guest.offset;

	if (!guest.enabled || size > HOOK_READ_MAX || offset > 7)
		return;
	if (guest.word)
		guest.returned =
			bpf_vhost_guest_read_u64(miss, guest.gpa, (__u64 *)(guest.bytes + offset));
	else
		guest.returned = bpf_vhost_guest_read(miss, guest.gpa, guest.bytes + offset, size);
	__sync_fetch_and_add(&guest.calls, 1);
}

/* bpf_loop(): once. */
static long set_word(__u32 round, struct vhost_iotlb_miss_ctx **miss)
{
	__u64 gpa = set.gpa + (__u64)set.step * round, old = set.old;

	if (set.reads && bpf_vhost_guest_read_u64(*miss, gpa, &old)) {
		set.failed++;
		return 0;
	}
	set.returned = bpf_vhost_guest_set_u64(*miss, gpa, old, set.bits);
	if (!set.returned) {
		set.done++;
		set.fresh += (old & set.bits) != set.bits;
	} else if (set.returned == -EAGAIN) {
		set.changed++;
	} else {
		set.failed++;
	}
	return 0;
}

static int answer(struct vhost_iotlb_miss_ctx *miss, struct hook_answer *a)
{
	__u64 skip = 0, size = a->size, gpa = a->gpa;

	if (a->piece) {
		size = a->piece < HOOK_PIECE_MIN ? HOOK_PIECE_MIN : a->piece;
		skip = (miss->iova & ~(a->piece - 1)) + a->piece - size - a->iova;
	}
	gpa += a->backward ? -skip : skip;
	a->returned = bpf_vhost_iotlb_map(miss, a->iova + skip, gpa, size, a->perm);
	__sync_fetch_and_add(&a->calls, 1);
	return a->returned ? a->refused : a->verdict;
}

SEC("struct_ops/take_miss")
int BPF_PROG(take_miss, struct vhost_iotlb_miss_ctx *miss)
{
	struct hook_record *record;

	__sync_fetch_and_add(&calls, 1);
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (record) {
		*record = (struct hook_record){
			.dev = miss->dev_id,
			.iova = miss->iova,
			.len = miss->len,
			.token = miss->token,
			.vq = miss->vq->index,
			.access = miss->access,
			.tgid = bpf_get_current_pid_tgid() >> 32,
			.asid = miss->asid,
		};
		bpf_ringbuf_submit(record, 0);
	}
	read_guest(miss);
	bpf_loop(set.rounds, set_word, &miss, 0);
	for (int i = 0; i < HOOK_ANSWERS; i++)
		if (miss->iova - answers[i].first < answers[i].length)
			return answer(miss, &answers[i]);
	return verdict;
}

SEC("struct_ops.s/take_miss_slowly")
int BPF_PROG(take_miss_slowly, struct vhost_iotlb_miss_ctx *miss)
{
	return verdict;
}

SEC("struct_ops/take_other")
int BPF_PROG(take_other, struct vhost_iotlb_miss_ctx *miss)
{
	return bpf_vhost_iotlb_map((void *)miss->vq, miss->iova, 0, miss->len, miss->access);
}

SEC("struct_ops/read_other")
int BPF_PROG(read_other, struct vhost_iotlb_miss_ctx *miss)
{
	__u64 entry;

	return bpf_vhost_guest_read((void *)miss->vq, 0, &entry, sizeof(entry));
}

SEC("struct_ops/read_beyond")
int BPF_PROG(read_beyond, struct vhost_iotlb_miss_ctx *miss)
{
	__u64 entry;

	return bpf_vhost_guest_read(miss, 0, &entry, sizeof(entry) + 8);
}

SEC("struct_ops/read_word_other")
int BPF_PROG(read_word_other, struct vhost_iotlb_miss_ctx *miss)
{
	__u64 entry;

	return bpf_vhost_guest_read_u64((void *)miss->vq, 0, &entry);
}

SEC("struct_ops/read_word_beyond")
int BPF_PROG(read_word_beyond, struct vhost_iotlb_miss_ctx *miss)
{
	__u32 half;

	return bpf_vhost_guest_read_u64(miss, 0, (__u64 *)&half);
}

SEC("struct_ops/set_other")
int BPF_PROG(set_other, struct vhost_iotlb_miss_ctx *miss)
{
	return bpf_vhost_guest_set_u64((void *)miss->vq, 0, 0, 1);
}

SEC("struct_ops.s/read_slowly")
int BPF_PROG(read_slowly, struct vhost_iotlb_miss_ctx *miss)
{
	__u64 entry;

	return bpf_vhost_guest_read(miss, 0, &entry, sizeof(entry));
}

/* The pointer is as bad as the type of the program, but that comes first. */
SEC("tp_btf/sched_switch")
int BPF_PROG(trace_switch, _Bool preempt, struct task_struct *task)
{
	__u64 entry;

	return bpf_vhost_guest_read((void *)task, 0, &entry, sizeof(entry));
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

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_maps_other = {
	.miss = (void *)take_other,
};

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_reads_other = {
	.miss = (void *)read_other,
};

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_reads_beyond = {
	.miss = (void *)read_beyond,
};

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_reads_word_other = {
	.miss = (void *)read_word_other,
};

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_reads_word_beyond = {
	.miss = (void *)read_word_beyond,
};

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_sets_other = {
	.miss = (void *)set_other,
};

SEC(".struct_ops.link")
struct vhost_iotlb_ops test_sleeps_reads = {
	.miss = (void *)read_slowly,
};
