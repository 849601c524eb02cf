// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* Before the skeleton, which uses its types. */
#include "iotlb_counters.h"

#include "counters.skel.h"
#include "diagnose.h"
#include "log.h"
#include "rates.h"
#include "slots.h"
#include "source.h"
#include "tracepoint.h"

/**
 * struct source - the BPF programs and what is needed to read their counters
 * @skel:	programs, and the memory that they share with this process
 * @has_watchdog: there is the tracepoint of misses that change hands
 * @slots:	counters
 */
struct source {
	struct counters_bpf *skel;
	bool has_watchdog;
	struct slots slots;
};

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
	source->slots.slots = source->skel->bss->slots;
	source->slots.owned = &source->skel->bss->owned;
	slots_init(&source->slots);
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
	slots_quiet_libbpf();
	if (attach(source, options))
		return source;
	source_close(source);
	return NULL;
}

static int source_mark(struct source *source)
{
	return slots_mark(&source->slots);
}

static int source_owners(struct source *source, vhost_device_fn fn, void *arg)
{
	(void)source;
	return vhost_device_for_each(0, fn, arg);
}

static int source_read(struct source *source, source_fn fn, void *arg)
{
	return slots_read(&source->slots, fn, arg);
}

static int source_reclaim(struct source *source, source_gone_fn gone, source_fn fn, void *arg)
{
	return slots_reclaim(&source->slots, gone, fn, arg);
}

static uint64_t source_lost(struct source *source)
{
	return slots_lost(source->skel->obj, &source->skel->bss->lost);
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
