/* SPDX-License-Identifier: GPL-2.0 */
/* The numbers on the command lines of the programs that tests run. */
#ifndef TESTS_NUMBER_H
#define TESTS_NUMBER_H

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "parse.h"

/* The number up to @most that @text is; if it is none, ends the program (2). */
static inline uint64_t number_of(const char *text, uint64_t most)
{
	uint64_t value;

	if (parse_number(text, 0, most, &value))
		return value;
	fprintf(stderr, "%s: \"%s\" is not a number from 0 to %" PRIu64 "; see --help\n",
		program_invocation_short_name, text, most);
	exit(2);
}

#endif /* TESTS_NUMBER_H */
