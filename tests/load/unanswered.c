// SPDX-License-Identifier: GPL-2.0
/*
 * Three misses of a virtqueue, of which only one is answered. After the first, the
 * virtqueue is moved to another address space, in which there is a translation of
 * the same address; the second is answered; the last access fails, and what it
 * wanted is mapped when nobody waits for it any more. Whoever takes times must not
 * take the hits that follow for answers.
 */
#include "load.h"
#include "tests/kernel/asid.h"
#include "tests/kernel/batch.h"
#include "tests/kernel/check.h"

static void must(bool done, const char *what)
{
	if (!done)
		bail_out("cannot %s", what);
}

/* TX wants its buffer, to send this, and there is no translation of it. */
static void miss(struct device *d, uint32_t asid, uint32_t tag)
{
	struct vhost_iotlb_op op;

	must(!asid_write(d, asid, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE), "invalidate");
	asid_send(d, FIRST_PAGE, tag);
	device_flush(d);
	must(!batch_read_miss(d, &op) && op.asid == asid && op.iova == ASID_BUFFER, "miss");
}

static void map(struct device *d)
{
	must(!asid_map(d, ASID_OTHER, ASID_BUFFER, FIRST_PAGE), "map");
}

static void fail(struct device *d)
{
	const struct vhost_iotlb_op op = {
		.type = VHOST_IOTLB_ACCESS_FAIL,
		.asid = ASID_OTHER,
		.iova = ASID_BUFFER,
		.size = PAGE,
		.perm = VHOST_ACCESS_RO,
	};

	must(!batch_write_op(d, &op), "fail");
	device_flush(d);
}

static void expect(struct device *d, uint32_t tag)
{
	must(device_wait_frame(d) == tag, "send");
}

/* RX is there so that there is the other address space before TX comes. */
static struct device *open_device(void)
{
	struct device *d = asid_open_running();

	must(!device_stop_queue(d, RX) && !asid_move(d, RX, ASID_OTHER), "move virtqueue 0");
	asid_map_ring(d, TX, ASID_OTHER);
	map(d);
	return d;
}

static int run(const struct parameter *parameters, char **rest)
{
	struct device *d;

	(void)parameters;
	(void)rest;
	device_enter_namespace();
	d = open_device();

	miss(d, ASID_TX, 1);
	must(!device_stop_queue(d, TX) && !asid_move(d, TX, ASID_OTHER), "move virtqueue 1");
	must(!device_start_queue(d, TX), "start virtqueue 1");
	device_kick_and_flush(d, TX);
	expect(d, 1);

	miss(d, ASID_OTHER, 2);
	map(d);
	expect(d, 2);

	miss(d, ASID_OTHER, 3);
	fail(d);
	must(device_used(d, TX) == 3, "get the buffer back");
	map(d);
	asid_send(d, FIRST_PAGE, 4);
	expect(d, 4);

	device_close_all();
	return 0;
}

static struct parameter parameters[] = {{0}};

const struct command command_unanswered = {
	.name = "unanswered",
	.help = "misses that end without an answer, and one that does not",
	.parameters = parameters,
	.run = run,
};
