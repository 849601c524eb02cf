// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "top/format.h"

/* In the child. Says why if the command cannot be run. */
static void run(char *const *argv, int report)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGCHLD};
	sigset_t none;
	size_t i;
	int err;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	err = errno;
	/* If even this fails, the parent takes it for a command that has ended. */
	if (write(report, &err, sizeof(err)) < 0)
		_exit(COMMAND_CANNOT_RUN);
	_exit(COMMAND_NOT_FOUND);
}

/* The pipe is closed when the command runs. Return: an errno, or 0. */
static int exec_error(int report)
{
	ssize_t got;
	int err;

	do
		got = read(report, &err, sizeof(err));
	while (got < 0 && errno == EINTR);
	return got == sizeof(err) ? err : 0;
}

int command_start(char *const *argv, pid_t *pid)
{
	int report[2], err = 0;

	if (pipe2(report, O_CLOEXEC)) {
		log_error("cannot run %s: %s", argv[0], strerror(errno));
		return COMMAND_CANNOT_RUN;
	}
	*pid = fork();
	if (!*pid)
		run(argv, report[1]);
	if (*pid < 0)
		err = errno;
	close(report[1]);
	if (*pid > 0) {
		err = exec_error(report[0]);
		if (err)
			waitpid(*pid, NULL, 0);
	}
	close(report[0]);
	if (!err)
		return 0;
	log_error("cannot run %s: %s", argv[0], strerror(err));
	return err == ENOENT ? COMMAND_NOT_FOUND : COMMAND_CANNOT_RUN;
}

bool command_ended(pid_t pid, int *status)
{
	int how;

	if (waitpid(pid, &how, WNOHANG) != pid)
		return false;
	*status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
	return true;
}

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "%+,-./:=@_^";

static void put_quoted(FILE *out, const char *word)
{
	if (*word && !word[strspn(word, plain)]) {
		fputs(word, out);
		return;
	}
	putc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			putc(*word, out);
	}
	putc('\'', out);
}

void command_quote(char *const *argv, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");
	size_t i;

	text[0] = '\0';
	if (!out)
		return;
	setbuf(out, NULL);
	for (i = 0; argv[i]; i++) {
		if (i)
			putc(' ', out);
		put_quoted(out, argv[i]);
	}
	fclose(out);
	text[size - 1] = '\0';
	if (strlen(text) == size - 1)
		memcpy(text + size - 4, "...", 3);
	format_printable(text);
}
