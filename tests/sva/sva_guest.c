// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with two processes that share a device: one sends, the other receives,
 * both at the same virtual addresses. It does what it reads from standard input,
 * and replies with a line:
 *
 *	run			put the virtqueues into their PASIDs, and start them
 *	traffic COUNT		send and receive so many frames in turn
 *	receive COUNT		only the latter
 *	send NTH		offer a frame at the nth buffer, and wait for nothing
 *	state			has the device used all that was offered to send?
 *	wait			wait for the next frame that it sends
 *	race ROUNDS SOCKET	see race.h
 *	clear			have no entry accessed or dirty, now and later
 *	flags			how many entries are: see flags.h
 *	change COUNT		as traffic, while entries are changed: see flags.h
 *	flood socket|library COUNT SKIPPED SOCKET	see flood.h
 *	costs SOCKET		see costs.h
 *	map, unmap, ...		see pages.h
 *
 * At first, it prints what others have to know of it. With the argument "flat", its
 * device has no second level.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/fdinfo.h"
#include "tests/kernel/frame.h"
#include "costs.h"
#include "flags.h"
#include "flood.h"
#include "pages.h"
#include "queues.h"
#include "race.h"
#include "tables.h"

/* Frames of the two are told apart by this bit of their tags. */
#define FROM_RX 0x10000

static struct device *device;

/**
 * struct counts - what has become of the frames
 * @sent:	out of the sender's memory
 * @received:	into the receiver's
 * @crossed:	out of, or into, another's; or changed
 */
static struct counts {
	unsigned int sent, received, crossed;
} counts;

static uint64_t buffer_address(unsigned int nth)
{
	return PROCESS_BUFFERS + nth * PAGE;
}

static uint8_t *buffer_frame(int queue, unsigned int nth)
{
	return (uint8_t *)device_page(device, tables_buffer(queue, nth)) + FRAME_HEADER;
}

static void run(void)
{
	puts(queues_run(device, PASID_RX, PASID_TX) ? "running" : "not running");
}

static void offer_to_send(unsigned int nth, uint32_t tag)
{
	frame_put(device_page(device, tables_buffer(TX, nth)), tag);
	device_offer(device, TX, buffer_address(nth), FRAME_BUFFER);
	device_kick(device, TX);
}

static bool send_one(unsigned int nth, uint32_t tag)
{
	int64_t came;

	offer_to_send(nth, tag);
	came = device_wait_frame(device);
	if (came == tag) {
		counts.sent++;
	} else {
		/* A frame comes out before its buffer is given back. */
		device_flush(device);
		counts.crossed += device_used(device, TX) == device->queues[TX].avail->idx;
	}
	return came >= 0;
}

static bool wait_used(int queue)
{
	struct queue *q = &device->queues[queue];
	struct pollfd call = {.fd = q->call, .events = POLLIN};
	uint64_t calls;

	while (device_used(device, queue) != q->avail->idx) {
		if (poll(&call, 1, LIMIT_MS) != 1)
			return false;
		(void)!read(q->call, &calls, sizeof(calls));
	}
	return true;
}

static bool receive_one(unsigned int nth, uint32_t tag)
{
	int64_t before = frame_tag(buffer_frame(TX, nth), FRAME_SIZE);

	memset(device_page(device, tables_buffer(RX, nth)), 0, PAGE);
	device_offer(device, RX, buffer_address(nth), PAGE);
	device_kick(device, RX);
	device_inject(device, tag);
	if (!wait_used(RX))
		return false;
	if (frame_tag(buffer_frame(RX, nth), FRAME_SIZE) == tag &&
	    frame_tag(buffer_frame(TX, nth), FRAME_SIZE) == before)
		counts.received++;
	else
		counts.crossed++;
	return true;
}

static void traffic_counts(unsigned int count, bool sends)
{
	counts = (struct counts){};
	for (unsigned int i = 0; i < count; i++) {
		unsigned int nth = i % NR_BUFFERS;

		if (sends && !send_one(nth, i))
			break;
		if (!receive_one(nth, i | FROM_RX))
			break;
	}
}

static void traffic(unsigned int count, bool sends)
{
	traffic_counts(count, sends);
	printf("sent %u received %u crossed %u\n", counts.sent, counts.received, counts.crossed);
}

static void state(void)
{
	device_flush(device);
	puts(device_used(device, TX) == device->queues[TX].avail->idx ? "done" : "waiting");
}

static void race(unsigned int rounds, const char *socket)
{
	struct race_counts result;

	race_run(device, socket, rounds, &result);
	printf("switched %u invalidated %u stale %u crossed %u lost %u frames %u\n",
	       result.switches, result.invalidations, result.stale, result.crossed, result.lost,
	       result.frames);
}

static void print_flags(void)
{
	static const char *const names[NR_PROCESSES] = {
		[RX] = "receiver", [TX] = "sender", [HEIR] = "heir"};
	struct flags_counts counts;

	for (int process = 0; process < NR_PROCESSES; process++) {
		flags_count(device, process, &counts);
		printf("%s%s: tables %u pages %u dirty %u odd %u", process ? ", " : "",
		       names[process], counts.tables, counts.pages, counts.dirty, counts.odd);
	}
	putchar('\n');
}

static void change(unsigned int count)
{
	struct flags_changer *changer = flags_changer_begin(device);

	/* One line with what follows */
	traffic_counts(count, true);
	printf("sent %u received %u crossed %u, %s\n", counts.sent, counts.received, counts.crossed,
	       flags_changer_end(changer) ? "all is as changed" : "changes are lost");
}

static void flood(const char *way, unsigned int count, const char *skipped, const char *socket)
{
	struct flood_counts c;

	flood_run(socket, !strcmp(way, "library"), count, skipped, &c);
	printf("address %" PRIu64 " pasid %" PRIu64 " domain %" PRIu64 " switched %" PRIu64
	       " stale %" PRIu64 " %" PRIu64 " %" PRIu64 " crossed %" PRIu64 " lost %" PRIu64
	       " frames %" PRIu64 " renewed %" PRIu64 "\n",
	       c.invalidations[FLOOD_ADDRESS], c.invalidations[FLOOD_PASID],
	       c.invalidations[FLOOD_DOMAIN], c.switches, c.stale[FLOOD_ADDRESS],
	       c.stale[FLOOD_PASID], c.stale[FLOOD_DOMAIN], c.crossed, c.lost, c.frames, c.renewed);
}

static void handle(const char *line)
{
	char socket[100], way[20], word[20];
	unsigned int number;

	if (!strcmp(line, "run\n"))
		run();
	else if (sscanf(line, "traffic %u", &number) == 1)
		traffic(number, true);
	else if (sscanf(line, "receive %u", &number) == 1)
		traffic(number, false);
	else if (sscanf(line, "send %u", &number) == 1) {
		offer_to_send(number, number);
		puts("offered");
	} else if (!strcmp(line, "state\n"))
		state();
	else if (sscanf(line, "race %u %99s", &number, socket) == 2)
		race(number, socket);
	else if (!strcmp(line, "clear\n")) {
		tables_clear_flags(device);
		puts("cleared");
	} else if (!strcmp(line, "flags\n"))
		print_flags();
	else if (sscanf(line, "change %u", &number) == 1)
		change(number);
	else if (sscanf(line, "flood %19s %u %19s %99s", way, &number, word, socket) == 4)
		flood(way, number, word, socket);
	else if (sscanf(line, "costs %99s", socket) == 1)
		costs_print(device, socket);
	else if (!strcmp(line, "wait\n"))
		printf("frame %" PRId64 "\n", device_wait_frame(device));
	else if (!pages_handle(device, line))
		bail_out("no such command: %s", line);
}

int main(int argc, char **argv)
{
	const struct device_shape shape = {.nr_pages = GUEST_PAGES};
	char line[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	device_enter_namespace();
	device = device_open_shaped(&shape);
	tables_build(device, argc > 1 && !strcmp(argv[1], "flat"));
	printf("%" PRIu64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64
	       "\n",
	       fdinfo_id(device->fd), tables_legacy_root(), tables_scalable_root(),
	       tables_directory(), tables_process_root(TX), tables_process_root(RX));
	while (fgets(line, sizeof(line), stdin))
		handle(line);
	device_close_all();
	return 0;
}
