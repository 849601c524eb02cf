// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "parse.h"

/* A year; and in less than this there is not much to be seen. */
#define SECONDS_MAX (366 * 24 * 3600.0)
#define SECONDS_MIN 0.01

/* Of the program, as is what argp itself knows of it. */
static const struct cli *current;

void cli_parse(const struct cli *cli, int argc, char **argv, void *options)
{
	current = cli;
	argp_program_version = cli->version;
	argp_err_exit_status = EXIT_USAGE;
	/* Messages begin with the name, not with the path. */
	argv[0] = program_invocation_short_name;
	if (argp_parse(&cli->argp, argc, argv, cli->flags, NULL, options))
		exit(EXIT_USAGE);
}

error_t cli_common(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'v':
		log_verbose = true;
		break;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

uint64_t cli_number(const struct argp_state *state, const char *option, const char *text,
		    uint64_t min, uint64_t max)
{
	uint64_t value = 0;

	if ((current->decimal && strpbrk(text, "xX")) || !parse_number(text, min, max, &value))
		argp_error(state, current->bad_number, option, text, max, min);
	return value;
}

double cli_seconds(const struct argp_state *state, const char *option, const char *text)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	/* The comparison is false for NAN, too. */
	if (errno || end == text || *end || !(value >= SECONDS_MIN && value <= SECONDS_MAX))
		argp_error(state, "%s \"%s\": must be seconds, from %g to %.0f", option, text,
			   SECONDS_MIN, SECONDS_MAX);
	return value;
}
