// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* No check has more than one at a time. */
static pid_t running;

static void child(int ready, void (*prepare)(void))
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prepare();
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

void process_start(struct process *p, void (*prepare)(void))
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC))
		bail_out_errno("cannot make a pipe");
	p->pid = fork();
	if (p->pid < 0)
		bail_out_errno("cannot fork");
	if (!p->pid) {
		close(ends[0]);
		child(ends[1], prepare);
	}
	close(ends[1]);
	running = p->pid;
	if (read(ends[0], &byte, 1) != 1)
		bail_out("a process that the check needs has failed");
	close(ends[0]);
}

void process_begin(struct process *p, void (*work)(void))
{
	p->pid = fork();
	if (p->pid < 0)
		bail_out_errno("cannot fork");
	if (!p->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work();
		_exit(0);
	}
	running = p->pid;
}

static bool is_in(const struct process *p, const char *function)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stack", p->pid);
	file = fopen(path, "re");
	if (!file)
		bail_out_errno("cannot open %s", path);
	while (fgets(line, sizeof(line), file))
		if (strstr(line, function))
			found = true;
	fclose(file);
	return found;
}

bool process_wait_in(const struct process *p, const char *function)
{
	for (int waited = 0; waited < LIMIT_MS; waited++) {
		if (is_in(p, function))
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

bool process_can_be_killed(const struct process *p)
{
	struct pollfd end = {.fd = syscall(SYS_pidfd_open, p->pid, 0), .events = POLLIN};
	bool ended;

	if (end.fd < 0 || kill(p->pid, SIGKILL))
		bail_out_errno("cannot kill process %d", p->pid);
	ended = poll(&end, 1, LIMIT_MS) == 1;
	close(end.fd);
	return ended;
}

void process_kill(struct process *p)
{
	if (kill(p->pid, SIGKILL) || waitpid(p->pid, NULL, 0) != p->pid)
		bail_out_errno("cannot kill process %d", p->pid);
	running = 0;
}

void process_kill_all(void)
{
	struct process p = {.pid = running};

	if (running)
		process_kill(&p);
}

bool process_run(char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		bail_out_errno("cannot fork");
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}
