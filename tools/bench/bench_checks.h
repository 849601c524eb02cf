/* SPDX-License-Identifier: GPL-2.0 */
/* Which options go together. */
#ifndef BENCH_CHECKS_H
#define BENCH_CHECKS_H

#include <stdint.h>

#include "bench_options.h"

/**
 * bench_check() - does this command line make sense?
 *
 * Return: NULL, or what is wrong, for people, to be freed by the caller if it
 * goes on.
 */
char *bench_check(const struct options *o);

/* With processes: as many as they need. */
unsigned int bench_default_devices(const struct options *o);

/* Pages of 4K: many more than the kernel's device IOTLB has entries. */
uint64_t bench_default_working_set(void);

#endif /* BENCH_CHECKS_H */
