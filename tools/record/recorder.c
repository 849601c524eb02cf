// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "collector.h"
#include "command.h"
#include "events.h"
#include "log.h"
#include "machine.h"
#include "owners.h"
#include "perf.h"
#include "status_line.h"
#include "recorder.h"
#include "top/model.h"
#include "top/source.h"

/* The ring buffer is looked at so often, and the counters at first. */
#define LOOK_NS RECORD_TIMELINE_NS

/* Counters are looked at this often at least. */
#define SAMPLE_NS_MAX NS_PER_SECOND

/**
 * struct recorder - the state of recording
 * @options:	the command line
 * @signals:	signalfd
 * @source:	where counters come from
 * @model:	devices
 * @events:	where events come from
 * @collector:	what fills the record
 * @line:	what is told of it
 * @perf:	perf beside us
 * @pid:	process of the command, 0 if there is none, or none any more
 * @asked:	how often we were asked to end
 * @next_ns:	when the next sample is due
 */
struct recorder {
	const struct record_options *options;
	int signals;
	struct source *source;
	struct model *model;
	struct events *events;
	struct collector collector;
	struct status_line line;
	struct perf perf;
	pid_t pid;
	unsigned int asked;
	uint64_t next_ns;
};

static void take_event(void *arg, const struct iotlb_event *event)
{
	struct recorder *recorder = arg;

	collector_event(&recorder->collector, event);
}

static int block_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	/* If it is ignored, children vanish without their exit status. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		log_error("cannot wait for signals: %s", strerror(errno));
	return fd;
}

static bool begin(struct recorder *recorder, struct record *record, const char *perf_path)
{
	const struct source_options source = {.max_queues = IOTLB_SLOTS_USABLE};

	recorder->signals = block_signals();
	if (recorder->signals < 0)
		return false;
	owners_init(&source_bpf);
	recorder->source = source_owners.open(&source);
	if (!recorder->source)
		return false;
	recorder->model = model_new(&source_owners, recorder->source, 0);
	if (!recorder->model) {
		log_error("out of memory");
		return false;
	}
	collector_init(&recorder->collector, record, clock_now_ns());
	recorder->events = events_open(recorder->options->buffer_kib, take_event, recorder);
	if (!recorder->events)
		return false;
	if (recorder->options->perf && !perf_start(&recorder->perf, perf_path))
		return false;
	record->start = (double)time(NULL);
	log_debug("recording");
	return true;
}

static void end(struct recorder *recorder)
{
	events_close(recorder->events);
	model_free(recorder->model);
	if (recorder->source)
		source_owners.close(recorder->source);
	if (recorder->signals >= 0)
		close(recorder->signals);
}

/* The terminal has sent Ctrl-C to the command as well; others have not. */
static void end_command(struct recorder *recorder, int signal, bool has_it)
{
	if (!recorder->pid)
		return;
	if (recorder->asked > 1) {
		log_warn("the command is killed, as it is still there");
		kill(recorder->pid, SIGKILL);
	} else if (!has_it) {
		kill(recorder->pid, signal);
	}
}

static void take_signals(struct recorder *recorder, struct record *record)
{
	struct signalfd_siginfo info;

	while (read(recorder->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		recorder->asked++;
		record->end = RECORD_END_SIGNAL;
		end_command(recorder, (int)info.ssi_signo, info.ssi_code == SI_KERNEL);
	}
	/* Several may have ended, and there is one signal for all. */
	if (recorder->pid && command_ended(recorder->pid, &record->status))
		recorder->pid = 0;
}

static int take_sample(struct recorder *recorder, struct record *record, bool final)
{
	struct top_sample sample;
	uint64_t now, pause, since;
	int err;

	err = model_sample(recorder->model, final, &sample);
	if (err) {
		log_error("cannot read the counters: %s", strerror(-err));
		return err;
	}
	now = clock_now_ns();
	collector_sample(&recorder->collector, &sample, now);
	record->lost_events = events_lost(recorder->events);
	status_line_show(&recorder->line, record, &sample);

	/* At the edges of buckets, so that a sample belongs to one. */
	pause = record->timeline.bucket_ns;
	while (pause > SAMPLE_NS_MAX)
		pause /= 2;
	since = now - recorder->collector.start_ns;
	recorder->next_ns = now + pause - since % pause;
	return 0;
}

static void look_at_clock(struct recorder *recorder, struct record *record, uint64_t end_ns)
{
	if (!end_ns || clock_now_ns() < end_ns || recorder->asked)
		return;
	record->end = RECORD_END_TIME;
	recorder->asked++;
	end_command(recorder, SIGTERM, false);
}

/* Milliseconds until there is something to do. */
static int until_next(const struct recorder *recorder)
{
	const uint64_t now = clock_now_ns();
	uint64_t left = recorder->next_ns > now ? recorder->next_ns - now : 0;

	if (left > LOOK_NS)
		left = LOOK_NS;
	/* Rounded up: not before the time has come. */
	return (int)((left + NS_PER_MS - 1) / NS_PER_MS);
}

static int follow(struct recorder *recorder, struct record *record)
{
	const double duration = recorder->options->duration;
	uint64_t end_ns = 0;
	int err = 0;

	if (duration)
		end_ns = clock_now_ns() + (uint64_t)(duration * NS_PER_SECOND);
	recorder->next_ns = clock_now_ns() + LOOK_NS;
	while (!err) {
		struct pollfd signals = {.fd = recorder->signals, .events = POLLIN};

		poll(&signals, 1, until_next(recorder));
		take_signals(recorder, record);
		look_at_clock(recorder, record, end_ns);
		if (!recorder->pid && (recorder->options->command || recorder->asked))
			return 0;
		err = events_read(recorder->events);
		if (err)
			log_error("cannot read the events: %s", strerror(-err));
		else if (clock_now_ns() >= recorder->next_ns)
			err = take_sample(recorder, record, false);
	}
	/* It is not left alone. */
	end_command(recorder, SIGTERM, false);
	return err;
}

static int stop_events(struct recorder *recorder)
{
	int err = events_stop(recorder->events);

	if (err)
		log_error("cannot read the events: %s", strerror(-err));
	return err;
}

int recorder_run(struct record *record, const struct record_options *options, const char *perf_path,
		 bool *perf_good)
{
	struct recorder recorder = {.options = options, .signals = -1};
	int status = 0;

	machine_describe(&record->machine);
	if (options->command)
		command_quote(options->command, record->command, sizeof(record->command));
	status_line_init(&recorder.line, options->quiet);

	if (!begin(&recorder, record, perf_path))
		status = RECORD_EXIT_FAILED;
	if (!status && options->command)
		status = command_start(options->command, &recorder.pid);
	if (!status && (follow(&recorder, record) || stop_events(&recorder) ||
			take_sample(&recorder, record, true)))
		status = RECORD_EXIT_FAILED;
	*perf_good = perf_stop(&recorder.perf);
	status_line_end(&recorder.line);
	end(&recorder);
	return status;
}
