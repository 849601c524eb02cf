// SPDX-License-Identifier: GPL-2.0
#include "flood.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "ctl/ctl_client.h"
#include "library.h"
#include "queues.h"
#include "tables.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/fdinfo.h"
#include "tests/kernel/frame.h"

#define LANES LIBRARY_DEVICES

/* Addresses: few, so that a page that is replaced has mostly been sent from. */
#define BUFFERS 4

#define FIRST_PASID 100

/*
 * So many requests to all devices for each time that all of them send. Pages may
 * have their turn again meanwhile, but then it is not their turn when a frame is sent.
 */
#define REQUESTS_PER_ROUND 4
#define CALLS_PER_ROUND 100

/* Of one granularity, so that no other one makes good what it fails to do. */
#define ROUNDS_IN_A_ROW 8

/* Requests to all devices, until the next of them changes its process. */
#define REQUESTS_PER_SWITCH 64

#define REQUESTS_PER_PROGRESS 3072

#define LINE_MAX 160

/**
 * struct address - a page of the process that sends
 * @begun:	epoch of what is there; written by the one who changes it
 * @ended:	all epochs before are over
 * @by:		enum flood_granularity of what has ended the last one
 * @seen:	epoch of the last frame
 */
struct address {
	uint32_t begun, ended;
	uint32_t by;
	uint32_t seen;
};

/**
 * struct lane - a device, and who has it
 * @device:	the device
 * @id:		iotlbd's name for it
 * @number:	of the lane
 * @owner:	the process that sends
 * @changed:	bit n: the page at the nth address was replaced, and no reply has come
 * @addresses:	of that process
 */
struct lane {
	struct device *device;
	uint64_t id;
	unsigned int number;
	int owner;
	unsigned int changed;
	struct address addresses[BUFFERS];
};

struct flood {
	struct lane lanes[LANES];
	struct ctl_client client;
	bool by_library;
	struct library library; /* lanes have the same numbers there */
	struct flood_counts *counts;
	enum flood_granularity skipped;
	uint64_t started;
	uint64_t rounds; /* in which all have sent */
	bool done;
};

static const char *const names[] = {"address", "pasid", "domain", "none"};

/* Tags */

static uint32_t tag_of(const struct lane *l, unsigned int nth)
{
	return (l->addresses[nth].begun * BUFFERS + nth) * LANES + l->number;
}

static bool belongs(uint32_t tag, const struct lane *l, unsigned int nth)
{
	return tag % LANES == l->number && tag / LANES % BUFFERS == nth;
}

static uint32_t epoch_of(uint32_t tag)
{
	return tag / LANES / BUFFERS;
}

static uint32_t get(const uint32_t *value)
{
	return __atomic_load_n(value, __ATOMIC_ACQUIRE);
}

static void set(uint32_t *value, uint32_t to)
{
	__atomic_store_n(value, to, __ATOMIC_RELEASE);
}

/* Sending */

static void offer(const struct lane *l, unsigned int nth)
{
	device_offer(l->device, TX, PROCESS_BUFFERS + nth * PAGE, FRAME_BUFFER);
	device_kick(l->device, TX);
}

/* @ended and @by are as they were before the frame was offered. */
static void check_frame(struct flood *f, struct lane *l, unsigned int nth, uint32_t ended,
			uint32_t by)
{
	struct address *a = &l->addresses[nth];
	int64_t tag = device_wait_frame(l->device);
	struct flood_counts *c = f->counts;

	c->frames++;
	if (tag < 0) {
		c->lost++;
		return;
	}
	if (!belongs(tag, l, nth) || epoch_of(tag) > get(&a->begun)) {
		c->crossed++;
		return;
	}
	if (epoch_of(tag) < ended)
		c->stale[by]++;
	else if (epoch_of(tag) != a->seen)
		c->renewed++;
	a->seen = epoch_of(tag);
}

static void send_round(struct flood *f, unsigned int nth)
{
	uint32_t ended[LANES], by[LANES];

	for (int i = 0; i < LANES; i++) {
		const struct address *a = &f->lanes[i].addresses[nth];

		/* Before the next end, which may be another's. */
		ended[i] = get(&a->ended);
		by[i] = get(&a->by);
		offer(&f->lanes[i], nth);
	}
	for (int i = 0; i < LANES; i++)
		check_frame(f, &f->lanes[i], nth, ended[i], by[i]);
	__atomic_fetch_add(&f->rounds, 1, __ATOMIC_RELEASE);
}

static void *send_all(void *arg)
{
	struct flood *f = arg;

	for (unsigned int nth = 0; !__atomic_load_n(&f->done, __ATOMIC_ACQUIRE) && !f->counts->lost;
	     nth = (nth + 1) % BUFFERS)
		send_round(f, nth);
	/* For those who wait. */
	__atomic_store_n(&f->rounds, UINT64_MAX, __ATOMIC_RELEASE);
	return NULL;
}

static void wait_for_rounds(const struct flood *f, uint64_t rounds)
{
	while (__atomic_load_n(&f->rounds, __ATOMIC_ACQUIRE) < rounds)
		poll(NULL, 0, 1);
}

/* Asking */

struct lines {
	char text[LANES * LINE_MAX];
	size_t size;
};

static void add_line(struct lines *lines, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_line(struct lines *lines, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	lines->size += vsnprintf(lines->text + lines->size, LINE_MAX, format, arguments);
	va_end(arguments);
	lines->text[lines->size++] = '\n';
}

static void send_lines(struct flood *f, struct lines *lines)
{
	if (ctl_client_send(&f->client, lines->text, lines->size))
		bail_out("cannot ask iotlbd");
	lines->size = 0;
}

static void take_reply(struct flood *f)
{
	const char *reply = ctl_client_receive(&f->client);

	if (!reply || strncmp(reply, "{\"return\":", 10))
		bail_out("iotlbd refuses a request: %s", reply ? reply : "no reply");
}

static void ask_one(struct flood *f, struct lines *lines)
{
	send_lines(f, lines);
	take_reply(f);
}

static uint32_t pasid_of(const struct lane *l, int queue)
{
	return FIRST_PASID + l->number * NR_QUEUES + queue;
}

/* Changing */

/* Not one of the last epochs', so that these stay what they are for who finds them. */
static unsigned int page_of(const struct lane *l, unsigned int nth)
{
	uint32_t epoch = l->addresses[nth].begun;
	unsigned int buffer = nth + epoch / 2 * BUFFERS % NR_BUFFERS;

	return epoch % 2 ? tables_other_buffer(l->owner, buffer) : tables_buffer(l->owner, buffer);
}

static void begin_epoch(struct lane *l, unsigned int nth)
{
	struct address *a = &l->addresses[nth];
	unsigned int page;

	/* The checker knows it before it can be seen. */
	set(&a->begun, a->begun + 1);
	page = page_of(l, nth);
	frame_put(device_page(l->device, page), tag_of(l, nth));
	tables_map_buffer(l->device, l->owner, nth, page);
	l->changed |= 1U << nth;
}

static void end_epochs(struct lane *l, enum flood_granularity by)
{
	for (unsigned int nth = 0; nth < BUFFERS; nth++) {
		if (!(l->changed & 1U << nth))
			continue;
		set(&l->addresses[nth].by, by);
		set(&l->addresses[nth].ended, l->addresses[nth].begun);
	}
	l->changed = 0;
}

/* One that has nothing to do with what is sent. */
static void add_other(struct lines *lines, const struct lane *l)
{
	add_line(lines,
		 "{\"command\":\"invalidate\",\"device\":%" PRIu64
		 ",\"granularity\":\"address\",\"pasid\":%u,\"address\":%llu}",
		 l->id, pasid_of(l, RX), PROCESS_BUFFERS);
}

static void add_invalidation(struct lines *lines, const struct lane *l, enum flood_granularity by,
			     unsigned int nth)
{
	switch (by) {
	case FLOOD_ADDRESS:
		add_line(lines,
			 "{\"command\":\"invalidate\",\"device\":%" PRIu64
			 ",\"granularity\":\"address\",\"pasid\":%u,\"address\":%llu}",
			 l->id, pasid_of(l, TX), PROCESS_BUFFERS + nth * PAGE);
		break;
	case FLOOD_PASID:
		add_line(lines,
			 "{\"command\":\"invalidate\",\"device\":%" PRIu64
			 ",\"granularity\":\"pasid\",\"pasid\":%u}",
			 l->id, pasid_of(l, TX));
		break;
	default:
		add_line(lines,
			 "{\"command\":\"invalidate\",\"device\":%" PRIu64
			 ",\"granularity\":\"domain\"}",
			 l->id);
		break;
	}
}

/* Return: the address that is the first to have another page. */
static unsigned int change_lane(struct lane *l, uint64_t number, enum flood_granularity by)
{
	unsigned int nth = (number + l->number) % BUFFERS;

	begin_epoch(l, nth);
	/* What is larger than a page is about more than one. */
	if (by != FLOOD_ADDRESS)
		begin_epoch(l, (nth + 1) % BUFFERS);
	return nth;
}

static enum sva_granularity of_library(enum flood_granularity by)
{
	switch (by) {
	case FLOOD_ADDRESS:
		return SVA_ADDRESS;
	case FLOOD_PASID:
		return SVA_PASID;
	default:
		return SVA_DOMAIN;
	}
}

static void change_all_by_library(struct flood *f, uint64_t number, enum flood_granularity by)
{
	for (int i = 0; i < LANES; i++) {
		struct lane *l = &f->lanes[i];
		unsigned int nth = change_lane(l, number, by);

		if (by == f->skipped)
			library_invalidate(&f->library, i, SVA_ADDRESS, pasid_of(l, RX),
					   PROCESS_BUFFERS);
		else
			library_invalidate(&f->library, i, of_library(by), pasid_of(l, TX),
					   PROCESS_BUFFERS + nth * PAGE);
		end_epochs(l, by);
		f->counts->invalidations[by]++;
	}
}

static unsigned int per_round(const struct flood *f)
{
	return f->by_library ? CALLS_PER_ROUND : REQUESTS_PER_ROUND;
}

static void change_all(struct flood *f, uint64_t number)
{
	enum flood_granularity by = number / per_round(f) / ROUNDS_IN_A_ROW % NR_FLOOD;
	struct lines lines = {.size = 0};

	if (f->by_library) {
		change_all_by_library(f, number, by);
		return;
	}
	for (int i = 0; i < LANES; i++) {
		struct lane *l = &f->lanes[i];
		unsigned int nth = change_lane(l, number, by);

		if (by == f->skipped)
			add_other(&lines, l);
		else
			add_invalidation(&lines, l, by, nth);
	}
	send_lines(f, &lines);
	for (int i = 0; i < LANES; i++) {
		take_reply(f);
		end_epochs(&f->lanes[i], by);
		f->counts->invalidations[by]++;
	}
}

static void bind(struct flood *f, const struct lane *l, int queue, int process)
{
	struct lines lines = {.size = 0};

	add_line(&lines,
		 "{\"command\":\"bind\",\"device\":%" PRIu64 ",\"pasid\":%u,\"root\":%" PRIu64
		 ",\"width\":48}",
		 l->id, pasid_of(l, queue), tables_process_root(process));
	ask_one(f, &lines);
}

static void take_over(struct lane *l, int process)
{
	l->owner = process;
	for (unsigned int nth = 0; nth < BUFFERS; nth++)
		begin_epoch(l, nth);
}

/* Of the process that goes, nothing may be sent once it is unbound. */
static void switch_process(struct flood *f, struct lane *l)
{
	struct lines lines = {.size = 0};

	take_over(l, l->owner == TX ? HEIR : TX);
	add_line(&lines, "{\"command\":\"unbind\",\"device\":%" PRIu64 ",\"pasid\":%u}", l->id,
		 pasid_of(l, TX));
	ask_one(f, &lines);
	end_epochs(l, FLOOD_PASID);
	bind(f, l, TX, l->owner);
	f->counts->switches++;
}

/* The whole */

/* iotlbd looks for new devices now and then, and has been asked for several. */
static void alloc(struct flood *f, const struct lane *l, int queue)
{
	const char *reply = NULL;
	char line[LINE_MAX];
	int size;

	size = snprintf(line, sizeof(line),
			"{\"command\":\"alloc\",\"device\":%" PRIu64 ",\"min\":%u,\"max\":%u}\n",
			l->id, pasid_of(l, queue), pasid_of(l, queue));
	for (int waited = 0; waited < LIMIT_MS; waited += 10) {
		reply = ctl_client_ask(&f->client, line, size);
		if (reply && !strncmp(reply, "{\"return\":", 10))
			return;
		if (!reply || !strstr(reply, "no-device"))
			break;
		poll(NULL, 0, 10);
	}
	bail_out("iotlbd gives out no PASID: %s", reply ? reply : "no reply");
}

static void open_lane(struct flood *f, struct lane *l, unsigned int number)
{
	const struct device_shape shape = {.nr_pages = GUEST_PAGES};

	*l = (struct lane){.device = device_open_shaped(&shape), .number = number};
	l->id = fdinfo_id(l->device->fd);
	if (f->by_library)
		library_add(&f->library, l->device, l->id);
	tables_build(l->device, false);
	take_over(l, TX);
	end_epochs(l, FLOOD_DOMAIN);
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		alloc(f, l, queue);
		bind(f, l, queue, queue);
		if (f->by_library)
			library_alloc(&f->library, number, pasid_of(l, queue));
	}
	if (!queues_run(l->device, pasid_of(l, RX), pasid_of(l, TX)))
		bail_out("the virtqueues of device %u do not start", number);
}

/* A long run is followed. */
static void tell_progress(const struct flood *f)
{
	const struct flood_counts *c = f->counts;

	fprintf(stderr,
		"# %" PRIu64 " s: invalidated %" PRIu64 " %" PRIu64 " %" PRIu64 ", stale %" PRIu64
		" %" PRIu64 " %" PRIu64 " crossed %" PRIu64 " lost %" PRIu64 ", frames %" PRIu64
		" renewed %" PRIu64 "\n",
		(uint64_t)((clock_now_ns() - f->started) / NS_PER_SECOND),
		c->invalidations[FLOOD_ADDRESS], c->invalidations[FLOOD_PASID],
		c->invalidations[FLOOD_DOMAIN], c->stale[FLOOD_ADDRESS], c->stale[FLOOD_PASID],
		c->stale[FLOOD_DOMAIN], c->crossed, c->lost, c->frames, c->renewed);
}

static void change(struct flood *f, unsigned int count)
{
	for (uint64_t number = 0; f->counts->invalidations[NR_FLOOD - 1] < count; number++) {
		if (number % per_round(f) == 0)
			wait_for_rounds(f, number / per_round(f));
		if (number % REQUESTS_PER_SWITCH == REQUESTS_PER_SWITCH - 1)
			switch_process(f, &f->lanes[number / REQUESTS_PER_SWITCH % LANES]);
		change_all(f, number);
		if (number % REQUESTS_PER_PROGRESS == REQUESTS_PER_PROGRESS - 1)
			tell_progress(f);
	}
	/* What was the last must be seen, too. */
	wait_for_rounds(f, __atomic_load_n(&f->rounds, __ATOMIC_ACQUIRE) + 2 * BUFFERS);
}

static enum flood_granularity granularity(const char *name)
{
	int i;

	for (i = 0; i < NR_FLOOD && strcmp(name, names[i]); i++)
		;
	if (strcmp(name, names[i]))
		bail_out("%s is no granularity", name);
	return i;
}

void flood_run(const char *socket, bool by_library, unsigned int count, const char *skipped,
	       struct flood_counts *counts)
{
	static struct flood f;
	pthread_t sender;

	*counts = (struct flood_counts){};
	f = (struct flood){
		.by_library = by_library,
		.counts = counts,
		.skipped = granularity(skipped),
		.started = clock_now_ns(),
	};
	if (ctl_client_connect(&f.client, socket))
		bail_out("cannot connect to %s", socket);
	if (by_library)
		library_open(&f.library);
	for (unsigned int i = 0; i < LANES; i++)
		open_lane(&f, &f.lanes[i], i);
	if (pthread_create(&sender, NULL, send_all, &f))
		bail_out("cannot make a thread");
	change(&f, count);
	__atomic_store_n(&f.done, true, __ATOMIC_RELEASE);
	pthread_join(sender, NULL);
	if (by_library)
		library_close(&f.library);
	ctl_client_close(&f.client);
	for (int i = 0; i < LANES; i++)
		device_close(f.lanes[i].device);
}
