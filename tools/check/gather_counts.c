// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

/* Before the skeleton, which uses its types. */
#include "iotlb_invalidations.h"

#include "device.h"
#include "facts.h"
#include "gather_counts.h"
#include "invalidations.skel.h"
#include "log.h"
#include "top/model.h"
#include "top/source.h"
#include "top/tracepoint.h"

/* Without counters: that the device is there, and whether it has an IOTLB. */
static int add_device(const struct vhost_device *found, void *arg)
{
	struct check_facts *facts = arg;
	struct check_device *device;
	size_t i;

	/* Held by two descriptors? */
	for (i = 0; found->has_id && i < facts->device_count; i++)
		if (facts->devices[i].id == found->id)
			return 0;
	if (facts->device_count == CHECK_MAX_DEVICES)
		return 0;
	device = &facts->devices[facts->device_count++];
	device->id = found->id;
	device->has_iotlb = found->has_iotlb;
	device->entries = found->entries;
	device->limit = found->limit;
	snprintf(device->tap, sizeof(device->tap), "%s", found->tap);
	return 0;
}

static void take_invalidations(struct invalidations_bpf *skel, struct check_device *device)
{
	int fd = bpf_map__fd(skel->maps.invalidations);

	/* None of a device that had none. */
	bpf_map_lookup_elem(fd, &device->id, &device->invalidations);
}

static void take_spaces(const struct top_device *from, struct check_device *device)
{
	const struct top_space *space;

	for (space = from->spaces; space < from->spaces + from->nr_spaces; space++)
		if (space->asid && space->state == TOP_HELD &&
		    device->space_count < VHOST_DEVICE_SPACES)
			device->spaces[device->space_count++] = (struct check_space){
				.pasid = space->asid,
				.entries = space->entries,
				.limit = space->limit,
				.counters = space->sum_total,
			};
}

static void take_counters(const struct top_sample *sample, struct check_device *device)
{
	size_t i;

	for (i = 0; i < sample->count; i++) {
		if (sample->devices[i]->id != device->id)
			continue;
		device->counters = sample->devices[i]->sum_total;
		take_spaces(sample->devices[i], device);
	}
}

/* The end, or a signal that asks for it. */
static void wait_for(double seconds)
{
	const struct timespec time = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (time_t)seconds) * 1e9),
	};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigtimedwait(&set, NULL, &time);
}

static int watch(struct check_facts *facts, struct source *source, struct invalidations_bpf *skel,
		 double seconds)
{
	struct model *model = model_new(&source_bpf, source, facts->pid);
	struct top_sample sample;
	size_t i;
	int err;

	if (!model) {
		log_error("out of memory");
		return -ENOMEM;
	}
	wait_for(seconds);
	err = model_sample(model, true, &sample);
	if (!err)
		err = vhost_device_for_each(facts->pid, add_device, facts);
	if (err)
		log_error("cannot look at the vhost devices of process %d: %s", facts->pid,
			  strerror(-err));
	facts->seconds = sample.elapsed;
	for (i = 0; !err && i < facts->device_count; i++) {
		take_counters(&sample, &facts->devices[i]);
		take_invalidations(skel, &facts->devices[i]);
	}
	model_free(model);
	return err;
}

static int open_and_watch(struct check_facts *facts, double seconds)
{
	const struct source_options options = {.max_queues = IOTLB_SLOTS_USABLE};
	struct source *source = source_bpf.open(&options);
	struct invalidations_bpf *skel;
	int err = -EPERM;

	if (!source)
		return err;
	skel = invalidations_bpf__open_and_load();
	if (!skel || invalidations_bpf__attach(skel)) {
		log_error("cannot count invalidations: %s", strerror(errno));
		err = -errno;
	} else {
		err = watch(facts, source, skel, seconds);
	}
	invalidations_bpf__destroy(skel);
	source_bpf.close(source);
	return err;
}

/* To watch devices that look nothing up takes time, and shows nothing. A kernel
 * that does not say whether they do is not the patched one.
 */
static bool is_any_in_use(const struct check_facts *facts)
{
	size_t i;

	for (i = 0; i < facts->device_count; i++)
		if (!facts->devices[i].id || facts->devices[i].has_iotlb)
			return true;
	return false;
}

int gather_counts(struct check_facts *facts, double seconds)
{
	int err = vhost_device_for_each(facts->pid, add_device, facts);

	if (err) {
		log_error("cannot look at process %d: %s", facts->pid, strerror(-err));
		return err;
	}
	facts->patched = true;
	if (!is_any_in_use(facts))
		return 0;
	facts->patched = vhost_has_tracepoint("vhost_iotlb_hit");
	if (!facts->patched)
		return 0;
	facts->device_count = 0;
	return open_and_watch(facts, seconds);
}
