// SPDX-License-Identifier: GPL-2.0
/*
 * Hands the IOTLB misses of vhost devices to a daemon through a ring buffer,
 * unless it can resolve them itself (resolve.h): those of devices that have an
 * entry in "units".
 *
 * The daemon says which devices it serves (map "served") and which it does not
 * (map "ignored"). The first miss of any other device tells the daemon that it
 * exists, and goes its usual way too, because the daemon may not want it.
 *
 * Nothing is lost if the ring buffer is full: vhost then puts the miss on the
 * vhost fd as ever. Since an owner that relies on the daemon may not read its
 * fd, the record also waits in the map "overflow", which has room for one miss
 * of each virtqueue; a virtqueue never has more than one outstanding.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "deliver.h"
#include "iotlb_record.h"
#include "resolve.h"
#include "resolve_asid.h"
#include "vhost.h"

/* What a program is attached to says which arguments it has. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

/* VHOST_SET_MEM_TABLE: linux/vhost.h needs a C library, which BPF has not. */
const volatile __u32 set_mem_table;

/* What the loader knows of a device counts while it has the same IOTLB. */
const volatile bool follow;

/*
 * The loader may have units, and there are the kfuncs. Otherwise the verifier does not
 * look at the walk, which takes most of its time.
 */
const volatile bool resolves;

/*
 * BPF_RB_NO_WAKEUP while the loader is awake. It looks for records once more
 * after it has set 0, and sleeps only if not even one is being made.
 */
volatile __u64 submit_flags;

/* Records that were made, so that there is an atomic operation: see submit(). */
__u64 made;

/* All devices together: see struct deliver_counts. */
__u64 drops;
__u64 passed;

/* News of devices that found no room: memory tables, IOTLBs. */
__u64 news_drops;

/* All news, told or not */
__u64 news_count;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DELIVER_MAX_DEVICES);
	__type(key, __u64);
	__type(value, struct deliver_device);
} served SEC(".maps");

/* Devices that are served, and whose IOMMU is known */
struct resolver_device units[DELIVER_MAX_DEVICES] SEC(".data.units");

/*
 * Not for programs: when the loader writes here, it returns once no program is
 * running any more that was running before. See struct resolver_device.
 */
struct grace_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} grace_inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct grace_inner);
} grace SEC(".maps");

/* Of the devices that are served. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DELIVER_MAX_DEVICES);
	__type(key, __u64);
	__type(value, struct deliver_counts);
} counts SEC(".maps");

/* Device id to the time in ns until which it is ignored. The oldest may fall
 * out: the device is then found to be unknown, and ignored, once more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DELIVER_MAX_DEVICES);
	__type(key, __u64);
	__type(value, __u64);
} ignored SEC(".maps");

/* News of served devices that the loader has been told of but not yet looked at:
 * an owner that sets one memory table after the other fills no ring buffer.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 3 * DELIVER_MAX_DEVICES); /* one of each kind */
	__type(key, struct deliver_news);
	__type(value, __u8);
} news SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DELIVER_MAX_OVERFLOW);
	__type(key, struct deliver_queue);
	__type(value, struct iotlb_record);
} overflow SEC(".maps");

static void fill_miss(struct iotlb_record *record, struct vhost_iotlb_miss_ctx *miss, __u64 dev,
		      __u32 flags)
{
	struct vhost_dev *device = miss->vq->dev;

	*record = (struct iotlb_record){
		.version = IOTLB_RECORD_VERSION,
		.kind = IOTLB_RECORD_MISS,
		.flags = flags,
		.time_ns = bpf_ktime_get_ns(),
		.dev = dev,
		.iova = miss->iova,
		.len = miss->len,
		.vq = miss->vq->index,
		.access = miss->access,
		.tgid = bpf_get_current_pid_tgid() >> 32,
		.asid = resolve_asid(miss),
	};
	if (bpf_core_field_exists(miss->token)) {
		record->flags |= IOTLB_RECORD_F_TOKEN;
		record->token = miss->token;
	}
	if (bpf_core_field_exists(device->umem_seq)) {
		record->flags |= IOTLB_RECORD_F_MEM_SEQ;
		record->mem_seq = device->umem_seq;
	}
}

/*
 * The loader must see that room is reserved, or be seen to sleep. A fetching
 * atomic operation orders the reservation before the look at the flags.
 */
static __u64 wakeup_flags(void)
{
	__u64 before = __sync_fetch_and_add(&made, 1);

	/* If nobody used it, the compiler would take one that does not fetch. */
	barrier_var(before);
	return submit_flags;
}

static void count_drop(__u64 dev)
{
	struct deliver_counts *count = bpf_map_lookup_elem(&counts, &dev);

	if (count)
		__sync_fetch_and_add(&count->drops, 1);
	__sync_fetch_and_add(&drops, 1);
}

/* A miss of a device that is not served goes its usual way too. */
static int deliver(struct vhost_iotlb_miss_ctx *miss, __u64 dev, bool is_served)
{
	__u32 flags = is_served ? 0 : IOTLB_RECORD_F_NEW;
	struct iotlb_record *record, late;
	struct deliver_queue queue;

	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (record) {
		fill_miss(record, miss, dev, flags);
		bpf_ringbuf_submit(record, wakeup_flags());
		return is_served ? VHOST_IOTLB_MISS_QUEUED : VHOST_IOTLB_MISS_PASS;
	}

	/* First the record, then the count that makes the daemon look. */
	fill_miss(&late, miss, dev, flags);
	queue = (struct deliver_queue){.dev = dev, .vq = late.vq};
	bpf_map_update_elem(&overflow, &queue, &late, BPF_ANY);
	count_drop(dev);
	return -ENOSPC;
}

static int pass(__u64 dev)
{
	struct deliver_counts *count = bpf_map_lookup_elem(&counts, &dev);

	if (count)
		__sync_fetch_and_add(&count->passed, 1);
	__sync_fetch_and_add(&passed, 1);
	return VHOST_IOTLB_MISS_PASS;
}

static void report(__u64 dev, __u16 kind)
{
	const struct deliver_news key = {.dev = dev, .kind = kind};
	struct iotlb_record *record;
	__u8 yes = 1;
	long err;

	__sync_fetch_and_add(&news_count, 1);
	if (!bpf_map_lookup_elem(&served, &dev))
		return;

	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		/* When it sees this, the daemon looks at every device. */
		__sync_fetch_and_add(&news_drops, 1);
		return;
	}
	err = bpf_map_update_elem(&news, &key, &yes, BPF_NOEXIST);
	if (err) {
		bpf_ringbuf_discard(record, wakeup_flags());
		if (err != -EEXIST)
			__sync_fetch_and_add(&news_drops, 1);
		return;
	}

	*record = (struct iotlb_record){
		.version = IOTLB_RECORD_VERSION,
		.kind = kind,
		.time_ns = bpf_ktime_get_ns(),
		.dev = dev,
		.tgid = bpf_get_current_pid_tgid() >> 32,
	};
	bpf_ringbuf_submit(record, wakeup_flags());
}

/* Of a device that is served */
static int deliver_or_pass(struct vhost_iotlb_miss_ctx *miss, __u64 dev,
			   const struct deliver_device *device)
{
	if (follow && device->epoch != miss->vq->dev->iotlb_gen) {
		report(dev, IOTLB_RECORD_REPLACED);
		return pass(dev);
	}
	if (device->throttled || device->paused)
		return pass(dev);
	return deliver(miss, dev, true);
}

/* A miss that the kernel does not resolve */
static int deliver_unresolved(struct vhost_iotlb_miss_ctx *miss, __u64 dev)
{
	struct deliver_device *device;
	__u64 *until;

	device = bpf_map_lookup_elem(&served, &dev);
	if (device)
		return deliver_or_pass(miss, dev, device);

	until = bpf_map_lookup_elem(&ignored, &dev);
	if (until && bpf_ktime_get_ns() < *until)
		return VHOST_IOTLB_MISS_PASS;

	return deliver(miss, dev, false);
}

static __always_inline struct resolver_device *unit_of(__u64 dev)
{
	struct resolver_device *unit = &units[dev % DELIVER_MAX_DEVICES];

	/* Or else each member of it would be looked for anew. */
	barrier_var(unit);
	return unit;
}

/* A miss that one walk does not resolve. A function of its own: see below. */
static __noinline int deliver_rest(struct vhost_iotlb_miss_ctx *miss, enum resolved resolved)
{
	const __u64 dev = miss->dev_id;
	struct resolver_device *unit = unit_of(dev);

	if (resolved == RESOLVED_FLAGS && resolve_with_flags(miss, unit, unit->pasid))
		return VHOST_IOTLB_MISS_RESOLVED;
	return deliver_unresolved(miss, dev);
}

/*
 * First what is hot: a miss without a PASID that one walk resolves. All else is in
 * functions of its own, which look for everything anew, so that nothing has to be
 * saved for it here.
 */
SEC("struct_ops/deliver_miss")
int BPF_PROG(deliver_miss, struct vhost_iotlb_miss_ctx *miss)
{
	const __u32 asid = resolve_asid(miss);
	const __u64 dev = miss->dev_id;
	struct resolver_device *unit = unit_of(dev);
	enum resolved resolved = RESOLVED_NO;

	if (resolves && unit->dev == dev && (!follow || unit->epoch == miss->vq->dev->iotlb_gen)) {
		if (!asid)
			resolved = resolve_walk(miss, unit, unit->pasid);
		else if (resolve_with_pasid(miss, unit, dev, asid))
			resolved = RESOLVED_YES;
	}
	if (resolved == RESOLVED_YES)
		return VHOST_IOTLB_MISS_RESOLVED;
	return deliver_rest(miss, resolved);
}

SEC("fexit/vhost:vhost_dev_ioctl")
int BPF_PROG(memory_table_set, struct vhost_dev *dev, unsigned int ioctl, void *argp, long ret)
{
	if (ioctl == set_mem_table && !ret)
		report(dev->id, IOTLB_RECORD_MEMORY);
	return 0;
}

/* The next owner, perhaps another process, starts with an empty table. */
SEC("fexit/vhost:vhost_dev_reset_owner")
int BPF_PROG(owner_reset, struct vhost_dev *dev)
{
	report(dev->id, IOTLB_RECORD_MEMORY);
	return 0;
}

/*
 * What follows is only loaded if the loader follows guests. A program is not run
 * where it is running already and was preempted, but there will be more of these.
 *
 * Of an INVALIDATE that is about everything: half of the smallest space there is.
 * Guests whose mappings go lazily send them all the time, besides those that have
 * set up their IOMMU anew.
 */
#define FLUSH_SIZE (1ULL << 38)

SEC("tp_btf/vhost_iotlb_invalidate")
int BPF_PROG(iotlb_flushed, struct vhost_dev *dev, __u64 iova, __u64 size)
{
	if (dev && size >= FLUSH_SIZE)
		report(dev->id, IOTLB_RECORD_FLUSHED);
	return 0;
}

/* The name of the map tells others who is attached. */
SEC(".struct_ops.link")
struct vhost_iotlb_ops iotlbd = {
	.miss = (void *)deliver_miss,
};
