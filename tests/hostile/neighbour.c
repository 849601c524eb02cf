// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "clock.h"
#include "hostile.h"
#include "tests/kernel/check.h"

/* Between packets. */
#define PAUSE_MS 1

struct report {
	unsigned int sent, lost, answers;
	double longest_ms;
};

static int ask, reply;

static bool is_over(int asked)
{
	struct pollfd p = {.fd = asked, .events = POLLIN};

	return poll(&p, 1, PAUSE_MS) > 0;
}

static struct report live(struct inmate *in, int asked)
{
	struct report r = {0};

	while (!is_over(asked)) {
		const double began = clock_seconds();
		double ms;

		r.sent++;
		if (!inmate_send(in, inmate_address(in))) {
			r.lost++;
			break;
		}
		ms = 1e3 * (clock_seconds() - began);
		if (ms > r.longest_ms)
			r.longest_ms = ms;
		inmate_invalidate(in);
	}
	r.answers = in->answers;
	return r;
}

static void be_neighbour(enum deep_kind kind, unsigned int levels, int asked, int replies)
{
	static struct inmate in;
	struct report r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	device_enter_namespace();
	inmate_open(&in, kind, levels);
	if (!inmate_settle(&in) || write(replies, "", 1) != 1)
		_exit(1);
	r = live(&in, asked);
	_exit(write(replies, &r, sizeof(r)) == sizeof(r) ? 0 : 1);
}

void neighbour_begin(enum deep_kind kind, unsigned int levels)
{
	int asks[2], replies[2];
	char byte;
	pid_t pid;

	if (pipe(asks) || pipe(replies))
		bail_out_errno("cannot make a pipe");
	pid = fork();
	if (pid < 0)
		bail_out_errno("cannot fork");
	if (!pid) {
		close(asks[1]);
		close(replies[0]);
		be_neighbour(kind, levels, asks[0], replies[1]);
	}
	close(asks[0]);
	close(replies[1]);
	ask = asks[1];
	reply = replies[0];
	if (read(reply, &byte, 1) != 1)
		bail_out("the other guest sends nothing");
}

void check_neighbour(void)
{
	struct report r = {.lost = 1};

	close(ask);
	if (read(reply, &r, sizeof(r)) != sizeof(r))
		printf("# the other guest is gone\n");
	wait(NULL);
	printf("# the other guest: %u packets sent, %u lost, %u answers by its owner, %.0f ms at "
	       "most\n",
	       r.sent, r.lost, r.answers, r.longest_ms);
	print_result(r.sent > 100 && !r.lost, "another guest goes on meanwhile");
}
