// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that kicks a virtqueue whose buffer nobody can translate. Before each
 * kick it puts another address into the descriptor, so that every look of vhost
 * at the ring is a miss that was not there before.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/frame.h"

/* Far from what any table maps. */
#define FLOOD_IOVA 0x900000000000ULL

/* Of all the addresses, how many pages. */
#define FLOOD_PAGES (1ULL << 24)

#define TAG 4711

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	(void)signal;
	ended = 1;
}

static uint64_t flood_iova(uint64_t kick)
{
	return FLOOD_IOVA + kick % FLOOD_PAGES * PAGE;
}

/* Runs when nobody else wants to, and so does the vhost worker, its child. */
static void be_idle(void)
{
	const struct sched_param parameters = {0};

	if (sched_setscheduler(0, SCHED_IDLE, &parameters))
		bail_out_errno("cannot run as SCHED_IDLE");
}

/* Of /proc/meminfo, in KiB */
static uint64_t memory_of(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	if (!file)
		bail_out_errno("cannot open /proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			sscanf(line + strlen(name) + 1, "%llu", &kib);
	fclose(file);
	return kib;
}

static void print_memory(const char *when)
{
	static const char *const names[] = {"MemAvailable", "SUnreclaim", "VmallocUsed"};
	char name[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(name, sizeof(name), "%s_%s", when, names[i]);
		print_number(name, memory_of(names[i]));
	}
}

/* Reads misses, and does nothing about them. */
static void *read_misses(void *arg)
{
	struct device *d = arg;
	struct pollfd p = {.fd = d->fd, .events = POLLIN};
	struct vhost_iotlb_msg miss;

	while (!ended)
		if (poll(&p, 1, 100) == 1)
			while (!device_read_miss(d, &miss))
				;
	return NULL;
}

static void kick(struct device *d, uint64_t number)
{
	device_set_address(d, TX, 0, flood_iova(number));
	device_kick(d, TX);
}

/* The translation comes after all. */
static void answer(struct device *d, uint64_t last)
{
	uint64_t start;
	int64_t tag;

	print_number("used_before", device_used(d, TX));
	frame_fill((uint8_t *)device_page(d, FIRST_PAGE) + FRAME_HEADER, TAG);
	start = clock_now_ns();
	print_number("update_error", -device_update(d, flood_iova(last), PAGE,
						    device_page(d, FIRST_PAGE), VHOST_ACCESS_RO));
	print_number("update_us", (clock_now_ns() - start) / NS_PER_US);
	tag = device_wait_frame(d);
	print_number("packet_us", (clock_now_ns() - start) / NS_PER_US);
	print_number("packet_is_good", tag == TAG);
}

enum { KICKS, MARK, KICKS_PER_LOOK, READER, IDLE, EMPTY };

static struct parameter parameters[] = {
	[KICKS] = {"kicks", 1000000},
	[MARK] = {"mark", 10000},
	[KICKS_PER_LOOK] = {"kicks_per_look", 10},
	[READER] = {"reader", 0},
	[IDLE] = {"idle", 0},
	[EMPTY] = {"empty", 0},
	{0},
};

static int run(const struct parameter *p, char **rest)
{
	uint64_t start, number = 0;
	pthread_t reader;
	struct device *d;

	(void)rest;
	if (!p[KICKS_PER_LOOK].value)
		bail_out("how many kicks for each look of vhost at the ring?");
	signal(SIGTERM, on_signal);
	if (p[IDLE].value)
		be_idle();
	device_enter_namespace();
	d = device_open_running();
	if (p[READER].value && pthread_create(&reader, NULL, read_misses, d))
		bail_out("cannot make a thread");
	if (!p[EMPTY].value)
		device_offer(d, TX, flood_iova(0), FRAME_BUFFER);
	print_number("flooding", 1);

	start = clock_now_ns();
	while (number < p[KICKS].value && !ended) {
		kick(d, ++number);
		/* On one CPU, this is when vhost gets to look at the ring. */
		if (number % p[KICKS_PER_LOOK].value == 0)
			sched_yield();
		if (number == p[MARK].value) {
			device_flush(d);
			print_memory("mark");
		}
	}
	device_flush(d);
	print_number("kicks", number);
	print_number("flood_ms", (clock_now_ns() - start) / NS_PER_MS);
	print_memory("end");
	if (!p[EMPTY].value)
		answer(d, number);

	ended = 1;
	if (p[READER].value)
		pthread_join(reader, NULL);
	device_close_all();
	return 0;
}

const struct command command_flood = {
	.name = "flood",
	.help = "kick for addresses that nobody can translate; until SIGTERM",
	.parameters = parameters,
	.run = run,
};
