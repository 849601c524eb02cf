// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static void end_all(const char *format, va_list arguments, int error)
{
	/* Results that are on their way come first. */
	fflush(stdout);
	flockfile(stderr);
	fprintf(stderr, "Bail out! ");
	vfprintf(stderr, format, arguments);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	/* Threads may be at work on what exit() would take down. */
	_exit(1);
}

void bail_out(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	end_all(format, arguments, 0);
	va_end(arguments);
	_exit(1);
}

void bail_out_errno(const char *format, ...)
{
	va_list arguments;
	int error = errno;

	va_start(arguments, format);
	end_all(format, arguments, error);
	va_end(arguments);
	_exit(1);
}
