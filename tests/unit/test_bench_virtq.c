// SPDX-License-Identifier: GPL-2.0
/* The driver's virtqueue against a device that is written out by hand. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/virtq.h"

struct rings {
	struct vring_desc desc[VIRTQ_SIZE];
	uint8_t avail[VIRTQ_AVAIL_BYTES] __attribute__((aligned(4)));
	uint8_t used[VIRTQ_USED_BYTES] __attribute__((aligned(4)));
};

static struct rings *start(struct virtq *q)
{
	struct rings *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	virtq_init(q, r->desc, r->avail, r->used);
	return r;
}

/* The device uses the oldest buffer that it has not used yet. */
static void device_uses(struct virtq *q, uint16_t nth, uint32_t length)
{
	uint16_t head = le16toh(q->avail->ring[nth % VIRTQ_SIZE]);

	q->used->ring[nth % VIRTQ_SIZE].id = htole32(head);
	q->used->ring[nth % VIRTQ_SIZE].len = htole32(length);
	q->used->idx = htole16(nth + 1);
}

static void sizes_are_those_of_the_standard(void **state)
{
	(void)state;
	/* virtio 1.3, section 2.7: 16 * n, 6 + 2 * n, 6 + 8 * n */
	assert_int_equal(VIRTQ_DESC_BYTES, 16 * VIRTQ_SIZE);
	assert_int_equal(VIRTQ_AVAIL_BYTES, 6 + 2 * VIRTQ_SIZE);
	assert_int_equal(VIRTQ_USED_BYTES, 6 + 8 * VIRTQ_SIZE);
}

static void nothing_shows_before_it_is_published(void **state)
{
	struct virtq q;
	struct rings *r = start(&q);

	(void)state;
	virtq_add(&q, 5, 0x123456789000, 76, VRING_DESC_F_WRITE);
	assert_int_equal(q.avail->idx, 0);
	assert_true(virtq_publish(&q));
	assert_int_equal(le16toh(q.avail->idx), 1);
	assert_int_equal(le16toh(q.avail->ring[0]), 5);
	assert_true(le64toh(r->desc[5].addr) == 0x123456789000);
	assert_int_equal(le32toh(r->desc[5].len), 76);
	assert_int_equal(le16toh(r->desc[5].flags), VRING_DESC_F_WRITE);
	free(r);
}

static void device_may_not_want_a_kick(void **state)
{
	struct virtq q;
	struct rings *r = start(&q);

	(void)state;
	q.used->flags = htole16(VRING_USED_F_NO_NOTIFY);
	virtq_add(&q, 0, 0, 76, 0);
	assert_false(virtq_publish(&q));
	q.used->flags = 0;
	virtq_add(&q, 1, 0, 76, 0);
	assert_true(virtq_publish(&q));
	free(r);
}

static void indices_wrap_around(void **state)
{
	struct virtq q;
	struct rings *r = start(&q);
	uint32_t head, length;

	(void)state;
	for (uint32_t i = 0; i < 3 * 65536; i++) {
		uint16_t slot = i % 7;

		virtq_add(&q, slot, i, 76, 0);
		virtq_publish(&q);
		assert_false(virtq_has_used(&q));
		assert_false(virtq_take(&q, &head, &length));
		device_uses(&q, i, i);
		assert_true(virtq_has_used(&q));
		assert_true(virtq_take(&q, &head, &length));
		assert_int_equal(head, slot);
		assert_int_equal(length, i);
	}
	assert_false(virtq_has_used(&q));
	free(r);
}

static void chains_split_the_buffer(void **state)
{
	struct virtq q;
	struct rings *r = start(&q);
	uint64_t next = 0x1000;
	uint32_t slot, length;

	(void)state;
	q.chain = 5;
	virtq_add(&q, 7, next, 76, VRING_DESC_F_WRITE);
	assert_int_equal(le16toh(q.avail->ring[0]), 35);
	for (int i = 35; i < 40; i++) {
		uint16_t flags = le16toh(r->desc[i].flags);

		assert_true(le64toh(r->desc[i].addr) == next);
		assert_in_range(le32toh(r->desc[i].len), 15, 16);
		next += le32toh(r->desc[i].len);
		assert_int_equal(flags, VRING_DESC_F_WRITE | (i < 39 ? VRING_DESC_F_NEXT : 0));
		assert_int_equal(le16toh(r->desc[i].next), i < 39 ? i + 1 : 0);
	}
	assert_true(next == 0x1000 + 76);
	device_uses(&q, 0, 76);
	assert_true(virtq_take(&q, &slot, &length));
	assert_int_equal(slot, 7);
	/* Not the head of a chain. */
	q.used->ring[1].id = htole32(36);
	q.used->idx = htole16(2);
	assert_true(virtq_take(&q, &slot, &length));
	assert_int_equal(slot, VIRTQ_NO_SLOT);
	free(r);
}

static void indirect_tables_may_be_in_two_pieces(void **state)
{
	struct vring_desc first, rest[2];
	struct virtq_table table = {.part = {&first, rest}, .first = 1, .iova = 0xabc0};
	struct virtq q;
	struct rings *r = start(&q);

	(void)state;
	q.chain = 3;
	q.tables = &table;
	virtq_add(&q, 0, 0x1000, 90, 0);
	assert_int_equal(le16toh(q.avail->ring[0]), 0);
	assert_true(le64toh(r->desc[0].addr) == 0xabc0);
	assert_int_equal(le32toh(r->desc[0].len), 48);
	assert_int_equal(le16toh(r->desc[0].flags), VRING_DESC_F_INDIRECT);
	assert_true(le64toh(first.addr) == 0x1000);
	assert_int_equal(le16toh(first.next), 1);
	assert_true(le64toh(rest[0].addr) == 0x1000 + 30);
	assert_int_equal(le16toh(rest[0].flags), VRING_DESC_F_NEXT);
	assert_int_equal(le16toh(rest[0].next), 2);
	assert_true(le64toh(rest[1].addr) == 0x1000 + 60);
	assert_int_equal(le16toh(rest[1].flags), 0);
	free(r);
}

static void events_say_when(void **state)
{
	__virtio16 *avail_event;
	struct virtq q;
	struct rings *r = start(&q);
	uint32_t slot, length;

	(void)state;
	q.has_events = true;
	avail_event = (__virtio16 *)&q.used->ring[VIRTQ_SIZE];
	/* The flag has no meaning any more. */
	q.used->flags = htole16(VRING_USED_F_NO_NOTIFY);
	virtq_add(&q, 0, 0, 76, 0);
	assert_true(virtq_wants_kick(&q));
	assert_true(virtq_publish(&q));
	/* Not before the third. */
	*avail_event = htole16(2);
	virtq_add(&q, 1, 0, 76, 0);
	assert_false(virtq_publish(&q));
	virtq_add(&q, 2, 0, 76, 0);
	virtq_add(&q, 3, 0, 76, 0);
	assert_true(virtq_publish(&q));
	/* Nothing new. */
	assert_false(virtq_publish(&q));

	device_uses(&q, 0, 0);
	assert_true(virtq_take(&q, &slot, &length));
	assert_false(virtq_rearm(&q));
	assert_int_equal(le16toh(q.avail->ring[VIRTQ_SIZE]), 1);
	device_uses(&q, 1, 0);
	assert_true(virtq_rearm(&q));
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_those_of_the_standard),
		cmocka_unit_test(nothing_shows_before_it_is_published),
		cmocka_unit_test(device_may_not_want_a_kick),
		cmocka_unit_test(indices_wrap_around),
		cmocka_unit_test(chains_split_the_buffer),
		cmocka_unit_test(indirect_tables_may_be_in_two_pieces),
		cmocka_unit_test(events_say_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
