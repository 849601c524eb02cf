// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "perf.h"

/* It ends by itself then. */
#define PERF_SIZE_MAX "1G"

/* The ends that perf has of the two pipes, numbers that it is told. */
#define PERF_CONTROL 3
#define PERF_ACK 4

static void run(const char *path, int control, int ack)
{
	char *const argv[] = {"perf",
			      "record",
			      "--quiet",
			      "--all-cpus",
			      "--event=vhost:*",
			      "--delay=-1",
			      "--control=fd:3,4",
			      "--max-size=" PERF_SIZE_MAX,
			      "--output",
			      (char *)path,
			      NULL};
	sigset_t none;

	/* Ctrl-C is not for it: it ends when we say so, or with us. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGINT);
	signal(SIGINT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Above both, so that neither overwrites the other. */
	control = fcntl(control, F_DUPFD, PERF_ACK + 1);
	ack = fcntl(ack, F_DUPFD, PERF_ACK + 1);
	if (control >= 0 && ack >= 0 && dup2(control, PERF_CONTROL) >= 0 &&
	    dup2(ack, PERF_ACK) >= 0) {
		close(control);
		close(ack);
		execvp(argv[0], argv);
	}
	_exit(errno == ENOENT ? 127 : 126);
}

/* perf answers when it records; it closes the pipe if it has ended instead. */
static bool enable(int control, int ack)
{
	static const char word[] = "enable\n";
	char answer[8];

	return write(control, word, sizeof(word) - 1) == sizeof(word) - 1 &&
	       read(ack, answer, sizeof(answer)) >= 3 && !strncmp(answer, "ack", 3);
}

static void tell_of_failure(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		log_error("perf is not installed; install it (on Debian: apt-get install "
			  "linux-perf), or do without --perf");
	else
		log_error("perf cannot record the events vhost:*; it says why above");
}

static void close_both(const int *pipe)
{
	if (pipe[0] >= 0)
		close(pipe[0]);
	if (pipe[1] >= 0)
		close(pipe[1]);
}

bool perf_start(struct perf *perf, const char *path)
{
	int control[2] = {-1, -1}, ack[2] = {-1, -1};
	int status;

	*perf = (struct perf){};
	if (!pipe2(control, O_CLOEXEC) && !pipe2(ack, O_CLOEXEC))
		perf->pid = fork();
	else
		perf->pid = -1;
	if (!perf->pid)
		run(path, control[0], ack[1]);
	if (perf->pid < 0) {
		log_error("cannot start perf: %s", strerror(errno));
		close_both(control);
		close_both(ack);
		perf->pid = 0;
		return false;
	}
	close(control[0]);
	close(ack[1]);
	perf->control = control[1];
	perf->ack = ack[0];

	/* It may have ended when it is written to. */
	signal(SIGPIPE, SIG_IGN);
	if (enable(perf->control, perf->ack))
		return true;
	close(perf->control);
	close(perf->ack);
	if (waitpid(perf->pid, &status, 0) == perf->pid)
		tell_of_failure(status);
	perf->pid = 0;
	return false;
}

bool perf_stop(struct perf *perf)
{
	bool good = false;
	int status;

	if (!perf->pid)
		return true;
	kill(perf->pid, SIGINT);
	if (waitpid(perf->pid, &status, 0) == perf->pid)
		/* What it ends with after SIGINT depends on its version. */
		good = WIFSIGNALED(status)
			       ? WTERMSIG(status) == SIGINT
			       : WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 128 + SIGINT;
	close(perf->control);
	close(perf->ack);
	if (!good)
		log_error("perf has failed, and its file may be incomplete");
	return good;
}
