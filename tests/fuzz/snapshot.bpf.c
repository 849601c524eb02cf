// SPDX-License-Identifier: GPL-2.0
/* Copies the IOTLBs of a vhost device after each write to it. */
#include <stdbool.h>
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "snapshot.h"

/* BPF_PROG() makes functions with a parameter that not all of them use. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

#define CORE __attribute__((preserve_access_index))

struct list_head {
	struct list_head *next;
} CORE;

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
} CORE;

struct rb_root {
	struct rb_node *rb_node;
} CORE;

struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
} CORE;

struct vhost_iotlb_map {
	struct rb_node rb;
	struct list_head link;
	__u64 start, last, size, addr;
	__u32 perm;
	__u64 __subtree_last;
} CORE;

struct vhost_iotlb {
	struct rb_root_cached root;
	struct list_head list;
	unsigned int nmaps;
} CORE;

struct vhost_as {
	__u32 id;
	struct vhost_iotlb iotlb;
	__u64 seq;
} CORE;

struct vhost_virtqueue {
	const struct vhost_iotlb_map *meta_iotlb[SNAPSHOT_ADDRS];
	struct vhost_as *as;
} CORE;

struct vhost_dev {
	struct vhost_virtqueue **vqs;
	int nvqs;
	struct vhost_iotlb *iotlb;
	struct vhost_as as;
} CORE;

/* In pages that the fuzzer has mapped. */
__u32 enabled;
__u32 tgid;
struct snapshot_layout layout;
__u64 calls; /* of the kernel function that writes */
struct snapshot_head heads[SNAPSHOT_SPACES];
struct snapshot_map first_maps[SNAPSHOT_MAX];
struct snapshot_map other_maps[SNAPSHOT_MAX];

static void fill_layout(void)
{
	layout.rb = bpf_core_field_offset(struct vhost_iotlb_map, rb);
	layout.link = bpf_core_field_offset(struct vhost_iotlb_map, link);
	layout.start = bpf_core_field_offset(struct vhost_iotlb_map, start);
	layout.last = bpf_core_field_offset(struct vhost_iotlb_map, last);
	layout.bytes = bpf_core_field_offset(struct vhost_iotlb_map, size);
	layout.addr = bpf_core_field_offset(struct vhost_iotlb_map, addr);
	layout.perm = bpf_core_field_offset(struct vhost_iotlb_map, perm);
	layout.subtree_last = bpf_core_field_offset(struct vhost_iotlb_map, __subtree_last);
	layout.rb_parent = bpf_core_field_offset(struct rb_node, __rb_parent_color);
	layout.rb_right = bpf_core_field_offset(struct rb_node, rb_right);
	layout.rb_left = bpf_core_field_offset(struct rb_node, rb_left);
	layout.size = bpf_core_type_size(struct vhost_iotlb_map);
}

struct walk {
	__u64 link, end;
	__u32 nr, other;
};

/* The index in 64 bits, or else the verifier loses sight of it. */
static long copy_map(__u64 i, struct walk *walk)
{
	const __u32 link = bpf_core_field_offset(struct vhost_iotlb_map, link);
	const __u32 size = bpf_core_type_size(struct vhost_iotlb_map);
	struct snapshot_map *map;

	if (walk->link == walk->end || i >= SNAPSHOT_MAX || size > SNAPSHOT_RAW)
		return 1;
	map = walk->other ? &other_maps[i] : &first_maps[i];
	map->address = walk->link - link;
	if (bpf_probe_read_kernel(map->raw, size, (void *)map->address))
		return 1;
	walk->link = *(__u64 *)(map->raw + link);
	walk->nr = i + 1;
	return 0;
}

static void copy_maps(struct vhost_iotlb *iotlb, struct snapshot_head *head, bool other)
{
	struct walk walk = {
		.link = (__u64)BPF_CORE_READ(iotlb, list.next),
		.end = (__u64)__builtin_preserve_access_index(&iotlb->list),
		.other = other,
	};

	bpf_loop(SNAPSHOT_MAX, copy_map, &walk, 0);
	head->iotlb = (__u64)iotlb;
	head->nr = walk.nr;
	head->ended = walk.link == walk.end;
	head->nmaps = BPF_CORE_READ(iotlb, nmaps);
	head->root = (__u64)BPF_CORE_READ(iotlb, root.rb_root.rb_node);
	head->leftmost = (__u64)BPF_CORE_READ(iotlb, root.rb_leftmost);
}

static struct vhost_virtqueue *queue_of(struct vhost_dev *dev, int i)
{
	struct vhost_virtqueue **vqs = dev->vqs, *vq;

	if (i >= dev->nvqs || bpf_probe_read_kernel(&vq, sizeof(vq), vqs + i))
		return NULL;
	return vq;
}

static void copy_rings(struct vhost_dev *dev, const struct vhost_as *as, struct snapshot_head *head)
{
	for (int i = 0; i < SNAPSHOT_VQS; i++) {
		struct vhost_virtqueue *vq = queue_of(dev, i);

		__builtin_memset(head->ring[i], 0, sizeof(head->ring[i]));
		if (vq && BPF_CORE_READ(vq, as) == as)
			bpf_core_read(head->ring[i], sizeof(head->ring[i]), &vq->meta_iotlb);
	}
}

static void copy_space(struct vhost_dev *dev, struct vhost_as *as, struct snapshot_head *head,
		       bool other)
{
	head->asid = BPF_CORE_READ(as, id);
	head->now = BPF_CORE_READ(as, seq);
	head->iotlb = 0;
	if (dev->iotlb)
		copy_maps(__builtin_preserve_access_index(&as->iotlb), head, other);
	copy_rings(dev, as, head);
}

SEC("fexit/vhost_chr_write_iter")
int BPF_PROG(after_write, struct vhost_dev *dev)
{
	struct vhost_as *first = __builtin_preserve_access_index(&dev->as);
	struct vhost_virtqueue *tx;

	if (!enabled || bpf_get_current_pid_tgid() >> 32 != tgid)
		return 0;
	fill_layout();
	copy_space(dev, first, &heads[0], false);
	heads[1].iotlb = 0;
	tx = queue_of(dev, 1);
	if (tx && BPF_CORE_READ(tx, as) != first)
		copy_space(dev, BPF_CORE_READ(tx, as), &heads[1], true);
	calls++;
	return 0;
}
