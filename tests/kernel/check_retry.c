// SPDX-License-Identifier: GPL-2.0
/* Misses that a program has taken are handed back, or asked for anew. */
#include <errno.h>
#include <sys/ioctl.h>
#include <linux/vhost.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "trace.h"

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

	EXPECT(device_has_message(d), "poll() sees nothing");
	EXPECT(!device_read_miss(d, &msg), "no message");
	EXPECT(msg.iova == device_iova(page), "a message of 0x%llx", (unsigned long long)msg.iova);
	return true;
}

static bool is_asked(const struct hook *h, unsigned int calls)
{
	EXPECT(hook_calls(h) == calls, "asked %u times, not %u", hook_calls(h), calls);
	return true;
}

static bool goes_on(struct device *d, unsigned int page, unsigned int used)
{
	EXPECT(!device_map(d, page, VHOST_ACCESS_RW), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == used, "%u used, not %u", device_used(d, TX), used);
	return true;
}

static bool has_fallbacks(const struct device *d, unsigned int timeouts, unsigned int refused,
			  unsigned int detached)
{
	struct fdinfo info;

	fdinfo_read(&info, d->fd);
	EXPECT(info.has_fallbacks, "no line");
	EXPECT(info.timeouts == timeouts && info.refused == refused && info.detached == detached,
	       "%u timeouts, %u refused, %u detached", info.timeouts, info.refused, info.detached);
	return true;
}

/* A device whose TX waits for FIRST_PAGE, which the program has taken. */
static struct device *open_queued(struct hook **h)
{
	struct device *d = device_open_running();

	*h = hook_open(QUEUED);
	device_send(d, FIRST_PAGE, 1);
	if (hook_calls(*h) != 1 || device_has_message(d))
		bail_out("the program has not taken the miss");
	return d;
}

static bool handed_back(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);

	trace_open();
	EXPECT(!batch_hand_back(d, device_iova(FIRST_PAGE), PAGE), "refused");
	PART(reads_miss(d, FIRST_PAGE));
	PART(nothing_to_read(d));

	/* A kick offers it to the reader again, not to the program. */
	for (int i = 0; i < 5; i++) {
		device_kick_and_flush(d, TX);
		PART(reads_miss(d, FIRST_PAGE));
		PART(nothing_to_read(d));
	}
	PART(is_asked(h, 1));
	EXPECT(trace_count("miss", " ") == 0, "a retry counts as a miss");

	/* Once it is answered, the program is asked about the next. */
	PART(goes_on(d, FIRST_PAGE, 1));
	device_send(d, FIRST_PAGE + 1, 2);
	PART(is_asked(h, 2));
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE + 1, 2);
}

static bool handed_back_unread(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);

	EXPECT(!batch_hand_back(d, device_iova(FIRST_PAGE), PAGE), "refused");
	PART(goes_on(d, FIRST_PAGE, 1));
	return nothing_to_read(d);
}

/* The page is the same again: that is another miss. */
static bool handed_back_once(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);

	EXPECT(!batch_hand_back(d, device_iova(FIRST_PAGE), PAGE), "refused");
	PART(reads_miss(d, FIRST_PAGE));
	PART(goes_on(d, FIRST_PAGE, 1));
	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	device_send(d, FIRST_PAGE, 2);
	PART(is_asked(h, 2));
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE, 2);
}

/* Does an operation of @type on a range concern a miss at FIRST_PAGE? */
static bool concerns(struct device *d, struct hook *h, int type, int64_t offset, uint64_t size)
{
	unsigned int calls = hook_calls(h);
	struct vhost_iotlb_op op = {
		.type = type,
		.iova = size ? device_iova(FIRST_PAGE) + offset : 0,
		.size = size,
	};

	if (batch_write_op(d, &op))
		bail_out("an operation is refused");
	device_flush(d);
	return type == VHOST_IOTLB_MISS ? device_has_message(d) : hook_calls(h) != calls;
}

static bool ranges_of(int type)
{
	static const struct {
		int64_t offset;
		uint64_t size;
		bool concerns;
	} ranges[] = {
		{-1, 1, false},	      {1, 1, false},
		{-PAGE, PAGE, false}, {1, PAGE, false},
		{PAGE, PAGE, false},  {0, 1, true},
		{-1, 2, true},	      {-PAGE, PAGE + 1, true},
		{0, PAGE, true},      {-1000, 100000, true},
		{0, 0, true},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		struct hook *h;
		struct device *d = open_queued(&h);

		EXPECT(concerns(d, h, type, ranges[i].offset, ranges[i].size) == ranges[i].concerns,
		       "type %d, %lld, %llu", type, (long long)ranges[i].offset,
		       (unsigned long long)ranges[i].size);
		PART(goes_on(d, FIRST_PAGE, 1));
		PART(nothing_to_read(d));
		hook_close(h);
		device_close(d);
	}
	return true;
}

static bool hand_back_ranges(void)
{
	return ranges_of(VHOST_IOTLB_MISS);
}

static bool retry_ranges(void)
{
	return ranges_of(VHOST_IOTLB_RETRY);
}

/* RX waits for FIRST_PAGE + 1 as well. */
static struct device *open_two_queued(struct hook **h)
{
	struct device *d = open_queued(h);

	device_offer(d, RX, device_iova(FIRST_PAGE + 1), PAGE);
	device_inject(d, 3);
	device_flush(d);
	if (hook_calls(*h) != 2 || device_has_message(d))
		bail_out("the program has not taken the misses");
	return d;
}

static bool both_go_on(struct device *d)
{
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RW), "refused");
	PART(goes_on(d, FIRST_PAGE, 1));
	EXPECT(device_used(d, RX) == 1, "RX was not woken");
	return true;
}

static bool hand_back_all(void)
{
	struct hook *h;
	struct device *d = open_two_queued(&h);
	struct vhost_iotlb_msg first, second;

	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	EXPECT(!device_read_miss(d, &first) && !device_read_miss(d, &second), "not two messages");
	EXPECT(first.iova + second.iova == device_iova(FIRST_PAGE) + device_iova(FIRST_PAGE + 1) &&
		       first.iova != second.iova,
	       "0x%llx and 0x%llx", (unsigned long long)first.iova,
	       (unsigned long long)second.iova);
	PART(nothing_to_read(d));
	PART(has_fallbacks(d, 0, 2, 0));
	PART(both_go_on(d));
	return is_asked(h, 2);
}

static bool hand_back_one(void)
{
	struct hook *h;
	struct device *d = open_two_queued(&h);

	EXPECT(!batch_hand_back(d, device_iova(FIRST_PAGE + 1), 1), "refused");
	PART(reads_miss(d, FIRST_PAGE + 1));
	device_kick_and_flush(d, TX);
	PART(nothing_to_read(d));
	PART(has_fallbacks(d, 0, 1, 0));
	PART(both_go_on(d));
	return is_asked(h, 2);
}

/* What nobody has taken is with the reader already. */
static bool hand_back_nothing(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(PASS);

	trace_open();
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	device_send(d, FIRST_PAGE, 4);
	PART(reads_miss(d, FIRST_PAGE));
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	device_flush(d);
	PART(nothing_to_read(d));
	PART(is_asked(h, 1));
	PART(goes_on(d, FIRST_PAGE, 1));
	EXPECT(trace_count("fallback", " ") == 0, "events");

	/* Twice is once. */
	hook_set_verdict(h, QUEUED);
	device_send(d, FIRST_PAGE + 1, 5);
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	PART(reads_miss(d, FIRST_PAGE + 1));
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	PART(nothing_to_read(d));
	EXPECT(trace_count("fallback", " ") == 1, "not one event");
	PART(has_fallbacks(d, 0, 1, 0));
	return goes_on(d, FIRST_PAGE + 1, 2);
}

/* Handed back, and then with the program again. */
static bool retry_handed_back(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);

	trace_open();
	for (unsigned int i = 2; i < 6; i++) {
		EXPECT(!batch_hand_back(d, 0, 0), "refused");
		EXPECT(device_has_message(d), "no message");
		/* Read or not. */
		if (i % 2)
			PART(reads_miss(d, FIRST_PAGE));
		EXPECT(!batch_retry(d, device_iova(FIRST_PAGE), 1), "refused");
		device_flush(d);
		PART(is_asked(h, i));
		PART(nothing_to_read(d));
		device_kick_and_flush(d, TX);
		PART(is_asked(h, i));
	}
	EXPECT(trace_count("miss", " ") == 0, "a retry counts as a miss");
	return goes_on(d, FIRST_PAGE, 1);
}

static bool retry_fresh_token(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);
	struct hook_record first, second;

	EXPECT(!hook_take(h, &first), "no record");
	for (int i = 0; i < 7; i++)
		EXPECT(!batch_invalidate(d, device_iova(FIRST_PAGE + 1), PAGE), "refused");
	device_kick_and_flush(d, TX);
	EXPECT(hook_take(h, &second) == -EAGAIN, "a second record");
	EXPECT(!batch_retry(d, 0, 0), "refused");
	device_flush(d);
	EXPECT(!hook_take(h, &second), "no second record");
	EXPECT(second.iova == first.iova && second.len == first.len && second.vq == first.vq &&
		       second.access == first.access,
	       "another record");
	EXPECT(second.token == first.token + 7, "token %llu after %llu", second.token, first.token);
	EXPECT(!batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, second.token), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	return true;
}

/* The reader's misses are offered anew as well, with or without a program. */
static bool retry_read(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_op first, second;

	batch_accept(d);
	device_send(d, FIRST_PAGE, 6);
	EXPECT(!batch_read_miss(d, &first), "no miss");
	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	device_flush(d);
	EXPECT(batch_read_miss(d, &second) == -EAGAIN, "a second message");
	EXPECT(!batch_retry(d, device_iova(FIRST_PAGE), PAGE), "refused");
	device_flush(d);
	EXPECT(!batch_read_miss(d, &second), "no message after RETRY");
	EXPECT(second.iova == first.iova && second.token == first.token + 1,
	       "0x%llx with token %llu", second.iova, second.token);
	EXPECT(batch_read_miss(d, &second) == -EAGAIN, "a second message");

	/* Nobody reads it: there is still one. */
	for (int i = 0; i < 5; i++) {
		EXPECT(!batch_retry(d, 0, 0), "refused");
		device_flush(d);
	}
	EXPECT(!batch_read_miss(d, &second), "no message");
	EXPECT(batch_read_miss(d, &second) == -EAGAIN, "a second message");
	return goes_on(d, FIRST_PAGE, 1);
}

/* Who does not wait is not woken. */
static bool retry_idle(void)
{
	struct device *d = device_open_running();

	trace_open();
	EXPECT(!batch_retry(d, 0, 0), "refused");
	device_flush(d);
	EXPECT(trace_count("", " ") == 0, "%u events", trace_count("", " "));
	return true;
}

static bool retry_one(void)
{
	struct hook *h;
	struct device *d = open_two_queued(&h);
	struct hook_record r;

	while (!hook_take(h, &r))
		;
	EXPECT(!batch_retry(d, device_iova(FIRST_PAGE + 1), PAGE), "refused");
	device_flush(d);
	PART(is_asked(h, 3));
	EXPECT(!hook_take(h, &r) && r.vq == RX, "not RX");
	EXPECT(!batch_retry(d, 0, 0), "refused");
	device_flush(d);
	PART(is_asked(h, 5));
	return both_go_on(d);
}

/* All in one message: one page is answered, one handed back. */
static bool mixed(void)
{
	struct hook *h;
	struct device *d = open_two_queued(&h);
	struct batch b;

	batch_init(&b);
	batch_add_map(&b, d, FIRST_PAGE + 5, VHOST_ACCESS_RW);
	batch_add(&b, VHOST_IOTLB_MISS, device_iova(FIRST_PAGE + 1), PAGE);
	batch_add_map(&b, d, FIRST_PAGE, VHOST_ACCESS_RO);
	EXPECT(batch_write(d, &b) == 3, "not all applied");
	PART(reads_miss(d, FIRST_PAGE + 1));
	PART(nothing_to_read(d));
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "TX was not woken");
	EXPECT(device_used(d, RX) == 0, "RX goes on");

	/* Handed back and at once taken again. */
	batch_init(&b);
	batch_add(&b, VHOST_IOTLB_MISS, 0, 0);
	batch_add(&b, VHOST_IOTLB_RETRY, 0, 0);
	EXPECT(batch_write(d, &b) == 2, "not all applied");
	device_flush(d);
	PART(is_asked(h, 3));
	PART(nothing_to_read(d));
	return both_go_on(d);
}

static bool other_program(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);

	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	PART(reads_miss(d, FIRST_PAGE));
	hook_close(h);
	/* That it goes is no news of what it does not have any more. */
	device_flush(d);
	PART(nothing_to_read(d));
	PART(has_fallbacks(d, 0, 1, 0));

	h = hook_open(QUEUED);
	device_flush(d);
	PART(is_asked(h, 1));
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE, 1);
}

static bool other_address(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	unsigned int descriptor = device_send(d, FIRST_PAGE, 7);

	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	device_set_address(d, TX, descriptor, device_iova(FIRST_PAGE + 1));
	device_kick_and_flush(d, TX);
	PART(is_asked(h, 2));
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE + 1, 1);
}

/* An answer that is too late brings it back to the program. */
static bool stale_answer(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);
	struct hook_record r;

	EXPECT(!hook_take(h, &r), "no record");
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	PART(reads_miss(d, FIRST_PAGE));
	EXPECT(!batch_invalidate(d, 0, 0), "refused");
	for (unsigned int page = 0; page < RING_PAGES; page++)
		EXPECT(!device_map(d, page, VHOST_ACCESS_RW), "refused");
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, r.token) == -ESTALE, "not refused");
	device_flush(d);
	PART(is_asked(h, 2));
	PART(nothing_to_read(d));
	return goes_on(d, FIRST_PAGE, 1);
}

static bool stopped(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);

	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	EXPECT(!device_stop_queue(d, TX), "cannot stop");
	PART(nothing_to_read(d));
	EXPECT(!batch_retry(d, 0, 0), "refused");
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	device_flush(d);
	PART(is_asked(h, 1));
	PART(nothing_to_read(d));
	EXPECT(!device_start_queue(d, TX), "cannot start");
	device_kick_and_flush(d, TX);
	PART(is_asked(h, 2));
	return goes_on(d, FIRST_PAGE, 1);
}

/* The ring of a virtqueue that starts: an ioctl misses, not the worker. */
static bool ring(void)
{
	struct device *d = device_open();
	struct hook *h = hook_open(QUEUED);

	EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
	PART(nothing_to_read(d));
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	PART(reads_miss(d, device_ring_page(TX, USED)));
	EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
	PART(is_asked(h, 1));
	PART(reads_miss(d, device_ring_page(TX, USED)));
	EXPECT(!device_map(d, device_ring_page(TX, USED), VHOST_ACCESS_RW), "refused");
	EXPECT(!device_start_queue(d, TX), "cannot start");
	return true;
}

static bool vsock(void)
{
	struct device *d = device_open_vsock();
	struct hook *h = hook_open(QUEUED);
	uint64_t cid = 4713;
	int run = 1;

	if (ioctl(d->fd, VHOST_VSOCK_SET_GUEST_CID, &cid))
		bail_out_errno("VHOST_VSOCK_SET_GUEST_CID failed");
	EXPECT(ioctl(d->fd, VHOST_VSOCK_SET_RUNNING, &run), "runs without rings");
	PART(is_asked(h, 1));
	PART(nothing_to_read(d));
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	EXPECT(device_has_message(d), "no message");
	return has_fallbacks(d, 0, 1, 0);
}

static bool events(void)
{
	struct hook *h;
	struct device *d = open_two_queued(&h);
	unsigned long long dev = fdinfo_id(d->fd);

	trace_open();
	EXPECT(!batch_hand_back(d, device_iova(FIRST_PAGE), PAGE), "refused");
	EXPECT(trace_count("fallback", "dev=%llu vq=1 iova=0x%llx access=r reason=refused", dev,
			   (unsigned long long)device_iova(FIRST_PAGE)) == 1,
	       "not one of what was handed back");
	EXPECT(trace_field("waited", "fallback", "vq=1") > 0, "waited for %lld ns",
	       (long long)trace_field("waited", "fallback", "vq=1"));
	hook_detach(h);
	EXPECT(trace_count("fallback", "dev=%llu vq=0 iova=0x%llx access=w reason=detached", dev,
			   (unsigned long long)device_iova(FIRST_PAGE + 1)) == 1,
	       "not one of what was detached");
	EXPECT(trace_count("fallback", " ") == 2, "%u events", trace_count("fallback", " "));
	PART(has_fallbacks(d, 0, 1, 1));
	return both_go_on(d);
}

/* The memory of a device was another's before. */
static bool counts(void)
{
	for (int i = 0; i < 10; i++) {
		struct device *d = device_open_running();
		struct hook *h = hook_open(QUEUED);

		PART(has_fallbacks(d, 0, 0, 0));
		for (int page = 0; page < i; page++) {
			device_send(d, FIRST_PAGE + page, page);
			EXPECT(!batch_hand_back(d, 0, 0), "refused");
			PART(goes_on(d, FIRST_PAGE + page, page + 1));
		}
		device_send(d, FIRST_PAGE + i, i);
		hook_close(h);
		PART(has_fallbacks(d, 0, i, 1));
		device_close(d);
	}
	return true;
}

/* They are those of the device's life. */
static bool counts_go_on(void)
{
	struct hook *h;
	struct device *d = open_queued(&h);

	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	PART(has_fallbacks(d, 0, 1, 0));
	EXPECT(!device_set_features(d, true), "refused");
	PART(has_fallbacks(d, 0, 1, 0));
	EXPECT(!ioctl(d->fd, VHOST_RESET_OWNER, NULL), "errno %d", errno);
	EXPECT(!ioctl(d->fd, VHOST_SET_OWNER, NULL), "errno %d", errno);
	EXPECT(!device_set_features(d, true), "refused");
	return has_fallbacks(d, 0, 1, 0);
}

static bool no_counts(void)
{
	struct device *d = device_open_without_iotlb();
	struct fdinfo info;

	fdinfo_read(&info, d->fd);
	EXPECT(!info.has_fallbacks, "a line without an IOTLB");
	EXPECT(info.has_mem_seq, "no line of the memory table");
	return true;
}

static const struct check list[] = {
	{"what is handed back is read, and not offered to the program", handed_back, STOCK_LACKS},
	{"what is handed back is answered without being read", handed_back_unread, STOCK_LACKS},
	{"the next miss of the same page is the program's again", handed_back_once, STOCK_LACKS},
	{"hand back: ranges to the byte", hand_back_ranges, STOCK_LACKS},
	{"hand back of everything", hand_back_all, STOCK_LACKS},
	{"hand back of one of two", hand_back_one, STOCK_LACKS},
	{"hand back of what was not taken does nothing", hand_back_nothing, STOCK_LACKS},
	{"RETRY: ranges to the byte", retry_ranges, STOCK_LACKS},
	{"RETRY offers to the program what was handed back", retry_handed_back, STOCK_LACKS},
	{"RETRY brings a new token", retry_fresh_token, STOCK_LACKS},
	{"RETRY offers to the reader what was read", retry_read, STOCK_LACKS},
	{"RETRY does nothing to those that do not wait", retry_idle, STOCK_LACKS},
	{"RETRY of one of two", retry_one, STOCK_LACKS},
	{"both in a message with others", mixed, STOCK_LACKS},
	{"what is handed back is another program's", other_program, STOCK_LACKS},
	{"a miss elsewhere is the program's", other_address, STOCK_LACKS},
	{"an answer that is too late brings it to the program again", stale_answer, STOCK_LACKS},
	{"a virtqueue that was stopped has nothing to hand back", stopped, STOCK_LACKS},
	{"hand back of the ring of a virtqueue that starts", ring, STOCK_LACKS},
	{"hand back of a vhost-vsock device", vsock, STOCK_LACKS},
	{"events tell who has handed over what", events, STOCK_LACKS},
	{"fdinfo counts what was handed over", counts, STOCK_LACKS},
	{"with another IOTLB or owner it goes on counting", counts_go_on, STOCK_LACKS},
	{"no counts without an IOTLB", no_counts, STOCK_LACKS},
};

CHECK_GROUP(retry, list);
