// SPDX-License-Identifier: GPL-2.0
/* The BPF program that is asked about misses. */
#include <errno.h>
#include <unistd.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "process.h"
#include "trace.h"

#define ATTACHMENTS 1000
#define KICKS 1000

#define PASS 0
#define QUEUED 1

static bool nothing_to_read(const struct device *d)
{
	struct vhost_iotlb_msg msg;

	EXPECT(!device_has_message(d), "poll() sees a message");
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "a message");
	return true;
}

static bool reads_miss(const struct device *d, unsigned int page)
{
	struct vhost_iotlb_msg msg;

	EXPECT(!device_read_miss(d, &msg), "no message");
	EXPECT(msg.iova == device_iova(page), "a message of 0x%llx", (unsigned long long)msg.iova);
	return true;
}

static bool goes_on(struct device *d, unsigned int page, unsigned int used)
{
	EXPECT(!device_map(d, page, VHOST_ACCESS_RW), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == used, "%u used, not %u", device_used(d, TX), used);
	return true;
}

static bool takes_record(struct hook *h, const struct device *d, unsigned int vq, unsigned int page,
			 unsigned int len, unsigned int access)
{
	struct hook_record r;

	EXPECT(!hook_take(h, &r), "no record");
	EXPECT(r.dev == fdinfo_id(d->fd), "of device %llu", r.dev);
	EXPECT(r.vq == vq, "of virtqueue %u", r.vq);
	EXPECT(r.iova == device_iova(page), "of 0x%llx", r.iova);
	EXPECT(r.len == len, "of %llu bytes", r.len);
	EXPECT(r.access == access, "access %u", r.access);
	EXPECT(r.tgid == (unsigned int)getpid(), "in process %u", r.tgid);
	return true;
}

static bool pass(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(PASS);

	trace_open();
	device_send(d, FIRST_PAGE, 1);
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	PART(takes_record(h, d, TX, FIRST_PAGE, FRAME_BUFFER, VHOST_ACCESS_RO));
	EXPECT(trace_count("miss", "verdict=0") == 1, "not one event");
	PART(reads_miss(d, FIRST_PAGE));
	return goes_on(d, FIRST_PAGE, 1);
}

static bool queued(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	struct hook_record record;

	trace_open();
	device_send(d, FIRST_PAGE, 2);
	PART(nothing_to_read(d));
	PART(takes_record(h, d, TX, FIRST_PAGE, FRAME_BUFFER, VHOST_ACCESS_RO));
	device_flush(d);
	EXPECT(hook_take(h, &record) == -EAGAIN, "a second record");

	/* A guest that kicks all the time makes no work for anybody. */
	for (unsigned int i = 0; i < KICKS; i++)
		device_kick_and_flush(d, TX);
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	EXPECT(hook_take(h, &record) == -EAGAIN, "a second record");
	PART(nothing_to_read(d));
	EXPECT(trace_count("miss", "verdict=1") == 1, "not one event");
	PART(goes_on(d, FIRST_PAGE, 1));
	EXPECT(device_wait_frame(d) == 2, "another frame came out");

	device_send(d, FIRST_PAGE + 1, 3);
	EXPECT(hook_calls(h) == 2, "asked %u times", hook_calls(h));
	PART(nothing_to_read(d));
	EXPECT(trace_count("miss", " ") == 2, "not two events");
	return goes_on(d, FIRST_PAGE + 1, 2);
}

static bool queued_receive(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	device_offer(d, RX, device_iova(FIRST_PAGE), PAGE);
	device_inject(d, 4);
	device_flush(d);
	PART(takes_record(h, d, RX, FIRST_PAGE, PAGE, VHOST_ACCESS_WO));
	PART(nothing_to_read(d));
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	device_flush(d);
	EXPECT(device_used(d, RX) == 1, "the virtqueue was not woken");
	return true;
}

/* The ring's miss comes in the ioctl, not in the worker. */
static bool queued_start(void)
{
	struct device *d = device_open();
	struct hook *h = hook_open(QUEUED);
	struct hook_record r;

	EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
	EXPECT(!hook_take(h, &r), "no record");
	EXPECT(r.iova == device_iova(device_ring_page(TX, USED)), "of 0x%llx", r.iova);
	EXPECT(r.access == VHOST_ACCESS_WO, "access %u", r.access);
	EXPECT(r.tgid == (unsigned int)getpid(), "in process %u", r.tgid);
	PART(nothing_to_read(d));
	EXPECT(!device_map(d, device_ring_page(TX, USED), VHOST_ACCESS_RW), "refused");
	EXPECT(!device_start_queue(d, TX), "cannot start");
	return true;
}

static bool queued_elsewhere(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	unsigned int descriptor;

	descriptor = device_send(d, FIRST_PAGE, 5);
	PART(takes_record(h, d, TX, FIRST_PAGE, FRAME_BUFFER, VHOST_ACCESS_RO));
	device_set_address(d, TX, descriptor, device_iova(FIRST_PAGE + 1));
	device_kick_and_flush(d, TX);
	PART(takes_record(h, d, TX, FIRST_PAGE + 1, FRAME_BUFFER, VHOST_ACCESS_RO));
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 0, "sent without a translation");
	return goes_on(d, FIRST_PAGE + 1, 1);
}

static bool queued_not_granted(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	device_send(d, FIRST_PAGE, 6);
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 0, "access that was not granted");
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	return goes_on(d, FIRST_PAGE, 1);
}

static bool queued_then_passed(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	trace_open();
	device_send(d, FIRST_PAGE, 7);
	PART(nothing_to_read(d));
	hook_set_verdict(h, PASS);
	device_kick_and_flush(d, TX);
	PART(nothing_to_read(d));
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));

	EXPECT(!batch_retry(d, 0, 0), "refused");
	device_flush(d);
	EXPECT(hook_calls(h) == 2, "asked %u times", hook_calls(h));
	PART(reads_miss(d, FIRST_PAGE));
	PART(nothing_to_read(d));
	EXPECT(trace_count("miss", " ") == 1, "a retry counts as a miss");
	hook_detach(h);
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE, 1);
}

static bool is_pass(int verdict, const char *shown)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(verdict);

	trace_open();
	device_send(d, FIRST_PAGE, 7);
	EXPECT(trace_count("miss", "verdict=%s", shown) == 1, "verdict %d is not in the event",
	       verdict);
	PART(reads_miss(d, FIRST_PAGE));

	/* It may do better the next time, but the miss is the same. */
	device_kick_and_flush(d, TX);
	EXPECT(hook_calls(h) == 2, "asked %u times", hook_calls(h));
	EXPECT(trace_count("miss", " ") == 1, "a retry counts as a miss");
	PART(reads_miss(d, FIRST_PAGE));

	hook_set_verdict(h, QUEUED);
	device_kick_and_flush(d, TX);
	EXPECT(hook_calls(h) == 3, "asked %u times", hook_calls(h));
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE, 1);
}

static bool error_is_pass(void)
{
	return is_pass(-ENOSPC, "-28");
}

static bool nonsense_is_pass(void)
{
	return is_pass(77, "77");
}

static bool one_at_a_time(void)
{
	struct device *d = device_open_running();
	struct hook *first = hook_open(QUEUED), *second;
	int error;

	second = hook_load(HOOK_GOOD, &error);
	EXPECT(second, "cannot load a second program: error %d", error);
	error = hook_attach(second);
	EXPECT(error == -EBUSY, "error %d", error);
	hook_set_verdict(second, QUEUED);
	device_send(d, FIRST_PAGE, 8);
	EXPECT(hook_calls(first) == 1 && hook_calls(second) == 0, "asked %u and %u times",
	       hook_calls(first), hook_calls(second));

	hook_detach(first);
	error = hook_attach(second);
	EXPECT(!error, "cannot attach after the first has gone: error %d", error);
	device_flush(d);
	EXPECT(hook_calls(second) == 1, "not asked what is outstanding");
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE, 1);
}

static struct device *open_with_two_queued(struct hook **h)
{
	struct device *d = device_open_running();

	*h = hook_open(QUEUED);
	device_offer(d, RX, device_iova(FIRST_PAGE + 1), PAGE);
	device_inject(d, 9);
	device_send(d, FIRST_PAGE, 10);
	return d;
}

/* Both misses can be read, and no others, and are answered as ever. */
static bool both_come_out(struct device *d)
{
	struct vhost_iotlb_msg first, second, third;

	EXPECT(!device_read_miss(d, &first) && !device_read_miss(d, &second), "not two messages");
	EXPECT(device_read_miss(d, &third) == -EAGAIN, "a third message");
	EXPECT(first.iova != second.iova, "the same twice");
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RW), "refused");
	PART(goes_on(d, FIRST_PAGE, 1));
	EXPECT(device_used(d, RX) == 1, "RX was not woken");
	return true;
}

static bool link_closed(void)
{
	struct hook *h;
	struct device *d = open_with_two_queued(&h);

	EXPECT(hook_calls(h) == 2, "asked %u times", hook_calls(h));
	PART(nothing_to_read(d));
	hook_detach(h);
	EXPECT(device_wait_message(d), "nothing to read");
	return both_come_out(d);
}

static bool link_detached(void)
{
	struct hook *h;
	struct device *d = open_with_two_queued(&h);

	PART(nothing_to_read(d));
	EXPECT(!hook_detach_forced(h), "cannot detach");
	EXPECT(device_wait_message(d), "nothing to read");
	PART(both_come_out(d));

	/* Nobody is asked any more. */
	device_send(d, FIRST_PAGE + 2, 11);
	EXPECT(hook_calls(h) == 2, "asked %u times", hook_calls(h));
	return reads_miss(d, FIRST_PAGE + 2);
}

static bool only_queued_come_out(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(PASS);
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 12);
	PART(reads_miss(d, FIRST_PAGE));
	hook_detach(h);
	device_flush(d);
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "a miss that was read is offered again");
	return true;
}

static void hold_link(void)
{
	hook_open(QUEUED);
}

static bool holder_killed(void)
{
	struct device *d = device_open_running();
	struct process p;

	process_start(&p, hold_link);
	device_send(d, FIRST_PAGE, 13);
	PART(nothing_to_read(d));
	process_kill(&p);
	EXPECT(device_wait_message(d), "nothing to read");
	PART(reads_miss(d, FIRST_PAGE));
	return goes_on(d, FIRST_PAGE, 1);
}

static bool asked_on_attach(bool read_before)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;
	struct hook *h;

	device_send(d, FIRST_PAGE, 14);
	EXPECT(device_has_message(d), "no miss");
	if (read_before)
		EXPECT(!device_read_miss(d, &msg), "no miss");
	trace_open();
	h = hook_open(QUEUED);
	device_flush(d);
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	EXPECT(trace_count("miss", " ") == 0, "counts as another miss");
	PART(takes_record(h, d, TX, FIRST_PAGE, FRAME_BUFFER, VHOST_ACCESS_RO));
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE, 1);
}

static bool attach_unread(void)
{
	return asked_on_attach(false);
}

static bool attach_read(void)
{
	return asked_on_attach(true);
}

/*
 * The virtqueue misses at the very moment at which the program comes. Either
 * it is asked, or the miss was there before and is tried again.
 */
static bool attach_in_between(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	unsigned int descriptor = device_send(d, FIRST_PAGE, 15);

	for (unsigned int i = 0; i < ATTACHMENTS; i++) {
		hook_detach(h);
		device_set_address(d, TX, descriptor, device_iova(FIRST_PAGE + i % 2));
		device_kick(d, TX);
		EXPECT(!hook_attach(h), "cannot attach again");
		/* The miss, and the retry that the attachment has queued. */
		device_flush(d);
		EXPECT(!device_has_message(d), "not asked after %u attachments", i);
	}
	return true;
}

static bool sleepable_refused(void)
{
	int error;

	EXPECT(!hook_load(HOOK_SLEEPS, &error), "loaded");
	EXPECT(error == -EINVAL, "error %d", error);
	return true;
}

static bool attach_refused(enum hook_kind kind, int expected)
{
	struct device *d = device_open_running();
	struct hook *h;
	int error;

	h = hook_load(kind, &error);
	EXPECT(h, "cannot load: error %d", error);
	error = hook_attach(h);
	EXPECT(error == expected, "error %d", error);
	device_send(d, FIRST_PAGE, 15);
	PART(reads_miss(d, FIRST_PAGE));

	/* And has left nothing behind. */
	hook_close(h);
	h = hook_open(QUEUED);
	device_flush(d);
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	return true;
}

static bool empty_refused(void)
{
	return attach_refused(HOOK_EMPTY, -EINVAL);
}

static bool without_link_refused(void)
{
	return attach_refused(HOOK_WITHOUT_LINK, -EOPNOTSUPP);
}

static const struct check list[] = {
	{"PASS: the miss is read as ever", pass, STOCK_LACKS},
	{"QUEUED: nothing to read, asked once, UPDATE wakes", queued, STOCK_LACKS},
	{"QUEUED works for RX", queued_receive, STOCK_LACKS},
	{"QUEUED works for the ring of a virtqueue that starts", queued_start, STOCK_LACKS},
	{"a miss elsewhere is asked about", queued_elsewhere, STOCK_LACKS},
	{"QUEUED waits for the permission", queued_not_granted, STOCK_LACKS},
	{"what was queued can be passed after RETRY", queued_then_passed, STOCK_LACKS},
	{"an error counts as PASS, and is traced", error_is_pass, STOCK_LACKS},
	{"an unknown verdict counts as PASS, and is traced", nonsense_is_pass, STOCK_LACKS},
	{"one program at a time", one_at_a_time, STOCK_LACKS},
	{"what was queued is read when the link is closed", link_closed, STOCK_LACKS},
	{"what was queued is read when the link is detached", link_detached, STOCK_LACKS},
	{"what was passed is not offered again at the end", only_queued_come_out, STOCK_LACKS},
	{"what was queued is read when the link's holder is killed", holder_killed, STOCK_LACKS},
	{"a new program is asked about an unread miss", attach_unread, STOCK_LACKS},
	{"a new program is asked about a miss that was read", attach_read, STOCK_LACKS},
	{"a program that comes during a miss is asked", attach_in_between, STOCK_LACKS},
	{"no program that may sleep", sleepable_refused, STOCK_LACKS},
	{"no struct_ops without a program", empty_refused, STOCK_LACKS},
	{"no struct_ops without a link", without_link_refused, STOCK_LACKS},
};

CHECK_GROUP(hook, list);
