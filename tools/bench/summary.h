/* SPDX-License-Identifier: GPL-2.0 */
/* What came of one queue, or of all queues of a direction. */
#ifndef BENCH_SUMMARY_H
#define BENCH_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "miss_server.h"
#include "stream.h"

struct summary {
	struct stream_counts counts;
	uint64_t lost;
	uint64_t left_out; /* packets that are not in @times */
	unsigned int queues;
	unsigned int stuck; /* of the queues */
	bool knows_misses;  /* somebody else's are not known */
	struct miss_count misses;
	struct dma_counts dma;
	uint64_t used;	     /* packets whose buffers came back */
	uint64_t elapsed;    /* ns, until the last of the queues was done */
	uint64_t found;	     /* translations of buffers that vhost has had in the end */
	uint64_t compulsory; /* misses of buffers that there must have been, at least */
	struct histogram times;
};

/* An all-zero summary is empty. @server may be NULL: another process. */
void summary_add(struct summary *sum, const struct stream *s, const struct miss_server *server);

/**
 * summary_packet_ns() - what a packet has taken, with all that belongs to it
 *
 * The whole run, divided by the packets of these queues. Others that ran at the
 * same time are in it.
 *
 * Return: nanoseconds; 0 if there were no packets.
 */
double summary_packet_ns(const struct summary *sum);

/* Did everything that was sent arrive, and as it was? */
bool summary_is_good(const struct summary *sum);

/**
 * summary_hit_rate() - true hit rate of the look-ups of packets' buffers
 *
 * Every look-up that misses is done again, so the buffers that were translated
 * are the look-ups without the misses.
 *
 * Return: false if it cannot be known: another process, or the kernel itself,
 * has answered misses.
 */
bool summary_hit_rate(const struct summary *sum, double *rate);

#endif /* BENCH_SUMMARY_H */
