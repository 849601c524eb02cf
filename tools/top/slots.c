// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "log.h"
#include "slots.h"

/* Programs write to all that is read and written with these. */
#define LOAD(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define STORE(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELEASE)

/*
 * Programs that have seen a device in a slot have ended when this returns: they
 * run under RCU, and this waits for a grace period.
 */
static int wait_for_programs(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return -errno;
	return 0;
}

/* Not so on kernels that run with nohz_full. */
static bool can_wait_for_programs(void)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (commands > 0 && commands & MEMBARRIER_CMD_GLOBAL)
		return true;
	log_warn("counters of devices that are gone cannot be used again, because this kernel "
		 "lacks MEMBARRIER_CMD_GLOBAL; restart this program when events get lost");
	return false;
}

/* libbpf tells much, and what matters of it diagnose_attach() tells. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!log_verbose || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

struct source *slots_open(size_t size,
			  bool (*attach)(struct source *, const struct source_options *),
			  void (*close)(struct source *), const struct source_options *options)
{
	struct source *source = calloc(1, size);

	if (!source) {
		log_error("out of memory");
		return NULL;
	}
	libbpf_set_print(print_libbpf);
	if (!attach(source, options)) {
		close(source);
		return NULL;
	}
	source->can_wait = can_wait_for_programs();
	return source;
}

static struct iotlb_slot *nth_marked(struct source *source, unsigned int n)
{
	return &source->slots[source->marked[n]];
}

static bool is_owned(struct source *source, unsigned int index)
{
	return LOAD(source->slots[index].key) &&
	       (!source->things || LOAD(source->things[index].dev));
}

int slots_mark(struct source *source)
{
	unsigned int i;

	source->count = 0;
	for (i = 0; i < IOTLB_SLOTS; i++)
		if (is_owned(source, i))
			source->marked[source->count++] = i;
	return 0;
}

static struct iotlb_thing thing_of(struct source *source, unsigned int n)
{
	const struct iotlb_slot *slot = nth_marked(source, n);

	if (source->things)
		return source->things[source->marked[n]];
	return (struct iotlb_thing){
		.dev = iotlb_key_dev(slot->key),
		.vq = iotlb_key_vq(slot->key),
		.asid = iotlb_key_asid(slot->key),
	};
}

static void read_slot(const struct iotlb_slot *slot, struct iotlb_thing thing,
		      struct source_reading *reading)
{
	unsigned int i;

	*reading = (struct source_reading){.dev = thing.dev, .vq = thing.vq, .asid = thing.asid};
	/* Those who change a device may be others than its owner. */
	if (thing.vq < IOTLB_VQ_SPACE) {
		reading->asid = slot->miss_asid;
		reading->tgid = slot->tgid;
		memcpy(reading->comm, slot->comm, sizeof(reading->comm) - 1);
	}
	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		reading->counters.count[i] = LOAD(slot->counters.count[i]);
	for (i = IOTLB_HIT_DESC; i <= IOTLB_HIT_USED; i++)
		reading->counters.count[i] += reading->counters.count[IOTLB_HIT_META];
	reading->counters.count[IOTLB_HIT_META] = 0;
	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		reading->counters.latency[i] = LOAD(slot->counters.latency[i]);
}

int slots_read(struct source *source, source_fn fn, void *arg)
{
	struct source_reading reading;
	unsigned int i;
	int err = 0;

	for (i = 0; i < source->count && !err; i++) {
		read_slot(nth_marked(source, i), thing_of(source, i), &reading);
		err = fn(&reading, arg);
	}
	return err;
}

/* Nobody else writes to a slot that belongs to no device and is not free. */
static void empty_slot(struct source *source, unsigned int n)
{
	struct iotlb_slot *slot = nth_marked(source, n);

	memset(&slot->counters, 0, sizeof(slot->counters));
	slot->miss_time = 0;
	slot->miss_asid = 0;
	if (source->things)
		source->things[source->marked[n]] = (struct iotlb_thing){};
	STORE(slot->state, IOTLB_SLOT_FREE);
	__atomic_fetch_sub(source->owned, 1, __ATOMIC_RELAXED);
}

/* Takes slots from what is gone; taken[n].dev becomes 0 for all others. */
static bool take_slots(struct source *source, source_gone_fn gone, void *arg,
		       struct iotlb_thing *taken)
{
	struct iotlb_thing thing;
	unsigned int i;
	bool any = false;

	for (i = 0; i < source->count; i++) {
		thing = thing_of(source, i);
		if (!gone(&thing, arg))
			continue;
		taken[i] = thing;
		STORE(nth_marked(source, i)->key, 0);
		any = true;
	}
	return any;
}

static int free_slots(struct source *source, const struct iotlb_thing *taken, source_fn fn,
		      void *arg)
{
	struct source_reading reading;
	unsigned int i;
	int err = 0;

	for (i = 0; i < source->count && !err; i++) {
		if (!taken[i].dev)
			continue;
		read_slot(nth_marked(source, i), taken[i], &reading);
		empty_slot(source, i);
		err = fn(&reading, arg);
	}
	source->count = 0;
	return err;
}

int slots_reclaim(struct source *source, source_gone_fn gone, source_fn fn, void *arg)
{
	struct iotlb_thing *taken;
	int err = 0;

	if (!source->can_wait)
		return -EOPNOTSUPP;
	taken = calloc(source->count + 1, sizeof(*taken));
	if (!taken)
		return -ENOMEM;
	if (take_slots(source, gone, arg, taken)) {
		err = wait_for_programs();
		if (!err)
			err = free_slots(source, taken, fn, arg);
	}
	free(taken);
	return err;
}

/* The kernel does not run a program that interrupts itself, but counts that. */
static uint64_t skipped_runs(struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 0;
	return info.recursion_misses;
}

uint64_t slots_lost(struct bpf_object *object, const __u64 *lost)
{
	uint64_t sum = LOAD(*lost);
	struct bpf_program *program;

	bpf_object__for_each_program (program, object)
		sum += skipped_runs(program);
	return sum;
}
