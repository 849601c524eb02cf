// SPDX-License-Identifier: GPL-2.0
#include "race.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl_client.h"
#include "tables.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/fdinfo.h"
#include "tests/kernel/frame.h"

/* A switch, and then so many invalidations */
#define ROUNDS_PER_SWITCH 4

/* In the frames of what must not be seen any more */
#define POISON 1000

/**
 * struct race - what the two threads share
 * @device:	the device
 * @counts:	what has happened
 * @client:	connection with iotlbd
 * @id:		of the device
 * @changes:	odd while something is being changed; the following are only
 *		valid if it is even, before and after they are read
 * @owner:	the process that TX belongs to
 * @is_other:	a buffer of that has its other page
 * @done:	no more frames are needed
 */
struct race {
	struct device *device;
	struct race_counts *counts;
	struct ctl_client client;
	uint64_t id;
	unsigned int changes;
	int owner;
	bool is_other[NR_BUFFERS];
	bool done;
};

static unsigned int page_of(const struct race *r, unsigned int nth)
{
	return r->is_other[nth] ? tables_other_buffer(r->owner, nth) : tables_buffer(r->owner, nth);
}

/* So that a page tells of itself */
static void put_frame(const struct race *r, unsigned int page)
{
	frame_put(device_page(r->device, page), page);
}

static void poison(const struct race *r, unsigned int page)
{
	frame_put(device_page(r->device, page), POISON);
}

/* Sending */

static unsigned int changes(const struct race *r)
{
	return __atomic_load_n(&r->changes, __ATOMIC_ACQUIRE);
}

static bool is_of_a_sender(int64_t tag)
{
	for (unsigned int nth = 0; nth < NR_BUFFERS; nth++)
		for (int process = TX; process <= HEIR; process++)
			if (tag == tables_buffer(process, nth) ||
			    tag == tables_other_buffer(process, nth))
				return true;
	return false;
}

static void send_one(struct race *r, unsigned int nth)
{
	unsigned int before = changes(r);
	unsigned int expected = page_of(r, nth);
	bool is_certain;
	int64_t tag;

	/* What was read while it was changed is of no use. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	is_certain = !(before % 2) && changes(r) == before;
	device_offer(r->device, TX, PROCESS_BUFFERS + nth * PAGE, FRAME_BUFFER);
	device_kick(r->device, TX);
	tag = device_wait_frame(r->device);
	is_certain &= changes(r) == before;

	if (tag < 0)
		r->counts->lost++;
	else if (tag == POISON)
		r->counts->stale++;
	else if (is_certain ? tag != expected : !is_of_a_sender(tag))
		r->counts->crossed++;
	__atomic_fetch_add(&r->counts->frames, 1, __ATOMIC_RELEASE);
}

static void *send_all(void *arg)
{
	struct race *r = arg;
	unsigned int nth = 0;

	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE) && !r->counts->lost) {
		send_one(r, nth);
		nth = (nth + 7) % NR_BUFFERS;
	}
	return NULL;
}

/* Changing */

static void ask(struct race *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void ask(struct race *r, const char *format, ...)
{
	char line[256];
	const char *reply;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	reply = ctl_client_ask(&r->client, line, strlen(line));
	if (!reply || !strstr(reply, "\"return\""))
		bail_out("%s: %s", line, reply ? reply : "no reply");
}

static void begin_change(struct race *r)
{
	__atomic_fetch_add(&r->changes, 1, __ATOMIC_SEQ_CST);
}

static void end_change(struct race *r)
{
	__atomic_fetch_add(&r->changes, 1, __ATOMIC_SEQ_CST);
}

/* All pages that the process had are another's by now. */
static void retire(const struct race *r)
{
	for (unsigned int nth = 0; nth < NR_BUFFERS; nth++) {
		poison(r, tables_buffer(r->owner, nth));
		poison(r, tables_other_buffer(r->owner, nth));
		tables_map_buffer(r->device, r->owner, nth, tables_buffer(RX, nth));
	}
}

static void settle(struct race *r, int process)
{
	r->owner = process;
	for (unsigned int nth = 0; nth < NR_BUFFERS; nth++) {
		r->is_other[nth] = false;
		put_frame(r, tables_buffer(process, nth));
		tables_map_buffer(r->device, process, nth, tables_buffer(process, nth));
	}
}

static void switch_process(struct race *r)
{
	begin_change(r);
	ask(r, "{\"command\":\"unbind\",\"device\":%" PRIu64 ",\"pasid\":%u}\n", r->id, PASID_TX);
	retire(r);
	settle(r, r->owner == TX ? HEIR : TX);
	ask(r,
	    "{\"command\":\"bind\",\"device\":%" PRIu64 ",\"pasid\":%u,\"root\":%" PRIu64
	    ",\"width\":48}\n",
	    r->id, PASID_TX, tables_process_root(r->owner));
	end_change(r);
	r->counts->switches++;
}

static void invalidate(struct race *r, unsigned int round, unsigned int nth)
{
	const uint64_t address = PROCESS_BUFFERS + nth * PAGE;

	switch (round % 3) {
	case 0:
		ask(r,
		    "{\"command\":\"invalidate\",\"device\":%" PRIu64
		    ",\"granularity\":\"address\",\"pasid\":%u,\"address\":%" PRIu64 "}\n",
		    r->id, PASID_TX, address);
		break;
	case 1:
		ask(r,
		    "{\"command\":\"invalidate\",\"device\":%" PRIu64
		    ",\"granularity\":\"pasid\",\"pasid\":%u}\n",
		    r->id, PASID_TX);
		break;
	default:
		ask(r,
		    "{\"command\":\"invalidate\",\"device\":%" PRIu64
		    ",\"granularity\":\"domain\"}\n",
		    r->id);
		break;
	}
	r->counts->invalidations++;
}

static void replace_page(struct race *r, unsigned int round)
{
	unsigned int nth = round * 5 % NR_BUFFERS;
	unsigned int old = page_of(r, nth);

	begin_change(r);
	r->is_other[nth] = !r->is_other[nth];
	put_frame(r, page_of(r, nth));
	tables_map_buffer(r->device, r->owner, nth, page_of(r, nth));
	invalidate(r, round, nth);
	poison(r, old);
	end_change(r);
}

/* So that there is something of each state in the device IOTLB. */
static void wait_for_frame(const struct race *r, unsigned int before)
{
	while (__atomic_load_n(&r->counts->frames, __ATOMIC_ACQUIRE) == before &&
	       !__atomic_load_n(&r->counts->lost, __ATOMIC_ACQUIRE))
		poll(NULL, 0, 1);
}

void race_run(struct device *d, const char *socket, unsigned int rounds, struct race_counts *counts)
{
	struct race r = {.device = d, .counts = counts, .id = fdinfo_id(d->fd)};
	pthread_t sender;

	*counts = (struct race_counts){};
	if (ctl_client_connect(&r.client, socket))
		bail_out("cannot connect to %s", socket);
	for (unsigned int nth = 0; nth < NR_BUFFERS; nth++)
		poison(&r, tables_buffer(RX, nth));
	settle(&r, TX);
	if (pthread_create(&sender, NULL, send_all, &r))
		bail_out("cannot make a thread");
	for (unsigned int round = 0; round < rounds; round++) {
		wait_for_frame(&r, __atomic_load_n(&counts->frames, __ATOMIC_ACQUIRE));
		if (round % ROUNDS_PER_SWITCH)
			replace_page(&r, round);
		else
			switch_process(&r);
	}
	__atomic_store_n(&r.done, true, __ATOMIC_RELEASE);
	pthread_join(sender, NULL);
	ctl_client_close(&r.client);
}
