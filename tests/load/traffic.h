/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest whose packets always miss: as by a driver with dynamic mappings, each
 * buffer is unmapped when the device is done with it, and now and then all is.
 */
#ifndef LOAD_TRAFFIC_H
#define LOAD_TRAFFIC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct device;

/**
 * struct traffic - one device and its packets
 * @device:	with virtqueues that run
 * @has_reader:	a thread reads the vhost fd and answers what comes out
 * @is_tx_only:	nothing is received
 * @pause_us:	between packets
 * @limit_ms:	a packet that takes longer is stuck
 *
 * These are set by the caller; the rest is zero at first.
 *
 * @exchanges:	a packet was sent, another one received
 * @verified:	packets that have arrived as they were sent
 * @corrupted:	that have arrived otherwise
 * @stuck:	that the device has not taken
 * @lost:	that it has taken, and did not come out
 * @answers:	by the reader
 * @sent_ns:	when the last packets were made available
 * @longest_ns:	longest time until one of them arrived
 */
struct traffic {
	struct device *device;
	bool has_reader;
	bool is_tx_only;
	unsigned int pause_us;
	unsigned int limit_ms;
	unsigned int exchanges;
	uint64_t verified, corrupted, stuck, lost;
	uint64_t answers;
	uint64_t sent_ns, longest_ns;
	bool stop, stop_reader;
	pthread_t driver, reader;
};

/**
 * traffic_exchange() - send a packet and receive one, at the same time
 *
 * Return: false if one of them is stuck or lost; then no more can be sent.
 */
bool traffic_exchange(struct traffic *t);

/* Exchange packets in a thread of its own, until traffic_stop(). */
void traffic_start(struct traffic *t);
void traffic_stop(struct traffic *t);
void traffic_set_pause(struct traffic *t, unsigned int pause_us);

/* How many exchanges there were by now. */
unsigned int traffic_count(const struct traffic *t);

/* Print what all of them have counted together. */
void traffic_print(const struct traffic *t, unsigned int count);

#endif /* LOAD_TRAFFIC_H */
