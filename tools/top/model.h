/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What has happened to which device: a model of the devices and virtqueues of
 * the host, which samples make up to date. Knows nothing of how it is shown.
 */
#ifndef TOP_MODEL_H
#define TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "source.h"

/**
 * struct tally - counters over time
 * @now:	what the source says
 * @base:	what the source has said of this thing and forgotten
 * @total:	since the source was opened
 * @delta:	since the sample before
 */
struct tally {
	struct iotlb_counters now;
	struct iotlb_counters base;
	struct iotlb_counters total;
	struct iotlb_counters delta;
};

/**
 * struct top_queue - a virtqueue
 * @vq:		its index
 * @asid:	address space that it is in, as far as is known
 * @miss_asid:	where its latest miss was
 * @tally:	what is counted for it, wherever it was
 */
struct top_queue {
	uint32_t vq;
	uint32_t asid;
	uint32_t miss_asid;
	struct tally tally;
};

enum top_state {
	TOP_HELD,    /* some process has a vhost fd of this device */
	TOP_GONE,    /* not any more; in one sample only */
	TOP_RETIRED, /* was gone before: only in the final sample */
};

/**
 * struct top_space - an address space: what requests with a PASID are about, or
 * those without one, 0
 * @asid:	its number
 * @state:	as of a device; held while a virtqueue is in it
 * @has_entries: this is known:
 * @entries:	translations in it now
 * @limit:	most that it will hold
 * @tally:	the part of what is counted for the device that is about it; 0 also
 *		has what is about all
 * @sum:	this, and its virtqueues: what happened since the sample before;
 *		@sum_total since the source was opened. What a virtqueue did between
 *		two samples was where it was at the second.
 */
struct top_space {
	uint32_t asid;
	enum top_state state;
	bool has_entries;
	uint64_t entries;
	uint64_t limit;
	struct tally tally;
	struct iotlb_counters sum;
	struct iotlb_counters sum_total;
};

/**
 * struct top_device - a vhost device
 * @id:		as in the kernel's records
 * @state:	see above
 * @pid:	its owner, 0 if not known
 * @comm:	name of the owner, printable, "?" if not known
 * @path:	what the owner has opened, "" if not known
 * @tap:	network interface, printable, "" if not known
 * @has_entries: the device has an IOTLB, and this is known:
 * @entries:	translations in it now
 * @limit:	most that it will hold
 * @wanted:	belongs to the process that was asked for
 * @tgid:	process that has been seen to work for it, 0 if none was
 * @tally:	what is counted for the device
 * @queues:	virtqueues that something was counted for, by index
 * @count:	elements of @queues
 * @spaces:	address spaces, by number, 0 included
 * @nr_spaces:	elements of @spaces; 0 as long as there has been no other than 0
 * @held:	those that the kernel has told of; @nr_held is their number
 * @other_spaces: what was counted for those that were forgotten
 * @sum:	all virtqueues and the device: what happened since the sample
 *		before; @sum_total since the source was opened
 */
struct top_device {
	uint64_t id;
	enum top_state state;
	pid_t pid;
	char comm[16];
	char path[64];
	char tap[VHOST_DEVICE_TAP_MAX];
	bool has_entries;
	uint64_t entries;
	uint64_t limit;
	bool wanted;
	uint32_t tgid;
	struct tally tally;
	struct top_queue *queues;
	size_t count;
	struct top_space *spaces;
	size_t nr_spaces;
	struct vhost_space held[VHOST_DEVICE_SPACES];
	size_t nr_held;
	struct iotlb_counters other_spaces;
	struct iotlb_counters sum;
	struct iotlb_counters sum_total;
};

/**
 * struct top_sample - what a view shows
 * @time:	now, seconds since 1970
 * @elapsed:	seconds since the source was opened
 * @seconds:	since the sample before: what deltas are to be divided by
 * @final:	no sample comes after this one
 * @lost:	events not counted since the sample before; @lost_total: since
 *		the source was opened. Whose they were is not known.
 * @unavailable: what the source cannot have, see struct source_ops: to be shown
 *		as not known
 * @devices:	by id
 * @count:	elements of @devices
 * @sum:	all devices: since the sample before; @sum_total since the
 *		source was opened, devices that have long been gone included
 *
 * Valid until the next sample is taken.
 */
struct top_sample {
	double time;
	double elapsed;
	double seconds;
	bool final;
	uint64_t lost;
	uint64_t lost_total;
	uint64_t unavailable;
	const struct top_device **devices;
	size_t count;
	struct iotlb_counters sum;
	struct iotlb_counters sum_total;
};

/* Devices that are gone and of which the final sample will still tell. */
#define MODEL_RETIRED_MAX 1024

struct model;

/**
 * model_new() - a model of all devices
 * @ops:	what it gets its samples from
 * @source:	opened, and not to be closed before the model is freed
 * @pid:	only devices of this process matter; 0: all
 *
 * Return: the model, or NULL if memory is short.
 */
struct model *model_new(const struct source_ops *ops, struct source *source, pid_t pid);

void model_free(struct model *model);

/**
 * model_sample() - take a sample
 * @model:	the model
 * @final:	stop counting first, and tell of devices that are gone, too
 * @sample:	filled in
 *
 * Devices that have been found to be gone are in one sample. Then they are
 * retired, and the source is told to reclaim what it keeps of them. The same goes
 * for address spaces.
 *
 * Return: 0 or a negative errno.
 */
int model_sample(struct model *model, bool final, struct top_sample *sample);

#endif /* TOP_MODEL_H */
