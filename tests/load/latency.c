// SPDX-License-Identifier: GPL-2.0
/*
 * What a packet takes that misses once, from the kick to the interrupt, while
 * iotlbd serves. There are pauses between the packets, in which somebody else
 * can have the CPU.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "load.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/frame.h"

/* Packets before iotlbd knows the device, and all caches are warm. */
#define WARM_UP 50

static uint64_t round_trip(struct device *d, uint32_t tag)
{
	struct pollfd p = {.fd = d->queues[TX].call, .events = POLLIN};
	uint64_t start, end, value;
	unsigned int used = device_used(d, TX);

	frame_fill((uint8_t *)device_page(d, FIRST_PAGE) + FRAME_HEADER, tag);
	device_offer(d, TX, device_iova(FIRST_PAGE), FRAME_BUFFER);
	start = clock_now_ns();
	device_kick(d, TX);
	while (device_used(d, TX) == used) {
		if (poll(&p, 1, LIMIT_MS) != 1)
			bail_out("packet %u is stuck", tag);
		(void)!read(p.fd, &value, sizeof(value));
	}
	end = clock_now_ns();
	if (device_wait_frame(d) != tag)
		bail_out("packet %u is bad", tag);
	device_invalidate(d, device_iova(FIRST_PAGE), PAGE);
	return end - start;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

enum { PACKETS, PAUSE_US, SEED };

static struct parameter parameters[] = {
	[PACKETS] = {"packets", 2000},
	[PAUSE_US] = {"pause_us", 200},
	[SEED] = {"seed", 1},
	{0},
};

static int run(const struct parameter *p, char **rest)
{
	uint64_t count = p[PACKETS].value, seed = p[SEED].value, *times;
	struct device *d;

	(void)rest;
	times = calloc(count + 1, sizeof(*times));
	if (!count || !times)
		bail_out("no packets, or no memory");
	device_enter_namespace();
	d = device_open_running();
	for (uint64_t i = 0; i < WARM_UP + count; i++) {
		sleep_ns(random_below(&seed, 2 * p[PAUSE_US].value) * NS_PER_US);
		times[i < WARM_UP ? 0 : i - WARM_UP] = round_trip(d, i);
	}
	qsort(times, count, sizeof(*times), compare);
	print_number("p50_ns", times[count / 2]);
	print_number("p90_ns", times[count * 90 / 100]);
	print_number("p99_ns", times[count * 99 / 100]);
	print_number("max_ns", times[count - 1]);
	device_close_all();
	free(times);
	return 0;
}

const struct command command_latency = {
	.name = "latency",
	.help = "measure packets that miss, which iotlbd serves",
	.parameters = parameters,
	.run = run,
};
