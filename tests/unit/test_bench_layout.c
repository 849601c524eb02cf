// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever the options: all that a device touches is mapped, once, with the
 * least access, to where the driver has it, and to nobody else's memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/vhost_types.h>

#include "bench/layout.h"
#include "bench/virtq.h"

static const uint64_t pages[] = {1 << 12, 1 << 21, 1 << 30};

static const struct map_mode *mode(const char *name)
{
	for (int i = 0; map_modes[i]; i++)
		if (!strcmp(map_modes[i]->name, name))
			return map_modes[i];
	fail_msg("no map mode %s", name);
	return NULL;
}

typedef void (*layout_test)(const struct layout *l);

static void with_devices(struct layout_options *o, layout_test test)
{
	static const unsigned int devices[] = {1, 3, 64};
	static const unsigned int in_flight[] = {1, 5, 256};
	struct layout l;

	for (int i = 0; i < 9; i++) {
		o->devices = devices[i % 3];
		o->in_flight = in_flight[i / 3];
		o->packets = 100;
		assert_true(layout_init(&l, o));
		test(&l);
	}
}

static void with_all_options(layout_test test)
{
	static const bool ways[][NR_DIRECTIONS] = {{true, true}, {true, false}, {false, true}};

	for (int i = 0; i < 2 * 3 * 3 * 2; i++) {
		struct layout_options o = {
			.map = map_modes[i % 2],
			.page = pages[i / 2 % 3],
			.identity = i / 18,
		};

		if (o.identity && !o.map->is_fixed)
			continue;
		memcpy(o.has, ways[i / 6 % 3], sizeof(o.has));
		with_devices(&o, test);
	}
}

static void check_range(const struct layout *l, uint64_t iova, uint64_t gpa, uint64_t size,
			uint32_t perm, unsigned int device, enum direction direction, bool is_ring)
{
	/* First and last byte: a part never crosses a mapping. */
	for (int end = 0; end < 2; end++) {
		uint64_t at = end ? size - 1 : 0;
		struct iova_owner owner;
		struct mapping m;

		assert_true(layout_translate(l, iova + at, &m, &owner));
		assert_in_range(iova + at, m.iova, m.iova + m.size - 1);
		assert_true(m.gpa + (iova + at - m.iova) == gpa + at);
		assert_true(m.size == l->o.page);
		assert_true(m.iova % m.size == 0 && m.gpa % m.size == 0);
		assert_int_equal(m.perm, perm);
		assert_int_equal(owner.device, device);
		assert_int_equal(owner.direction, direction);
		assert_int_equal(owner.is_ring, is_ring);
		assert_true(!l->o.identity || m.iova == m.gpa);
	}
}

static void check_queue(const struct layout *l, unsigned int device, enum direction direction)
{
	struct ring_place gpa = layout_ring_gpa(l, device, direction);
	struct ring_place iova = layout_ring_iova(l, device, direction);

	check_range(l, iova.desc, gpa.desc, VIRTQ_DESC_BYTES, VHOST_ACCESS_RO, device, direction,
		    true);
	check_range(l, iova.avail, gpa.avail, VIRTQ_AVAIL_BYTES, VHOST_ACCESS_RO, device, direction,
		    true);
	check_range(l, iova.used, gpa.used, VIRTQ_USED_BYTES, VHOST_ACCESS_RW, device, direction,
		    true);
	for (uint64_t i = 0; i < l->o.packets; i++)
		check_range(l, layout_buffer_iova(l, device, direction, i),
			    layout_slot_gpa(l, device, direction, i), SLOT_SIZE,
			    direction == DIRECTION_TX ? VHOST_ACCESS_RO : VHOST_ACCESS_WO, device,
			    direction, false);
}

static void check_all_queues(const struct layout *l)
{
	for (unsigned int i = 0; i < l->o.devices; i++)
		for (int d = 0; d < NR_DIRECTIONS; d++)
			if (l->o.has[d])
				check_queue(l, i, d);
}

static void everything_is_mapped(void **state)
{
	(void)state;
	with_all_options(check_all_queues);
}

struct walk {
	const struct layout *layout;
	uint64_t count;
	struct mapping *all;
};

static int collect(const struct mapping *m, void *arg)
{
	struct walk *w = arg;
	struct mapping again;

	assert_true(layout_translate(w->layout, m->iova, &again, NULL));
	assert_true(m->iova == again.iova && m->size == again.size && m->gpa == again.gpa &&
		    m->perm == again.perm);
	if (w->all)
		w->all[w->count] = *m;
	w->count++;
	return 0;
}

static int by_iova(const void *a, const void *b)
{
	uint64_t x = ((const struct mapping *)a)->iova;
	uint64_t y = ((const struct mapping *)b)->iova;

	return x < y ? -1 : x > y;
}

static void check_table(const struct layout *l)
{
	struct walk w = {.layout = l};
	uint64_t each = 0;

	layout_for_each(l, ALL_DEVICES, false, collect, &w);
	w.all = calloc(w.count, sizeof(*w.all));
	assert_non_null(w.all);
	w.count = 0;
	layout_for_each(l, ALL_DEVICES, false, collect, &w);
	qsort(w.all, w.count, sizeof(*w.all), by_iova);
	for (uint64_t i = 1; i < w.count; i++)
		assert_true(w.all[i - 1].iova + w.all[i - 1].size <= w.all[i].iova);
	free(w.all);

	/* Device by device it is the same, but for what they share. */
	for (unsigned int i = 0; i < l->o.devices; i++) {
		struct walk one = {.layout = l};

		layout_for_each(l, i, false, collect, &one);
		each += one.count;
	}
	if (l->o.page == SLOT_SIZE || l->o.devices == 1)
		assert_true(each == w.count);
	else
		assert_true(each >= w.count);
}

static void table_is_complete_and_free_of_overlap(void **state)
{
	(void)state;
	with_all_options(check_table);
}

static void fixed_keeps_its_addresses(void **state)
{
	struct layout_options o = {
		.map = mode("fixed"),
		.page = 4096,
		.packets = 1000,
		.devices = 2,
		.in_flight = 4,
		.has = {true, true},
	};
	struct layout l;

	(void)state;
	assert_true(layout_init(&l, &o));
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(layout_buffer_iova(&l, 1, DIRECTION_TX, i) ==
			    layout_buffer_iova(&l, 1, DIRECTION_TX, i % 4));
	assert_true(layout_buffer_iova(&l, 1, DIRECTION_TX, 0) !=
		    layout_slot_gpa(&l, 1, DIRECTION_TX, 0));
}

static void sweep_never_comes_back(void **state)
{
	struct layout_options o = {
		.map = mode("sweep"),
		.page = 1 << 21,
		.packets = 1000000,
		.devices = 2,
		.in_flight = 4,
		.has = {true, true},
	};
	struct mapping m;
	struct layout l;
	uint64_t last;

	(void)state;
	assert_true(layout_init(&l, &o));
	for (uint64_t i = 1; i < o.packets; i++)
		assert_true(layout_buffer_iova(&l, 0, DIRECTION_RX, i) >=
			    layout_buffer_iova(&l, 0, DIRECTION_RX, i - 1) + (1 << 21) -
				    4 * SLOT_SIZE);
	/* Memory does come back. */
	assert_true(layout_slot_gpa(&l, 0, DIRECTION_RX, 4) ==
		    layout_slot_gpa(&l, 0, DIRECTION_RX, 0));
	/* Nothing behind the last packet. */
	last = layout_buffer_iova(&l, 1, DIRECTION_TX, o.packets - 1);
	assert_true(layout_translate(&l, last, &m, NULL));
	assert_false(layout_translate(&l, last + (1 << 21), &m, NULL));
}

static void iova_space_is_finite(void **state)
{
	struct layout_options o = {
		.map = mode("sweep"),
		.page = 1 << 30,
		.devices = 64,
		.in_flight = 1,
		.has = {true, true},
	};
	struct layout l;
	uint64_t most;

	(void)state;
	most = layout_most_packets(&o);
	assert_true(most > 100000);
	o.packets = most;
	assert_true(layout_init(&l, &o));
	assert_true(layout_buffer_iova(&l, 63, DIRECTION_TX, most - 1) < 1ULL << 57);
	o.packets = most + 1;
	assert_false(layout_init(&l, &o));
}

static void nothing_else_is_mapped(void **state)
{
	struct layout_options o = {
		.map = mode("fixed"),
		.page = 4096,
		.packets = 10,
		.devices = 1,
		.in_flight = 1,
		.has = {true, true},
	};
	static const uint64_t strangers[] = {
		0,	    4096,	    0x40000000,	    0x100000000,
		UINT64_MAX, 0x1fffffffffff, 0x200000002000, 0x400000000000,
	};
	struct mapping m;
	struct layout l;

	(void)state;
	assert_true(layout_init(&l, &o));
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		assert_false(layout_translate(&l, strangers[i], &m, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_mapped),
		cmocka_unit_test(table_is_complete_and_free_of_overlap),
		cmocka_unit_test(fixed_keeps_its_addresses),
		cmocka_unit_test(sweep_never_comes_back),
		cmocka_unit_test(iova_space_is_finite),
		cmocka_unit_test(nothing_else_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
