// SPDX-License-Identifier: GPL-2.0
/* The access that a miss asks for, and answers that grant less. */
#include <errno.h>

#include "check.h"
#include "device.h"

static bool ring_miss(struct device *d, int part, unsigned int perm)
{
	uint64_t iova = device_iova(device_ring_page(TX, part));
	struct vhost_iotlb_msg msg;

	EXPECT(!device_read_miss(d, &msg), "no miss of part %d", part);
	EXPECT(msg.iova == iova, "at 0x%llx, not 0x%llx", (unsigned long long)msg.iova,
	       (unsigned long long)iova);
	FEATURE(msg.perm == perm, "part %d asks for %u", part, msg.perm);
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "a second message");
	return true;
}

/* Each part in turn, with no more than what was asked for. */
static bool ring_parts(void)
{
	struct device *d = device_open();

	EXPECT(device_start_queue(d, TX) == -EFAULT, "started without a used ring");
	PART(ring_miss(d, USED, VHOST_ACCESS_WO));
	EXPECT(!device_map(d, device_ring_page(TX, USED), VHOST_ACCESS_WO), "refused");
	EXPECT(!device_start_queue(d, TX), "cannot start");

	device_send(d, FIRST_PAGE, 51);
	PART(ring_miss(d, DESC, VHOST_ACCESS_RO));
	EXPECT(!device_map(d, device_ring_page(TX, DESC), VHOST_ACCESS_RO), "refused");
	device_flush(d);
	PART(ring_miss(d, AVAIL, VHOST_ACCESS_RO));
	EXPECT(!device_map(d, device_ring_page(TX, AVAIL), VHOST_ACCESS_RO), "refused");
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 1, "not sent");
	return true;
}

static bool used_ring_read_only(void)
{
	struct device *d = device_open();

	EXPECT(!device_map(d, device_ring_page(TX, USED), VHOST_ACCESS_RO), "refused");
	FEATURE(device_start_queue(d, TX) == -EFAULT,
		"started with a used ring that it must not write");
	PART(ring_miss(d, USED, VHOST_ACCESS_WO));
	return true;
}

static bool buffers(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 52);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(msg.iova == device_iova(FIRST_PAGE), "not of the TX buffer");
	EXPECT(msg.perm == VHOST_ACCESS_RO, "TX asks for %u", msg.perm);

	device_offer(d, RX, device_iova(FIRST_PAGE + 1), PAGE);
	device_inject(d, 53);
	device_flush(d);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(msg.iova == device_iova(FIRST_PAGE + 1), "not of the RX buffer");
	EXPECT(msg.perm == VHOST_ACCESS_WO, "RX asks for %u", msg.perm);
	return true;
}

static bool wake_with_less(int queue, int less)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	if (queue == TX) {
		device_send(d, FIRST_PAGE, 54);
	} else {
		device_offer(d, RX, device_iova(FIRST_PAGE), PAGE);
		device_inject(d, 54);
		device_flush(d);
	}
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(!device_map(d, FIRST_PAGE, less), "refused");
	device_flush(d);
	EXPECT(device_used(d, queue) == 0, "access that was not granted");
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "woken without the permission");

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RW), "refused");
	device_flush(d);
	FEATURE(device_used(d, queue) == 1, "the virtqueue was not woken");
	return true;
}

static bool tx_granted_write(void)
{
	return wake_with_less(TX, VHOST_ACCESS_WO);
}

static bool rx_granted_read(void)
{
	return wake_with_less(RX, VHOST_ACCESS_RO);
}

static bool lacking_is_a_miss(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	device_send(d, FIRST_PAGE, 55);
	EXPECT(device_used(d, TX) == 0, "access that was not granted");
	FEATURE(!device_read_miss(d, &msg), "no miss");
	EXPECT(msg.iova == device_iova(FIRST_PAGE), "at 0x%llx", (unsigned long long)msg.iova);
	EXPECT(msg.perm == VHOST_ACCESS_RO, "asks for %u", msg.perm);
	return true;
}

static bool lacking_in_the_ring(void)
{
	struct device *d = device_open_running();

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	EXPECT(!device_invalidate(d, device_iova(device_ring_page(TX, USED)), PAGE), "refused");
	EXPECT(!device_map(d, device_ring_page(TX, USED), VHOST_ACCESS_RO), "refused");
	device_send(d, FIRST_PAGE, 56);
	EXPECT(device_used(d, TX) == 0, "access that was not granted");
	FEATURE(device_has_message(d), "no miss");
	PART(ring_miss(d, USED, VHOST_ACCESS_WO));
	EXPECT(!device_map(d, device_ring_page(TX, USED), VHOST_ACCESS_RW), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	return true;
}

static const struct check list[] = {
	{"used ring asks for write, the rest of the ring for read", ring_parts, STOCK_FAILS},
	{"no start with a used ring that is read-only", used_ring_read_only, STOCK_FAILS},
	{"TX buffers ask for read, RX buffers for write", buffers, STOCK_PASSES},
	{"write permission does not wake TX, all permissions do", tx_granted_write, STOCK_FAILS},
	{"read permission does not wake RX, all permissions do", rx_granted_read, STOCK_FAILS},
	{"a buffer's mapping without the permission is a miss", lacking_is_a_miss, STOCK_FAILS},
	{"a ring's mapping without the permission is a miss", lacking_in_the_ring, STOCK_FAILS},
};

CHECK_GROUP(access, list);
