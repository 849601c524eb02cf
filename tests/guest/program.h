/* SPDX-License-Identifier: GPL-2.0 */
/* How a program of the tests ends when it cannot go on. Wants _GNU_SOURCE. */
#ifndef GUEST_PROGRAM_H
#define GUEST_PROGRAM_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What errno tells has made it impossible to do @what. */
static inline void die(const char *what)
{
	fprintf(stderr, "%s: cannot %s: %s\n", program_invocation_short_name, what,
		strerror(errno));
	exit(1);
}

/* The number that @text, an argument, is. */
static inline unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max) {
		fprintf(stderr, "%s: %s is not a number from %lu to %lu\n",
			program_invocation_short_name, text, min, max);
		exit(2);
	}
	return n;
}

#endif /* GUEST_PROGRAM_H */
