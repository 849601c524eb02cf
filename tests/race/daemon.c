// SPDX-License-Identifier: GPL-2.0
#include "daemon.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

#define LIMIT_MS 60000

/* Where it says that it is ready, as to a service manager. */
static int open_notify_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int length;

	/* A name without a file begins with a NUL. */
	length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "race-%d", getpid());
	if (fd < 0 || bind(fd, (struct sockaddr *)&address,
			   offsetof(struct sockaddr_un, sun_path) + 1 + length))
		bail_out_errno("cannot make a socket");
	return fd;
}

static void child(const char *program, const char *const *options, int output, pid_t parent)
{
	const char *arguments[8] = {program, "--json", "--pid"};
	int count = 4;
	char self[256] = "", path[512], pid[16], notify[32];
	char *slash;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		_exit(1);
	slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	snprintf(path, sizeof(path), "%s%s", self, program);
	snprintf(pid, sizeof(pid), "%d", parent);
	snprintf(notify, sizeof(notify), "@race-%d", parent);
	setenv("NOTIFY_SOCKET", notify, 1);
	arguments[3] = pid;
	while (*options)
		arguments[count++] = *options++;
	if (dup2(output, STDOUT_FILENO) >= 0)
		execv(path, (char *const *)arguments);
	perror(path);
	_exit(1);
}

void daemon_start(struct daemon *d, const char *program, const char *const *options)
{
	struct pollfd p = {.fd = open_notify_socket(), .events = POLLIN};
	pid_t parent = getpid();
	int ends[2];

	if (pipe(ends))
		bail_out_errno("cannot make a pipe");
	d->pid = fork();
	if (d->pid < 0)
		bail_out_errno("cannot fork");
	if (!d->pid) {
		close(ends[0]);
		child(program, options, ends[1], parent);
	}
	close(ends[1]);
	d->output = ends[0];
	if (poll(&p, 1, LIMIT_MS) != 1)
		bail_out("%s does not get ready", program);
	d->notify = p.fd;
}

static uint64_t number_in(const char *json, const char *key)
{
	char wanted[32];
	const char *at;

	snprintf(wanted, sizeof(wanted), "\"%s\":", key);
	at = strstr(json, wanted);
	if (!at)
		bail_out("the daemon does not print %s", wanted);
	return strtoull(at + strlen(wanted), NULL, 10);
}

static void read_counts(int fd, struct daemon_counts *counts)
{
	FILE *file = fdopen(fd, "r");
	char line[1024];

	if (!file)
		bail_out_errno("cannot read from the daemon");
	/* To the end, or it could not write all. */
	while (fgets(line, sizeof(line), file))
		if (strstr(line, "\"total\""))
			*counts = (struct daemon_counts){
				.misses = number_in(line, "misses"),
				.answered = number_in(line, "answered"),
				.stale = number_in(line, "stale"),
				.failed = number_in(line, "failed"),
				.resolved = number_in(line, "resolved"),
			};
	fclose(file);
}

void daemon_stop(struct daemon *d, struct daemon_counts *counts)
{
	int status;

	kill(d->pid, SIGTERM);
	read_counts(d->output, counts);
	if (waitpid(d->pid, &status, 0) != d->pid || status)
		bail_out("the daemon has failed, with status 0x%x", status);
	close(d->notify);
}
