/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user space's side of include/iotlb_counters.h: reads the slots in which BPF
 * programs count, and gives those back whose devices are gone.
 */
#ifndef TOP_SLOTS_H
#define TOP_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iotlb_counters.h"
#include "iotlb_probe.h"
#include "source.h"

struct bpf_object;

/**
 * struct source - what each source begins with that counts in slots
 * @slots:	IOTLB_SLOTS of them, in memory that BPF programs share
 * @things:	as many, which say what the slots count for, or NULL: the slots
 *		themselves say it
 * @owned:	how many slots have an owner
 * @can_wait:	slots can be given back
 * @count:	elements of @marked that are in use
 * @marked:	indices of the slots that belonged to a device at the last mark
 */
struct source {
	struct iotlb_slot *slots;
	struct iotlb_thing *things;
	__u64 *owned;
	bool can_wait;
	unsigned int count;
	unsigned int marked[IOTLB_SLOTS];
};

/**
 * slots_open() - open a source
 * @size:	of its structure, which will be zeroed
 * @attach:	starts counting and sets @slots, @things and @owned; false after an
 *		error, which it has told
 * @close:	frees the source, also after an error of @attach
 * @options:	for @attach
 *
 * libbpf says only with -v what it says of programs that do not load. Warns if slots
 * cannot be given back.
 *
 * Return: the source, or NULL after an error, which was told.
 */
struct source *slots_open(size_t size,
			  bool (*attach)(struct source *, const struct source_options *),
			  void (*close)(struct source *), const struct source_options *options);

/* These do what the operations of struct source_ops do that are called so. */
int slots_mark(struct source *source);
int slots_read(struct source *source, source_fn fn, void *arg);
int slots_reclaim(struct source *source, source_gone_fn gone, source_fn fn, void *arg);

/**
 * slots_lost() - events that were not counted
 * @object:	the programs
 * @lost:	those of which they know, in memory that they share
 */
uint64_t slots_lost(struct bpf_object *object, const __u64 *lost);

#endif /* TOP_SLOTS_H */
