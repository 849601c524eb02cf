// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "events.h"
#include "log.h"
#include "record.skel.h"
#include "top/diagnose.h"
#include "top/slots.h"
#include "top/tracepoint.h"

/* Between two looks at the clock and at signals. */
#define EVENTS_AT_A_TIME 100000

struct events {
	struct record_bpf *skel;
	struct ring_buffer *ring;
	event_fn fn;
	void *arg;
};

static int take(void *context, void *data, size_t size)
{
	struct events *events = context;

	if (size >= sizeof(struct iotlb_event))
		events->fn(events->arg, data);
	return 0;
}

/* Where programs find the numbers of devices and virtqueues. */
static int set_offsets(struct record_bpf *skel)
{
	struct vhost_member members[] = {
		{.type = "vhost_virtqueue", .name = "dev"},
		{.type = "vhost_virtqueue", .name = "index"},
		{.type = "vhost_dev", .name = "id"},
		/* Not in all. */
		{.type = "vhost_virtqueue", .name = "asid"},
	};

	skel->rodata->has_asid = vhost_tells_asid();
	if (!vhost_find_members(members, skel->rodata->has_asid ? 4 : 3))
		return -ENOENT;
	skel->rodata->vq_dev_at = members[0].offset;
	skel->rodata->vq_index_at = members[1].offset;
	skel->rodata->dev_id_at = members[2].offset;
	skel->rodata->vq_asid_at = members[3].offset;
	return 0;
}

static bool attach(struct events *events, unsigned int kib)
{
	int err;

	events->skel = record_bpf__open();
	if (!events->skel) {
		log_error("cannot open the BPF programs for events: %s", strerror(errno));
		return false;
	}
	bpf_program__set_autoload(events->skel->progs.record_fail,
				  vhost_has_tracepoint("vhost_iotlb_fail"));
	err = set_offsets(events->skel);
	if (!err)
		err = bpf_map__set_max_entries(events->skel->maps.events, kib * 1024);
	if (!err)
		err = record_bpf__load(events->skel);
	if (!err)
		err = record_bpf__attach(events->skel);
	if (err) {
		diagnose_attach(err);
		return false;
	}
	events->ring = ring_buffer__new(bpf_map__fd(events->skel->maps.events), take, events, NULL);
	if (!events->ring)
		log_error("cannot read the ring buffer of events: %s", strerror(errno));
	return events->ring;
}

struct events *events_open(unsigned int kib, event_fn fn, void *arg)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events) {
		log_error("out of memory");
		return NULL;
	}
	events->fn = fn;
	events->arg = arg;
	if (attach(events, kib))
		return events;
	events_close(events);
	return NULL;
}

int events_read(struct events *events)
{
	int count = ring_buffer__consume_n(events->ring, EVENTS_AT_A_TIME);

	return count < 0 ? count : 0;
}

int events_stop(struct events *events)
{
	int count;

	record_bpf__detach(events->skel);
	count = ring_buffer__consume(events->ring);
	return count < 0 ? count : 0;
}

uint64_t events_lost(const struct events *events)
{
	return slots_lost(events->skel->obj, &events->skel->bss->lost);
}

void events_close(struct events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	record_bpf__destroy(events->skel);
	free(events);
}
