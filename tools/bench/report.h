/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>

#include "miss_server.h"
#include "traffic.h"

struct report {
	const struct options *options;
	const struct traffic *traffic;
	const struct miss_server *server; /* NULL: another process serves */
};

/* Did everything that was sent arrive, and as it was? */
bool report_is_good(const struct report *r);

/* To the standard output. Return: 0, or -1 after a message. */
int report_print(const struct report *r);

/* One JSON object (report_json.c), one table (report_text.c). */
int report_json(const struct report *r);
int report_text(const struct report *r);

#endif /* BENCH_REPORT_H */
