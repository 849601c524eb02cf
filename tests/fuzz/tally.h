/* SPDX-License-Identifier: GPL-2.0 */
/* What the messages came to, to see that nothing is left out. */
#ifndef FUZZ_TALLY_H
#define FUZZ_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "generate.h"

/* How a message ended. */
enum ending {
	ENDED_WELL,
	ENDED_SHORT, /* not all operations were applied */
	ENDED_EINVAL,
	ENDED_E2BIG,
	ENDED_EFAULT,
	ENDED_ENODEV,
	ENDED_ESTALE,
	ENDED_ENXIO,
	ENDED_EOPNOTSUPP,
	NR_ENDINGS,
};

/**
 * struct tally - numbers
 * @endings:	messages that ended so
 * @ops:	operations of version 3 that were applied
 * @evictions:	messages after which a mapping was gone
 * @most:	mappings at a time
 * @misses:	that were read
 * @anew:	of these, because an answer was stale
 * @rings:	mappings that virtqueues kept for their rings, after a message
 */
struct tally {
	uint64_t endings[NR_ENDINGS];
	uint64_t ops;
	uint64_t evictions;
	uint64_t most;
	uint64_t misses;
	uint64_t anew;
	uint64_t rings;
};

/* @result: of the write(), or -errno */
void tally_count(struct tally *t, const struct message *m, ssize_t result);

/* Add what tally_count() counts. */
void tally_add(struct tally *sum, const struct tally *other);

/* As comments of TAP. */
void tally_print(const struct tally *t);

/* Has everything that there is happened once? (But evictions.) */
bool tally_is_complete(const struct tally *t);

#endif /* FUZZ_TALLY_H */
