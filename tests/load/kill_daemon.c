// SPDX-License-Identifier: GPL-2.0
/*
 * iotlbd is started again and again, and killed at random moments, while
 * packets go through devices that it serves, and a reader of the vhost fd
 * answers what iotlbd does not.
 *
 * What iotlbd -v says on its standard error tells in which stage it is. A kill
 * is meant for one of the stages: it comes a random time after the stage has
 * begun, up to a bit more than it has taken last time. In which stage it has
 * hit is known afterwards, from all that iotlbd had said.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/slowness.h"
#include "traffic.h"

#define MAX_DEVICES 16

/* Far from what a start takes. */
#define START_LIMIT_MS 60000

/* While it serves, there is no end to wait for. */
#define SERVE_NS (30 * NS_PER_MS)

/* Between packets: iotlbd needs the CPU to start. */
#define PAUSE_US 5000
#define SHORT_PAUSE_US 200

#define TEXT_SIZE 65536

enum stage {
	STAGE_START,
	STAGE_LOAD,
	STAGE_ATTACH,
	STAGE_SERVE,
	NR_STAGES,
};

/**
 * struct stage_info - what is known of a stage
 * @says:	what iotlbd says when it begins
 * @odds:	of 100 kills, how many are meant for it; those that come early
 *		take less time
 * @span_ns:	what it has taken last time
 * @kills:	how many have hit it
 */
struct stage_info {
	const char *name;
	const char *says;
	unsigned int odds;
	uint64_t span_ns;
	unsigned int kills;
};

static struct stage_info stages[NR_STAGES] = {
	[STAGE_START] = {"killed_at_start", "", 20, 0, 0},
	[STAGE_LOAD] = {"killed_at_load", "stage load: ", 50, 0, 0},
	[STAGE_ATTACH] = {"killed_at_attach", "serving device ", 15, 0, 0},
	[STAGE_SERVE] = {"killed_at_service", "system calls are filtered", 15, SERVE_NS, 0},
};

/**
 * struct server - an iotlbd
 * @stderr:	its standard error comes out here
 * @text:	what it has said
 * @stage:	in which it is, as far as was seen
 * @since:	when it was seen to enter each stage
 * @ended:	it has closed its standard error
 */
struct server {
	pid_t pid;
	int stderr;
	char text[TEXT_SIZE];
	size_t length;
	enum stage stage;
	uint64_t since[NR_STAGES];
	bool ended;
};

static void server_start(struct server *s, char **command)
{
	int ends[2], null;

	if (pipe2(ends, O_CLOEXEC))
		bail_out_errno("cannot make a pipe");
	*s = (struct server){.stderr = ends[0], .since[STAGE_START] = clock_now_ns()};
	s->pid = fork();
	if (s->pid < 0)
		bail_out_errno("cannot fork");
	if (!s->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		null = open("/dev/null", O_RDWR);
		dup2(null, STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execv(command[0], command);
		dprintf(STDERR_FILENO, "cannot execute %s\n", command[0]);
		_exit(127);
	}
	close(ends[1]);
}

static uint64_t longest_start_ns;

static void server_hear(struct server *s)
{
	ssize_t size = read(s->stderr, s->text + s->length, TEXT_SIZE - 1 - s->length);

	if (size <= 0) {
		s->ended = true;
		return;
	}
	s->length += size;
	while (s->stage + 1 < NR_STAGES && strstr(s->text, stages[s->stage + 1].says)) {
		uint64_t now = clock_now_ns();

		stages[s->stage].span_ns = now - s->since[s->stage];
		s->stage++;
		s->since[s->stage] = now;
		if (s->stage == STAGE_SERVE && now - s->since[STAGE_START] > longest_start_ns)
			longest_start_ns = now - s->since[STAGE_START];
	}
}

/* Until then, or until iotlbd is in the stage, or at its end. */
static void server_follow(struct server *s, uint64_t end_ns, enum stage stage)
{
	struct pollfd p = {.fd = s->stderr, .events = POLLIN};
	uint64_t now;

	while (!s->ended && s->stage < stage && (now = clock_now_ns()) < end_ns) {
		struct timespec time = {
			.tv_sec = (end_ns - now) / NS_PER_SECOND,
			.tv_nsec = (end_ns - now) % NS_PER_SECOND,
		};

		if (ppoll(&p, 1, &time, NULL) == 1)
			server_hear(s);
	}
}

static void server_wait_stage(struct server *s, enum stage stage)
{
	server_follow(s, clock_now_ns() + slowness() * START_LIMIT_MS * NS_PER_MS, stage);
	if (s->stage < stage)
		bail_out("iotlbd does not reach \"%s\"; it says: %s", stages[stage].says, s->text);
}

/* Returns the stage that it was in. */
static enum stage server_kill(struct server *s)
{
	int status;

	if (kill(s->pid, SIGKILL) || waitpid(s->pid, &status, 0) != s->pid)
		bail_out_errno("cannot kill iotlbd");
	if (!WIFSIGNALED(status))
		bail_out("iotlbd has ended by itself; it says: %s", s->text);
	while (!s->ended)
		server_hear(s);
	close(s->stderr);
	return s->stage;
}

static enum stage random_stage(uint64_t *seed)
{
	unsigned int dice = random_below(seed, 100);
	int stage = 0;

	while (dice >= stages[stage].odds)
		dice -= stages[stage++].odds;
	return stage;
}

static struct traffic traffic[MAX_DEVICES];
static unsigned int nr_devices;

static void set_pause(unsigned int pause_us)
{
	for (unsigned int i = 0; i < nr_devices; i++)
		traffic_set_pause(&traffic[i], pause_us);
}

static void kill_one(char **command, enum stage stage, uint64_t *seed)
{
	static struct server server;
	uint64_t end;

	server_start(&server, command);
	if (stage >= STAGE_ATTACH) {
		server_wait_stage(&server, STAGE_ATTACH);
		set_pause(SHORT_PAUSE_US);
	}
	server_wait_stage(&server, stage);
	end = server.since[stage] + random_below(seed, stages[stage].span_ns / 4 * 5);
	server_follow(&server, end, NR_STAGES);
	stages[server_kill(&server)].kills++;
	set_pause(PAUSE_US);
}

static void start_traffic(void)
{
	for (unsigned int i = 0; i < nr_devices; i++) {
		traffic[i] = (struct traffic){
			.device = device_open_running(),
			.has_reader = true,
			.pause_us = PAUSE_US,
			.limit_ms = LIMIT_MS,
		};
		traffic_start(&traffic[i]);
	}
}

/* How many misses iotlbd has taken with it, which vhost has handed over. */
static uint64_t taken_over(void)
{
	uint64_t timeouts, refused, detached, sum = 0;
	char path[64], line[256];
	FILE *file;

	for (unsigned int i = 0; i < nr_devices; i++) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", traffic[i].device->fd);
		file = fopen(path, "re");
		if (!file)
			bail_out_errno("cannot open %s", path);
		while (fgets(line, sizeof(line), file))
			if (sscanf(line, "vhost-iotlb-fallback:\t%lu %lu %lu", &timeouts, &refused,
				   &detached) == 3)
				sum += detached;
		fclose(file);
	}
	return sum;
}

enum { KILLS, SEED, DEVICES };

static struct parameter parameters[] = {
	[KILLS] = {"kills", 200},
	[SEED] = {"seed", 1},
	[DEVICES] = {"devices", 2},
	{0},
};

static int run(const struct parameter *p, char **command)
{
	uint64_t seed = p[SEED].value, start = clock_now_ns();

	nr_devices = p[DEVICES].value;
	if (!*command || !nr_devices || nr_devices > MAX_DEVICES)
		bail_out("what is iotlbd's command, and how many devices are there?");
	device_enter_namespace();
	start_traffic();
	for (uint64_t i = 0; i < p[KILLS].value; i++)
		kill_one(command, i ? random_stage(&seed) : STAGE_SERVE, &seed);
	for (unsigned int i = 0; i < nr_devices; i++)
		traffic_stop(&traffic[i]);

	for (int stage = 0; stage < NR_STAGES; stage++)
		print_number(stages[stage].name, stages[stage].kills);
	print_number("longest_start_ms", longest_start_ns / NS_PER_MS);
	print_number("taken_over", taken_over());
	traffic_print(traffic, nr_devices);
	print_number("elapsed_ms", (clock_now_ns() - start) / NS_PER_MS);
	device_close_all();
	return 0;
}

const struct command command_kill_daemon = {
	.name = "kill-daemon",
	.help = "kill iotlbd, whose command is ARG..., under traffic",
	.parameters = parameters,
	.run = run,
};
