// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* Before the skeleton, which uses its types. */
#include "iotlb_counters.h"

#include "counters.skel.h"
#include "diagnose.h"
#include "log.h"
#include "rates.h"
#include "source.h"
#include "tracepoint.h"

/**
 * struct source - the BPF programs and what is needed to read their counters
 * @skel:	programs, and the memory that they share with this process
 * @can_wait:	wait_for_programs() works
 * @has_watchdog: there is the tracepoint of misses that change hands
 * @count:	elements of @marked that are in use
 * @marked:	indices of the slots that belonged to a device at the last mark
 */
struct source {
	struct counters_bpf *skel;
	bool can_wait;
	bool has_watchdog;
	unsigned int count;
	unsigned int marked[IOTLB_SLOTS];
};

/* Programs write to all that is read and written with these. */
#define LOAD(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define STORE(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELEASE)

static struct iotlb_slot *slot_at(struct source *source, unsigned int index)
{
	return &source->skel->bss->slots[index];
}

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

static bool attach(struct source *source, const struct source_options *options)
{
	int err;

	source->skel = counters_bpf__open();
	if (!source->skel) {
		log_error("cannot open the BPF counters: %s", strerror(errno));
		return false;
	}
	source->skel->rodata->usable = options->max_queues;
	source->has_watchdog = vhost_has_tracepoint("vhost_iotlb_fallback");
	bpf_program__set_autoload(source->skel->progs.count_fallback, source->has_watchdog);
	err = counters_bpf__load(source->skel);
	if (!err)
		err = counters_bpf__attach(source->skel);
	if (err) {
		diagnose_attach(err);
		return false;
	}
	source->can_wait = can_wait_for_programs();
	return true;
}

static void source_close(struct source *source)
{
	counters_bpf__destroy(source->skel);
	free(source);
}

static struct source *source_open(const struct source_options *options)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source) {
		log_error("out of memory");
		return NULL;
	}
	libbpf_set_print(print_libbpf);
	if (attach(source, options))
		return source;
	source_close(source);
	return NULL;
}

static int source_mark(struct source *source)
{
	unsigned int i;

	source->count = 0;
	for (i = 0; i < IOTLB_SLOTS; i++)
		if (LOAD(slot_at(source, i)->dev))
			source->marked[source->count++] = i;
	return 0;
}

static int source_owners(struct source *source, vhost_device_fn fn, void *arg)
{
	(void)source;
	return vhost_device_for_each(0, fn, arg);
}

static void read_slot(const struct iotlb_slot *slot, uint64_t dev, struct source_reading *reading)
{
	unsigned int i;

	*reading = (struct source_reading){.dev = dev, .vq = slot->vq};
	/* Those who change a device may be others than its owner. */
	if (slot->vq != IOTLB_VQ_DEVICE) {
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

static int source_read(struct source *source, source_fn fn, void *arg)
{
	struct source_reading reading;
	struct iotlb_slot *slot;
	unsigned int i;
	int err = 0;

	for (i = 0; i < source->count && !err; i++) {
		slot = slot_at(source, source->marked[i]);
		read_slot(slot, slot->dev, &reading);
		err = fn(&reading, arg);
	}
	return err;
}

/* Nobody else writes to a slot that belongs to no device and is not free. */
static void empty_slot(struct source *source, struct iotlb_slot *slot)
{
	memset(&slot->counters, 0, sizeof(slot->counters));
	slot->miss_time = 0;
	STORE(slot->state, IOTLB_SLOT_FREE);
	__atomic_fetch_sub(&source->skel->bss->owned, 1, __ATOMIC_RELAXED);
}

/* Takes slots from what is gone; devs[i] becomes 0 for all others. */
static bool take_slots(struct source *source, source_gone_fn gone, void *arg, uint64_t *devs)
{
	struct iotlb_slot *slot;
	unsigned int i;
	bool any = false;

	for (i = 0; i < source->count; i++) {
		slot = slot_at(source, source->marked[i]);
		if (!gone(slot->dev, arg))
			continue;
		devs[i] = slot->dev;
		STORE(slot->dev, 0);
		any = true;
	}
	return any;
}

static int free_slots(struct source *source, const uint64_t *devs, source_fn fn, void *arg)
{
	struct source_reading reading;
	struct iotlb_slot *slot;
	unsigned int i;
	int err = 0;

	for (i = 0; i < source->count && !err; i++) {
		if (!devs[i])
			continue;
		slot = slot_at(source, source->marked[i]);
		read_slot(slot, devs[i], &reading);
		empty_slot(source, slot);
		err = fn(&reading, arg);
	}
	source->count = 0;
	return err;
}

static int source_reclaim(struct source *source, source_gone_fn gone, source_fn fn, void *arg)
{
	uint64_t *devs;
	int err = 0;

	if (!source->can_wait)
		return -EOPNOTSUPP;
	devs = calloc(source->count + 1, sizeof(*devs));
	if (!devs)
		return -ENOMEM;
	if (take_slots(source, gone, arg, devs)) {
		err = wait_for_programs();
		if (!err)
			err = free_slots(source, devs, fn, arg);
	}
	free(devs);
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

static uint64_t source_lost(struct source *source)
{
	uint64_t lost = LOAD(source->skel->bss->lost);
	struct bpf_program *program;

	bpf_object__for_each_program (program, source->skel->obj)
		lost += skipped_runs(program);
	return lost;
}

/* An older vhost has neither misses that change hands nor stale answers. */
static uint64_t source_unavailable(struct source *source)
{
	return source->has_watchdog ? 0 : COUNTERS_FALLBACKS | COUNTER(UPDATE_STALE);
}

static void source_stop(struct source *source)
{
	counters_bpf__detach(source->skel);
}

const struct source_ops source_bpf = {
	.open = source_open,
	.mark = source_mark,
	.owners = source_owners,
	.read = source_read,
	.reclaim = source_reclaim,
	.lost = source_lost,
	.unavailable = source_unavailable,
	.stop = source_stop,
	.close = source_close,
};
