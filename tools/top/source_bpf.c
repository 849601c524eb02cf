// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* Before the skeleton, which uses its types. */
#include "iotlb_counters.h"

#include "caps.h"
#include "counters.skel.h"
#include "counters_raw.skel.h"
#include "diagnose.h"
#include "log.h"
#include "rates.h"
#include "slots.h"
#include "source.h"
#include "tracepoint.h"

/**
 * struct traced - the BPF programs and what is needed to read their counters
 * @source:	counters
 * @skel:	programs, and the memory that they share with this process
 * @raw:	the same for who may do less; one of them is NULL
 * @has_watchdog: there is the tracepoint of misses that change hands
 * @has_fail:	there is that of accesses that fail
 * @has_asid:	the tracepoints tell address spaces
 */
struct traced {
	struct source source;
	struct counters_bpf *skel;
	struct counters_raw_bpf *raw;
	bool has_watchdog;
	bool has_fail;
	bool has_asid;
};

/* They differ in type only. */
#define EITHER(traced, member) ((traced)->skel ? (traced)->skel->member : (traced)->raw->member)

static struct traced *traced_of(struct source *source)
{
	return (struct traced *)source;
}

static int attach_typed(struct traced *traced, const struct source_options *options)
{
	struct counters_bpf *skel = counters_bpf__open();
	int err;

	traced->skel = skel;
	if (!skel)
		return -errno;
	skel->rodata->usable = options->max_queues;
	skel->rodata->has_asid = traced->has_asid;
	bpf_program__set_autoload(skel->progs.count_fallback, traced->has_watchdog);
	bpf_program__set_autoload(skel->progs.count_fail, traced->has_fail);
	err = counters_bpf__load(skel);
	return err ? err : counters_bpf__attach(skel);
}

static int attach_raw(struct traced *traced, const struct source_options *options)
{
	struct vhost_member members[] = {
		{.type = "vhost_virtqueue", .name = "dev"},
		{.type = "vhost_virtqueue", .name = "index"},
		{.type = "vhost_dev", .name = "id"},
		{.type = "vhost_dev", .name = "nvqs"},
		/* Not in all. */
		{.type = "vhost_virtqueue", .name = "asid"},
	};
	struct counters_raw_bpf *skel = counters_raw_bpf__open();
	int err;

	traced->raw = skel;
	if (!skel)
		return -errno;
	if (!vhost_find_members(members, traced->has_asid ? 5 : 4))
		return -ENOENT;
	skel->rodata->vq_dev_at = members[0].offset;
	skel->rodata->vq_index_at = members[1].offset;
	skel->rodata->dev_id_at = members[2].offset;
	skel->rodata->dev_nvqs_at = members[3].offset;
	skel->rodata->vq_asid_at = members[4].offset;
	skel->rodata->has_asid = traced->has_asid;
	skel->rodata->usable = options->max_queues;
	bpf_program__set_autoload(skel->progs.count_fallback, traced->has_watchdog);
	bpf_program__set_autoload(skel->progs.count_fail, traced->has_fail);
	err = counters_raw_bpf__load(skel);
	return err ? err : counters_raw_bpf__attach(skel);
}

static bool attach(struct source *source, const struct source_options *options)
{
	struct traced *traced = traced_of(source);
	int err;

	traced->has_watchdog = vhost_has_tracepoint("vhost_iotlb_fallback");
	traced->has_fail = vhost_has_tracepoint("vhost_iotlb_fail");
	traced->has_asid = vhost_tells_asid();
	/* Whoever may bind programs to the types of a module pays less for a hit. */
	if (caps_missing(CAP_BIT(SYS_ADMIN)))
		err = attach_raw(traced, options);
	else
		err = attach_typed(traced, options);
	if (err) {
		diagnose_attach(err);
		return false;
	}
	source->slots = EITHER(traced, bss->slots);
	source->owned = traced->skel ? &traced->skel->bss->owned : &traced->raw->bss->owned;
	diagnose_owners();
	return true;
}

static void source_close(struct source *source)
{
	struct traced *traced = traced_of(source);

	counters_bpf__destroy(traced->skel);
	counters_raw_bpf__destroy(traced->raw);
	free(traced);
}

static struct source *source_open(const struct source_options *options)
{
	return slots_open(sizeof(struct traced), attach, source_close, options);
}

static int source_owners(struct source *source, vhost_device_fn fn, void *arg)
{
	(void)source;
	return vhost_device_for_each(0, fn, arg);
}

static uint64_t source_lost(struct source *source)
{
	struct traced *traced = traced_of(source);

	return slots_lost(EITHER(traced, obj),
			  traced->skel ? &traced->skel->bss->lost : &traced->raw->bss->lost);
}

/* In an older vhost, no access fails, or not even misses change hands and answers are stale. */
static uint64_t source_unavailable(struct source *source)
{
	const struct traced *traced = traced_of(source);
	uint64_t unavailable = 0;

	if (!traced->has_watchdog)
		unavailable |= COUNTERS_FALLBACKS | COUNTER(UPDATE_STALE);
	if (!traced->has_fail)
		unavailable |= COUNTER(ACCESS_FAILED);
	return unavailable;
}

static void source_stop(struct source *source)
{
	struct traced *traced = traced_of(source);

	if (traced->skel)
		counters_bpf__detach(traced->skel);
	else
		counters_raw_bpf__detach(traced->raw);
}

const struct source_ops source_bpf = {
	.open = source_open,
	.mark = slots_mark,
	.owners = source_owners,
	.read = slots_read,
	.reclaim = slots_reclaim,
	.lost = source_lost,
	.unavailable = source_unavailable,
	.stop = source_stop,
	.close = source_close,
};
