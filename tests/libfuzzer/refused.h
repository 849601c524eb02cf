/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether a command line was refused. Linked with --wrap=argp_error, as the real
 * one ends the program.
 */
#ifndef LIBFUZZER_REFUSED_H
#define LIBFUZZER_REFUSED_H

#include <argp.h>
#include <stdbool.h>

static bool refused;

void __wrap_argp_error(const struct argp_state *state, const char *format, ...);

void __wrap_argp_error(const struct argp_state *state, const char *format, ...)
{
	(void)state;
	(void)format;
	refused = true;
}

#endif /* LIBFUZZER_REFUSED_H */
