// SPDX-License-Identifier: GPL-2.0
/*
 * What goes to vhost devices, and what becomes of it. In place of write(2), a
 * device that applies operations as vhost does, but for those at addresses that
 * stand for an error.
 */
#include <errno.h>
#include <linux/vhost_types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"
#include "answer_batch.h"
#include "iotlb_record.h"

/* fds of the devices */
#define FD 100
#define OTHER_FD 101

/* Operations in this page fail by the errno that is the offset. */
#define BAD 0x10000

/* What was applied, and how many messages that took */
static struct {
	int fd;
	struct vhost_iotlb_op op;
} applied[2 * ANSWER_BATCH_MAX];
static size_t applied_count;
static size_t messages;
static unsigned int interrupts;

/* What has become of UPDATEs, by errno */
static unsigned int results[256];

static int error_of(const struct vhost_iotlb_op *op)
{
	if (op->type != VHOST_IOTLB_UPDATE && op->type != VHOST_IOTLB_INVALIDATE)
		return 0;
	if ((op->iova & ~0xfffULL) != BAD)
		return 0;
	return op->iova & 0xfff;
}

/* These are seen before any operation is applied. */
static bool is_checked_first(int err)
{
	return err == EINVAL || err == EFAULT || err == ENODEV;
}

static ssize_t fake_write(int fd, const void *data, size_t size)
{
	const struct vhost_msg_v3 *msg = data;
	size_t i;
	int err;

	assert_int_equal(msg->type, VHOST_IOTLB_MSG_V3);
	assert_int_equal(size, 8 + 40 * msg->num);
	assert_in_range(msg->num, 1, VHOST_IOTLB_MAX_OPS);

	if (interrupts) {
		interrupts--;
		errno = EINTR;
		return -1;
	}
	messages++;
	for (i = 0; i < msg->num; i++) {
		err = error_of(&msg->ops[i]);
		if (is_checked_first(err)) {
			errno = err;
			return -1;
		}
	}
	for (i = 0; i < msg->num; i++) {
		errno = error_of(&msg->ops[i]);
		if (errno)
			return i ? (ssize_t)(8 + 40 * i) : -1;
		applied[applied_count].fd = fd;
		applied[applied_count++].op = msg->ops[i];
	}
	return size;
}

static void count_result(void *arg, struct answer_target *target, const struct vhost_iotlb_op *op,
			 int err)
{
	assert_ptr_equal(arg, results);
	assert_non_null(target);
	assert_int_equal(op->type, VHOST_IOTLB_UPDATE);
	assert_int_equal(-err, error_of(op));
	results[-err]++;
}

static struct answer_batch batch;
static struct answer_target target, other;

static int prepare(void **state)
{
	(void)state;
	answer_batch_init(&batch, count_result, results);
	batch.write = fake_write;
	target = (struct answer_target){.fd = FD, .has_v3 = true};
	other = (struct answer_target){.fd = OTHER_FD, .has_v3 = true};
	applied_count = 0;
	messages = 0;
	interrupts = 0;
	memset(results, 0, sizeof(results));
	return 0;
}

static void update(struct answer_target *to, uint64_t iova)
{
	const struct iotlb_record miss = {.flags = IOTLB_RECORD_F_TOKEN, .token = 42};
	const struct answer answer = {
		.iova = iova,
		.last = iova,
		.hva = 0x7000,
		.perm = VHOST_ACCESS_RW,
	};

	answer_batch_update(&batch, to, &miss, &answer);
}

static void assert_applied(size_t i, int fd, uint8_t type, uint64_t iova, uint64_t size)
{
	assert_in_range(i, 0, applied_count - 1);
	assert_int_equal(applied[i].fd, fd);
	assert_int_equal(applied[i].op.type, type);
	assert_int_equal(applied[i].op.iova, iova);
	assert_int_equal(applied[i].op.size, size);
	assert_int_equal(applied[i].op.asid, 0);
	if (type == VHOST_IOTLB_UPDATE)
		return;
	/* vhost refuses what has no meaning. */
	assert_int_equal(applied[i].op.uaddr, 0);
	assert_int_equal(applied[i].op.perm, 0);
	assert_int_equal(applied[i].op.token, 0);
	assert_int_equal(applied[i].op.flags, 0);
}

static void test_update(void **state)
{
	const struct iotlb_record miss = {.flags = IOTLB_RECORD_F_TOKEN, .token = 42};
	const struct iotlb_record bare = {.token = 42};
	const struct answer answer = {
		.iova = 0x1000,
		.last = 0x2fff,
		.hva = 0x7000,
		.perm = VHOST_ACCESS_RO,
	};
	const struct vhost_iotlb_op *op = &applied[0].op;

	(void)state;
	answer_batch_update(&batch, &target, &miss, &answer);
	answer_batch_update(&batch, &target, &bare, &answer);
	assert_int_equal(messages, 0);
	answer_batch_flush(&batch);
	assert_int_equal(messages, 1);
	assert_int_equal(applied_count, 2);
	assert_applied(0, FD, VHOST_IOTLB_UPDATE, 0x1000, 0x2000);
	assert_int_equal(op->uaddr, 0x7000);
	assert_int_equal(op->perm, VHOST_ACCESS_RO);
	assert_int_equal(op->token, 42);
	assert_int_equal(op->flags, VHOST_IOTLB_OP_F_TOKEN);
	/* A token that is not valid must not be sent. */
	assert_int_equal(applied[1].op.token, 0);
	assert_int_equal(applied[1].op.flags, 0);
	assert_int_equal(results[0], 2);

	answer_batch_flush(&batch);
	assert_int_equal(messages, 1);
}

static void test_a_message_for_each_device(void **state)
{
	(void)state;
	update(&target, 0x1000);
	update(&other, 0x2000);
	answer_batch_hand_back(&batch, &target, &(struct iotlb_record){.iova = 0x3000});
	answer_batch_invalidate_all(&batch, &other);
	answer_batch_retry_all(&batch, &other);
	answer_batch_retry(&batch, &target, &(struct iotlb_record){.iova = 0x5000});
	answer_batch_flush(&batch);
	assert_int_equal(messages, 2);
	assert_int_equal(applied_count, 6);
	assert_applied(0, FD, VHOST_IOTLB_UPDATE, 0x1000, 1);
	assert_applied(1, FD, VHOST_IOTLB_MISS, 0x3000, 1);
	assert_applied(2, FD, VHOST_IOTLB_RETRY, 0x5000, 1);
	assert_applied(3, OTHER_FD, VHOST_IOTLB_UPDATE, 0x2000, 1);
	assert_applied(4, OTHER_FD, VHOST_IOTLB_INVALIDATE, 0, 0);
	assert_applied(5, OTHER_FD, VHOST_IOTLB_RETRY, 0, 0);

	/* The next batch begins anew. */
	update(&other, 0x4000);
	answer_batch_flush(&batch);
	assert_int_equal(messages, 3);
	assert_int_equal(applied_count, 7);
	assert_applied(6, OTHER_FD, VHOST_IOTLB_UPDATE, 0x4000, 1);
}

/* vhost lets the virtqueue miss anew, so it is not handed back. */
static void test_stale(void **state)
{
	(void)state;
	update(&target, 0x1000);
	update(&target, BAD + ESTALE);
	update(&target, 0x2000);
	update(&target, BAD + ESTALE);
	answer_batch_flush(&batch);
	assert_int_equal(results[0], 2);
	assert_int_equal(results[ESTALE], 2);
	assert_int_equal(applied_count, 2);
	assert_applied(1, FD, VHOST_IOTLB_UPDATE, 0x2000, 1);

	update(&target, BAD + ESTALE);
	answer_batch_flush(&batch);
	assert_int_equal(results[ESTALE], 3);
	assert_int_equal(applied_count, 2);
}

static void test_failed_is_handed_back(void **state)
{
	(void)state;
	update(&target, 0x1000);
	update(&target, BAD + ENOMEM);
	update(&target, 0x2000);
	answer_batch_flush(&batch);
	assert_int_equal(results[0], 2);
	assert_int_equal(results[ENOMEM], 1);
	assert_int_equal(applied_count, 3);
	assert_applied(1, FD, VHOST_IOTLB_MISS, BAD + ENOMEM, 1);
	assert_applied(2, FD, VHOST_IOTLB_UPDATE, 0x2000, 1);
}

/* vhost does not say which one it was. */
static void test_one_spoils_all(void **state)
{
	(void)state;
	update(&target, 0x1000);
	update(&target, 0x2000);
	update(&target, BAD + EFAULT);
	update(&target, 0x3000);
	update(&other, 0x4000);
	answer_batch_flush(&batch);
	assert_int_equal(results[0], 4);
	assert_int_equal(results[EFAULT], 1);
	assert_int_equal(applied_count, 5);
	assert_applied(0, FD, VHOST_IOTLB_UPDATE, 0x1000, 1);
	assert_applied(1, FD, VHOST_IOTLB_UPDATE, 0x2000, 1);
	assert_applied(2, FD, VHOST_IOTLB_MISS, BAD + EFAULT, 1);
	assert_applied(3, FD, VHOST_IOTLB_UPDATE, 0x3000, 1);
	assert_applied(4, OTHER_FD, VHOST_IOTLB_UPDATE, 0x4000, 1);
}

/* Nobody waits there. */
static void test_device_without_iotlb(void **state)
{
	(void)state;
	update(&target, BAD + ENODEV);
	update(&target, BAD + ENODEV);
	answer_batch_flush(&batch);
	assert_int_equal(results[ENODEV], 2);
	assert_int_equal(applied_count, 0);
}

static void test_interrupted(void **state)
{
	(void)state;
	interrupts = 3;
	update(&target, 0x1000);
	answer_batch_flush(&batch);
	assert_int_equal(interrupts, 0);
	assert_int_equal(results[0], 1);
}

static ssize_t write_nothing(int fd, const void *data, size_t size)
{
	(void)fd;
	(void)data;
	(void)size;
	messages++;
	return 8;
}

static void expect_eio(void *arg, struct answer_target *to, const struct vhost_iotlb_op *op,
		       int err)
{
	(void)arg;
	(void)to;
	(void)op;
	assert_int_equal(err, -EIO);
	results[EIO]++;
}

/* A device that makes no sense does not hold us up. */
static void test_strange_device(void **state)
{
	(void)state;
	batch.write = write_nothing;
	batch.answered = expect_eio;
	update(&target, 0x1000);
	update(&target, 0x2000);
	answer_batch_retry_all(&batch, &target);
	answer_batch_flush(&batch);
	assert_int_equal(results[EIO], 2);
	assert_in_range(messages, 3, 20);
}

/* More than a batch holds, and more than a message may hold */
static void test_many(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ANSWER_BATCH_MAX; i++)
		update(&target, i << 20);
	assert_int_equal(messages, 0);
	update(&target, i << 20);
	assert_int_equal(messages, ANSWER_BATCH_MAX / VHOST_IOTLB_MAX_OPS);
	answer_batch_flush(&batch);
	assert_int_equal(applied_count, ANSWER_BATCH_MAX + 1);
	for (i = 0; i < applied_count; i++)
		assert_applied(i, FD, VHOST_IOTLB_UPDATE, i << 20, 1);
}

static void drop(struct answer_target *to, uint32_t asid, uint16_t flags)
{
	answer_batch_add(&batch, to,
			 &(struct vhost_iotlb_op){
				 .type = VHOST_IOTLB_INVALIDATE,
				 .asid = asid,
				 .flags = flags,
			 });
}

static void test_address_spaces(void **state)
{
	(void)state;
	target.has_asid = true;
	drop(&target, 0, 0);
	drop(&target, 5, 0);
	drop(&target, 0, VHOST_IOTLB_OP_F_ALL_ASIDS);
	answer_batch_invalidate_all(&batch, &target);
	answer_batch_retry_all(&batch, &target);
	/* It has but one, so this is it, or nothing. */
	drop(&other, 0, 0);
	drop(&other, 5, 0);
	drop(&other, 0, VHOST_IOTLB_OP_F_ALL_ASIDS);
	answer_batch_flush(&batch);
	assert_int_equal(applied_count, 7);
	assert_applied(0, FD, VHOST_IOTLB_INVALIDATE, 0, 0);
	assert_int_equal(applied[1].op.asid, 5);
	assert_int_equal(applied[1].op.flags, 0);
	assert_int_equal(applied[2].op.flags, VHOST_IOTLB_OP_F_ALL_ASIDS);
	assert_int_equal(applied[3].op.flags, VHOST_IOTLB_OP_F_ALL_ASIDS);
	assert_int_equal(applied[4].op.type, VHOST_IOTLB_RETRY);
	assert_int_equal(applied[4].op.flags, VHOST_IOTLB_OP_F_ALL_ASIDS);
	assert_applied(5, OTHER_FD, VHOST_IOTLB_INVALIDATE, 0, 0);
	assert_applied(6, OTHER_FD, VHOST_IOTLB_INVALIDATE, 0, 0);
}

/* The address space of a miss is that of all that is said of it. */
static void test_asid_of_a_miss(void **state)
{
	const struct iotlb_record miss = {.iova = 0x3000, .asid = 5};
	struct answer answer = {.iova = 0x3000, .last = 0x3fff, .perm = VHOST_ACCESS_RO};

	(void)state;
	answer_batch_update(&batch, &target, &miss, &answer);
	answer_batch_hand_back(&batch, &target, &miss);
	answer.iova = BAD + ENOMEM;
	answer.last = answer.iova;
	answer_batch_update(&batch, &target, &miss, &answer);
	answer_batch_flush(&batch);
	assert_int_equal(applied_count, 3);
	assert_int_equal(applied[0].op.type, VHOST_IOTLB_UPDATE);
	assert_int_equal(applied[0].op.asid, 5);
	assert_int_equal(applied[1].op.type, VHOST_IOTLB_MISS);
	assert_int_equal(applied[1].op.asid, 5);
	assert_int_equal(applied[2].op.type, VHOST_IOTLB_MISS);
	assert_int_equal(applied[2].op.iova, BAD + ENOMEM);
	assert_int_equal(applied[2].op.asid, 5);
}

/* The virtqueue has been moved: nobody waits there, and the rest is not lost. */
static void test_address_space_has_gone(void **state)
{
	(void)state;
	update(&target, 0x1000);
	update(&target, BAD + ENXIO);
	update(&target, 0x2000);
	answer_batch_flush(&batch);
	assert_int_equal(results[0], 2);
	assert_int_equal(results[ENXIO], 1);
	assert_int_equal(applied_count, 2);
	assert_applied(1, FD, VHOST_IOTLB_UPDATE, 0x2000, 1);
	assert_int_equal(messages, 3);
}

static int drop_at(uint64_t iova)
{
	batch.dropped_err = 0;
	answer_batch_add(&batch, &target,
			 &(struct vhost_iotlb_op){
				 .type = VHOST_IOTLB_INVALIDATE,
				 .iova = iova,
				 .size = 0x1000,
			 });
	update(&target, 0x1000);
	answer_batch_flush(&batch);
	return batch.dropped_err;
}

/* Who has to be sure that it is gone, learns that it is not. */
static void test_refused_invalidation(void **state)
{
	(void)state;
	assert_int_equal(drop_at(0x5000), 0);
	assert_int_equal(drop_at(BAD + ENOMEM), -ENOMEM);
	assert_int_equal(drop_at(BAD + EFAULT), -EFAULT);
	assert_int_equal(drop_at(0x5000), 0);
	/* Without an IOTLB, there is nothing in it. */
	assert_int_equal(drop_at(BAD + ENODEV), 0);
	assert_int_equal(results[0], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_update, prepare),
		cmocka_unit_test_setup(test_a_message_for_each_device, prepare),
		cmocka_unit_test_setup(test_address_spaces, prepare),
		cmocka_unit_test_setup(test_asid_of_a_miss, prepare),
		cmocka_unit_test_setup(test_address_space_has_gone, prepare),
		cmocka_unit_test_setup(test_refused_invalidation, prepare),
		cmocka_unit_test_setup(test_stale, prepare),
		cmocka_unit_test_setup(test_failed_is_handed_back, prepare),
		cmocka_unit_test_setup(test_one_spoils_all, prepare),
		cmocka_unit_test_setup(test_device_without_iotlb, prepare),
		cmocka_unit_test_setup(test_interrupted, prepare),
		cmocka_unit_test_setup(test_strange_device, prepare),
		cmocka_unit_test_setup(test_many, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
