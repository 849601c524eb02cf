// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that make a device, exchange packets for which iotlbd answers the
 * misses, and are killed at a random moment: in half of the rounds while they
 * set up the device and until some time after the first packets, in the other
 * half after a number of packets.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "traffic.h"

#define MOST_PACKETS 16

static uint64_t rounds, before_traffic, exchanges, stuck, bad;

/* How long it takes until the first packets have arrived. */
static uint64_t setup_ns = 20 * NS_PER_MS;

/* A guest says by a byte that packets have been exchanged. */
static void be_guest(int said)
{
	struct traffic traffic = {.limit_ms = LIMIT_MS};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	traffic.device = device_open_running();
	while (traffic_exchange(&traffic) && !traffic.corrupted)
		if (write(said, "", 1) != 1)
			break;
	_exit(1);
}

/* Wait for packets. Returns their number, fewer if none came for too long. */
static unsigned int wait_exchanges(int said, unsigned int count)
{
	struct pollfd p = {.fd = said, .events = POLLIN};
	unsigned int seen = 0;
	char byte;

	while (seen < count && poll(&p, 1, LIMIT_MS) == 1 && read(said, &byte, 1) == 1)
		seen++;
	return seen;
}

/* Those that nobody has waited for. */
static unsigned int rest_of(int said)
{
	unsigned int count = 0;
	char byte;

	while (read(said, &byte, 1) == 1)
		count++;
	return count;
}

static void end_guest(pid_t pid)
{
	int status;

	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
		bail_out_errno("cannot kill process %d", pid);
	bad += !WIFSIGNALED(status);
}

static void play_round(uint64_t *seed)
{
	unsigned int wanted = random_below(seed, 2 * MOST_PACKETS), seen = 0;
	uint64_t start = clock_now_ns();
	int said[2];
	pid_t pid;

	if (pipe2(said, O_CLOEXEC))
		bail_out_errno("cannot make a pipe");
	pid = fork();
	if (pid < 0)
		bail_out_errno("cannot fork");
	if (!pid)
		be_guest(said[1]);
	close(said[1]);

	if (wanted < MOST_PACKETS) {
		sleep_ns(random_below(seed, setup_ns / 2 * 3));
	} else {
		seen = wait_exchanges(said[0], 1);
		setup_ns = clock_now_ns() - start;
		seen += wait_exchanges(said[0], wanted - MOST_PACKETS);
		stuck += seen < wanted - MOST_PACKETS + 1;
	}
	end_guest(pid);
	seen += rest_of(said[0]);
	close(said[0]);

	rounds++;
	before_traffic += !seen;
	exchanges += seen;
}

enum { ROUNDS, SEED };

static struct parameter parameters[] = {
	[ROUNDS] = {"rounds", 1000},
	[SEED] = {"seed", 1},
	{0},
};

static int run(const struct parameter *p, char **rest)
{
	uint64_t seed = p[SEED].value, start = clock_now_ns();

	(void)rest;
	device_enter_namespace();
	while (rounds < p[ROUNDS].value && !stuck && !bad)
		play_round(&seed);

	print_number("rounds", rounds);
	print_number("killed_before_traffic", before_traffic);
	print_number("exchanges", exchanges);
	print_number("stuck", stuck);
	print_number("ended_by_itself", bad);
	print_number("setup_us", setup_ns / NS_PER_US);
	print_number("elapsed_ms", (clock_now_ns() - start) / NS_PER_MS);
	return 0;
}

const struct command command_kill_guest = {
	.name = "kill-guest",
	.help = "kill owners of devices that iotlbd serves",
	.parameters = parameters,
	.run = run,
};
