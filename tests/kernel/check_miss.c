// SPDX-License-Identifier: GPL-2.0
/* The messages that report misses, and who goes on when one is answered. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "device.h"
#include "frame.h"

/* Kicks of a virtqueue that waits; each runs it in vain. */
#define KICKS 10000
#define KICKS_PER_FLUSH 10

static bool wake_unread(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;
	int64_t tag;

	device_send(d, FIRST_PAGE, 11);
	EXPECT(device_has_message(d), "the miss is not on the fd");
	EXPECT(device_used(d, TX) == 0, "sent without a translation");

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	FEATURE(device_used(d, TX) == 1, "the virtqueue was not woken");
	tag = device_wait_frame(d);
	EXPECT(tag == 11, "frame %lld came out", (long long)tag);
	EXPECT(device_read_miss(d, &msg) == -EAGAIN,
	       "the miss that was answered is still there to read");
	return true;
}

static bool wake_read(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;
	int64_t tag;

	device_send(d, FIRST_PAGE, 12);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(msg.iova == device_iova(FIRST_PAGE), "at 0x%llx", (unsigned long long)msg.iova);

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	tag = device_wait_frame(d);
	EXPECT(tag == 12, "frame %lld came out", (long long)tag);
	return true;
}

/* RX and TX wait for the same page; TX's miss was read. */
static struct device *open_with_two_misses(void)
{
	struct device *d = device_open_running();

	device_offer(d, RX, device_iova(FIRST_PAGE) + PAGE / 2, PAGE / 2);
	device_send(d, FIRST_PAGE, 13);
	return d;
}

static bool both_go_on(struct device *d)
{
	const uint8_t *received = device_page(d, FIRST_PAGE);
	int64_t tag;

	received += PAGE / 2 + FRAME_HEADER;
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RW), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "TX was not woken");
	FEATURE(device_used(d, RX) == 1, "RX was not woken");
	tag = device_wait_frame(d);
	EXPECT(tag == 13, "frame %lld came out", (long long)tag);
	tag = frame_tag(received, FRAME_SIZE);
	EXPECT(tag == 14, "frame %lld was received", (long long)tag);
	return true;
}

static bool wake_two_read(void)
{
	struct device *d = open_with_two_misses();
	struct vhost_iotlb_msg msg;

	EXPECT(!device_read_miss(d, &msg), "no miss of TX");
	device_inject(d, 14);
	device_flush(d);
	EXPECT(!device_read_miss(d, &msg), "no miss of RX");
	EXPECT(msg.iova == device_iova(FIRST_PAGE) + PAGE / 2, "at 0x%llx",
	       (unsigned long long)msg.iova);
	return both_go_on(d);
}

static bool wake_two_one_unread(void)
{
	struct device *d = open_with_two_misses();
	struct vhost_iotlb_msg msg;

	EXPECT(!device_read_miss(d, &msg), "no miss of TX");
	device_inject(d, 14);
	device_flush(d);
	EXPECT(device_has_message(d), "no miss of RX");
	return both_go_on(d);
}

static bool wake_only_the_answered(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 15);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RW), "refused");
	EXPECT(!device_map(d, FIRST_PAGE - 1, VHOST_ACCESS_RW), "refused");
	device_flush(d);
	EXPECT(device_read_miss(d, &msg) == -EAGAIN,
	       "another page's UPDATE has woken the virtqueue");
	EXPECT(device_used(d, TX) == 0, "sent without a translation");
	return true;
}

static bool one_message(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;
	unsigned int messages = 0;

	device_send(d, FIRST_PAGE, 16);
	for (int i = 0; i < KICKS; i++) {
		device_kick(d, TX);
		if (i % KICKS_PER_FLUSH == 0)
			device_flush(d);
	}
	device_flush(d);
	while (!device_read_miss(d, &msg))
		messages++;
	FEATURE(messages == 1, "%u messages after %d kicks", messages, KICKS);
	EXPECT(!device_has_message(d), "poll() sees another one");
	return true;
}

static bool one_message_for_each_queue(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg first, second, third;

	device_send(d, FIRST_PAGE, 17);
	device_offer(d, RX, device_iova(FIRST_PAGE + 1), PAGE);
	device_inject(d, 18);
	for (int i = 0; i < KICKS_PER_FLUSH; i++) {
		device_kick_and_flush(d, TX);
		device_kick_and_flush(d, RX);
	}
	EXPECT(!device_read_miss(d, &first) && !device_read_miss(d, &second),
	       "fewer than two messages");
	FEATURE(device_read_miss(d, &third) == -EAGAIN, "a third message");
	EXPECT(first.iova + second.iova == device_iova(FIRST_PAGE) + device_iova(FIRST_PAGE + 1),
	       "0x%llx and 0x%llx", (unsigned long long)first.iova,
	       (unsigned long long)second.iova);
	EXPECT(first.iova != second.iova, "the same twice");
	return true;
}

static bool replaced_by_other_miss(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;
	unsigned int descriptor;

	descriptor = device_send(d, FIRST_PAGE, 19);
	device_set_address(d, TX, descriptor, device_iova(FIRST_PAGE + 1));
	device_kick_and_flush(d, TX);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	FEATURE(msg.iova == device_iova(FIRST_PAGE + 1), "at 0x%llx, where nobody waits any more",
		(unsigned long long)msg.iova);
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "a second message");

	/* The answer to the first is none to the second. */
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 0, "sent without a translation");
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	return true;
}

static bool offered_again(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 20);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	device_flush(d);
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "twice without a kick");
	device_kick_and_flush(d, TX);
	EXPECT(!device_read_miss(d, &msg), "a kick does not offer it again");
	EXPECT(msg.iova == device_iova(FIRST_PAGE), "at 0x%llx", (unsigned long long)msg.iova);
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "a second message");
	return true;
}

/* The last @accessible bytes of a page before one that is not accessible. */
static bool survives_read(struct device *d, size_t accessible)
{
	uint8_t *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const size_t size = sizeof(struct vhost_msg_v2);
	struct vhost_iotlb_msg msg;
	ssize_t result;

	if (pages == MAP_FAILED || mprotect(pages + PAGE, PAGE, PROT_NONE))
		bail_out_errno("no memory");
	result = read(d->fd, pages + PAGE - accessible, size);
	munmap(pages, 2 * PAGE);
	EXPECT(result < (ssize_t)size, "read() wrote what it cannot");
	FEATURE(!device_read_miss(d, &msg), "the message is lost");
	EXPECT(msg.iova == device_iova(FIRST_PAGE), "at 0x%llx", (unsigned long long)msg.iova);

	/* There again, for the next one. */
	device_kick_and_flush(d, TX);
	return true;
}

static bool survives_bad_buffer(void)
{
	struct device *d = device_open_running();

	device_send(d, FIRST_PAGE, 21);
	PART(survives_read(d, 0));
	PART(survives_read(d, 1));
	PART(survives_read(d, sizeof(struct vhost_msg_v2) - 1));
	return true;
}

static bool survives_small_buffer(void)
{
	struct device *d = device_open_running();
	uint8_t buffer[sizeof(struct vhost_msg_v2) - 1];
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 22);
	EXPECT(read(d->fd, buffer, sizeof(buffer)) <= 0, "half a message");
	EXPECT(!device_read_miss(d, &msg), "the message is lost");
	return true;
}

static bool stop_keeps_the_other(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 23);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(!device_stop_queue(d, RX), "cannot stop RX");
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	FEATURE(device_used(d, TX) == 1, "TX's miss was forgotten with RX's");
	return true;
}

static bool stop_keeps_the_other_unread(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 24);
	EXPECT(!device_stop_queue(d, RX), "cannot stop RX");
	FEATURE(!device_read_miss(d, &msg), "TX's miss was forgotten with RX's");
	return true;
}

static bool stop_forgets_its_own(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 25);
	EXPECT(!device_stop_queue(d, TX), "cannot stop TX");
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "a virtqueue that was stopped still misses");

	/* It is there again when the virtqueue is. */
	EXPECT(!device_start_queue(d, TX), "cannot start TX");
	device_kick_and_flush(d, TX);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	return true;
}

static bool vsock_stop(void)
{
	struct device *d = device_open_vsock();
	struct vhost_iotlb_msg msg;
	uint64_t cid = 4711;
	int run = 1;

	if (ioctl(d->fd, VHOST_VSOCK_SET_GUEST_CID, &cid))
		bail_out_errno("VHOST_VSOCK_SET_GUEST_CID failed");
	EXPECT(ioctl(d->fd, VHOST_VSOCK_SET_RUNNING, &run), "runs without rings");
	EXPECT(device_has_message(d), "no miss");
	run = 0;
	EXPECT(!ioctl(d->fd, VHOST_VSOCK_SET_RUNNING, &run), "cannot stop");
	FEATURE(device_read_miss(d, &msg) == -EAGAIN, "a device that was stopped still misses");
	return true;
}

static bool version_1(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;
	uint64_t none = 0;

	if (ioctl(d->fd, VHOST_SET_BACKEND_FEATURES, &none))
		bail_out_errno("VHOST_SET_BACKEND_FEATURES failed");
	device_send(d, FIRST_PAGE, 26);
	EXPECT(!device_read_miss_v1(d, &msg), "no miss");
	EXPECT(msg.iova == device_iova(FIRST_PAGE), "at 0x%llx", (unsigned long long)msg.iova);
	EXPECT(msg.perm == VHOST_ACCESS_RO, "asks for %u", msg.perm);
	EXPECT(device_read_miss_v1(d, &msg) == -EAGAIN, "a second message");
	EXPECT(!device_map_v1(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	return true;
}

static const struct check list[] = {
	{"UPDATE wakes a virtqueue whose miss nobody has read", wake_unread, STOCK_FAILS},
	{"UPDATE wakes a virtqueue whose miss was read", wake_read, STOCK_PASSES},
	{"UPDATE wakes both virtqueues that wait for a page", wake_two_read, STOCK_PASSES},
	{"UPDATE wakes both, one miss read and one not", wake_two_one_unread, STOCK_FAILS},
	{"UPDATE of another page wakes nobody", wake_only_the_answered, STOCK_PASSES},
	{"10000 kicks make one message", one_message, STOCK_FAILS},
	{"each virtqueue has its message", one_message_for_each_queue, STOCK_FAILS},
	{"a miss elsewhere replaces an unread message", replaced_by_other_miss, STOCK_FAILS},
	{"a kick offers a message again that was read", offered_again, STOCK_PASSES},
	{"read() into inaccessible memory does not lose the message", survives_bad_buffer,
	 STOCK_FAILS},
	{"read() into a small buffer does not lose the message", survives_small_buffer,
	 STOCK_PASSES},
	{"stopping RX does not forget TX's miss", stop_keeps_the_other, STOCK_FAILS},
	{"stopping RX does not forget TX's unread miss", stop_keeps_the_other_unread, STOCK_FAILS},
	{"stopping TX forgets TX's miss", stop_forgets_its_own, STOCK_PASSES},
	{"stopping vhost-vsock forgets its misses", vsock_stop, STOCK_FAILS},
	{"messages of version 1", version_1, STOCK_PASSES},
};

CHECK_GROUP(miss, list);
