// SPDX-License-Identifier: GPL-2.0
#include "queues.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "tables.h"
#include "tests/kernel/asid.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"

static void put_queue(struct device *d, int queue, uint32_t pasid)
{
	struct vhost_vring_addr address = {
		.index = queue,
		.desc_user_addr = PROCESS_RINGS + DESC * PAGE,
		.avail_user_addr = PROCESS_RINGS + AVAIL * PAGE,
		.used_user_addr = PROCESS_RINGS + USED * PAGE,
	};

	if (ioctl(d->fd, VHOST_SET_VRING_ADDR, &address))
		bail_out_errno("VHOST_SET_VRING_ADDR failed");
	if (asid_move(d, queue, pasid))
		bail_out("virtqueue %d cannot be moved to PASID %u", queue, pasid);
}

/* vhost has to find the used ring before, and whoever translates takes a moment. */
static bool start_queue(struct device *d, int queue)
{
	int waited, err = 0;

	for (waited = 0; waited < LIMIT_MS; waited++) {
		err = device_start_queue(d, queue);
		if (err != -EFAULT)
			break;
		poll(NULL, 0, 1);
	}
	return !err;
}

bool queues_run(struct device *d, uint32_t pasid_rx, uint32_t pasid_tx)
{
	if (asid_accept(d, true))
		bail_out("vhost has no address spaces");
	put_queue(d, RX, pasid_rx);
	put_queue(d, TX, pasid_tx);
	return start_queue(d, RX) && start_queue(d, TX);
}
