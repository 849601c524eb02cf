/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands of tests/load have in common. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

#define NS_PER_US 1000ULL

/* An argument NAME=NUMBER of a command; @value is what it is if not given. */
struct parameter {
	const char *name;
	uint64_t value;
};

/**
 * struct command - one thing that can be done
 * @name:	its word on the command line
 * @help:	one line for people
 * @parameters:	ends with one without a name
 * @run:	do it; @rest is what follows the parameters on the command line
 */
struct command {
	const char *name;
	const char *help;
	struct parameter *parameters;
	int (*run)(const struct parameter *parameters, char **rest);
};

extern const struct command command_mappings, command_census, command_kill_daemon,
	command_kill_guest, command_overflow, command_verdicts, command_flood, command_latency,
	command_unanswered;

/* A line "NAME NUMBER" on the standard output. */
void print_number(const char *name, uint64_t number);

void sleep_ns(uint64_t ns);

/* Numbers that follow from the seed in @state (splitmix64). */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t limit);

#endif /* LOAD_H */
