/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where counters come from. All that the model knows of the kernel, it knows
 * through these operations.
 */
#ifndef TOP_SOURCE_H
#define TOP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "iotlb_counters.h"
#include "iotlb_probe.h"

struct source;

/**
 * struct source_reading - counters of one thing
 * @dev:	id of the device
 * @vq:		index of the virtqueue, or IOTLB_VQ_DEVICE; or IOTLB_VQ_SPACE, for
 *		what would be of the device, but is about an address space
 * @asid:	that address space, not 0; of a virtqueue, where its latest miss was
 * @tgid:	process that probably owns the device, 0 if not known
 * @comm:	its name, or ""
 * @counters:	what was counted since the source was opened or the thing was
 *		reclaimed
 */
struct source_reading {
	uint64_t dev;
	uint32_t vq;
	uint32_t asid;
	uint32_t tgid;
	char comm[16];
	struct iotlb_counters counters;
};

/* Besides counters, whose bits are 1 << enum iotlb_counter. */
#define UNAVAILABLE_LATENCY (1ULL << 63) /* from a miss to its answer */

typedef int (*source_fn)(const struct source_reading *reading, void *arg);

/* Is this gone? */
typedef bool (*source_gone_fn)(const struct iotlb_thing *thing, void *arg);

/**
 * struct source_options - how a source is opened
 * @max_queues:	virtqueues and devices that may be counted at a time, at most
 *		IOTLB_SLOTS_USABLE
 */
struct source_options {
	unsigned int max_queues;
};

/**
 * struct source_ops - a kind of source
 * @open:	starts counting; NULL after an error, which it has told
 * @mark:	remembers what is counted at this moment, for @read
 * @owners:	calls a function for each vhost fd of each process
 * @read:	calls a function for all that was marked, perhaps several times
 *		for one thing: the sum is meant
 * @reclaim:	forgets what was marked and is gone; calls a function for what
 *		there was last
 * @lost:	events that could not be counted, since @open
 * @unavailable: what cannot be had on this kernel, and is always 0: bits
 *		1 << enum iotlb_counter and UNAVAILABLE_*; does not change
 * @stop:	no more is counted from now on, @read still works
 * @close:	frees the source
 *
 * Those that return int return 0, or a negative errno. A function that was
 * passed in ends the loop if it returns something else than 0, which is then
 * returned.
 *
 * A device that was marked and that nobody owns afterwards is gone, because
 * its events were there before it was looked for. The same goes for an address space
 * that has no virtqueue afterwards.
 */
struct source_ops {
	struct source *(*open)(const struct source_options *options);
	int (*mark)(struct source *source);
	int (*owners)(struct source *source, vhost_device_fn fn, void *arg);
	int (*read)(struct source *source, source_fn fn, void *arg);
	int (*reclaim)(struct source *source, source_gone_fn gone, source_fn fn, void *arg);
	uint64_t (*lost)(struct source *source);
	uint64_t (*unavailable)(struct source *source);
	void (*stop)(struct source *source);
	void (*close)(struct source *source);
};

/* Tracepoints of the patched vhost module, counted by BPF programs. */
extern const struct source_ops source_bpf;

/* The same of a vhost without the patches, by probes on its functions. */
extern const struct source_ops source_probe;

/**
 * source_probe_works() - has this vhost functions that misses can be seen by?
 *
 * Return: true if so; false also if the BTF of the module cannot be read.
 */
bool source_probe_works(void);

/**
 * source_choose() - the source that fits this vhost
 * @probes:	no tracepoints, even if there are some
 *
 * Without tracepoints, probes are taken, and a line says what is missing. If
 * neither works, the source that is returned says why when it is opened.
 */
const struct source_ops *source_choose(bool probes);

#endif /* TOP_SOURCE_H */
