// SPDX-License-Identifier: GPL-2.0
/*
 * The model that the fuzzer compares the kernel with is compared with another
 * one, of an address space so small that each byte of it has a place in an
 * array.
 */
#include <errno.h>
#include <linux/vhost.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fuzz/model.h"
#include "vhost_msg_v3.h"

#define SPACE 48
#define ROUNDS 20000

struct byte {
	uint64_t addr;
	uint32_t perm; /* 0: not mapped */
};

static struct model model;

static void assert_same_bytes(const struct byte *bytes)
{
	for (uint64_t iova = 0; iova < SPACE; iova++) {
		const struct mapping *m = mapping_find(&model.list, iova);

		assert_int_equal(m ? m->perm : 0, bytes[iova].perm);
		if (m)
			assert_int_equal(m->addr + (iova - m->start), bytes[iova].addr);
	}
}

static void assert_sorted(void)
{
	for (size_t i = 0; i < model.list.nr; i++) {
		assert_true(model.list.at[i].start <= model.list.at[i].last);
		assert_true(!i || model.list.at[i - 1].last < model.list.at[i].start);
	}
}

static void same_as_an_array_of_bytes(void **state)
{
	struct byte bytes[SPACE] = {0};
	unsigned int seed = 1;

	(void)state;
	model_init(&model);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = rand_r(&seed) % SPACE, last = start + rand_r(&seed) % 9;
		uint64_t addr = (uint64_t)rand_r(&seed) << 12;
		uint32_t perm = rand_r(&seed) % 4;

		if (last >= SPACE)
			last = SPACE - 1;
		for (uint64_t i = start; i <= last; i++)
			bytes[i] = (struct byte){addr + (i - start), perm};
		if (perm)
			model_map(&model, start, last, addr, perm);
		else
			model_unmap(&model, start, last);
		assert_sorted();
		assert_same_bytes(bytes);
	}
}

static void ends_of_the_address_space(void **state)
{
	(void)state;
	model_init(&model);
	model_map(&model, 0, 9, 100, 1);
	model_map(&model, UINT64_MAX - 9, UINT64_MAX, 200, 2);
	model_unmap(&model, 0, 0);
	model_unmap(&model, UINT64_MAX, UINT64_MAX);
	assert_int_equal(model.list.nr, 2);
	assert_int_equal(model.list.at[0].start, 1);
	assert_int_equal(model.list.at[0].addr, 101);
	assert_int_equal(model.list.at[1].last, UINT64_MAX - 1);
	assert_int_equal(model.list.at[1].addr, 200);
	model_unmap(&model, 0, UINT64_MAX);
	assert_int_equal(model.list.nr, 0);
}

static void peak_counts_what_was_in_between(void **state)
{
	(void)state;
	model_init(&model);
	model_map(&model, 0, 9, 0, 3);
	model_map(&model, 4, 5, 0, 1);
	assert_int_equal(model.list.nr, 3);
	model_unmap(&model, 0, 9);
	assert_int_equal(model.list.nr, 0);
	assert_int_equal(model.peak, 3);
}

static void stale_by_overlap(void **state)
{
	uint64_t token;

	(void)state;
	model_init(&model);
	model_replace_iotlb(&model, true);
	token = model.now;
	assert_false(model_is_stale(&model, token, 0, UINT64_MAX));
	assert_true(model_is_stale(&model, token - 1, 7, 7));
	model_invalidate(&model, 10, 19);
	assert_false(model_is_stale(&model, token, 0, 9));
	assert_false(model_is_stale(&model, token, 20, 29));
	assert_true(model_is_stale(&model, token, 0, 10));
	assert_true(model_is_stale(&model, token, 19, 29));
	assert_false(model_is_stale(&model, token + 1, 10, 19));
	model_replace_memory(&model);
	assert_true(model_is_stale(&model, token + 1, 0, 0));
}

static void stale_by_age(void **state)
{
	uint64_t token;

	(void)state;
	model_init(&model);
	model_replace_iotlb(&model, true);
	token = model.now;
	for (int i = 0; i < MODEL_HISTORY; i++)
		model_invalidate(&model, 10, 19);
	assert_false(model_is_stale(&model, token, 30, 39));
	assert_true(model_is_stale(&model, token, 10, 10));
	model_invalidate(&model, 10, 19);
	assert_true(model_is_stale(&model, token, 30, 39));
	assert_false(model_is_stale(&model, token + 1, 30, 39));
}

static const struct vhost_iotlb_op good_update = {
	.iova = 0x1000,
	.size = 0x1000,
	.uaddr = 0x7000,
	.type = VHOST_IOTLB_UPDATE,
	.perm = VHOST_ACCESS_RW,
};

static const struct vhost_iotlb_op good_invalidate = {
	.iova = 0x1000,
	.size = 0x1000,
	.type = VHOST_IOTLB_INVALIDATE,
};

static ssize_t write_ops(const struct vhost_iotlb_op *ops, unsigned int num)
{
	struct {
		struct vhost_msg_v3 head;
		struct vhost_iotlb_op ops[4];
	} msg = {.head = {.type = VHOST_IOTLB_MSG_V3, .num = num}};
	const size_t size = sizeof(msg.head) + num * sizeof(*ops);
	struct outcome outcome;

	memcpy(msg.ops, ops, num * sizeof(*ops));
	outcome = model_write(&model, &msg, size, size);
	return outcome.refused ? -(ssize_t)outcome.refused : outcome.result;
}

static void batches(void **state)
{
	struct vhost_iotlb_op ops[3] = {good_invalidate, good_update, good_update};

	(void)state;
	model_init(&model);
	assert_int_equal(write_ops(ops, 0), 8);
	assert_int_equal(write_ops(ops, 3), -REFUSE_ENODEV);
	model_replace_iotlb(&model, true);
	assert_int_equal(write_ops(ops, 3), 128);
	assert_int_equal(model.list.nr, 1);

	/* Stale by what is in the same message. */
	ops[2].flags = VHOST_IOTLB_OP_F_TOKEN;
	ops[2].token = model.now;
	ops[2].uaddr = 0;
	assert_int_equal(write_ops(ops, 3), 88);
	assert_int_equal(model.list.at[0].addr, 0x7000);
	assert_int_equal(write_ops(ops + 2, 1), -REFUSE_ESTALE);

	/* Nothing of it, if one is malformed. */
	ops[2].token = model.now + 1;
	assert_int_equal(write_ops(ops, 3), -REFUSE_EINVAL);
	ops[2] = good_update;
	ops[2].uaddr = MODEL_USER_END - 0xfff;
	assert_int_equal(write_ops(ops, 3), -REFUSE_EFAULT);
	ops[2].uaddr = MODEL_USER_END - 0x1000;
	assert_int_equal(write_ops(ops, 3), 128);
}

static void other_address_spaces(void **state)
{
	struct vhost_iotlb_op ops[3] = {good_update, good_update, good_invalidate};

	(void)state;
	model_init(&model);
	model_replace_iotlb(&model, true);
	ops[1].asid = 1;
	ops[1].uaddr = 0;
	ops[2].asid = 1;
	assert_int_equal(write_ops(ops, 3), 48);
	assert_int_equal(write_ops(ops + 1, 2), -REFUSE_ENXIO);
	assert_int_equal(write_ops(ops + 2, 1), 48);
	assert_int_equal(model.list.nr, 1);
	assert_int_equal(model.list.at[0].addr, 0x7000);
	assert_int_equal(model.now, 1);

	ops[2].asid = 0;
	ops[2].flags = VHOST_IOTLB_OP_F_ALL_ASIDS;
	assert_int_equal(write_ops(ops + 2, 1), 48);
	assert_int_equal(model.list.nr, 0);
}

/* It changes nothing, but may be late, or for a device that does not take it. */
static void access_fails(void **state)
{
	const struct vhost_iotlb_op good = {
		.type = VHOST_IOTLB_ACCESS_FAIL, .iova = 0x1000, .size = 0x1000, .perm = 2};
	struct vhost_iotlb_op op = good;

	(void)state;
	model_init(&model);
	model_replace_iotlb(&model, true);
	assert_int_equal(write_ops(&op, 1), -REFUSE_EOPNOTSUPP);
	model.can_fail = true;
	assert_int_equal(write_ops(&op, 1), 48);
	op.flags = VHOST_IOTLB_OP_F_ALL_ASIDS;
	assert_int_equal(write_ops(&op, 1), 48);
	op.flags = VHOST_IOTLB_OP_F_TOKEN;
	op.token = model.now;
	assert_int_equal(write_ops(&op, 1), 48);
	model_invalidate(&model, 0x1fff, 0x2fff);
	assert_int_equal(write_ops(&op, 1), -REFUSE_ESTALE);
	op = good;
	assert_int_equal(write_ops(&op, 1), 48);
	assert_int_equal(model.list.nr, 0);
}

static void malformed_operations(void **state)
{
	static const struct vhost_iotlb_op list[] = {
		{.type = VHOST_IOTLB_UPDATE, .perm = 1},
		{.type = VHOST_IOTLB_UPDATE, .size = 1},
		{.type = VHOST_IOTLB_UPDATE, .size = 1, .perm = 4},
		{.type = VHOST_IOTLB_UPDATE, .size = 2, .perm = 1, .iova = UINT64_MAX},
		{.type = VHOST_IOTLB_UPDATE, .size = 1, .perm = 1, .flags = 2},
		{.type = VHOST_IOTLB_UPDATE, .size = 1, .perm = 1, .token = 1},
		{.type = VHOST_IOTLB_INVALIDATE, .size = 1, .flags = 2, .asid = 1},
		{.type = VHOST_IOTLB_INVALIDATE, .iova = 1},
		{.type = VHOST_IOTLB_INVALIDATE, .size = 2, .iova = UINT64_MAX},
		{.type = VHOST_IOTLB_INVALIDATE, .size = 1, .perm = 1},
		{.type = VHOST_IOTLB_INVALIDATE, .size = 1, .uaddr = 1},
		{.type = VHOST_IOTLB_RETRY, .size = 1, .token = 1},
		{.type = VHOST_IOTLB_MISS, .size = 1, .flags = 1},
		{.type = VHOST_IOTLB_ACCESS_FAIL, .size = 1},
		{.type = VHOST_IOTLB_ACCESS_FAIL, .size = 1, .perm = 4},
		{.type = VHOST_IOTLB_ACCESS_FAIL, .size = 1, .perm = 1, .uaddr = 1},
		{.type = VHOST_IOTLB_ACCESS_FAIL, .size = 1, .perm = 1, .flags = 3},
		{.type = VHOST_IOTLB_ACCESS_FAIL, .size = 1, .perm = 1, .token = 1},
		{.type = VHOST_IOTLB_ACCESS_FAIL, .iova = 1, .perm = 1},
		{.type = 0},
	};

	(void)state;
	model_init(&model);
	model.can_fail = true;
	model_replace_iotlb(&model, true);
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		assert_int_equal(write_ops(&list[i], 1), -REFUSE_EINVAL);
	assert_int_equal(model.now, 1);
	assert_int_equal(model.list.nr, 0);
}

static void lengths(void **state)
{
	struct {
		struct vhost_msg_v3 head;
		struct vhost_iotlb_op op;
	} msg = {{VHOST_IOTLB_MSG_V3, 1}, good_update};
	const size_t size = sizeof(msg);

	(void)state;
	model_init(&model);
	model_replace_iotlb(&model, true);
	assert_int_equal(model_write(&model, &msg, 1, 1).refused, REFUSE_EINVAL);
	assert_int_equal(model_write(&model, &msg, size - 1, size - 1).refused, REFUSE_EINVAL);
	assert_int_equal(model_write(&model, &msg, size, size - 1).refused & REFUSE_EFAULT,
			 REFUSE_EFAULT);
	msg.head.num = 257;
	assert_int_equal(model_write(&model, &msg, 8 + 257 * 40, 8 + 257 * 40).refused,
			 REFUSE_E2BIG);
	assert_int_equal(model.list.nr, 0);
}

static ssize_t write_v2(const struct vhost_iotlb_msg *iotlb, size_t size)
{
	struct vhost_msg_v2 msg = {.type = VHOST_IOTLB_MSG_V2, .iotlb = *iotlb};
	struct outcome outcome = model_write(&model, &msg, size, size);

	return outcome.refused ? -(ssize_t)outcome.refused : outcome.result;
}

static void version_2(void **state)
{
	struct vhost_iotlb_msg iotlb = {
		.iova = 0x1000,
		.size = 0x1000,
		.perm = VHOST_ACCESS_RO,
		.type = VHOST_IOTLB_UPDATE,
	};

	(void)state;
	model_init(&model);
	assert_int_equal(write_v2(&iotlb, 72), -REFUSE_EFAULT);
	model_replace_iotlb(&model, true);
	assert_int_equal(write_v2(&iotlb, 72), 72);
	assert_int_equal(write_v2(&iotlb, 39), -REFUSE_EINVAL);
	iotlb.uaddr = 0xffff888000000000ULL;
	assert_int_equal(write_v2(&iotlb, 72), -REFUSE_EFAULT);

	/* From here to the end, and nothing. */
	iotlb = (struct vhost_iotlb_msg){.iova = 0x1001, .type = VHOST_IOTLB_INVALIDATE};
	assert_int_equal(write_v2(&iotlb, 72), 72);
	assert_int_equal(model.now, 1);
	assert_int_equal(model.list.nr, 1);

	/* All of a mapping, of which the first address is out of the range. */
	iotlb.size = UINT64_MAX;
	assert_int_equal(write_v2(&iotlb, 72), 72);
	assert_int_equal(model.now, 2);
	assert_int_equal(model.list.nr, 0);
	assert_true(model_is_stale(&model, 1, 0x1000, 0x1000));
	assert_false(model_is_stale(&model, 1, 0, 0xfff));
}

static void parts(void **state)
{
	static struct mapping_list part;

	(void)state;
	model_init(&model);
	model_map(&model, 0, 9, 100, 3);
	model_map(&model, 20, 29, 200, 1);
	part.nr = 1;
	part.at[0] = (struct mapping){22, 25, 202, 1};
	assert_true(mapping_is_part(&part, &model.list));
	part.at[0].addr = 203;
	assert_false(mapping_is_part(&part, &model.list));
	part.at[0] = (struct mapping){22, 25, 202, 3};
	assert_false(mapping_is_part(&part, &model.list));
	part.at[0] = (struct mapping){22, 30, 202, 1};
	assert_false(mapping_is_part(&part, &model.list));
	part.at[0] = (struct mapping){40, 41, 202, 1};
	assert_false(mapping_is_part(&part, &model.list));
	part.nr = 0;
	assert_true(mapping_is_part(&part, &model.list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_an_array_of_bytes),
		cmocka_unit_test(ends_of_the_address_space),
		cmocka_unit_test(peak_counts_what_was_in_between),
		cmocka_unit_test(stale_by_overlap),
		cmocka_unit_test(stale_by_age),
		cmocka_unit_test(batches),
		cmocka_unit_test(other_address_spaces),
		cmocka_unit_test(malformed_operations),
		cmocka_unit_test(access_fails),
		cmocka_unit_test(lengths),
		cmocka_unit_test(version_2),
		cmocka_unit_test(parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
