// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what the device IOTLB of a vhost without tracepoints does, by probes on
 * its functions. Counts are the same as those of counters.bpf.c, as far as they
 * can be had. User space loads those programs only whose functions there are.
 *
 *	translate_desc()		hits of buffers, and of rings that are in
 *					pieces
 *	vq_meta_prefetch()		hits of rings
 *	vhost_iotlb_itree_first()	the same, while not all of a ring is known
 *	vhost_enqueue_msg()		misses
 *	vhost_iotlb_add_range()		UPDATEs, evictions
 *	vhost_iotlb_del_range()		INVALIDATEs
 *	vhost_chr_write_iter()		of which device these are; UPDATEs that fail
 *	vhost_dev_init()		a device begins where another one may have been
 *
 * Who writes to a slot holds the mutex that counters.bpf.c speaks of, except for
 * the UPDATEs that fail.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <stddef.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "iotlb_counters.h"
#include "iotlb_probe.h"
#include "slots.h"
#include "vhost_inside.h"

/* A function has the arguments that it has. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

#define VQS_MAX 2048
#define PIECES_MAX 1024 /* UIO_MAXIOV */

enum iter_type {
	ITER_UBUF,
	ITER_IOVEC,
};

/* Parallel to the slots. */
struct iotlb_thing things[IOTLB_SLOTS];

/* The devices' numbers, by address; more than there are devices at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4 * IOTLB_SLOTS);
	__type(key, __u64);
	__type(value, __u64);
} numbers SEC(".maps");

__u64 last_number;

/* Who writes a message to which device, by thread. */
struct writing {
	__u64 dev;
	__u32 type; /* of the message, 0 if it cannot be read */
	__u32 done; /* translations were changed */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct writing);
} writings SEC(".maps");

/* Who looks up a ring of which not all is known, by thread. */
struct prefetch {
	__u64 vq;
	__u32 known; /* bits of the parts that are */
	__u32 area;  /* the part that was looked up last */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct prefetch);
} prefetches SEC(".maps");

/* How many there are. It is mostly 0, and faster to see than the map. */
__u64 prefetching;

/* An argument as a number: the verifier forbids most arithmetic on pointers. */
static __always_inline __u64 argument(void *ctx, __u32 n)
{
	__u64 value = 0;

	bpf_get_func_arg(ctx, n, &value);
	return value;
}

static __always_inline void count_lost(void)
{
	__sync_fetch_and_add(&lost, 1);
}

/*
 * Under which a slot is found: never 0, and never the same for two addresses. The
 * bits that the multiplication mixes best become the lowest ones, which choose
 * the slot.
 */
static __always_inline __u64 key_of(__u64 address)
{
	return __builtin_bswap64(address * 0x9e3779b97f4a7c15ULL);
}

/* No key has this bit, because addresses are multiples of 8. */
#define KEY_RETIRED (1ULL << 56)

static __always_inline __u64 number_of(__u64 dev)
{
	__u64 number, *found;

	found = bpf_map_lookup_elem(&numbers, &dev);
	if (found)
		return *found;
	number = __sync_fetch_and_add(&last_number, 1) + 1;
	/* Another virtqueue of this device may have been faster. */
	bpf_map_update_elem(&numbers, &dev, &number, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&numbers, &dev);
	return found ? *found : 0;
}

static __always_inline __u64 nth_vq(__u64 dev, __u32 n)
{
	struct vhost_virtqueue **vqs = BPF_CORE_READ((struct vhost_dev *)dev, vqs);
	__u64 vq = 0;

	bpf_probe_read_kernel(&vq, sizeof(vq), vqs + n);
	return vq;
}

static __always_inline __u32 nr_vqs(__u64 dev)
{
	__u32 nvqs = BPF_CORE_READ((struct vhost_dev *)dev, nvqs);

	return nvqs < VQS_MAX ? nvqs : VQS_MAX;
}

struct index_search {
	__u64 dev;
	__u64 vq;
	__u32 found;
};

static long compare_vq(__u32 index, struct index_search *search)
{
	if (nth_vq(search->dev, index) != search->vq)
		return 0;
	search->found = index;
	return 1;
}

static __always_inline __u32 index_of(__u64 dev, __u64 vq)
{
	struct index_search search = {
		.dev = dev,
		.vq = vq,
		.found = IOTLB_VQ_DEVICE,
	};

	bpf_loop(nr_vqs(dev), compare_vq, &search, 0);
	return search.found;
}

/* The index of the slot of a virtqueue, or if @vq is @dev of the device. */
__noinline int thing_slot(__u64 vq, __u64 dev)
{
	__u64 key = key_of(vq), number;
	int index = slot_find(key);

	if (index >= 0)
		return index;
	number = number_of(dev);
	if (number)
		index = slot_claim(key, 1);
	if (index < 0) {
		count_lost();
		return -1;
	}
	/* As in slot_at(). */
	barrier_var(index);
	things[index & (IOTLB_SLOTS - 1)].vq = index_of(dev, vq);
	barrier();
	/* Last: user space knows by this that the rest is there. */
	*(volatile __u64 *)&things[index & (IOTLB_SLOTS - 1)].dev = number;
	return index;
}

static __always_inline __u64 dev_of(__u64 vq)
{
	return (__u64)BPF_CORE_READ((struct vhost_virtqueue *)vq, dev);
}

static __always_inline void count_for_vq(__u64 vq, enum iotlb_counter which, __u64 times)
{
	__u64 key = key_of(vq);
	struct iotlb_slot *slot = &slots[iotlb_slot_home(key)];
	int index;

	barrier_var(slot);
	if (slot->key != key) {
		index = thing_slot(vq, dev_of(vq));
		if (index < 0)
			return;
		slot = slot_at(index);
	}
	slot->counters.count[which] += times;
}

/* Only of a device whose mutex is held. */
static __always_inline void count_for_dev(__u64 dev, enum iotlb_counter which)
{
	int index = thing_slot(dev, dev);

	if (index >= 0)
		count(slot_at(index), which);
}

static __always_inline int within(__u64 address, __u64 start, __u64 size)
{
	return address - start < size;
}

/* The part of the ring that the address lies in, see enum iotlb_counter. */
__noinline int area_of(__u64 address, __u64 vq_address)
{
	struct vhost_virtqueue *vq = (void *)vq_address;
	__u64 num = BPF_CORE_READ(vq, num);
	__u64 event = BPF_CORE_READ(vq, acked_features) & 1ULL << VIRTIO_RING_F_EVENT_IDX ? 2 : 0;

	if (within(address, (__u64)BPF_CORE_READ(vq, desc), num * 16))
		return IOTLB_HIT_DESC;
	if (within(address, (__u64)BPF_CORE_READ(vq, avail), 4 + num * 2 + event))
		return IOTLB_HIT_AVAIL;
	if (within(address, (__u64)BPF_CORE_READ(vq, used), 4 + num * 8 + event))
		return IOTLB_HIT_USED;
	return IOTLB_HIT_BUFFER;
}

/* How many pieces of memory there are before a miss. */
struct piece_search {
	__u64 iov;
	__u64 bytes; /* up to the miss */
	__u32 pieces;
};

static long count_piece(__u32 index, struct piece_search *search)
{
	struct iovec *iov = (struct iovec *)search->iov;
	__u64 length;

	if (!search->bytes)
		return 1;
	length = BPF_CORE_READ(iov, iov_len);
	search->bytes -= length < search->bytes ? length : search->bytes;
	search->iov += sizeof(struct iovec);
	search->pieces++;
	return 0;
}

/* Where this virtqueue has missed last. */
static __always_inline __u64 missed_address(__u64 vq_address)
{
	struct vhost_virtqueue *vq = (void *)vq_address;
	int index;

	if (bpf_core_field_exists(vq->iotlb_miss.iova))
		return BPF_CORE_READ(vq, iotlb_miss.iova);
	index = slot_find(key_of(vq_address));
	return index < 0 ? ~0ULL : slot_at(index)->miss_iova;
}

__noinline int pieces_before_miss(__u64 vq, __u64 address, __u64 len, __u64 iov)
{
	struct piece_search search = {.iov = iov};
	__u64 bytes = missed_address(vq) - address;

	/* Such a miss was not seen: it was not reported, or in another way. */
	if (bytes >= len) {
		count_lost();
		return 0;
	}
	search.bytes = bytes;
	bpf_loop(PIECES_MAX, count_piece, &search, 0);
	return search.pieces;
}

/* vhost's own arrays are for parts of rings. */
static __always_inline int is_for_ring(__u64 iov, __u64 vq)
{
	return iov == vq + bpf_core_field_offset(struct vhost_virtqueue, iotlb_iov) ||
	       iov == vq + bpf_core_field_offset(struct vhost_virtqueue, log_iov);
}

/* Does not rely on the number of arguments. Each piece of memory is a hit. */
SEC("fexit/translate_desc")
int BPF_PROG(count_translation, struct vhost_virtqueue *arg_vq, __u64 address, __u32 len)
{
	__u64 vq = argument(ctx, 0), iov = argument(ctx, 3), result = 0;
	int area = IOTLB_HIT_BUFFER, ret, pieces;

	/* Without an IOTLB, the memory table is searched. */
	if (!arg_vq->dev->iotlb)
		return 0;
	bpf_get_func_ret(ctx, &result);
	ret = result;
	pieces = ret;
	if (ret == -EAGAIN)
		pieces = pieces_before_miss(vq, address, len, iov);
	else if (ret == -ENOBUFS)
		pieces = (int)argument(ctx, 4);
	if (pieces <= 0)
		return 0;
	if (is_for_ring(iov, vq))
		area = area_of(address, vq);
	/* As in slot_at(). */
	barrier_var(area);
	count_for_vq(vq, area & 3, pieces);
	return 0;
}

/* While all parts of a ring are known, that is all. */
SEC("fentry/vq_meta_prefetch")
int BPF_PROG(begin_prefetch, struct vhost_virtqueue *vq)
{
	struct prefetch prefetch = {.vq = argument(ctx, 0)};
	__u64 thread;

	if (!vq->iotlb || (!vq->desc && !vq->avail && !vq->used))
		return 0;
	if (vq->meta_iotlb[0])
		prefetch.known |= 1;
	if (vq->meta_iotlb[1])
		prefetch.known |= 2;
	if (vq->meta_iotlb[2])
		prefetch.known |= 4;
	if (prefetch.known == 7) {
		count_for_vq(prefetch.vq, IOTLB_HIT_META, 1);
		return 0;
	}
	thread = bpf_get_current_pid_tgid();
	if (bpf_map_update_elem(&prefetches, &thread, &prefetch, BPF_NOEXIST))
		count_lost();
	else
		__sync_fetch_and_add(&prefetching, 1);
	return 0;
}

/* Every piece of a part of which not all is known. */
SEC("fexit/vhost_iotlb_itree_first")
int BPF_PROG(count_ring_piece, struct vhost_iotlb *iotlb, __u64 start, __u64 last,
	     struct vhost_iotlb_map *map)
{
	struct prefetch *prefetch;
	__u64 thread;
	__u32 access;
	int area;

	if (!*(volatile __u64 *)&prefetching)
		return 0;
	thread = bpf_get_current_pid_tgid();
	prefetch = bpf_map_lookup_elem(&prefetches, &thread);
	if (!prefetch)
		return 0;
	area = area_of(start, prefetch->vq);
	prefetch->area = area;
	if (area > IOTLB_HIT_USED)
		return 0;
	access = area == IOTLB_HIT_USED ? VHOST_ACCESS_WO : VHOST_ACCESS_RO;
	barrier_var(area);
	if (map && map->start <= start && map->perm & access)
		count_for_vq(prefetch->vq, area & 3, 1);
	return 0;
}

/* The parts that were known, up to the one that has missed. */
SEC("fexit/vq_meta_prefetch")
int BPF_PROG(end_prefetch, struct vhost_virtqueue *vq, int ret)
{
	__u64 thread;
	struct prefetch *prefetch;
	__u32 area;

	if (!*(volatile __u64 *)&prefetching)
		return 0;
	thread = bpf_get_current_pid_tgid();
	prefetch = bpf_map_lookup_elem(&prefetches, &thread);
	if (!prefetch)
		return 0;
	for (area = 0; area < VHOST_NUM_ADDRS; area++)
		if (prefetch->known & 1 << area && (ret || area < prefetch->area))
			count_for_vq(prefetch->vq, area, 1);
	bpf_map_delete_elem(&prefetches, &thread);
	__sync_fetch_and_add(&prefetching, -1);
	return 0;
}

/* vhost also moves what was read with this function, to another list. */
SEC("fentry/vhost_enqueue_msg")
int BPF_PROG(count_report, struct vhost_dev *dev, struct list_head *head,
	     struct vhost_msg_node *node)
{
	__u64 iova, vq = 0;
	struct iotlb_slot *slot;
	int index;

	if (argument(ctx, 1) !=
		    argument(ctx, 0) + bpf_core_field_offset(struct vhost_dev, read_list) ||
	    node->msg.iotlb.type != VHOST_IOTLB_MISS)
		return 0;
	bpf_core_read(&vq, sizeof(vq), &node->vq);
	index = thing_slot(vq, argument(ctx, 0));
	if (index < 0)
		return 0;
	slot = slot_at(index);
	if (!slot->tgid)
		slot_name(slot);
	iova = node->msg.iotlb.iova;

	count(slot, IOTLB_MISS);
	count(slot, IOTLB_MISS_FD);
	if (area_of(iova, vq) == IOTLB_HIT_BUFFER)
		count(slot, IOTLB_MISS_BUFFER);
	/* It may be reported again while nobody answers. */
	if (!slot->miss_time || slot->miss_iova != iova)
		slot->miss_time = bpf_ktime_get_ns();
	slot->miss_iova = iova;
	slot->miss_access = node->msg.iotlb.perm;
	return 0;
}

/* The type of the message that is about to be read, 0 if that is not to be seen. */
static __always_inline __u32 message_type(struct iov_iter *from)
{
	const __u64 offset = 8 + offsetof(struct vhost_iotlb_msg, type);
	const struct iovec *iov;
	__u64 base = 0;
	__u8 type = 0;

	if (from->iter_type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		base = (__u64)BPF_CORE_READ(from, ubuf);
	} else if (from->iter_type == bpf_core_enum_value(enum iter_type, ITER_IOVEC)) {
		iov = BPF_CORE_READ(from, __iov);
		if (BPF_CORE_READ(iov, iov_len) > from->iov_offset + offset)
			base = (__u64)BPF_CORE_READ(iov, iov_base);
	}
	if (!base || bpf_probe_read_user(&type, 1, (void *)(base + from->iov_offset + offset)))
		return 0;
	return type;
}

SEC("fentry/vhost_chr_write_iter")
int BPF_PROG(begin_write, struct vhost_dev *dev, struct iov_iter *from)
{
	struct writing writing = {
		.dev = argument(ctx, 0),
		.type = message_type(from),
	};
	__u64 thread = bpf_get_current_pid_tgid();

	if (bpf_map_update_elem(&writings, &thread, &writing, BPF_ANY))
		count_lost();
	return 0;
}

static __always_inline struct writing *writing_now(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&writings, &thread);
}

SEC("fentry/vhost_iotlb_add_range")
int BPF_PROG(count_eviction, struct vhost_iotlb *iotlb, __u64 start, __u64 last)
{
	struct writing *writing = writing_now();

	if (writing && last >= start && iotlb->nmaps >= iotlb->limit &&
	    iotlb->flags & VHOST_IOTLB_FLAG_RETIRE)
		count_for_dev(writing->dev, IOTLB_EVICT);
	return 0;
}

static long answer_vq(__u32 n, struct slot_update *update)
{
	int index = slot_find(key_of(nth_vq(update->dev, n)));

	if (index >= 0)
		slot_answer(slot_at(index), update);
	return 0;
}

/* vhost has yet to wake those who wait. */
SEC("fexit/vhost_iotlb_add_range")
int BPF_PROG(count_addition, struct vhost_iotlb *iotlb, __u64 start, __u64 last, __u64 addr,
	     __u32 perm, int ret)
{
	struct writing *writing = writing_now();
	struct slot_update update = {
		.iova = start,
		.size = last - start + 1,
		.time = bpf_ktime_get_ns(),
		.perm = perm,
	};

	/* Memory tables are filled with this function, too. */
	if (!writing || ret)
		return 0;
	writing->done = 1;
	update.dev = writing->dev;
	bpf_loop(nr_vqs(writing->dev), answer_vq, &update, 0);
	count_for_dev(writing->dev, IOTLB_UPDATE);
	return 0;
}

/* A device that is closed empties its IOTLB with this function, too. */
SEC("fentry/vhost_iotlb_del_range")
int BPF_PROG(count_removal, struct vhost_iotlb *iotlb, __u64 start, __u64 last)
{
	struct writing *writing = writing_now();

	if (!writing || writing->type == VHOST_IOTLB_UPDATE)
		return 0;
	writing->done = 1;
	count_for_dev(writing->dev, IOTLB_INVALIDATE);
	return 0;
}

/* No mutex is held here. Nobody else counts these. */
static __always_inline void count_failure(const struct writing *writing)
{
	int index = thing_slot(writing->dev, writing->dev);

	if (index >= 0)
		__sync_fetch_and_add(&slot_at(index)->counters.count[IOTLB_UPDATE_FAILED], 1);
}

SEC("fexit/vhost_chr_write_iter")
int BPF_PROG(end_write, struct vhost_dev *dev, struct iov_iter *from, long ret)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct writing *writing = bpf_map_lookup_elem(&writings, &thread);

	if (!writing)
		return 0;
	/* A message without sense is EINVAL, and no UPDATE. */
	if (ret == -EFAULT && !writing->done && writing->type == VHOST_IOTLB_UPDATE)
		count_failure(writing);
	/* Of what type it was is not known, or it was done by other functions. */
	else if (!writing->done && (ret > 0 || (ret == -EFAULT && !writing->type)))
		count_lost();
	bpf_map_delete_elem(&writings, &thread);
	return 0;
}

/* What was counted for this address was counted for another thing. */
static __always_inline void retire(__u64 address)
{
	__u64 key = key_of(address);
	int index = slot_find(key);

	if (index >= 0)
		__sync_val_compare_and_swap(&slot_at(index)->key, key, key | KEY_RETIRED);
}

static long retire_vq(__u32 n, __u64 *vqs)
{
	__u64 vq = 0;

	bpf_probe_read_kernel(&vq, sizeof(vq), (void *)(*vqs + n * sizeof(vq)));
	retire(vq);
	return 0;
}

SEC("fentry/vhost_dev_init")
int BPF_PROG(begin_device, struct vhost_dev *dev, struct vhost_virtqueue **vqs, int nvqs)
{
	__u64 key = argument(ctx, 0), array = argument(ctx, 1);

	bpf_map_delete_elem(&numbers, &key);
	retire(key);
	bpf_loop(nvqs < VQS_MAX ? nvqs : VQS_MAX, retire_vq, &array, 0);
	return 0;
}

static __always_inline int is_of_module(const struct file *file, const char *name)
{
	char owner[16] = "";
	__u32 i;

	bpf_probe_read_kernel_str(owner, sizeof(owner), BPF_CORE_READ(file, f_op, owner)->name);
	for (i = 0; i < sizeof(owner) && name[i]; i++)
		if (owner[i] != name[i])
			return 0;
	return !owner[i];
}

static __always_inline void read_tap(struct iotlb_probe_fd *out)
{
	struct socket *socket = NULL;
	struct vhost_virtqueue *vq;
	struct tun_file *tun_file;
	__u32 i;

	if (!bpf_core_type_exists(struct tun_file))
		return;
	/* Either virtqueue may have been the first to get its backend. */
	for (i = 0; i < 2 && !socket; i++) {
		vq = (struct vhost_virtqueue *)nth_vq(out->dev, i);
		socket = BPF_CORE_READ(vq, private_data);
	}
	if (!socket || !is_of_module(BPF_CORE_READ(socket, file), "tun"))
		return;
	tun_file = (void *)socket - bpf_core_field_offset(struct tun_file, socket);
	BPF_CORE_READ_STR_INTO(&out->tap, tun_file, tun, dev, name);
}

/* Tells of the vhost-net fds of all processes. */
SEC("iter/task_file")
int list_fds(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct iotlb_probe_fd out = {};
	struct vhost_iotlb *iotlb;
	struct vhost_net *net;

	if (!task || !file || !is_of_module(file, "vhost_net"))
		return 0;
	net = BPF_CORE_READ(file, private_data);
	if (!net)
		return 0;
	out.tgid = task->tgid;
	out.fd = ctx->fd;
	out.dev = (__u64)net;
	iotlb = BPF_CORE_READ(net, dev.iotlb);
	if (iotlb) {
		out.has_iotlb = 1;
		out.entries = BPF_CORE_READ(iotlb, nmaps);
		out.limit = BPF_CORE_READ(iotlb, limit);
	}
	read_tap(&out);
	bpf_seq_write(ctx->meta->seq, &out, sizeof(out));
	return 0;
}
