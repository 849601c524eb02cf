/* SPDX-License-Identifier: GPL-2.0 */
/* What the threads of a run share. */
#ifndef RACE_RACE_H
#define RACE_RACE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon.h"
#include "nic.h"
#include "ring.h"
#include "space.h"

/* Each is written with count(), or by one thread with set(). */
struct counts {
	/* The mapper */
	uint64_t steps;
	uint64_t invalidations; /* INVALIDATEs that vhost has done */
	uint64_t replacements;	/* of the IOTLB, with a reset or without */
	uint64_t memory_tables;
	uint64_t epochs; /* that have ended by all of these */

	/* Traffic */
	uint64_t packets;
	uint64_t frames;  /* received by the device */
	uint64_t checked; /* of these: whose contents could be looked at */

	/* Servers */
	uint64_t misses;
	uint64_t answers;
	uint64_t refused;
	uint64_t gone; /* there was no IOTLB */

	/* What must not be */
	uint64_t stale_data;	    /* packets, by what they hold */
	uint64_t stale_descriptors; /* packets, by their length */
	uint64_t stale_heads;	    /* buffers, by what vhost gave back */
	uint64_t stale_writes;	    /* to memory after its epoch */
	uint64_t stale_answers;	    /* taken though computed in an epoch that had ended */
	uint64_t corrupt;	    /* frames that arrived with other contents */
};

struct race {
	struct space *space;
	int space_fd;
	struct nic nic;
	struct ring rings[NR_QUEUES];
	struct counts counts;
	struct daemon_counts daemon;
	bool identity;	   /* only the memory table changes */
	bool fixed_rings;  /* the parts of the rings do not move */
	bool mapper_done;  /* no more steps come */
	bool traffic_done; /* all that was sent has arrived */
	bool servers_done;
	uint64_t seed;
	uint64_t started_ms;
};

static inline bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static inline void set_flag(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

/* Everything that must not be. */
uint64_t race_stale(const struct counts *c);

/* Lines that begin with #. */
void race_show(const struct race *r);

/* Say so, for the first few. */
void race_complain(struct race *r, uint64_t *counter, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Random numbers, the same ones for the same seed (xorshift64*). */
static inline uint32_t random_below(uint64_t *state, uint32_t limit)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dULL >> 32) * limit >> 32;
}

/* A thread's own numbers. */
static inline uint64_t random_start(const struct race *r, unsigned int thread)
{
	return (r->seed + thread + 1) * 0x9e3779b97f4a7c15ULL | 1;
}

/* Threads; the argument is a struct race. */
void *traffic_run(void *arg);
void *fd_server_run(void *arg);
void *watchdog_run(void *arg);

/* Change translations until @invalidations have been done. */
void mapper_run(struct race *r, uint64_t invalidations);

/* Let the virtqueues run. */
void mapper_start(struct race *r);

/* The pages of epochs that have ended are as they were. */
void mapper_check_pages(struct race *r);

#endif /* RACE_RACE_H */
