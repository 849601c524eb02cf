// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "rescue.h"

/* All that a signal handler needs. */
static struct {
	int fd;
	struct termios modes;
	char text[128];
	size_t length;
} rescue;

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static void put_right(int signal)
{
	ssize_t ignored;

	tcsetattr(rescue.fd, TCSANOW, &rescue.modes);
	ignored = write(rescue.fd, rescue.text, rescue.length);
	(void)ignored;
	/* The handler was for once. */
	raise(signal);
}

void rescue_prepare(int fd)
{
	struct sigaction action = {.sa_handler = put_right, .sa_flags = SA_RESETHAND};
	size_t i;

	rescue.fd = fd;
	rescue.length = 0;
	if (tcgetattr(fd, &rescue.modes))
		return;
	for (i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

/* Without padding, which terminals have not needed for long. */
static void add_sequence(const char *name)
{
	const char *text = tigetstr(name);
	size_t length;

	if (!text || text == (const char *)-1)
		return;
	length = strcspn(text, "$");
	if (rescue.length + length > sizeof(rescue.text))
		return;
	memcpy(rescue.text + rescue.length, text, length);
	rescue.length += length;
}

void rescue_terminal_known(void)
{
	add_sequence("sgr0");
	add_sequence("cnorm");
	add_sequence("rmcup");
	add_sequence("rmkx");
}

void rescue_end(void)
{
	size_t i;

	for (i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], SIG_DFL);
}
