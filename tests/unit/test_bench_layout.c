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
		o->working_set = o->map->kind == MAP_KIND_RANDOM ? 4096 : 0;
		assert_int_equal(layout_init(&l, o), LAYOUT_GOOD);
		test(&l);
	}
}

static void with_shapes(struct layout_options *o, layout_test test)
{
	for (int i = 0; i < 2; i++) {
		o->indirect = i;
		o->fragments = false;
		with_devices(o, test);
		o->fragments = o->page == SLOT_SIZE && !o->identity;
		if (o->fragments)
			with_devices(o, test);
	}
}

/* All but those in which nothing is known before the run. */
static void with_all_options(layout_test test)
{
	static const char *const modes[] = {"fixed", "sweep", "random"};
	static const bool ways[][NR_DIRECTIONS] = {{true, true}, {true, false}, {false, true}};

	for (int i = 0; i < 3 * 3 * 3 * 2; i++) {
		struct layout_options o = {
			.map = mode(modes[i % 3]),
			.page = pages[i / 3 % 3],
			.identity = i / 27,
			.chain = 1,
		};

		if (o.identity && o.map->kind == MAP_KIND_SWEEP)
			continue;
		memcpy(o.has, ways[i / 9 % 3], sizeof(o.has));
		with_shapes(&o, test);
	}
}

/* The pages of what starts at @place and @iova, each byte of which is mapped. */
static void check_range(const struct layout *l, uint64_t iova, struct place place, uint64_t size,
			uint32_t perm, unsigned int device, enum direction direction, bool is_ring)
{
	uint64_t last_page = 0;

	for (uint64_t at = 0; at < size;
	     at = (((place.at + at) | (SLOT_SIZE - 1)) + 1) - place.at) {
		struct place byte = {place.area, place.at + at};
		uint64_t gpa = layout_gpa(l, byte);
		struct iova_owner owner;
		struct mapping m;

		assert_true(layout_translate(l, iova + at, &m, &owner));
		assert_in_range(iova + at, m.iova, m.iova + m.size - 1);
		assert_true(m.gpa + (iova + at - m.iova) == gpa);
		assert_true(m.size == l->o.page);
		assert_true(m.iova % m.size == 0 && m.gpa % m.size == 0);
		assert_int_equal(m.perm, perm);
		assert_int_equal(owner.device, device);
		assert_int_equal(owner.direction, direction);
		assert_int_equal(owner.is_ring, is_ring);
		assert_true(!l->o.identity || m.iova == m.gpa);
		/* Nothing that is fragmented goes on behind its page. */
		if (at && l->o.fragments)
			assert_true(m.gpa != last_page + SLOT_SIZE);
		last_page = m.gpa;
	}
	if (l->o.fragments)
		assert_true(place.at / SLOT_SIZE + 1 == (place.at + size - 1) / SLOT_SIZE);
	else
		assert_true(place.at / SLOT_SIZE == (place.at + size - 1) / SLOT_SIZE);
}

static void check_queue(const struct layout *l, unsigned int device, enum direction direction)
{
	struct ring_parts parts = layout_ring_parts(l, device, direction);
	struct ring_place iova = layout_ring_iova(l, device, direction);

	check_range(l, iova.desc, parts.desc, VIRTQ_DESC_BYTES, VHOST_ACCESS_RO, device, direction,
		    true);
	check_range(l, iova.avail, parts.avail, VIRTQ_AVAIL_BYTES, VHOST_ACCESS_RO, device,
		    direction, true);
	check_range(l, iova.used, parts.used, VIRTQ_USED_BYTES, VHOST_ACCESS_RW, device, direction,
		    true);
	for (unsigned int i = 0; l->o.indirect && i < l->o.in_flight; i++) {
		struct place table = layout_table(l, device, direction, i);

		check_range(l, layout_iova(l, table), table, 2 * sizeof(struct vring_desc),
			    VHOST_ACCESS_RO, device, direction, true);
	}
	for (uint64_t i = 0; i < l->o.packets; i++) {
		uint64_t nth = layout_nth_buffer(l, i);

		check_range(l, layout_buffer_iova(l, device, direction, i, nth),
			    layout_buffer(l, device, direction, nth), 76,
			    direction == DIRECTION_TX ? VHOST_ACCESS_RO : VHOST_ACCESS_WO, device,
			    direction, false);
	}
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

static uint64_t packet_iova(const struct layout *l, unsigned int device, enum direction direction,
			    uint64_t packet)
{
	return layout_buffer_iova(l, device, direction, packet, layout_nth_buffer(l, packet));
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
	assert_int_equal(layout_init(&l, &o), LAYOUT_GOOD);
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(packet_iova(&l, 1, DIRECTION_TX, i) ==
			    packet_iova(&l, 1, DIRECTION_TX, i % 4));
	assert_true(packet_iova(&l, 1, DIRECTION_TX, 0) !=
		    layout_gpa(&l, layout_buffer(&l, 1, DIRECTION_TX, 0)));
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
	assert_int_equal(layout_init(&l, &o), LAYOUT_GOOD);
	for (uint64_t i = 1; i < o.packets; i++)
		assert_true(packet_iova(&l, 0, DIRECTION_RX, i) >=
			    packet_iova(&l, 0, DIRECTION_RX, i - 1) + (1 << 21) - 4 * SLOT_SIZE);
	/* Memory does come back. */
	assert_int_equal(layout_nth_buffer(&l, 4), layout_nth_buffer(&l, 0));
	/* Nothing behind the last packet. */
	last = packet_iova(&l, 1, DIRECTION_TX, o.packets - 1);
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
	assert_int_equal(layout_init(&l, &o), LAYOUT_GOOD);
	assert_true(packet_iova(&l, 63, DIRECTION_TX, most - 1) < 1ULL << 57);
	o.packets = most + 1;
	assert_int_equal(layout_init(&l, &o), LAYOUT_NO_IOVA);
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
	assert_int_equal(layout_init(&l, &o), LAYOUT_GOOD);
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		assert_false(layout_translate(&l, strangers[i], &m, NULL));
}

static int count_pages(const struct mapping *m, void *arg)
{
	(void)m;
	++*(uint64_t *)arg;
	return 0;
}

/* A page is used by one thing only. */
static void fragments_do_not_overlap(void **state)
{
	struct layout_options o = {
		.map = mode("random"),
		.page = 4096,
		.packets = 10,
		.devices = 3,
		.in_flight = 4,
		.chain = 1,
		.working_set = 64,
		.has = {true, true},
		.indirect = true,
		.fragments = true,
	};
	struct walk w;
	struct layout l;
	uint64_t count = 0;

	(void)state;
	assert_int_equal(layout_init(&l, &o), LAYOUT_GOOD);
	layout_for_each(&l, ALL_DEVICES, false, count_pages, &count);
	/* Rings, tables, buffers. */
	assert_int_equal(count, 3 * (2 * 6 + 2 * 4 * 2 + 64));
	w = (struct walk){.layout = &l, .all = calloc(count, sizeof(*w.all))};
	layout_for_each(&l, ALL_DEVICES, false, collect, &w);
	for (uint64_t i = 0; i < count; i++)
		w.all[i].iova = w.all[i].gpa;
	qsort(w.all, count, sizeof(*w.all), by_iova);
	for (uint64_t i = 1; i < count; i++)
		assert_true(w.all[i - 1].gpa + SLOT_SIZE <= w.all[i].gpa);
	free(w.all);
}

static void dynamic_buffers_are_spread(void **state)
{
	struct layout_options o = {
		.map = mode("strict"),
		.packets = 10,
		.devices = 2,
		.in_flight = 3,
		.chain = 1,
		.has = {true, true},
	};
	struct layout l;

	(void)state;
	for (int i = 0; i < 3; i++) {
		o.page = pages[i];
		assert_int_equal(layout_init(&l, &o), LAYOUT_GOOD);
		assert_true(l.buffers > 2 * o.in_flight);
		for (uint64_t nth = 1; nth < l.buffers; nth++)
			assert_true(layout_gpa(&l, layout_buffer(&l, 1, DIRECTION_RX, nth)) /
					    o.page !=
				    layout_gpa(&l, layout_buffer(&l, 1, DIRECTION_RX, nth - 1)) /
					    o.page);
		assert_true(layout_dynamic_base(&l, 0) + layout_dynamic_units(&l) * l.unit <=
			    layout_dynamic_base(&l, 1));
	}
}

static void limits_are_told(void **state)
{
	struct layout_options o = {
		.map = mode("random"),
		.page = 4096,
		.packets = 10,
		.devices = 1,
		.in_flight = 8,
		.chain = 1,
		.working_set = 31,
		.has = {true, true},
	};
	struct layout l;

	(void)state;
	assert_int_equal(layout_init(&l, &o), LAYOUT_NO_SET);
	o.working_set = 32;
	assert_int_equal(layout_init(&l, &o), LAYOUT_GOOD);
	/* Tables: 8 bytes for each packet. */
	o.map = mode("sweep");
	o.vtd = true;
	o.packets = 20000000;
	assert_int_equal(layout_init(&l, &o), LAYOUT_GOOD);
	assert_in_range(l.areas[AREA_VTD].size, 320000000, 330000000);
	o.packets = 40000000;
	assert_int_equal(layout_init(&l, &o), LAYOUT_NO_TABLES);
	/* 48 bits. */
	o.page = 1 << 30;
	o.packets = 100000000;
	assert_int_equal(layout_init(&l, &o), LAYOUT_NO_IOVA);
	o.map = mode("strict");
	o.devices = 64;
	o.in_flight = 256;
	assert_int_equal(layout_init(&l, &o), LAYOUT_NO_MEMORY);
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
		cmocka_unit_test(fragments_do_not_overlap),
		cmocka_unit_test(dynamic_buffers_are_spread),
		cmocka_unit_test(limits_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
