/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What probes on functions of vhost see of it, and of what hangs on a vhost fd:
 * only the members that they use, found at load time by CO-RE in the BTF of the
 * kernel and of its modules.
 */
#ifndef BPF_VHOST_INSIDE_H
#define BPF_VHOST_INSIDE_H

#include <linux/types.h>

/* As in the headers for user space, which cannot be included here. */
#define VHOST_ACCESS_RO 1
#define VHOST_ACCESS_WO 2
#define VHOST_IOTLB_MISS 1
#define VHOST_IOTLB_UPDATE 2
#define VIRTIO_RING_F_EVENT_IDX 29

#define VHOST_IOTLB_FLAG_RETIRE 1 /* to be evicted from */

/* Bound to these types at load time; the rest of each type is left out. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

struct iovec {
	void *iov_base;
	__u64 iov_len;
};

struct iov_iter {
	__u8 iter_type;
	size_t iov_offset;
	const struct iovec *__iov;
	void *ubuf;
};

struct vhost_iotlb_map {
	__u64 start;
	__u32 perm;
};

struct vhost_iotlb {
	__u32 limit;
	__u32 nmaps;
	__u32 flags;
};

struct vhost_dev {
	struct vhost_virtqueue **vqs;
	int nvqs;
	struct vhost_iotlb *iotlb;
	struct list_head read_list;
};

/* Of a vhost that remembers the one miss of a virtqueue. */
struct vhost_iotlb_miss {
	__u64 iova;
};

#define VHOST_NUM_ADDRS 3 /* descriptor table, available ring, used ring */

struct vhost_virtqueue {
	struct vhost_dev *dev;
	__u32 num;
	void *desc;
	void *avail;
	void *used;
	const struct vhost_iotlb_map *meta_iotlb[VHOST_NUM_ADDRS];
	struct iovec iotlb_iov[64];
	struct iovec log_iov[64];
	struct vhost_iotlb *iotlb;
	void *private_data;
	__u64 acked_features;
	struct vhost_iotlb_miss iotlb_miss;
};

/* On 64 bits, this is at the same place in both forms of a message. */
struct vhost_iotlb_msg {
	__u64 iova;
	__u64 size;
	__u64 uaddr;
	__u8 perm;
	__u8 type;
};

struct vhost_msg {
	struct vhost_iotlb_msg iotlb;
};

struct vhost_msg_node {
	struct vhost_msg msg;
	struct vhost_virtqueue *vq;
};

struct vhost_net {
	struct vhost_dev dev;
};

/* From an fd to the device, and from the device to its network interface. */

struct module {
	char name[56];
};

struct file_operations {
	struct module *owner;
};

struct file {
	const struct file_operations *f_op;
	void *private_data;
};

struct socket {
	struct file *file;
};

struct net_device {
	char name[16];
};

struct tun_struct {
	struct net_device *dev;
};

struct tun_file {
	struct socket socket;
	struct tun_struct *tun;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif /* BPF_VHOST_INSIDE_H */
