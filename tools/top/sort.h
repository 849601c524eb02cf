/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_SORT_H
#define TOP_SORT_H

#include "model.h"

struct sort_key;

/* NULL if there is none of this name. */
const struct sort_key *sort_key_find(const char *name);

const char *sort_key_name(const struct sort_key *key);

/* All names, with ", " between them. */
const char *sort_key_names(void);

/**
 * sort_devices() - what is most worth seeing comes first
 * @devices:	to be sorted
 * @count:	how many there are
 * @key:	by what
 * @total:	by what happened in all, not since the sample before
 * @reverse:	the other way round
 *
 * Counts and latencies: highest first. Hit rates: lowest first. Names and
 * numbers: ascending. In either direction, those of which nothing can be said
 * come last, and among equals the lower device id first.
 */
void sort_devices(const struct top_device **devices, size_t count, const struct sort_key *key,
		  bool total, bool reverse);

#endif /* TOP_SORT_H */
