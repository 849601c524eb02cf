/* SPDX-License-Identifier: GPL-2.0 */
/* What the command lines of all programs have in common. */
#ifndef IOTLB_CLI_H
#define IOTLB_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#define EXIT_USAGE 2

/**
 * struct cli - a program's command line
 * @version:	what --version prints
 * @argp:	its options
 * @flags:	of argp_parse()
 * @decimal:	numbers with 0x are refused
 * @bad_number:	says what is wrong with a number: a format of the option, of what
 *		the user wrote, and of the greatest and the least that is good
 */
struct cli {
	const char *version;
	struct argp argp;
	unsigned int flags;
	bool decimal;
	const char *bad_number;
};

/* Ends the program after an error (2), and after --help and --version (0). */
void cli_parse(const struct cli *cli, int argc, char **argv, void *options);

/* Does what -h and -v do, and refuses arguments: what a parser has no case for. */
error_t cli_common(int key, char *arg, struct argp_state *state);

/* The number that @text, given to @option, is. */
uint64_t cli_number(const struct argp_state *state, const char *option, const char *text,
		    uint64_t min, uint64_t max);

/* The same for a time in seconds, up to a year. */
double cli_seconds(const struct argp_state *state, const char *option, const char *text);

#endif /* IOTLB_CLI_H */
