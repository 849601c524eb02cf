// SPDX-License-Identifier: GPL-2.0
/*
 * Load on vhost's device IOTLB and on whoever serves it: processes that are
 * killed, rings that are full, kicks without end. It does, counts and prints
 * "NAME NUMBER" lines; tests/vm/{kill,overflow,flood,pasids}.t say what is good.
 *
 * The devices are those of the kernel's tests (tests/kernel/device.c): 64
 * pages of memory, for which vhost has no translation until it is told one.
 * "load mappings" prints these translations for iotlbd.
 *
 *	traffic		packets that miss, over and over; are they as sent?
 *	kill_daemon	iotlbd is killed while it starts and while it serves
 *	kill_guest	the owners of devices are killed
 *	overflow	more misses than a ring buffer has room for
 *	verdicts	what iotlbd's BPF program says, seen from outside
 *	census		what is left of BPF programs, in the kernel and in iotlbd's maps
 *	flood		kicks for an address that nobody can translate
 *	latency		what a miss takes while others make load
 *	unanswered	misses that end without an answer, and one that does not
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/kernel/check.h"

static const struct command *const commands[] = {
	&command_mappings,   &command_census,	&command_kill_daemon,
	&command_kill_guest, &command_overflow, &command_verdicts,
	&command_flood,	     &command_latency,	&command_unanswered,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

void print_number(const char *name, uint64_t number)
{
	printf("%s %llu\n", name, (unsigned long long)number);
}

void sleep_ns(uint64_t ns)
{
	struct timespec time = {.tv_sec = ns / NS_PER_SECOND, .tv_nsec = ns % NS_PER_SECOND};

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return limit ? random_next(state) % limit : 0;
}

static void usage(FILE *stream)
{
	fputs("Usage: load COMMAND [NAME=NUMBER]... [-- ARG...]\n\n"
	      "Makes load on vhost's device IOTLB. Needs root, and a machine of its own.\n\n",
	      stream);
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		const struct parameter *p = commands[i]->parameters;

		fprintf(stream, "  %-12s %s\n", commands[i]->name, commands[i]->help);
		for (; p->name; p++)
			fprintf(stream, "  %-12s   %s=%llu\n", "", p->name,
				(unsigned long long)p->value);
	}
	fputs("\nExit status: 0 it was done, 1 it could not be done, 2 usage.\n", stream);
}

static bool set_parameter(struct parameter *p, const char *text)
{
	for (; p->name; p++) {
		size_t length = strlen(p->name);
		char *end;

		if (strncmp(text, p->name, length) || text[length] != '=')
			continue;
		errno = 0;
		p->value = strtoull(text + length + 1, &end, 0);
		return !errno && end != text + length + 1 && !*end;
	}
	return false;
}

static int run(const struct command *command, char **argument)
{
	for (; *argument && strcmp(*argument, "--"); argument++)
		if (!set_parameter(command->parameters, *argument)) {
			fprintf(stderr, "load %s: what is %s? See load --help\n", command->name,
				*argument);
			return 2;
		}
	return command->run(command->parameters, *argument ? argument + 1 : argument);
}

int main(int argc, char **argv)
{
	setlinebuf(stdout);
	if (argc > 1 && !strcmp(argv[1], "--help")) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return run(commands[i], argv + 2);
	usage(stderr);
	return 2;
}
