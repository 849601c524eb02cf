/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Misses that are read from the device. All functions return false if these
 * are not what they should be.
 */
#ifndef FUZZ_MISS_H
#define FUZZ_MISS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "generate.h"

struct miss {
	uint64_t iova;
	uint64_t token; /* of version 3 */
	uint8_t perm;
};

/* @size: what read() has returned, or -errno */
bool miss_parse(const uint8_t *bytes, ssize_t size, struct miss *miss);

/* Read a miss, if there is one, with a buffer of @size bytes. */
bool miss_read(size_t size);

/* The same with a buffer the second half of which is not mapped. */
bool miss_read_fault(size_t size);

/* After a message that was refused with ESTALE. */
bool miss_read_after_stale(const struct message *m);

#endif /* FUZZ_MISS_H */
