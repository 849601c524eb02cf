/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process ends in the middle of traffic, and another takes its place and its
 * virtqueues: as in a guest's kernel, the PASID is taken out of the table and the
 * device told to forget all of it while packets are still under way, and only
 * then are the virtqueues stopped. What the device has not begun with is sent
 * once more by the process that follows.
 */
#ifndef BENCH_TURNOVER_H
#define BENCH_TURNOVER_H

#include "bench_options.h"
#include "start.h"
#include "stream.h"

struct turnover {
	const struct options *options;
	const struct layout *layout;
	const struct guest *guest;
	struct stream *streams;
	unsigned int nr_streams;
	struct start_sources sources;
	uint64_t ended; /* processes */
};

/**
 * turnover_run() - end the process that a stream belongs to, if its time has come
 *
 * Ends the process that we are if that fails.
 *
 * Return: has it? Then the streams of the process have nothing under way.
 */
bool turnover_run(struct turnover *t, const struct stream *s);

#endif /* BENCH_TURNOVER_H */
