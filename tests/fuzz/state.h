/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of a session share; for others, there is session.h. */
#ifndef FUZZ_STATE_H
#define FUZZ_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "generate.h"
#include "model.h"
#include "snapshot.h"
#include "tally.h"

/* An IOTLB may have this many mappings more, for two virtqueues that wait. */
#define HELD_MAX (2 * 1280)

/**
 * struct session - a device, and what it is compared with
 * @limit:	of the mappings in an IOTLB
 * @own_hook:	a BPF program that can take misses
 * @models:	of the first address space, and of that of the round
 * @snapshots:	the same of the kernel
 * @area:	memory to write from
 * @device:	one with virtqueues that run, or NULL
 * @hook:	@own_hook while it is attached, or NULL
 * @expected:	how the last message should end
 * @result:	how it did end
 * @since:	messages since @snapshots
 * @fault:	what was wrong first
 */
struct session {
	unsigned int limit;
	struct hook *own_hook;
	uint8_t *area;
	struct tally tally;

	uint64_t seed;
	struct round round;
	int fd;
	bool has_owner;
	struct device *device;
	struct hook *hook;
	struct model models[SNAPSHOT_SPACES];
	struct snapshot snapshots[SNAPSHOT_SPACES];
	struct message message;
	struct outcome expected;
	ssize_t result;
	unsigned int since;
	char fault[400];
};

/* Indices of the address spaces. */
enum { FIRST, OTHER };

extern struct session session;

/* Note what is wrong. Return: false. */
bool session_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Begin with what the kernel has, which is known but for what has been mapped. */
bool session_adopt(void);

/* After a write: are both sides the same? */
bool session_compare(void);

/* Only what virtqueues keep for their rings. */
bool session_compare_rings(void);

/* If there were messages since, take a snapshot and compare. */
bool session_sync(void);

/* Take a snapshot, without looking at it. */
bool session_probe(void);

/* What has changed but by messages. */
enum change { CHANGE_NOTHING, CHANGE_IOTLB, CHANGE_NO_IOTLB, CHANGE_MEMORY };

/* Compare after @change, which @what has made. */
bool session_expect(enum change change, const char *what);

#endif /* FUZZ_STATE_H */
