/* SPDX-License-Identifier: GPL-2.0 */
/* Drives the streams of all devices from one epoll loop. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "stream.h"
#include "turnover.h"

struct traffic {
	const struct options *options;
	struct stream *streams;
	unsigned int nr_streams;
	struct turnover *turnover; /* processes end; or NULL */
	int signals;		   /* signalfd: somebody wants us to stop */
	int server;		   /* readable: whoever serves misses has ended; or -1 */
	bool stopping;
	bool interrupted;
	bool abandoned;	  /* by the server: what is missing does not come */
	uint64_t started; /* ns */
	uint64_t elapsed; /* ns, until the last packet */
	int epoll;
	int timer;
	unsigned int unfinished;
	unsigned int stuck;
	void (*each_second)(const struct traffic *t, void *arg);
	void *arg;
};

/**
 * traffic_run() - send, receive and verify all packets
 * @t:		with options, streams, signals, server and each_second set
 *
 * Ends when all streams are done or stuck, or after a signal: what is in
 * flight then is still waited for, up to two seconds or a second signal. Ends
 * at once when the server has ended.
 *
 * Return: 0, or -1 after a message if it could not be done at all. Whether all
 * went well is in the streams.
 */
int traffic_run(struct traffic *t);

#endif /* BENCH_TRAFFIC_H */
