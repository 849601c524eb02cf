// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void end_all(const char *format, va_list arguments, int error)
{
	flockfile(stdout);
	printf("Bail out! ");
	vprintf(format, arguments);
	if (error)
		printf(": %s", strerror(error));
	putchar('\n');
	fflush(stdout);
	/* Threads are at work on what exit() would take down. */
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
