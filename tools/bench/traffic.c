// SPDX-License-Identifier: GPL-2.0
#include "traffic.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"

#define MOST_EVENTS 64
#define GRACE (2 * NS_PER_SECOND) /* for what is on its way when all else is done */

enum event_kind {
	EVENT_CALL,
	EVENT_PACKET,
	EVENT_TIMER,
	EVENT_SIGNAL,
	EVENT_SERVER,
};

static uint64_t tag(enum event_kind kind, unsigned int stream)
{
	return (uint64_t)kind << 32 | stream;
}

static int watch(const struct traffic *t, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event event = {.events = events, .data.u64 = tag};

	return epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &event);
}

/*
 * The packet socket is watched only while something is known to be missing:
 * each arrival would wake us in the middle of a round trip otherwise.
 */
static void watch_packets(const struct traffic *t, unsigned int index)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT,
				    .data.u64 = tag(EVENT_PACKET, index)};

	if (epoll_ctl(t->epoll, EPOLL_CTL_MOD, t->streams[index].device->tap.packet, &event))
		err(1, "cannot watch the packet socket");
}

static int watch_stream(const struct traffic *t, unsigned int index)
{
	const struct stream *s = &t->streams[index];

	/*
	 * Edge-triggered: every signal of vhost is one event, whether or not
	 * the counter was read, so that the read() can be saved.
	 */
	if (watch(t, s->queue->call, EPOLLIN | EPOLLET, tag(EVENT_CALL, index)))
		return -1;
	if (s->direction == DIRECTION_RX)
		return 0;
	return watch(t, s->device->tap.packet, EPOLLONESHOT, tag(EVENT_PACKET, index));
}

static int start_watching(struct traffic *t)
{
	struct itimerspec second = {.it_interval.tv_sec = 1, .it_value.tv_sec = 1};

	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (t->epoll < 0 || t->timer < 0 || timerfd_settime(t->timer, 0, &second, NULL) ||
	    watch(t, t->timer, EPOLLIN, tag(EVENT_TIMER, 0)) ||
	    watch(t, t->signals, EPOLLIN, tag(EVENT_SIGNAL, 0)))
		return -1;
	if (t->server >= 0 && watch(t, t->server, EPOLLIN | EPOLLONESHOT, tag(EVENT_SERVER, 0)))
		return -1;
	for (unsigned int i = 0; i < t->nr_streams; i++)
		if (watch_stream(t, i))
			return -1;
	return 0;
}

static void finish(struct traffic *t, struct stream *s)
{
	if (s->state == STREAM_STUCK)
		t->stuck--;
	s->state = STREAM_FINISHED;
	t->unfinished--;
	stream_finish(s);
	s->elapsed = clock_now_ns() - t->started;
	t->elapsed = s->elapsed;
}

/* The other virtqueue of a process goes on with it. */
static void replace_process(struct traffic *t, const struct stream *s)
{
	if (t->stopping || !turnover_run(t->turnover, s))
		return;
	for (unsigned int i = 0; i < t->nr_streams; i++)
		if (t->streams[i].dma == s->dma && t->streams[i].state != STREAM_FINISHED)
			stream_send(&t->streams[i], false);
}

static void go_on(struct traffic *t, unsigned int index)
{
	struct stream *s = &t->streams[index];

	if (s->state == STREAM_FINISHED)
		return;
	if (t->turnover)
		replace_process(t, s);
	if (s->direction == DIRECTION_TX && !stream_collect(s))
		watch_packets(t, index);
	stream_send(s, t->stopping);
	if (stream_is_done(s, t->stopping))
		finish(t, s);
}

static void check_stream(struct traffic *t, struct stream *s, uint64_t now)
{
	uint64_t idle;

	if (s->progress != s->progress_seen || !s->idle_since) {
		s->progress_seen = s->progress;
		s->idle_since = now;
		if (s->state == STREAM_STUCK)
			t->stuck--;
		s->state = STREAM_RUNNING;
		return;
	}
	idle = now - s->idle_since;
	if (idle >= GRACE && (t->stopping || s->used >= s->counts.sent)) {
		finish(t, s);
	} else if (idle >= t->options->timeout * NS_PER_SECOND && s->state == STREAM_RUNNING) {
		s->state = STREAM_STUCK;
		t->stuck++;
		stream_complain(s, t->options->timeout);
	}
}

static void handle_timer(struct traffic *t)
{
	uint64_t expirations, now = clock_now_ns();

	if (read(t->timer, &expirations, sizeof(expirations)) != sizeof(expirations))
		return;
	for (unsigned int i = 0; i < t->nr_streams; i++) {
		if (t->streams[i].state == STREAM_FINISHED)
			continue;
		go_on(t, i);
		if (t->streams[i].state != STREAM_FINISHED)
			check_stream(t, &t->streams[i], now);
	}
	if (t->each_second)
		t->each_second(t, t->arg);
}

static void handle_signal(struct traffic *t)
{
	struct signalfd_siginfo info;

	if (read(t->signals, &info, sizeof(info)) != sizeof(info))
		return;
	t->interrupted = true;
	if (t->stopping)
		t->unfinished = 0;
	t->stopping = true;
	for (unsigned int i = 0; i < t->nr_streams && t->unfinished; i++)
		go_on(t, i);
}

static void handle_event(struct traffic *t, uint64_t tag)
{
	unsigned int index = (uint32_t)tag;

	switch ((enum event_kind)(tag >> 32)) {
	case EVENT_CALL:
		stream_complete(&t->streams[index]);
		go_on(t, index);
		break;
	case EVENT_PACKET:
		go_on(t, index);
		break;
	case EVENT_TIMER:
		handle_timer(t);
		break;
	case EVENT_SIGNAL:
		handle_signal(t);
		break;
	case EVENT_SERVER:
		t->abandoned = true;
		t->stopping = true;
		t->unfinished = 0;
		break;
	}
}

static int loop(struct traffic *t)
{
	struct epoll_event events[MOST_EVENTS];

	t->started = clock_now_ns();
	for (unsigned int i = 0; i < t->nr_streams; i++)
		go_on(t, i);
	while (t->unfinished > t->stuck) {
		int n = epoll_wait(t->epoll, events, MOST_EVENTS, -1);

		if (n < 0 && errno != EINTR) {
			warn("epoll_wait failed");
			return -1;
		}
		for (int i = 0; i < n; i++)
			handle_event(t, events[i].data.u64);
	}
	if (t->unfinished || t->abandoned)
		t->elapsed = clock_now_ns() - t->started;
	for (unsigned int i = 0; i < t->nr_streams; i++)
		if (t->streams[i].state != STREAM_FINISHED)
			t->streams[i].elapsed = t->elapsed;
	return 0;
}

int traffic_run(struct traffic *t)
{
	int result = -1;

	t->epoll = -1;
	t->timer = -1;
	t->unfinished = t->nr_streams;
	if (start_watching(t))
		warn("cannot watch the devices");
	else
		result = loop(t);
	if (t->epoll >= 0)
		close(t->epoll);
	if (t->timer >= 0)
		close(t->timer);
	return result;
}
