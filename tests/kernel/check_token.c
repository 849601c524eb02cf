// SPDX-License-Identifier: GPL-2.0
/*
 * Answers with a token: those that an invalidation has overtaken are refused,
 * and who waits asks anew.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <linux/virtio_config.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "trace.h"

/* So many invalidations does vhost remember. */
#define HISTORY 128

#define QUEUED 1

/* Far from everything that is in use. */
#define ELSEWHERE 0x700000000ULL

/* A device whose TX waits for FIRST_PAGE, and the token of its miss. */
static struct device *open_waiting(uint64_t *token)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_op op;

	batch_accept(d);
	device_send(d, FIRST_PAGE, 1);
	if (batch_read_miss(d, &op))
		bail_out("no miss");
	*token = op.token;
	return d;
}

/* The answer by @token is good. */
static bool is_accepted(struct device *d, uint64_t token)
{
	int error = batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token);

	EXPECT(!error, "error %d", error);
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	return true;
}

/* It is not: nothing is mapped, and the miss comes anew, with a token that is. */
static bool is_stale(struct device *d, uint64_t token)
{
	unsigned int before = fdinfo_entries(d->fd);
	struct vhost_iotlb_op op;
	int error;

	EXPECT(!device_has_message(d), "a miss before its answer was refused");
	error = batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token);
	EXPECT(error == -ESTALE, "error %d", error);
	device_flush(d);
	EXPECT(fdinfo_entries(d->fd) == before, "%u entries after %u", fdinfo_entries(d->fd),
	       before);
	EXPECT(device_used(d, TX) == 0, "sent by an answer that is too late");
	EXPECT(!batch_read_miss(d, &op), "no miss");
	EXPECT(op.iova == device_iova(FIRST_PAGE), "a miss of 0x%llx", op.iova);
	EXPECT(op.token > token, "token %llu after %llu", op.token, (unsigned long long)token);
	EXPECT(batch_read_miss(d, &op) == -EAGAIN, "a second message");
	return is_accepted(d, op.token);
}

static bool accepted(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);

	return is_accepted(d, token);
}

static bool invalidated(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);
	unsigned long long dev = fdinfo_id(d->fd);

	trace_open();
	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	PART(is_stale(d, token));
	EXPECT(trace_count("update", "dev=%llu ret=-116", dev) == 1, "not one refusal");
	EXPECT(trace_count("update", "dev=%llu ret=0", dev) == 1, "not one more UPDATE");
	EXPECT(trace_count("miss", "dev=%llu", dev) == 0, "a retry counts as a miss");
	return true;
}

static bool invalidated_by_v3(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);

	EXPECT(!batch_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	return is_stale(d, token);
}

/* An invalidation of @size bytes @offset bytes after the start of the page. */
static bool overlap(int64_t offset, uint64_t size, bool stale)
{
	uint64_t token;
	struct device *d = open_waiting(&token);

	EXPECT(!batch_invalidate(d, device_iova(FIRST_PAGE) + offset, size), "refused");
	return stale ? is_stale(d, token) : is_accepted(d, token);
}

static bool ends(void)
{
	static const struct {
		int64_t offset;
		uint64_t size;
		bool stale;
	} ranges[] = {
		{-1, 1, false},	      {-1, 2, true},	       {0, 1, true},
		{PAGE - 1, 1, true},  {PAGE, 1, false},	       {PAGE - 1, 2, true},
		{-PAGE, PAGE, false}, {-PAGE, PAGE + 1, true}, {PAGE, 100 * PAGE, false},
		{-1, PAGE + 2, true}, {PAGE / 2, 1, true},     {-100, 100, false},
		{1, PAGE - 2, true},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (!overlap(ranges[i].offset, ranges[i].size, ranges[i].stale)) {
			EXPECT(false, "range %zu: %lld, %llu", i, (long long)ranges[i].offset,
			       (unsigned long long)ranges[i].size);
		}
	return true;
}

/* What counts is all that the answer would map, not just what was asked for. */
static bool large_answer(void)
{
	for (int stale = 0; stale < 2; stale++) {
		uint64_t token;
		struct device *d = open_waiting(&token);
		struct vhost_iotlb_op op = {
			.type = VHOST_IOTLB_UPDATE,
			.iova = device_iova(0),
			.size = 32 * PAGE,
			.uaddr = (uintptr_t)d->memory,
			.perm = VHOST_ACCESS_RW,
			.flags = VHOST_IOTLB_OP_F_TOKEN,
			.token = token,
		};
		int error;

		EXPECT(!device_invalidate(d, device_iova(32) - stale, PAGE), "refused");
		error = batch_write_op(d, &op);
		EXPECT(error == (stale ? -ESTALE : 0), "error %d", error);
		device_flush(d);
		EXPECT(device_used(d, TX) == (stale ? 0 : 1), "%u sent", device_used(d, TX));
	}
	return true;
}

/* A message of type V2 invalidates all of the mappings that it overlaps. */
static bool widened(void)
{
	for (int v3 = 0; v3 < 2; v3++) {
		uint64_t token;
		struct device *d = open_waiting(&token);
		struct vhost_iotlb_op op = {
			.type = VHOST_IOTLB_UPDATE,
			.iova = device_iova(FIRST_PAGE),
			.size = 4 * PAGE,
			.uaddr = (uintptr_t)device_page(d, FIRST_PAGE),
			.perm = VHOST_ACCESS_RW,
			.flags = VHOST_IOTLB_OP_F_TOKEN,
			.token = token,
		};
		int error;

		EXPECT(!device_update(d, device_iova(FIRST_PAGE + 3), 8 * PAGE, d->memory,
				      VHOST_ACCESS_RW),
		       "refused");
		/* Beyond the answer, but not beyond what is mapped. */
		EXPECT(!(v3 ? batch_invalidate : device_invalidate)(d, device_iova(FIRST_PAGE + 7),
								    PAGE),
		       "refused");
		error = batch_write_op(d, &op);
		EXPECT(error == (v3 ? 0 : -ESTALE), "error %d", error);
	}
	return true;
}

/* Who reads a miss knows what happened up to then. */
static bool read_late(void)
{
	for (int more = 0; more < 2; more++) {
		struct device *d = device_open_running();
		struct vhost_iotlb_op first, op;

		batch_accept(d);
		device_send(d, FIRST_PAGE + 1, 1);
		EXPECT(!batch_read_miss(d, &first), "no miss");
		EXPECT(!batch_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RO, first.token), "refused");
		device_flush(d);
		EXPECT(device_wait_frame(d) == 1, "another frame came out");

		device_send(d, FIRST_PAGE, 2);
		for (int i = 0; i < HISTORY + 1; i++)
			EXPECT(!batch_invalidate(d, more ? ELSEWHERE : device_iova(FIRST_PAGE),
						 PAGE),
			       "refused");
		EXPECT(!batch_read_miss(d, &op), "no miss");
		EXPECT(op.token == first.token + HISTORY + 1, "token %llu after %llu", op.token,
		       first.token);
		EXPECT(!batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, op.token), "refused");
		device_flush(d);
		EXPECT(device_wait_frame(d) == 2, "another frame came out");
	}
	return true;
}

/* A program's knowledge is that of when it was asked, also for a reader later. */
static bool handed_back(void)
{
	struct device *d = device_open_running();
	struct hook *h = hook_open(QUEUED);
	struct vhost_iotlb_op op;
	struct hook_record r;

	batch_accept(d);
	device_send(d, FIRST_PAGE, 1);
	EXPECT(!hook_take(h, &r), "no record");
	for (int i = 0; i < HISTORY + 1; i++)
		EXPECT(!batch_invalidate(d, ELSEWHERE, PAGE), "refused");
	EXPECT(!batch_hand_back(d, 0, 0), "refused");
	EXPECT(!batch_read_miss(d, &op), "no miss");
	EXPECT(op.token == r.token + HISTORY + 1, "token %llu after %llu", op.token, r.token);
	return is_accepted(d, op.token);
}

static bool remembered(void)
{
	for (int more = 0; more < 2; more++) {
		uint64_t token;
		struct device *d = open_waiting(&token);

		for (int i = 0; i < HISTORY + more; i++)
			EXPECT(!device_invalidate(d, ELSEWHERE + i * PAGE, PAGE), "refused");
		if (more)
			PART(is_stale(d, token));
		else
			PART(is_accepted(d, token));
	}
	return true;
}

/* Each of those that are remembered counts, and none before the miss does. */
static bool remembered_one(void)
{
	for (int place = 0; place < HISTORY; place += 31) {
		uint64_t token;
		struct device *d = open_waiting(&token);

		for (int i = 0; i < HISTORY; i++)
			EXPECT(!batch_invalidate(d,
						 i == place ? device_iova(FIRST_PAGE)
							    : ELSEWHERE + i * PAGE,
						 PAGE),
			       "refused");
		PART(is_stale(d, token));
	}
	return true;
}

/* Many rounds through what is remembered. */
static bool remembered_long(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_op op;
	uint64_t last = 0;

	batch_accept(d);
	for (unsigned int i = 1; i <= 50; i++) {
		for (unsigned int j = 0; j < 2 * i; j++)
			EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
		device_send(d, FIRST_PAGE, i);
		EXPECT(!batch_read_miss(d, &op), "no miss");
		EXPECT(i == 1 || op.token == last + 2 * i, "token %llu after %llu", op.token,
		       (unsigned long long)last);
		last = op.token;
		EXPECT(!device_invalidate(d, ELSEWHERE, PAGE), "refused");
		last++;
		EXPECT(!batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, op.token), "refused");
		device_flush(d);
		EXPECT(device_used(d, TX) == i, "%u sent", device_used(d, TX));
	}
	return true;
}

static bool all(void)
{
	for (int v3 = 0; v3 < 2; v3++) {
		uint64_t token;
		struct device *d = open_waiting(&token);
		struct vhost_iotlb_op op;

		EXPECT(!(v3 ? batch_invalidate : device_invalidate)(d, 0, 0), "refused");
		EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token) == -ESTALE, "not refused");
		device_flush(d);
		/* Of the ring now, which is gone as well. */
		EXPECT(!batch_read_miss(d, &op), "no miss");
		EXPECT(op.token == token + 1, "token %llu after %llu", op.token,
		       (unsigned long long)token);
		for (int page = 0; page < RING_PAGES; page++)
			EXPECT(!batch_map(d, page, VHOST_ACCESS_RW, op.token), "refused");
		device_flush(d);
		EXPECT(!batch_read_miss(d, &op), "no miss");
		EXPECT(op.iova == device_iova(FIRST_PAGE), "a miss of 0x%llx", op.iova);
		PART(is_accepted(d, op.token));
	}
	return true;
}

/* What does nothing, or adds something, makes no answer old. */
static bool no_invalidation(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);
	struct batch b;

	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), 0), "refused");
	EXPECT(!device_map(d, FIRST_PAGE, VHOST_ACCESS_WO), "refused");
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RW), "refused");
	batch_init(&b);
	batch_add_map(&b, d, FIRST_PAGE, VHOST_ACCESS_WO);
	batch_add(&b, VHOST_IOTLB_MISS, 0, 0);
	EXPECT(batch_write(d, &b) == 2, "refused");
	/* One that is refused as a whole does nothing either. */
	batch_init(&b);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, 0, 0);
	batch_add(&b, 0, 0, 0);
	EXPECT(batch_write(d, &b) == -EINVAL, "not refused");
	return is_accepted(d, token);
}

static bool without_token(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);
	struct batch b;

	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	batch_init(&b);
	batch_add_map(&b, d, FIRST_PAGE, VHOST_ACCESS_RO);
	EXPECT(batch_write(d, &b) == 1, "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	return true;
}

/* The token of now is good, the next one is not. */
static bool future(void)
{
	static const uint64_t ahead[] = {1, 2, 1000, 1ULL << 63};
	uint64_t token;
	struct device *d = open_waiting(&token);

	for (size_t i = 0; i < sizeof(ahead) / sizeof(*ahead); i++) {
		int error = batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token + ahead[i]);

		EXPECT(error == -EINVAL, "error %d for %llu ahead", error,
		       (unsigned long long)ahead[i]);
		device_flush(d);
		EXPECT(!device_has_message(d), "the miss came anew");
	}
	return is_accepted(d, token);
}

/* Within a message, too. */
static bool in_a_batch(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);
	struct vhost_iotlb_op *op, miss;
	struct batch b;

	batch_init(&b);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(FIRST_PAGE), PAGE);
	op = batch_add_map(&b, d, FIRST_PAGE, VHOST_ACCESS_RO);
	op->flags = VHOST_IOTLB_OP_F_TOKEN;
	op->token = token;
	EXPECT(batch_write(d, &b) == 1, "the UPDATE was not refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 0, "sent by an answer that is too late");
	/* A token from within the message is one from the future. */
	op->token = token + 2;
	EXPECT(batch_write(d, &b) == -EINVAL, "not refused");
	PART(is_stale(d, token));

	/* The other way round, it is good, and gone again. */
	device_send(d, FIRST_PAGE + 1, 2);
	EXPECT(!batch_read_miss(d, &miss), "no miss");
	batch_init(&b);
	op = batch_add_map(&b, d, FIRST_PAGE + 1, VHOST_ACCESS_RO);
	op->flags = VHOST_IOTLB_OP_F_TOKEN;
	op->token = miss.token;
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(FIRST_PAGE + 1), PAGE);
	EXPECT(batch_write(d, &b) == 2, "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "sent after the mapping is gone");
	return true;
}

/* Whoever waits elsewhere is not told to try again. */
static bool others_wait_on(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);
	struct vhost_iotlb_op op;

	device_offer(d, RX, device_iova(FIRST_PAGE + 1), PAGE);
	device_inject(d, 3);
	device_flush(d);
	EXPECT(!batch_read_miss(d, &op), "no miss of RX");
	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	PART(is_stale(d, token));
	EXPECT(batch_read_miss(d, &op) == -EAGAIN, "RX tried again");
	EXPECT(!batch_map(d, FIRST_PAGE + 1, VHOST_ACCESS_WO, op.token), "refused");
	device_flush(d);
	EXPECT(device_used(d, RX) == 1, "RX was not woken");
	return true;
}

static bool memory_table(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);

	EXPECT(!device_set_memory_table(d), "refused");
	return is_stale(d, token);
}

/* A new IOTLB in place of the old one: all is gone, and so is what was asked. */
static bool replaced_iotlb(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);
	struct vhost_iotlb_op op;

	EXPECT(!device_set_features(d, true), "refused");
	EXPECT(fdinfo_entries(d->fd) == 0, "%u entries", fdinfo_entries(d->fd));
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token) == -ESTALE, "not refused");
	for (int page = 0; page < RING_PAGES; page++) {
		EXPECT(batch_map(d, page, VHOST_ACCESS_RW, token) == -ESTALE, "not refused");
		EXPECT(!batch_map(d, page, VHOST_ACCESS_RW, token + 1), "refused");
	}
	device_flush(d);
	device_kick_and_flush(d, TX);
	EXPECT(!batch_read_miss(d, &op), "no miss");
	EXPECT(op.iova == device_iova(FIRST_PAGE), "a miss of 0x%llx", op.iova);
	EXPECT(op.token == token + 1, "token %llu after %llu", op.token, (unsigned long long)token);
	return is_accepted(d, op.token);
}

static bool iotlb_off_and_on(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);
	struct vhost_iotlb_op op;

	for (int queue = 0; queue < NR_QUEUES; queue++)
		EXPECT(!device_stop_queue(d, queue), "cannot stop");
	EXPECT(!device_set_features(d, false), "refused");
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token) == -ENODEV, "no error");
	EXPECT(!device_set_features(d, true), "refused");
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token) == -ESTALE, "not refused");
	/* Off and on are one invalidation each. */
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token + 1) == -ESTALE, "not refused");
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token + 3) == -EINVAL, "not refused");

	device_set_rings(d, true);
	for (int page = 0; page < RING_PAGES; page++)
		EXPECT(!batch_map(d, page, VHOST_ACCESS_RW, token + 2), "refused");
	for (int queue = 0; queue < NR_QUEUES; queue++)
		EXPECT(!device_start_queue(d, queue), "cannot start");
	device_kick_and_flush(d, TX);
	EXPECT(!batch_read_miss(d, &op), "no miss");
	EXPECT(op.token == token + 2, "token %llu after %llu", op.token, (unsigned long long)token);
	return is_stale(d, token);
}

/* The next owner, another process perhaps, has another address space. */
static bool owner_reset(void)
{
	uint64_t features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM;
	uint64_t token;
	struct device *d = open_waiting(&token);

	EXPECT(!ioctl(d->fd, VHOST_RESET_OWNER, NULL), "errno %d", errno);
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token) == -ENODEV, "no error");
	EXPECT(!ioctl(d->fd, VHOST_SET_OWNER, NULL), "errno %d", errno);
	EXPECT(!ioctl(d->fd, VHOST_SET_FEATURES, &features), "errno %d", errno);
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token) == -ESTALE, "not refused");
	/* One by the reset, one by the new IOTLB. */
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token + 1) == -ESTALE, "not refused");
	EXPECT(!batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, token + 2), "refused");
	return true;
}

/* The program learns the same token as the reader of the fd. */
static bool hook_token(void)
{
	uint64_t token;
	struct device *d = open_waiting(&token);
	struct hook *h = hook_open(QUEUED);
	struct hook_record r;

	device_flush(d);
	EXPECT(!hook_take(h, &r), "no record");
	EXPECT(r.token == token, "token %llu, not %llu", r.token, (unsigned long long)token);
	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");

	/* Kicks do not bring it anew, the answer that is refused does. */
	device_kick_and_flush(d, TX);
	EXPECT(hook_calls(h) == 1, "asked %u times", hook_calls(h));
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, r.token) == -ESTALE, "not refused");
	device_flush(d);
	EXPECT(hook_calls(h) == 2, "asked %u times", hook_calls(h));
	EXPECT(!hook_take(h, &r), "no record");
	EXPECT(r.iova == device_iova(FIRST_PAGE), "of 0x%llx", r.iova);
	EXPECT(r.token == token + 1, "token %llu after %llu", r.token, (unsigned long long)token);
	EXPECT(!device_has_message(d), "a message");
	return is_accepted(d, r.token);
}

/* A number of its own for each device. */
static bool another_device(void)
{
	uint64_t token, other;
	struct device *first = open_waiting(&token), *second = open_waiting(&other);

	for (int i = 0; i < 2 * HISTORY; i++)
		EXPECT(!device_invalidate(first, device_iova(FIRST_PAGE), PAGE), "refused");
	PART(is_accepted(second, other));
	return is_stale(first, token);
}

static uint64_t memory_number(const struct device *d)
{
	struct fdinfo info;

	fdinfo_read(&info, d->fd);
	if (!info.has_mem_seq)
		bail_out("no line vhost-mem-seq");
	return info.mem_seq;
}

static bool memory_numbers(void)
{
	struct device *d = device_open_running();
	uint64_t number = memory_number(d);

	EXPECT(number > 0, "a table has number 0");
	for (int i = 0; i < 3; i++) {
		EXPECT(!device_set_memory_table(d), "refused");
		EXPECT(memory_number(d) == ++number, "%llu", (unsigned long long)memory_number(d));
	}
	/* Not by anything else, and not by a table that is refused. */
	EXPECT(ioctl(d->fd, VHOST_SET_MEM_TABLE, NULL) == -1, "a table at NULL");
	EXPECT(!device_invalidate(d, 0, 0), "refused");
	EXPECT(!device_set_features(d, true), "refused");
	EXPECT(memory_number(d) == number, "%llu", (unsigned long long)memory_number(d));

	EXPECT(!ioctl(d->fd, VHOST_RESET_OWNER, NULL), "errno %d", errno);
	EXPECT(memory_number(d) == ++number, "%llu", (unsigned long long)memory_number(d));
	EXPECT(!ioctl(d->fd, VHOST_SET_OWNER, NULL), "errno %d", errno);
	EXPECT(memory_number(d) == number, "%llu", (unsigned long long)memory_number(d));
	EXPECT(!device_set_memory_table(d), "refused");
	EXPECT(memory_number(d) == ++number, "%llu", (unsigned long long)memory_number(d));
	return true;
}

static const struct check list[] = {
	{"an answer with its token is accepted", accepted, STOCK_LACKS},
	{"INVALIDATE makes it stale, and the miss comes anew", invalidated, STOCK_LACKS},
	{"INVALIDATE in a message of type V3 as well", invalidated_by_v3, STOCK_LACKS},
	{"to the byte", ends, STOCK_LACKS},
	{"by the range that the answer maps", large_answer, STOCK_LACKS},
	{"by all that a message of type V2 invalidates", widened, STOCK_LACKS},
	{"a message is as new as its read()", read_late, STOCK_LACKS},
	{"so is one that was handed back", handed_back, STOCK_LACKS},
	{"128 invalidations elsewhere are remembered, the 129th is too many", remembered,
	 STOCK_LACKS},
	{"each of the 128 counts", remembered_one, STOCK_LACKS},
	{"what is remembered is that of the last ones", remembered_long, STOCK_LACKS},
	{"INVALIDATE of everything", all, STOCK_LACKS},
	{"what invalidates nothing makes nothing stale", no_invalidation, STOCK_LACKS},
	{"an answer without a token is accepted as ever", without_token, STOCK_LACKS},
	{"a token from the future: EINVAL", future, STOCK_LACKS},
	{"INVALIDATE and answer in one message", in_a_batch, STOCK_LACKS},
	{"a refusal makes nobody else try again", others_wait_on, STOCK_LACKS},
	{"a new memory table makes all stale", memory_table, STOCK_LACKS},
	{"a new IOTLB makes all stale", replaced_iotlb, STOCK_LACKS},
	{"switching the IOTLB off and on makes all stale", iotlb_off_and_on, STOCK_LACKS},
	{"a reset of the owner makes all stale", owner_reset, STOCK_LACKS},
	{"a program gets the token, and is asked anew", hook_token, STOCK_LACKS},
	{"each device has tokens of its own", another_device, STOCK_LACKS},
	{"fdinfo numbers the memory tables", memory_numbers, STOCK_LACKS},
};

CHECK_GROUP(token, list);
