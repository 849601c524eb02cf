// SPDX-License-Identifier: GPL-2.0
/*
 * Misses that a program takes and nobody answers. Here, as an exception, time
 * has to pass; how much is only ever too little, never too much.
 */
#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fail.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "module.h"
#include "trace.h"

#define QUEUED 1

/* So often does the watchdog find misses too old before it ends a program. */
#define MANY 8

#define SHORT_MS 20
#define NS_PER_MS 1000000

static bool has_timeouts(const struct device *d, unsigned int timeouts, unsigned int detached)
{
	struct fdinfo info;

	fdinfo_read(&info, d->fd);
	EXPECT(info.timeouts == timeouts && info.detached == detached, "%u timeouts, %u detached",
	       info.timeouts, info.detached);
	return true;
}

/* TX misses a page, and the program takes it. */
static bool queues(struct device *d, const struct hook *h, unsigned int page)
{
	unsigned int calls = hook_calls(h);

	device_send(d, page, page);
	EXPECT(hook_calls(h) == calls + 1, "not asked");
	return true;
}

static bool answers(struct device *d, unsigned int page)
{
	unsigned int used = device_used(d, TX);

	EXPECT(!device_map(d, page, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == used + 1, "the virtqueue was not woken");
	EXPECT(!device_invalidate(d, device_iova(page), PAGE), "refused");
	return true;
}

/* It comes out of the file. */
static bool times_out(struct device *d, unsigned int page)
{
	struct vhost_iotlb_msg msg;

	EXPECT(device_wait_message(d), "nothing to read");
	EXPECT(!device_read_miss(d, &msg), "no message");
	EXPECT(msg.iova == device_iova(page), "a message of 0x%llx", (unsigned long long)msg.iova);
	return true;
}

/* @n misses in a row, each of which times out, and is answered then. */
static bool time_out(struct device *d, const struct hook *h, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		PART(queues(d, h, FIRST_PAGE));
		PART(times_out(d, FIRST_PAGE));
		PART(answers(d, FIRST_PAGE));
	}
	return true;
}

/* A miss that is answered in good time, however slow this machine is. */
static bool answer_in_time(struct device *d, const struct hook *h)
{
	module_set_parameter(MODULE_TIMEOUT, 0);
	PART(queues(d, h, FIRST_PAGE + 1));
	PART(answers(d, FIRST_PAGE + 1));
	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	return true;
}

static bool delivered(void)
{
	const unsigned int timeout_ms = 300;
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	unsigned long long dev = fdinfo_id(d->fd);
	struct vhost_iotlb_msg msg;

	/* From then on it looks twice in that time. */
	module_set_parameter(MODULE_TIMEOUT, timeout_ms);
	PART(time_out(d, h, 1));
	trace_open();
	for (int i = 0; i < 3; i++) {
		int64_t waited;

		trace_clear();
		PART(time_out(d, h, 1));
		waited = trace_field("waited", "fallback", "reason=timeout");
		EXPECT(waited >= (int64_t)timeout_ms * NS_PER_MS, "after %lld ns",
		       (long long)waited);
		/* A clock that goes wrong is not believed. */
		EXPECT(waited < (int64_t)LIMIT_MS * NS_PER_MS, "after %lld ns", (long long)waited);
	}

	trace_clear();
	PART(queues(d, h, FIRST_PAGE));
	PART(times_out(d, FIRST_PAGE));
	PART(has_timeouts(d, 5, 0));
	EXPECT(trace_count("fallback", "dev=%llu vq=1 iova=0x%llx access=r reason=timeout", dev,
			   (unsigned long long)device_iova(FIRST_PAGE)) == 1,
	       "not one event");

	/* It is not the program's any more. */
	device_kick_and_flush(d, TX);
	EXPECT(hook_calls(h) == 5, "asked %u times", hook_calls(h));
	EXPECT(!device_read_miss(d, &msg), "a kick does not offer it again");
	PART(answers(d, FIRST_PAGE));
	PART(queues(d, h, FIRST_PAGE));
	EXPECT(!hook_is_detached(h), "the program is gone");
	EXPECT(trace_count("miss", " ") == 2, "not two misses");
	return true;
}

static bool delivered_retry(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(queues(d, h, FIRST_PAGE));
	for (unsigned int i = 1; i < MANY - 1; i++) {
		PART(times_out(d, FIRST_PAGE));
		EXPECT(hook_calls(h) == i, "asked %u times", hook_calls(h));
		EXPECT(!batch_retry(d, 0, 0), "refused");
		device_flush(d);
		EXPECT(hook_calls(h) == i + 1, "asked %u times", hook_calls(h));
	}
	PART(times_out(d, FIRST_PAGE));
	return has_timeouts(d, MANY - 1, 0);
}

/* One was answered, one handed back, one comes later and times out. */
static bool spared(void)
{
	struct device *first = device_open_running(), *second = device_open_running(),
		      *third = device_open_running();
	struct hook *h = hook_open(QUEUED);
	struct vhost_iotlb_msg msg;

	PART(queues(first, h, FIRST_PAGE));
	EXPECT(!device_map(first, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(first);
	EXPECT(device_used(first, TX) == 1, "not woken");
	PART(queues(second, h, FIRST_PAGE));
	EXPECT(!batch_hand_back(second, 0, 0), "refused");
	EXPECT(!device_read_miss(second, &msg), "no message");
	PART(queues(third, h, FIRST_PAGE));

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(times_out(third, FIRST_PAGE));
	EXPECT(!device_has_message(first) && !device_has_message(second), "a message");
	PART(has_timeouts(first, 0, 0));
	PART(has_timeouts(second, 0, 0));
	return has_timeouts(third, 1, 0);
}

/* That it waits counts from when it was taken, not from a kick on. */
static bool kicked(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	int waited_ms = 0;

	module_set_parameter(MODULE_TIMEOUT, 10 * SHORT_MS);
	PART(queues(d, h, FIRST_PAGE));
	while (!device_has_message(d)) {
		EXPECT(waited_ms++ < LIMIT_MS, "nothing to read");
		device_kick_and_flush(d, TX);
		poll(NULL, 0, 1);
	}
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	return has_timeouts(d, 1, 0);
}

/* No limit, for as long as another device needs to run into one. */
static bool off(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	EXPECT(module_parameter(MODULE_TIMEOUT) == 0, "not off");
	PART(queues(d, h, FIRST_PAGE));
	/* Twice as long as it takes to notice that there is a limit. */
	poll(NULL, 0, 2500);
	EXPECT(!device_has_message(d), "a message");
	PART(has_timeouts(d, 0, 0));

	/* It counts from then on when it is switched on, or made shorter. */
	module_set_parameter(MODULE_TIMEOUT, 1000000);
	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(times_out(d, FIRST_PAGE));
	return has_timeouts(d, 1, 0);
}

static bool detached(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(time_out(d, h, MANY - 1));
	EXPECT(!hook_is_detached(h), "detached after %u", MANY - 1);
	PART(queues(d, h, FIRST_PAGE));
	PART(times_out(d, FIRST_PAGE));
	EXPECT(hook_wait_detached(h), "still attached after %u", MANY);
	PART(has_timeouts(d, MANY, 0));

	/* All is as without a program, and another one can come. */
	device_kick_and_flush(d, TX);
	PART(times_out(d, FIRST_PAGE));
	PART(answers(d, FIRST_PAGE));
	EXPECT(hook_calls(h) == MANY, "asked %u times", hook_calls(h));
	hook_close(h);
	h = hook_open(QUEUED);
	/* Which has all of them before it. */
	PART(time_out(d, h, MANY - 1));
	EXPECT(!hook_is_detached(h), "detached after %u", MANY - 1);
	return true;
}

/* A stall makes many of them too old: that is once. */
static bool together(void)
{
	struct device *devices[3 * MANY];
	const int nr = sizeof(devices) / sizeof(*devices);
	struct hook *h = hook_open(QUEUED);

	for (int i = 0; i < nr; i++) {
		devices[i] = device_open_running();
		PART(queues(devices[i], h, FIRST_PAGE));
	}
	/* Those that are not old enough are when it looks the next time. */
	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	for (int i = 0; i < nr; i++) {
		PART(times_out(devices[i], FIRST_PAGE));
		PART(has_timeouts(devices[i], 1, 0));
		PART(answers(devices[i], FIRST_PAGE));
	}
	EXPECT(!hook_is_detached(h), "detached by one stall");
	PART(queues(devices[0], h, FIRST_PAGE));
	return true;
}

/* A miss that is not old enough to time out comes out when the program goes. */
static bool detached_with_others(void)
{
	struct device *d = device_open_running(), *young = device_open_running();
	struct hook *h = hook_open(QUEUED);
	unsigned int calls;

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(time_out(d, h, MANY - 1));
	module_set_parameter(MODULE_TIMEOUT, 0);
	PART(queues(d, h, FIRST_PAGE));
	/* Off for so long that this one will be old, and the next one young. */
	poll(NULL, 0, 2000);
	calls = hook_calls(h);
	device_send(young, FIRST_PAGE, 1);
	EXPECT(hook_calls(h) == calls + 1, "not asked");
	module_set_parameter(MODULE_TIMEOUT, 2000);
	EXPECT(hook_wait_detached(h), "still attached");
	PART(times_out(d, FIRST_PAGE));
	return times_out(young, FIRST_PAGE);
}

static bool counting_restarts(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(time_out(d, h, MANY - 1));
	PART(answer_in_time(d, h));
	PART(time_out(d, h, MANY - 1));
	EXPECT(!hook_is_detached(h), "an answer does not count");

	module_set_parameter(MODULE_TIMEOUT, 0);
	PART(queues(d, h, FIRST_PAGE));
	EXPECT(!batch_hand_back(d, device_iova(FIRST_PAGE), PAGE), "refused");
	PART(times_out(d, FIRST_PAGE));
	PART(answers(d, FIRST_PAGE));
	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(time_out(d, h, MANY - 1));
	EXPECT(!hook_is_detached(h), "a hand back does not count");

	/* One that nobody had to be asked for is no answer of the program's. */
	EXPECT(!device_map(d, FIRST_PAGE + 3, VHOST_ACCESS_RO), "refused");
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	PART(time_out(d, h, 1));
	EXPECT(hook_wait_detached(h), "still attached");
	return has_timeouts(d, 3 * MANY - 2, 0);
}

/* That an access fails is an answer, too. */
static bool failure_counts(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	unsigned int used;

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(time_out(d, h, MANY - 1));
	module_set_parameter(MODULE_TIMEOUT, 0);
	PART(queues(d, h, FIRST_PAGE));
	used = device_used(d, TX);
	EXPECT(!fail_access(d, device_iova(FIRST_PAGE), PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == used + 1, "the virtqueue was not woken");
	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(time_out(d, h, MANY - 1));
	EXPECT(!hook_is_detached(h), "a failure does not count");

	/* Nobody waits for this one. */
	EXPECT(!fail_access(d, 0, 0, VHOST_ACCESS_RW), "refused");
	PART(time_out(d, h, 1));
	EXPECT(hook_wait_detached(h), "still attached");
	return has_timeouts(d, 2 * MANY - 1, 0);
}

/* TX offers the program its miss again, which passes it this time. */
static bool retries(struct device *d, struct hook *h, uint64_t iova, uint64_t size)
{
	unsigned int calls = hook_calls(h);

	hook_set_verdict(h, HOOK_PASS);
	EXPECT(!batch_retry(d, iova, size), "refused");
	device_flush(d);
	hook_set_verdict(h, QUEUED);
	EXPECT(hook_calls(h) == calls + 1, "not asked again");
	return true;
}

/* Of RETRY alone: what is passed then is read, and not answered by the program. */
static bool retry_counts(void)
{
	struct device *d = device_open_running(), *other = device_open_running();
	struct hook *h = hook_open(QUEUED);

	for (unsigned int i = 0; i < 2; i++) {
		module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
		PART(time_out(d, h, MANY - 1));
		module_set_parameter(MODULE_TIMEOUT, 0);
		PART(queues(d, h, FIRST_PAGE));
		PART(retries(d, h, i ? 0 : device_iova(FIRST_PAGE), i ? 0 : PAGE));
		PART(times_out(d, FIRST_PAGE));
		PART(answers(d, FIRST_PAGE));
	}
	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(time_out(d, h, MANY - 1));
	EXPECT(!hook_is_detached(h), "a RETRY does not count");

	/* Not of what nobody waits for, nor elsewhere. */
	module_set_parameter(MODULE_TIMEOUT, 0);
	PART(queues(d, h, FIRST_PAGE));
	EXPECT(!batch_retry(d, device_iova(FIRST_PAGE + 1), PAGE), "refused");
	EXPECT(!batch_retry(other, 0, 0), "refused");
	device_flush(d);
	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(times_out(d, FIRST_PAGE));
	EXPECT(hook_wait_detached(h), "a RETRY of nothing counts");
	return has_timeouts(d, 3 * (MANY - 1) + 1, 0);
}

/* Nor is RETRY when it has timed out, nor of what was passed. */
static bool retry_late(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	PART(queues(d, h, FIRST_PAGE));
	for (unsigned int i = 1; i < MANY; i++) {
		PART(times_out(d, FIRST_PAGE));
		PART(retries(d, h, 0, 0));
		PART(times_out(d, FIRST_PAGE));
		EXPECT(!batch_retry(d, 0, 0), "refused");
		device_flush(d);
		EXPECT(hook_calls(h) == 2 * i + 1, "asked %u times", hook_calls(h));
		EXPECT(!hook_is_detached(h), "detached after %u", i);
	}
	PART(times_out(d, FIRST_PAGE));
	EXPECT(hook_wait_detached(h), "still attached");
	return has_timeouts(d, MANY, 0);
}

/* An answer that comes too late for the limit is no answer either. */
static bool answered_late(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	for (unsigned int i = 0; i < MANY; i++) {
		PART(queues(d, h, FIRST_PAGE));
		EXPECT(device_wait_message(d), "nothing to read");
		PART(answers(d, FIRST_PAGE));
		EXPECT(!device_has_message(d), "a message");
	}
	EXPECT(hook_wait_detached(h), "still attached");
	return true;
}

/* One that is refused is none: the miss still waits. */
static bool answered_stale(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	unsigned int calls = 0;

	module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
	device_send(d, FIRST_PAGE, 2);
	while (calls++ < MANY) {
		EXPECT(hook_calls(h) == calls, "asked %u times", hook_calls(h));
		PART(times_out(d, FIRST_PAGE));
		EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, 0) == -ESTALE, "not refused");
		device_flush(d);
	}
	EXPECT(hook_wait_detached(h), "still attached");
	return true;
}

/* The module goes while there is work of the watchdog's to be done. */
static bool unloaded(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	module_set_parameter(MODULE_TIMEOUT, 1500);
	PART(queues(d, h, FIRST_PAGE));
	device_close(d);
	EXPECT(!module_unload("vhost_net"), "cannot unload vhost_net");
	EXPECT(!module_unload("vhost_vsock"), "cannot unload vhost_vsock");
	hook_close(h);
	EXPECT(!module_unload("vhost"), "cannot unload vhost");

	EXPECT(module_load("vhost_net"), "cannot load vhost_net again");
	EXPECT(module_parameter(MODULE_TIMEOUT) == 1000, "%u ms by default",
	       module_parameter(MODULE_TIMEOUT));
	/* By the end of this, it would have been done. */
	d = device_open_running();
	h = hook_open(QUEUED);
	PART(queues(d, h, FIRST_PAGE));
	PART(times_out(d, FIRST_PAGE));
	return true;
}

/* The watchdog detaches it, and the module goes at once. */
static bool detached_and_unloaded(void)
{
	for (int i = 0; i < 3; i++) {
		struct device *d = device_open_running();
		struct hook *h = hook_open(QUEUED);

		module_set_parameter(MODULE_TIMEOUT, SHORT_MS);
		PART(time_out(d, h, MANY));
		device_close(d);
		EXPECT(hook_wait_detached(h), "still attached");
		hook_close(h);
		EXPECT(!module_unload("vhost_net"), "cannot unload vhost_net");
		EXPECT(!module_unload("vhost_vsock"), "cannot unload vhost_vsock");
		EXPECT(!module_unload("vhost"), "cannot unload vhost");
		EXPECT(module_load("vhost_net"), "cannot load vhost_net again");
	}
	return true;
}

static const struct check list[] = {
	{"a miss that waits too long is read from the fd", delivered, STOCK_LACKS},
	{"RETRY offers it to the program again", delivered_retry, STOCK_LACKS},
	{"a miss that was answered or handed back is left alone", spared, STOCK_LACKS},
	{"kicks do not make it younger", kicked, STOCK_LACKS},
	{"no limit, until there is one", off, STOCK_LACKS},
	{"8 in a row detach the program", detached, STOCK_LACKS},
	{"many at once count once", together, STOCK_LACKS},
	{"all that the program has taken is read then", detached_with_others, STOCK_LACKS},
	{"an answer or a hand back starts the counting anew", counting_restarts, STOCK_LACKS},
	{"so does the failure of an access", failure_counts, STOCK_LACKS},
	{"a RETRY of what the program has taken does so, too", retry_counts, STOCK_LACKS},
	{"a RETRY of what it has not taken does not", retry_late, STOCK_LACKS},
	{"an answer that comes too late does not", answered_late, STOCK_LACKS},
	{"nor does one that is refused", answered_stale, STOCK_LACKS},
	{"the module is unloaded with the watchdog on", unloaded, STOCK_LACKS},
	{"the module is unloaded when the program was detached", detached_and_unloaded,
	 STOCK_LACKS},
};

CHECK_GROUP(watchdog, list);
