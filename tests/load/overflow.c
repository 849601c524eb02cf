// SPDX-License-Identifier: GPL-2.0
/*
 * More misses than iotlbd's ring buffer has room for. Nobody reads the vhost
 * fds: what iotlbd does not answer is stuck.
 *
 * From time to time iotlbd is stopped until all virtqueues wait. Each has then
 * put one miss on the ring buffer, or found no room there. With fewer
 * virtqueues than the ring buffer has room for, VHOST_IOTLB_RETRY has them
 * offer their misses again.
 *
 * This prints "ready" and waits for a line on its standard input between
 * making the devices and the first packet, so that iotlbd can take them before
 * they miss: when it takes one that waits, it has it miss again.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "load.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "traffic.h"
#include "vhost_msg_v3.h"

#define MAX_DEVICES 128

/* Longer than a packet takes. */
#define STANDSTILL_NS (20 * NS_PER_MS)

/* Of each device, on average, before iotlbd is stopped again. */
#define EXCHANGES 20

static struct traffic traffic[MAX_DEVICES];
static unsigned int nr_devices;

static uint64_t count_all(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr_devices; i++)
		sum += traffic_count(&traffic[i]);
	return sum;
}

static void wait_progress(void)
{
	uint64_t wanted = count_all() + nr_devices * EXCHANGES;
	uint64_t end = clock_now_ns() + LIMIT_MS * NS_PER_MS;

	while (count_all() < wanted && clock_now_ns() < end)
		sleep_ns(NS_PER_MS);
}

static void wait_standstill(void)
{
	uint64_t before;

	do {
		before = count_all();
		sleep_ns(STANDSTILL_NS);
	} while (count_all() != before);
}

static void retry(const struct device *d)
{
	struct {
		struct vhost_msg_v3 head;
		struct vhost_iotlb_op op;
	} message = {
		.head = {.type = VHOST_IOTLB_MSG_V3, .num = 1},
		.op = {.type = VHOST_IOTLB_RETRY},
	};

	if (write(d->fd, &message, sizeof(message)) != sizeof(message))
		bail_out_errno("cannot write VHOST_IOTLB_RETRY");
}

static void overflow(pid_t daemon, unsigned int retries)
{
	if (kill(daemon, SIGSTOP))
		bail_out_errno("cannot stop iotlbd");
	wait_standstill();
	while (retries--) {
		for (unsigned int i = 0; i < nr_devices; i++)
			retry(traffic[i].device);
		sleep_ns(STANDSTILL_NS);
	}
	kill(daemon, SIGCONT);
	wait_progress();
}

enum { DEVICES, TX_ONLY, STOPS, RETRIES };

static struct parameter parameters[] = {
	[DEVICES] = {"devices", 8},
	[TX_ONLY] = {"tx_only", 0},
	[STOPS] = {"stops", 20},
	[RETRIES] = {"retries", 4},
	{0},
};

static int run(const struct parameter *p, char **rest)
{
	uint64_t start = clock_now_ns();
	pid_t daemon;

	(void)rest;
	nr_devices = p[DEVICES].value;
	if (!nr_devices || nr_devices > MAX_DEVICES)
		bail_out("how many devices?");
	device_enter_namespace();
	for (unsigned int i = 0; i < nr_devices; i++)
		traffic[i] = (struct traffic){
			.device = device_open_running(),
			.is_tx_only = p[TX_ONLY].value,
			.limit_ms = LIMIT_MS,
		};
	print_number("ready", 1);
	if (scanf("%d", &daemon) != 1)
		bail_out("no process id of iotlbd on standard input");

	for (unsigned int i = 0; i < nr_devices; i++)
		traffic_start(&traffic[i]);
	for (uint64_t i = 0; i < p[STOPS].value; i++)
		overflow(daemon, p[RETRIES].value);
	for (unsigned int i = 0; i < nr_devices; i++)
		traffic_stop(&traffic[i]);

	print_number("exchanges", count_all());
	traffic_print(traffic, nr_devices);
	print_number("elapsed_ms", (clock_now_ns() - start) / NS_PER_MS);
	device_close_all();
	return 0;
}

const struct command command_overflow = {
	.name = "overflow",
	.help = "have more misses than there is room for",
	.parameters = parameters,
	.run = run,
};
