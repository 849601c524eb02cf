/* SPDX-License-Identifier: GPL-2.0 */
/* What the checks of accesses that fail have in common. */
#ifndef KERNEL_TEST_FAIL_H
#define KERNEL_TEST_FAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

/* A device that runs, reads misses as V3, and tells of errors. */
struct failing {
	struct device *device;
	int errors[NR_QUEUES]; /* eventfds */
};

void fail_open(struct failing *f, const struct device_shape *shape);

/* The same with a device that is there. */
void fail_watch(struct failing *f, struct device *d);
void fail_close(struct failing *f);

/* Write VHOST_IOTLB_ACCESS_FAIL in a message of type V3. Return: 0 or a negative errno. */
int fail_in(const struct device *d, uint32_t asid, uint64_t iova, uint64_t size, int perm);
int fail_access(const struct device *d, uint64_t iova, uint64_t size, int perm);
int fail_by(const struct device *d, uint64_t iova, uint64_t size, int perm, uint64_t token);

/* Accesses of the device that have failed. */
unsigned int fail_count(const struct device *d);

/* How often an error was told of since this was last asked. */
unsigned int fail_errors(const struct failing *f, int queue);

/* What a queue has given back as its used element @nr, the first being 0. */
struct vring_used_elem fail_used(const struct device *d, int queue, unsigned int nr);

/* The checks below are parts of checks. */

/* The oldest message that can be read is a miss, of which @token may be NULL. */
bool fail_is_asked(const struct device *d, uint64_t iova, int perm, uint64_t *token);

/* Nobody has been told anything, and nothing was given back since there were @used. */
bool fail_has_none(const struct failing *f, int queue, unsigned int used);

/* The last of @used that were given back is @head, with nothing in it, and all were told. */
bool fail_gives_back(const struct failing *f, int queue, unsigned int used, unsigned int head);

#endif /* KERNEL_TEST_FAIL_H */
