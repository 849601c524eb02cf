/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>

#include "miss_server.h"
#include "traffic.h"

struct progress {
	const struct miss_server *server; /* NULL: not ours */
	bool is_terminal;
	unsigned int seconds;
};

void progress_init(struct progress *p, const struct miss_server *server);

/* For struct traffic: @arg is a struct progress. */
void progress_show(const struct traffic *t, void *arg);

/* Leave the standard error at the start of an empty line. */
void progress_end(const struct progress *p);

#endif /* BENCH_PROGRESS_H */
