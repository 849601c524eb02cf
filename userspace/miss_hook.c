// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/vhost.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/deliver.h"
#include "clock.h"
#include "deliver.skel.h"
#include "hook_trouble.h"
#include "iommu_view.h"
#include "log.h"
#include "miss_hook.h"
#include "miss_stats.h"

/* How often it is looked whether the hook is free. */
#define BUSY_STEP_US 20000

/**
 * struct miss_hook - the loaded BPF object
 * @skel:	its parts
 * @ring:	libbpf's view of the ring buffer
 * @attached:	the link that puts it into vhost
 * @records:	where the records that are being taken go
 * @count:	how many there are
 * @strange:	records that could not be understood
 * @follow:	as of struct miss_hook_options
 * @can_set_flags: where the kernel resolves misses, it sets accessed and dirty flags
 * @gone:	what it has so resolved, or not, of devices whose place has another now
 * @left:	by place in "units": has a device left it since programs were
 *		last waited for?
 * @spaces_left: the same for "spaces": is there something that was taken out of it?
 * @counted:	by place in "units": the device whose counts are there
 */
struct miss_hook {
	struct deliver_bpf *skel;
	struct ring_buffer *ring;
	struct bpf_link *attached;
	struct iotlb_record *records;
	size_t count;
	uint64_t strange;
	bool follow;
	bool can_set_flags;
	struct miss_stats gone;
	bool left[DELIVER_MAX_DEVICES];
	bool spaces_left;
	uint64_t counted[DELIVER_MAX_DEVICES];
};

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	/* Our own messages say what failed; these say how. */
	if (!log_verbose || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static int take_record(void *arg, void *data, size_t size)
{
	struct miss_hook *hook = arg;
	const struct iotlb_record *record = data;

	/* A later version may be longer, so only what is known is copied. */
	if (size < sizeof(*record) || record->version != IOTLB_RECORD_VERSION) {
		hook->strange++;
		return 0;
	}
	hook->records[hook->count++] = *record;
	return 0;
}

/* Each program costs something where it is attached. */
static int attach_news(struct deliver_bpf *skel, bool follow)
{
	skel->links.memory_table_set = bpf_program__attach(skel->progs.memory_table_set);
	if (!skel->links.memory_table_set)
		return -errno;
	skel->links.owner_reset = bpf_program__attach(skel->progs.owner_reset);
	if (!skel->links.owner_reset)
		return -errno;
	if (!follow)
		return 0;
	skel->links.iotlb_flushed = bpf_program__attach(skel->progs.iotlb_flushed);
	return skel->links.iotlb_flushed ? 0 : -errno;
}

static int hook_load(struct miss_hook *hook, const struct miss_hook_options *options)
{
	struct deliver_bpf *skel = deliver_bpf__open();
	int err;

	if (!skel)
		return -errno;
	hook->skel = skel;

	skel->rodata->set_mem_table = VHOST_SET_MEM_TABLE;
	skel->rodata->follow = options->follow;
	skel->rodata->resolves = options->resolve && hook_can_resolve();
	err = bpf_map__set_max_entries(skel->maps.records, options->ring_size);
	if (err)
		return err;

	/* Its buckets alone take 2 MiB. */
	if (!options->pasids) {
		err = bpf_map__set_max_entries(skel->maps.spaces, 1);
		if (err)
			return err;
	}

	hook->follow = options->follow;
	hook->can_set_flags = options->resolve && hook_can_set_flags();
	bpf_program__set_autoload(skel->progs.iotlb_flushed, options->follow);

	err = deliver_bpf__load(skel);
	if (!err)
		err = attach_news(skel, options->follow);
	if (err)
		return err;

	hook->ring = ring_buffer__new(bpf_map__fd(skel->maps.records), take_record, hook, NULL);
	return hook->ring ? 0 : -errno;
}

int miss_hook_open(struct miss_hook **hook, const struct miss_hook_options *options)
{
	struct miss_hook *fresh;
	int err;

	err = hook_check();
	if (err)
		return err;
	if (options->follow && !hook_can_follow())
		return -EOPNOTSUPP;

	libbpf_set_print(print_libbpf);
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh) {
		log_error("no memory to load the BPF programs");
		return -ENOMEM;
	}
	err = hook_load(fresh, options);
	if (err) {
		miss_hook_close(fresh);
		hook_explain_load(err);
		return err;
	}
	*hook = fresh;
	return 0;
}

static int attach_once(struct miss_hook *hook)
{
	hook->attached = bpf_map__attach_struct_ops(hook->skel->maps.iotlbd);
	return hook->attached ? 0 : -errno;
}

int miss_hook_attach(struct miss_hook *hook, unsigned int patience_ms)
{
	uint64_t end = clock_now_ns() + patience_ms * NS_PER_MS;
	bool said = false;
	int err;

	bpf_link__destroy(hook->attached);
	while ((err = attach_once(hook)) == -EBUSY && clock_now_ns() < end) {
		if (!said)
			log_info("the miss hook of vhost is taken; waiting %u ms for whoever has "
				 "it to end",
				 patience_ms);
		said = true;
		usleep(BUSY_STEP_US);
	}
	if (err)
		hook_explain_attach(err, bpf_map__fd(hook->skel->maps.iotlbd));
	return err;
}

void miss_hook_close(struct miss_hook *hook)
{
	if (!hook)
		return;
	/* First nothing comes in any more, then the ring buffer goes. */
	bpf_link__destroy(hook->attached);
	ring_buffer__free(hook->ring);
	deliver_bpf__destroy(hook->skel);
	free(hook);
}

int miss_hook_ring_fd(const struct miss_hook *hook)
{
	return ring_buffer__epoll_fd(hook->ring);
}

static void set_submit_flags(struct miss_hook *hook, uint64_t flags)
{
	__atomic_store_n(&hook->skel->bss->submit_flags, flags, __ATOMIC_SEQ_CST);
	/* Pairs with the one in bpf/deliver.bpf.c, wakeup_flags(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void miss_hook_stay_awake(struct miss_hook *hook)
{
	set_submit_flags(hook, BPF_RB_NO_WAKEUP);
}

bool miss_hook_may_sleep(struct miss_hook *hook)
{
	set_submit_flags(hook, 0);
	if (!ring__avail_data_size(ring_buffer__ring(hook->ring, 0)))
		return true;
	miss_hook_stay_awake(hook);
	return false;
}

int miss_hook_link_fd(const struct miss_hook *hook)
{
	return bpf_link__fd(hook->attached);
}

size_t miss_hook_take(struct miss_hook *hook, struct iotlb_record *records, size_t max)
{
	hook->records = records;
	hook->count = 0;
	ring_buffer__consume_n(hook->ring, max);
	return hook->count;
}

uint64_t miss_hook_drops(const struct miss_hook *hook)
{
	return __atomic_load_n(&hook->skel->bss->drops, __ATOMIC_ACQUIRE);
}

uint64_t miss_hook_news_drops(const struct miss_hook *hook)
{
	return __atomic_load_n(&hook->skel->bss->news_drops, __ATOMIC_ACQUIRE);
}

/* How often it should have run, but was running there already, and was preempted */
static uint64_t left_out(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 0;
	return info.recursion_misses;
}

uint64_t miss_hook_news_count(const struct miss_hook *hook)
{
	return __atomic_load_n(&hook->skel->bss->news_count, __ATOMIC_ACQUIRE) +
	       left_out(hook->skel->progs.memory_table_set) +
	       left_out(hook->skel->progs.owner_reset);
}

uint64_t miss_hook_strange(const struct miss_hook *hook)
{
	return hook->strange;
}

size_t miss_hook_take_overflow(struct miss_hook *hook, struct iotlb_record *records, size_t max)
{
	const struct bpf_map *map = hook->skel->maps.overflow;
	struct deliver_queue queue;
	size_t count = 0;

	/* Always the first key: what is taken is deleted. */
	while (count < max && !bpf_map__get_next_key(map, NULL, &queue, sizeof(queue))) {
		if (bpf_map__lookup_and_delete_elem(map, &queue, sizeof(queue), &records[count],
						    sizeof(*records), 0))
			break;
		count++;
	}
	return count;
}

int miss_hook_serve(struct miss_hook *hook, uint64_t dev)
{
	const struct deliver_counts none = {};
	const struct deliver_device fresh = {
		.paused = hook->follow,
	};
	int err;

	/* First the counts, which the program does not make. */
	err = bpf_map__update_elem(hook->skel->maps.counts, &dev, sizeof(dev), &none, sizeof(none),
				   BPF_ANY);
	if (!err)
		err = bpf_map__update_elem(hook->skel->maps.served, &dev, sizeof(dev), &fresh,
					   sizeof(fresh), BPF_NOEXIST);
	if (err)
		return err;
	bpf_map__delete_elem(hook->skel->maps.ignored, &dev, sizeof(dev), 0);
	return 0;
}

/* Where the device has its place, whether it is there or not. */
static struct resolver_device *unit_of(const struct miss_hook *hook, uint64_t dev)
{
	return &hook->skel->data_units->units[dev % DELIVER_MAX_DEVICES];
}

static void add_resolved(struct miss_stats *stats, const struct resolver_device *unit)
{
	stats->resolved += __atomic_load_n(&unit->resolved, __ATOMIC_RELAXED);
	stats->large += __atomic_load_n(&unit->large, __ATOMIC_RELAXED);
	stats->faults += __atomic_load_n(&unit->faults, __ATOMIC_RELAXED);
}

/*
 * When bpf(2) has put a map into another one, it waits for the programs that may
 * still use the one that was there before: the way to have it wait for those
 * that run now. It is for programs that cannot sleep; vhost takes no others.
 *
 * This may take some 10 ms. But a place is used again after DELIVER_MAX_DEVICES
 * devices at the earliest, unless it is by the same device; and once is enough
 * for all that have been left.
 */
static int wait_for_programs(struct miss_hook *hook)
{
	int inner = bpf_map__fd(hook->skel->maps.grace_inner);
	__u32 key = 0;
	int err;

	err = bpf_map__update_elem(hook->skel->maps.grace, &key, sizeof(key), &inner, sizeof(inner),
				   BPF_ANY);
	if (err)
		return err;
	memset(hook->left, 0, sizeof(hook->left));
	hook->spaces_left = false;
	return 0;
}

/* What a walk that is under way still counts is counted: the counters stay. */
static void unresolve(struct miss_hook *hook, uint64_t dev)
{
	struct resolver_device *unit = unit_of(hook, dev);

	if (unit->dev != dev)
		return;
	__atomic_store_n(&unit->dev, 0, __ATOMIC_SEQ_CST);
	hook->left[dev % DELIVER_MAX_DEVICES] = true;
}

/* Those of the device that had the place go to the sum, unless it is the same. */
static void take_over_counts(struct miss_hook *hook, struct resolver_device *unit, uint64_t dev)
{
	uint64_t *counted = &hook->counted[dev % DELIVER_MAX_DEVICES];

	if (*counted == dev)
		return;
	add_resolved(&hook->gone, unit);
	unit->resolved = unit->large = unit->faults = 0;
	*counted = dev;
}

static bool is_same(const struct resolver_device *a, const struct resolver_device *b)
{
	const struct iommu_view one = {a->unit, a->pasid, a->source_id};
	const struct iommu_view other = {b->unit, b->pasid, b->source_id};

	return iommu_view_same(&one, &other);
}

bool miss_hook_can_resolve(const struct miss_hook *hook)
{
	return hook->skel->rodata->resolves;
}

bool miss_hook_sets_flags(const struct miss_hook *hook, uint64_t dev)
{
	return hook->can_set_flags && unit_of(hook, dev)->dev == dev;
}

/* See struct resolver_device for the order. */
int miss_hook_resolve(struct miss_hook *hook, uint64_t dev, const struct resolver_device *device)
{
	struct resolver_device *unit = unit_of(hook, dev);
	int err;

	/* The same as before, and nobody sees more than that. */
	if (unit->dev == dev && is_same(unit, device)) {
		__atomic_store_n(&unit->epoch, device->epoch, __ATOMIC_SEQ_CST);
		return 0;
	}
	unresolve(hook, dev);
	if (unit->dev)
		return -EBUSY;
	if (hook->left[dev % DELIVER_MAX_DEVICES]) {
		err = wait_for_programs(hook);
		if (err)
			return err;
	}
	take_over_counts(hook, unit, dev);
	unit->unit = device->unit;
	unit->pasid = device->pasid;
	unit->source_id = device->source_id;
	unit->epoch = device->epoch;
	__atomic_store_n(&unit->dev, dev, __ATOMIC_RELEASE);
	return 0;
}

/* Memory of a value that was deleted or replaced is used for the next one at once,
 * while a program may still read it.
 */
static int put_space(struct miss_hook *hook, const struct deliver_space *key,
		     const struct vtd_space *space)
{
	const struct bpf_map *map = hook->skel->maps.spaces;
	int err = hook->spaces_left ? wait_for_programs(hook) : 0;

	if (!err)
		err = bpf_map__update_elem(map, key, sizeof(*key), space, sizeof(*space),
					   BPF_NOEXIST);
	if (err != -EEXIST)
		return err;
	hook->spaces_left = true;
	return bpf_map__update_elem(map, key, sizeof(*key), space, sizeof(*space), BPF_EXIST);
}

static int drop_space(struct miss_hook *hook, const struct deliver_space *key)
{
	int err = bpf_map__delete_elem(hook->skel->maps.spaces, key, sizeof(*key), 0);

	if (err == -ENOENT)
		return 0;
	hook->spaces_left = true;
	return err;
}

int miss_hook_set_space(struct miss_hook *hook, uint64_t dev, uint32_t pasid,
			const struct vtd_space *space)
{
	const struct deliver_space key = {.dev = dev, .pasid = pasid};

	return space ? put_space(hook, &key, space) : drop_space(hook, &key);
}

void miss_hook_unserve(struct miss_hook *hook, uint64_t dev)
{
	unresolve(hook, dev);
	bpf_map__delete_elem(hook->skel->maps.served, &dev, sizeof(dev), 0);
	bpf_map__delete_elem(hook->skel->maps.counts, &dev, sizeof(dev), 0);
	miss_hook_seen(hook, dev, IOTLB_RECORD_MEMORY);
	miss_hook_seen(hook, dev, IOTLB_RECORD_REPLACED);
	miss_hook_seen(hook, dev, IOTLB_RECORD_FLUSHED);
}

static bool get_device(const struct miss_hook *hook, uint64_t dev, struct deliver_device *device)
{
	return !bpf_map__lookup_elem(hook->skel->maps.served, &dev, sizeof(dev), device,
				     sizeof(*device), 0);
}

static void set_device(struct miss_hook *hook, uint64_t dev, const struct deliver_device *device)
{
	bpf_map__update_elem(hook->skel->maps.served, &dev, sizeof(dev), device, sizeof(*device),
			     BPF_EXIST);
}

void miss_hook_throttle(struct miss_hook *hook, uint64_t dev, bool throttled)
{
	struct deliver_device device;

	if (!get_device(hook, dev, &device))
		return;
	device.throttled = throttled;
	set_device(hook, dev, &device);
}

static void set_paused(struct miss_hook *hook, uint64_t dev, bool paused, uint64_t iotlb_gen)
{
	struct deliver_device device;

	if (!get_device(hook, dev, &device))
		return;
	device.paused = paused;
	device.epoch = iotlb_gen;
	set_device(hook, dev, &device);
}

void miss_hook_know(struct miss_hook *hook, uint64_t dev, uint64_t iotlb_gen)
{
	set_paused(hook, dev, false, iotlb_gen);
}

void miss_hook_pause(struct miss_hook *hook, uint64_t dev, uint64_t iotlb_gen)
{
	set_paused(hook, dev, true, iotlb_gen);
}

void miss_hook_forget(struct miss_hook *hook, uint64_t dev, uint64_t iotlb_gen)
{
	unresolve(hook, dev);
	miss_hook_pause(hook, dev, iotlb_gen);
}

void miss_hook_count_device(const struct miss_hook *hook, uint64_t dev, struct miss_stats *stats)
{
	const struct resolver_device *unit = unit_of(hook, dev);
	struct deliver_counts counts = {};

	bpf_map__lookup_elem(hook->skel->maps.counts, &dev, sizeof(dev), &counts, sizeof(counts),
			     0);
	stats->drops = counts.drops;
	stats->passed = counts.passed;
	stats->resolved = stats->large = stats->faults = 0;
	if (hook->counted[dev % DELIVER_MAX_DEVICES] == dev)
		add_resolved(stats, unit);
}

void miss_hook_count_all(const struct miss_hook *hook, struct miss_stats *stats)
{
	const struct resolver_device *unit = hook->skel->data_units->units;
	size_t i;

	stats->resolved = hook->gone.resolved;
	stats->large = hook->gone.large;
	stats->faults = hook->gone.faults;
	for (i = 0; i < DELIVER_MAX_DEVICES; i++, unit++)
		add_resolved(stats, unit);
	stats->drops = miss_hook_drops(hook);
	stats->passed = __atomic_load_n(&hook->skel->bss->passed, __ATOMIC_RELAXED);
}

void miss_hook_ignore(struct miss_hook *hook, uint64_t dev, uint64_t until_ns)
{
	bpf_map__update_elem(hook->skel->maps.ignored, &dev, sizeof(dev), &until_ns,
			     sizeof(until_ns), BPF_ANY);
}

void miss_hook_seen(struct miss_hook *hook, uint64_t dev, enum iotlb_record_kind kind)
{
	const struct deliver_news key = {.dev = dev, .kind = kind};

	bpf_map__delete_elem(hook->skel->maps.news, &key, sizeof(key), 0);
}
