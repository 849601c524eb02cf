// SPDX-License-Identifier: GPL-2.0
/*
 * What writing IOTLB messages costs: many in one write against one by one, and
 * whether it matters how often the guest has kicked in vain. To be run where
 * the clock counts instructions. Prints a JSON object for each case, with the
 * mean nanoseconds for an operation.
 */
#include <linux/vhost.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/frame.h"
#include "vhost_msg_v3.h"

#define BATCH 32
#define ROUNDS 200
#define KICKS 1000000

struct batch {
	struct vhost_msg_v3 head;
	struct vhost_iotlb_op ops[BATCH];
};

static void require(bool good, const char *what)
{
	if (!good)
		bail_out("%s", what);
}

static void report(const char *name, uint64_t ns, unsigned int operations)
{
	printf("{\"case\": \"%s\", \"modules\": \"patched\", \"lost\": 0, \"op_ns\": %.1f}\n", name,
	       (double)ns / operations);
	fflush(stdout);
}

static void map_one_by_one(struct device *d)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		require(!device_map(d, FIRST_PAGE + i, VHOST_ACCESS_RO), "an UPDATE was refused");
}

static void map_at_once(struct device *d)
{
	struct batch batch = {
		.head = {.type = VHOST_IOTLB_MSG_V3, .num = BATCH},
	};
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		batch.ops[i] = (struct vhost_iotlb_op){
			.iova = device_iova(FIRST_PAGE + i),
			.size = PAGE,
			.uaddr = (uintptr_t)device_page(d, FIRST_PAGE + i),
			.type = VHOST_IOTLB_UPDATE,
			.perm = VHOST_ACCESS_RO,
		};
	require(write(d->fd, &batch, sizeof(batch)) == sizeof(batch), "a batch was refused");
}

/* As by a guest that uses its addresses over and over. */
static void measure_again(const char *name, struct device *d, void (*map)(struct device *d))
{
	uint64_t start;
	unsigned int i;

	map(d);
	start = clock_now_ns();
	for (i = 0; i < ROUNDS; i++)
		map(d);
	report(name, clock_now_ns() - start, ROUNDS * BATCH);
}

/* The same with addresses that were unmapped before. */
static void measure_new(const char *name, struct device *d, void (*map)(struct device *d))
{
	uint64_t start, sum = 0;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		require(!device_invalidate(d, device_iova(FIRST_PAGE), BATCH * PAGE),
			"an INVALIDATE was refused");
		start = clock_now_ns();
		map(d);
		sum += clock_now_ns() - start;
	}
	report(name, sum, ROUNDS * BATCH);
}

/* UPDATEs while a virtqueue waits for an address that has no translation. */
static void measure_kicked(const char *name, unsigned int kicks)
{
	struct device *d = device_open_running();
	unsigned int page = FIRST_PAGE + BATCH, i;

	frame_fill((uint8_t *)device_page(d, page) + FRAME_HEADER, 1);
	device_offer(d, TX, device_iova(page), FRAME_BUFFER);
	for (i = 0; i < kicks; i++) {
		device_kick(d, TX);
		/* Each is to have its effect. */
		sched_yield();
	}
	device_flush(d);
	measure_again(name, d, map_one_by_one);

	require(device_used(d, TX) == 0, "a packet went out without a translation");
	require(!device_map(d, page, VHOST_ACCESS_RO), "an UPDATE was refused");
	require(device_wait_frame(d) == 1, "the packet that waited did not come out");
	device_close(d);
}

int main(void)
{
	struct device *d;

	device_enter_namespace();

	d = device_open_running();
	measure_again("update", d, map_one_by_one);
	measure_again("update-batch", d, map_at_once);
	measure_new("update-new", d, map_one_by_one);
	measure_new("update-new-batch", d, map_at_once);
	device_close(d);

	measure_kicked("update-kicked", 1);
	measure_kicked("update-kicked-much", KICKS);
	return 0;
}
