// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

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
	p->pipe = ends[0];
	if (read(p->pipe, &byte, 1) != 1)
		bail_out("a process that the check needs has failed");
}

void process_kill(struct process *p)
{
	if (kill(p->pid, SIGKILL) || waitpid(p->pid, NULL, 0) != p->pid)
		bail_out_errno("cannot kill process %d", p->pid);
	close(p->pipe);
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
