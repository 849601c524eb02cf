// SPDX-License-Identifier: GPL-2.0
/*
 * iotlb-top - shows what the device IOTLBs of vhost do.
 *
 * Theory of operation
 *
 * BPF programs on vhost's tracepoints count events for each virtqueue
 * (bpf/counters.bpf.c), or where there are none, on its functions
 * (bpf/probe.bpf.c). Once in an interval the counters are read, compared
 * with those before, and shown.
 *
 *	source		where counters and owners of devices come from
 *	model		devices and virtqueues over time; makes samples of them
 *	spaces		their address spaces, of which each has a PASID
 *	rates		what can be computed of counters
 *	view		ways to show a sample: terminal, batch, JSON, CSV, OpenMetrics
 *	table, print, sort, format	what the views for people share
 *	notes		lines about what should not happen
 *	diagnose	why it does not work
 *
 * The first sample comes after the first interval and holds what happened in
 * it. Signals are read from a descriptor, so that nothing is interrupted. So are
 * keys, while the program waits for the next sample.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "top/model.h"
#include "top/source.h"
#include "top/top_options.h"
#include "top/view.h"

/**
 * struct top - the program
 * @options:	the command line
 * @signals:	signalfd of what ends the program, or resizes the terminal
 * @ops:	where counters come from
 * @source:	its state
 * @model:	devices
 * @view_ops:	how they are shown
 * @view:	its state
 * @shown:	samples shown
 */
struct top {
	struct top_options options;
	int signals;
	const struct source_ops *ops;
	struct source *source;
	struct model *model;
	const struct view_ops *view_ops;
	struct view *view;
	unsigned long shown;
};

static int block_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		log_error("cannot wait for signals: %s", strerror(errno));
	return fd;
}

/* Who is not, is stopped when it changes how the terminal works. */
static bool is_in_foreground(void)
{
	pid_t group = tcgetpgrp(STDOUT_FILENO);

	/* Not if the terminal is not that of this session. */
	return group < 0 || group == getpgrp();
}

static const struct view_ops *choose_view(const struct top_options *options)
{
	const char *term = getenv("TERM");

	switch (options->format) {
	case TOP_JSON:
		return &view_json;
	case TOP_CSV:
		return &view_csv;
	case TOP_OPENMETRICS:
		return &view_openmetrics;
	case TOP_FOR_PEOPLE:
		break;
	}
	if (options->batch || !isatty(STDOUT_FILENO) || !term || !strcmp(term, "dumb"))
		return &view_batch;
	/* A single table needs no screen of its own. */
	return options->count == 1 || !is_in_foreground() ? &view_batch : &view_terminal;
}

static bool process_exists(pid_t pid)
{
	if (!kill(pid, 0) || errno == EPERM)
		return true;
	log_error("there is no process %d to watch; pgrep -a qemu lists those of guests", pid);
	return false;
}

static bool top_open(struct top *top)
{
	struct source_options source = {.max_queues = top->options.max_queues};
	struct view_options view = {
		.out = stdout,
		.file = top->options.file,
		.sort = top->options.sort,
		.by = top->options.by,
		.rows = top->options.rows,
		.interval = top->options.interval,
		.timestamps = top->options.timestamps,
	};

	if (top->options.pid && !process_exists(top->options.pid))
		return false;
	top->signals = block_signals();
	if (top->signals < 0)
		return false;

	top->ops = source_choose(top->options.probes);
	top->source = top->ops->open(&source);
	if (!top->source)
		return false;

	top->view_ops = choose_view(&top->options);
	top->model = model_new(top->ops, top->source, top->options.pid);
	if (!top->model) {
		log_error("out of memory");
		return false;
	}
	/* Who starts traffic only now will find all of it counted. */
	log_debug("counting");
	top->view = top->view_ops->open(&view);
	return top->view;
}

/* What is said on a terminal while a view has it is lost. */
static void close_view(struct top *top)
{
	if (top->view)
		top->view_ops->close(top->view);
	top->view = NULL;
}

static void top_close(struct top *top)
{
	close_view(top);
	model_free(top->model);
	if (top->source)
		top->ops->close(top->source);
	if (top->signals >= 0)
		close(top->signals);
}

static enum view_wish take_signal(struct top *top)
{
	struct signalfd_siginfo info;

	if (read(top->signals, &info, sizeof(info)) != sizeof(info))
		return VIEW_GO_ON;
	if (info.ssi_signo != SIGWINCH)
		return VIEW_QUIT;
	if (top->view_ops->resize)
		top->view_ops->resize(top->view);
	return VIEW_GO_ON;
}

/* Returns VIEW_SAMPLE when it is time for one, or if it is wanted before. */
static enum view_wish wait_until(struct top *top, int64_t when)
{
	struct pollfd fds[] = {
		{.fd = top->signals, .events = POLLIN},
		{.fd = -1, .events = POLLIN},
	};
	enum view_wish wish = VIEW_GO_ON;
	struct timespec timeout;
	int64_t left;
	int ready;

	while (wish == VIEW_GO_ON) {
		if (top->view_ops->input)
			fds[1].fd = top->view_ops->input(top->view);
		left = when - clock_now_ns();
		if (left < 0)
			left = 0;
		timeout.tv_sec = left / NS_PER_SECOND;
		timeout.tv_nsec = left % NS_PER_SECOND;
		ready = ppoll(fds, 2, &timeout, NULL);
		if (!ready)
			return VIEW_SAMPLE;
		if (ready > 0 && fds[0].revents)
			wish = take_signal(top);
		else if (ready > 0 && fds[1].revents)
			wish = top->view_ops->key(top->view);
	}
	return wish;
}

static bool is_frozen(const struct top *top)
{
	return top->view_ops->frozen && top->view_ops->frozen(top->view);
}

static bool written(struct top *top, int err)
{
	if (!err)
		return true;
	close_view(top);
	log_error("cannot write %s output to %s: %s", top->view_ops->name,
		  top->options.file ? top->options.file : "standard output", strerror(-err));
	return false;
}

static bool take_sample(struct top *top, bool final, struct top_sample *sample)
{
	int err = model_sample(top->model, final, sample);

	if (!err)
		return true;
	close_view(top);
	log_error("cannot read the counters: %s", strerror(-err));
	return false;
}

static bool top_run(struct top *top)
{
	const struct top_options *options = &top->options;
	int64_t interval = (int64_t)(options->interval * NS_PER_SECOND);
	int64_t next = clock_now_ns(), end = INT64_MAX, now;
	struct top_sample sample;

	if (options->duration)
		end = next + (int64_t)(options->duration * NS_PER_SECOND);

	do {
		/* Late by whole intervals: they are one long sample. */
		now = clock_now_ns();
		next += interval;
		if (next <= now)
			next += (now - next + interval) / interval * interval;
		if (next > end)
			next = end;

		if (wait_until(top, next) == VIEW_QUIT)
			break;
		if (is_frozen(top))
			continue;
		if (!take_sample(top, false, &sample))
			return false;
		top->shown++;
		if (!written(top, top->view_ops->sample(top->view, &sample)))
			return false;
	} while (top->shown != options->count && next < end);

	if (!take_sample(top, true, &sample))
		return false;
	return written(top, top->view_ops->summary(top->view, &sample, top->shown));
}

int main(int argc, char **argv)
{
	struct top top = {.signals = -1};
	bool good;

	top_options_parse(&top.options, argc, argv);
	good = top_open(&top) && top_run(&top);
	top_close(&top);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
