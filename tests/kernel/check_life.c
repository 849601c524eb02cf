// SPDX-License-Identifier: GPL-2.0
/* Devices, programs and modules that come and go. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

#include "check.h"
#include "device.h"
#include "frame.h"
#include "hook.h"
#include "module.h"
#include "process.h"
#include "stress.h"

#define QUEUED 1

static bool closed_with_queued(void)
{
	struct hook *h = hook_open(QUEUED);
	struct device *d;

	for (int i = 1; i <= 10; i++) {
		d = device_open_running();
		device_send(d, FIRST_PAGE, i);
		EXPECT(hook_calls(h) == (unsigned int)i, "asked %u times", hook_calls(h));
		device_close(d);
	}
	hook_detach(h);
	EXPECT(module_references("vhost_net") == 0, "%d references",
	       module_references("vhost_net"));
	return true;
}

static bool owner_reset(void)
{
	struct hook *h = hook_open(QUEUED);
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	device_send(d, FIRST_PAGE, 1);
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	EXPECT(!ioctl(d->fd, VHOST_RESET_OWNER, NULL), "errno %d", errno);
	hook_detach(h);
	EXPECT(device_read_miss(d, &msg) < 0, "a miss of a former owner");
	EXPECT(!ioctl(d->fd, VHOST_SET_OWNER, NULL), "errno %d", errno);

	/* The device takes part again. */
	EXPECT(!hook_attach(h), "cannot attach again");
	hook_detach(h);
	return true;
}

static struct device *killed_device;

static void hold_device(void)
{
	killed_device = device_open_running();
	device_send(killed_device, FIRST_PAGE, 2);
}

static bool owner_killed(void)
{
	struct hook *h = hook_open(QUEUED);
	struct hook_record record;
	struct process p;

	process_start(&p, hold_device);
	EXPECT(!hook_take(h, &record), "no record");
	EXPECT(record.tgid == (unsigned int)p.pid, "in process %u", record.tgid);
	process_kill(&p);
	hook_detach(h);
	return true;
}

/*
 * As a daemon may do: the device outlives its owner, whose threads and memory
 * are gone, because another process holds the file descriptor.
 */
static bool owner_killed_fd_kept(void)
{
	struct device *same = device_open();
	struct hook *h = hook_open(QUEUED);
	struct vhost_iotlb_msg msg;
	struct process p;
	int pidfd, fd;

	/* Closed first, so that the process opens the same number. */
	fd = same->fd;
	device_close(same);
	process_start(&p, hold_device);
	pidfd = syscall(SYS_pidfd_open, p.pid, 0);
	if (pidfd < 0)
		bail_out_errno("pidfd_open");
	fd = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (fd < 0)
		bail_out_errno("pidfd_getfd");
	close(pidfd);
	struct device kept = {.fd = fd, .memory = same->memory};

	fcntl(fd, F_SETFL, O_NONBLOCK);
	process_kill(&p);
	hook_detach(h);
	EXPECT(!device_read_miss(&kept, &msg), "the miss is lost");
	EXPECT(msg.iova == device_iova(FIRST_PAGE), "at 0x%llx", (unsigned long long)msg.iova);
	EXPECT(!hook_attach(h), "cannot attach again");
	EXPECT(!device_map(&kept, FIRST_PAGE, VHOST_ACCESS_RW), "refused");
	hook_detach(h);
	close(fd);
	return true;
}

/* A page that is there when somebody says so, and not before. */
static int withhold(void *page)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {
		.range = {(uintptr_t)page, PAGE},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		bail_out_errno("userfaultfd");
	return fd;
}

static void release(int fd, void *page)
{
	struct uffdio_zeropage zero = {.range = {(uintptr_t)page, PAGE}};

	if (ioctl(fd, UFFDIO_ZEROPAGE, &zero))
		bail_out_errno("UFFDIO_ZEROPAGE");
	close(fd);
}

static const struct device *busy_device;

static void write_to_busy(void)
{
	device_map(busy_device, FIRST_PAGE + 1, VHOST_ACCESS_RW);
}

/*
 * The worker has a virtqueue, and waits for memory of the owner, for as long as
 * the owner likes. Who writes to the device waits for it.
 */
static bool writer_killed(void)
{
	struct device *d = device_open_running();
	void *page = device_page(d, FIRST_PAGE);
	struct pollfd fault = {.fd = withhold(page), .events = POLLIN};
	bool faults, waits, can_be_killed;
	struct process p;

	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_offer(d, TX, device_iova(FIRST_PAGE), FRAME_BUFFER);
	device_kick(d, TX);
	faults = poll(&fault, 1, LIMIT_MS) == 1;

	busy_device = d;
	process_begin(&p, write_to_busy);
	waits = process_wait_in(&p, "vhost_chr_write_iter");
	can_be_killed = process_can_be_killed(&p);
	/* However it went: nothing else gets on until this is done. */
	release(fault.fd, page);
	process_kill(&p);
	EXPECT(faults && waits, "nobody waits");
	EXPECT(can_be_killed, "a writer that waits cannot be killed");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "not sent");
	return true;
}

static bool program_replaced(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);

	device_send(d, FIRST_PAGE, 3);
	for (unsigned int i = 1; i <= 50; i++) {
		device_flush(d);
		EXPECT(hook_calls(h) == i, "asked %u times, not %u", hook_calls(h), i);
		EXPECT(!device_has_message(d), "a message");
		hook_detach(h);
		EXPECT(device_has_message(d), "no message");
		EXPECT(!hook_attach(h), "cannot attach again");
	}
	return true;
}

static bool modules(void)
{
	struct hook *h = hook_open(QUEUED);
	struct device *d;

	EXPECT(!module_unload("vhost_net"), "cannot unload vhost_net");
	EXPECT(!module_unload("vhost_vsock"), "cannot unload vhost_vsock");
	EXPECT(syscall(SYS_delete_module, "vhost", O_NONBLOCK) &&
		       (errno == EAGAIN || errno == EBUSY),
	       "unloaded under an attached program");
	hook_close(h);
	EXPECT(!module_unload("vhost"), "cannot unload vhost");

	EXPECT(module_load("vhost_net"), "cannot load vhost_net again");
	d = device_open_running();
	h = hook_open(QUEUED);
	device_send(d, FIRST_PAGE, 4);
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	return true;
}

static const struct check list[] = {
	{"devices are closed with a queued miss", closed_with_queued, STOCK_LACKS},
	{"a device changes its owner with a queued miss", owner_reset, STOCK_LACKS},
	{"an owner is killed with a queued miss", owner_killed, STOCK_LACKS},
	{"an owner is killed, somebody else holds the device", owner_killed_fd_kept, STOCK_LACKS},
	{"who waits to write to a device can be killed", writer_killed, STOCK_LACKS},
	{"programs come and go under a miss", program_replaced, STOCK_LACKS},
	{"everything at once", stress, STOCK_LACKS},
	{"everything at once, and no mapping but by answers", stress_answers, STOCK_LACKS},
	{"modules are unloaded, not under a program, and loaded again", modules, STOCK_LACKS},
};

CHECK_GROUP(life, list);
