// SPDX-License-Identifier: GPL-2.0
/*
 * What iotlbd's BPF program answers to vhost, counted by a BPF program that
 * hangs on its exit. The tracepoint of misses has the verdict too, but only of
 * the first time that a miss was offered.
 *
 * The kernel runs such a program once at a time on each CPU. Where a worker of
 * vhost can be preempted in it, by another one, the other one's answer is not
 * seen. The kernel counts these.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "load.h"
#include "tests/kernel/check.h"
#include "verdicts.skel.h"

#define PROGRAM "deliver_miss"

static int find_program(void)
{
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_prog_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, PROGRAM))
			return fd;
		close(fd);
	}
	bail_out("there is no BPF program " PROGRAM ": is iotlbd running?");
}

static __u64 count_unseen(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size))
		bail_out_errno("cannot ask the kernel what was not seen");
	return info.recursion_misses;
}

static int run(const struct parameter *parameters, char **rest)
{
	struct verdicts_bpf *skel = verdicts_bpf__open();
	sigset_t signals;
	int signal, fd;

	(void)parameters;
	(void)rest;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);

	fd = find_program();
	if (!skel || bpf_program__set_attach_target(skel->progs.count_verdict, fd, PROGRAM) ||
	    verdicts_bpf__load(skel) || verdicts_bpf__attach(skel))
		bail_out("cannot watch the BPF program " PROGRAM);
	print_number("watching", 1);

	sigwait(&signals, &signal);
	print_number("passed", skel->bss->passed);
	print_number("queued", skel->bss->queued);
	print_number("refused", skel->bss->refused);
	print_number("others", skel->bss->others);
	print_number("unseen", count_unseen(skel->progs.count_verdict));
	verdicts_bpf__destroy(skel);
	close(fd);
	return 0;
}

static struct parameter parameters[] = {{0}};

const struct command command_verdicts = {
	.name = "verdicts",
	.help = "count what iotlbd's BPF program answers, until SIGTERM",
	.parameters = parameters,
	.run = run,
};
