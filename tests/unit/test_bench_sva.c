// SPDX-License-Identifier: GPL-2.0
/*
 * Processes and their tables, in guest memory as it is in a run: who has what at
 * an address is looked up by the walk that serves misses, and compared with the
 * layout.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/vhost_types.h>

#include "bench/buffer.h"
#include "bench/dma.h"
#include "bench/process.h"
#include "bench/vtd_setup.h"

#define MOST_PROCESSES 8

static struct layout layout;
static struct guest guest;
static struct sva_tables tables;
static struct process processes[MOST_PROCESSES];

static const struct map_mode *mode(const char *name)
{
	for (int i = 0; map_modes[i]; i++)
		if (!strcmp(map_modes[i]->name, name))
			return map_modes[i];
	fail_msg("no map mode %s", name);
	return NULL;
}

static bool paged;

static void begin(const char *map, unsigned int count, unsigned int devices)
{
	const struct layout_options o = {
		.map = mode(map),
		.page = 4096,
		.packets = 100,
		.devices = devices,
		.processes = count,
		.mortal = true,
		.paged = paged,
		.in_flight = 5,
		.chain = 2,
		.has = {true, true},
		.vtd = true,
		.fragments = true,
		.indirect = true,
	};

	assert_int_equal(layout_init(&layout, &o), LAYOUT_GOOD);
	assert_int_equal(guest_create(&guest, &layout), 0);
	assert_int_equal(sva_setup(&tables, &layout, &guest), 0);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(process_begin(&processes[i], &layout, &guest, &tables, i), 0);
}

static int end(void **state)
{
	(void)state;
	paged = false;
	sva_tables_free(&tables);
	guest_destroy(&guest);
	return 0;
}

/* All that any process has. */
static uint64_t pages[4096];
static unsigned int nr_pages;

static int check_mapping(const struct mapping *m, void *arg)
{
	const struct process *p = arg;
	uint32_t access = m->perm & VHOST_ACCESS_WO ? VHOST_ACCESS_RW : VHOST_ACCESS_RO;
	struct mapping found;
	struct iova_owner owner;

	assert_int_equal(process_translate(p, m->iova + 8, access, &found), VTD_OK);
	assert_int_equal(found.iova, m->iova);
	assert_int_equal(found.gpa, m->gpa);
	assert_int_equal(found.size, 4096);
	assert_int_equal(found.perm, access);
	assert_true(layout_process_owner(&layout, p->number, m->iova, &owner));
	assert_int_equal(owner.device, p->device);
	assert_true(layout_process_has(&layout, p->number, owner.direction));
	if (access == VHOST_ACCESS_RO)
		assert_int_equal(process_translate(p, m->iova, VHOST_ACCESS_WO, &found),
				 VTD_FAULT_PERMISSION);
	for (unsigned int i = 0; i < nr_pages; i++)
		assert_true(pages[i] != m->gpa);
	assert_in_range(nr_pages, 0, 4095);
	pages[nr_pages++] = m->gpa;
	return 0;
}

static void check_all(void)
{
	nr_pages = 0;
	for (unsigned int i = 0; i < layout.o.processes; i++)
		layout_process_for_each(&layout, i, processes[i].home, check_mapping,
					&processes[i]);
}

static void same_addresses_are_other_pages(void **state)
{
	struct mapping m;

	(void)state;
	begin("fixed", 6, 3);
	check_all();
	/* Rings and buffers of all of them, at one address. */
	for (unsigned int i = 0; i < 6; i++) {
		uint64_t ring = layout_ring_iova(&layout, i / 2, i % 2).used;

		assert_int_equal(ring, layout_ring_iova(&layout, 0, 0).used);
		assert_int_equal(layout_iova(&layout, layout_buffer(&layout, i / 2, i % 2, 3)),
				 layout_iova(&layout, layout_buffer(&layout, 0, 0, 3)));
		assert_int_equal(process_translate(&processes[i], ring, VHOST_ACCESS_RW, &m),
				 VTD_OK);
	}
}

static void a_process_may_have_a_device(void **state)
{
	(void)state;
	begin("fixed", 3, 3);
	check_all();
	assert_int_equal(layout_ring_iova(&layout, 2, DIRECTION_TX).used,
			 layout_ring_iova(&layout, 0, DIRECTION_TX).used);
	assert_true(layout_ring_iova(&layout, 0, DIRECTION_RX).used !=
		    layout_ring_iova(&layout, 0, DIRECTION_TX).used);
}

static void what_follows_has_nothing_of_it(void **state)
{
	uint64_t ring, used;
	struct process old;
	struct mapping m, n;

	(void)state;
	begin("fixed", 4, 2);
	used = tables.pool.nr_used;
	for (int i = 0; i < 3 * PROCESS_PASIDS; i++) {
		struct process *p = &processes[i % 4];

		ring = layout_ring_iova(&layout, p->device, DIRECTION_RX).used;
		old = *p;
		assert_int_equal(process_translate(p, ring, VHOST_ACCESS_RW, &m), VTD_OK);
		process_unbind(p);
		assert_false(p->is_bound);
		assert_int_equal(process_translate(p, ring, VHOST_ACCESS_RW, &n),
				 VTD_FAULT_PASID_PRESENT);
		process_end(p);
		assert_int_equal(process_follow(p), 0);
		assert_true(p->is_bound && p->pasid != old.pasid && p->home != old.home);
		assert_int_equal(process_translate(p, ring, VHOST_ACCESS_RW, &n), VTD_OK);
		assert_true(m.gpa != n.gpa);
		assert_int_equal(process_translate(&old, ring, VHOST_ACCESS_RW, &n),
				 VTD_FAULT_PASID_PRESENT);
		check_all();
	}
	/* All that it had has been taken again. */
	assert_int_equal(tables.pool.nr_used, used);
}

static void buffers_say_whose_they_are(void **state)
{
	uint8_t scratch[SLOT_SIZE];

	(void)state;
	begin("fixed", 2, 1);
	for (unsigned int i = 0; i < 2; i++) {
		const struct frame_marks own = {.now = process_mark(&processes[i])};
		const struct frame_marks other = {.now = process_mark(&processes[!i])};
		const struct frame_id own_id = {i, 0, 0, &own}, other_id = {i, 0, 0, &other};
		const uint8_t *frame;
		struct buffer buffer;

		buffer_set(&buffer, &layout, &guest, 0, i, layout.buffers - 1);
		frame = buffer_load(&buffer, 1500, scratch);
		assert_int_equal(frame_crossed(frame, 1500, &own_id), 0);
		assert_int_equal(frame_crossed(frame, 1500, &other_id), 1500 - FRAME_TAG_END);
	}
}

static void pages_come_and_go(void **state)
{
	static uint64_t model[1024];
	uint64_t base, random = 1;
	struct process *p;
	struct mapping m;

	(void)state;
	begin("remap", 2, 1);
	p = &processes[1];
	base = layout_dynamic_base(&layout, 0);
	memset(model, 0, sizeof(model));
	for (int i = 0; i < 20000; i++) {
		uint64_t nth, address;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		nth = (random >> 33) % (layout.unit / 4096 * layout_dynamic_units(&layout));
		assert_in_range(nth, 0, 1023);
		address = base + nth * 4096;
		if (random >> 62 || !model[nth]) {
			model[nth] = (1 + (random >> 40) % 1000) * 4096;
			process_map(p, address, model[nth], VHOST_ACCESS_RO);
		} else {
			model[nth] = 0;
			process_unmap(p, address);
		}
		nth = (nth + (random >> 20)) % 64;
		if (process_translate(p, base + nth * 4096, VHOST_ACCESS_RO, &m))
			m.gpa = 0;
		assert_int_equal(m.gpa, model[nth]);
		assert_int_not_equal(
			process_translate(&processes[0], base + nth * 4096, VHOST_ACCESS_RO, &m),
			VTD_OK);
	}
}

static const struct vnet device;

static void begin_paged(struct dma *d, const char *map)
{
	paged = true;
	begin(map, 2, 1);
	assert_int_equal(dma_init(d, &layout, &device, NULL, &processes[DIRECTION_RX], true), 0);
}

/* Return: the GPA of the page behind a process's address. */
static uint64_t behind(const struct dma *d, uint64_t address, uint32_t access)
{
	struct mapping m;

	assert_int_equal(process_translate(d->process, address, access, &m), VTD_OK);
	return m.gpa;
}

static enum vtd_fault fault_at(const struct dma *d, uint64_t address, uint32_t access)
{
	struct mapping m;

	return process_translate(d->process, address, access, &m);
}

static void buffers_come_when_asked_for(void **state)
{
	struct place place;
	uint64_t address;
	struct dma d;

	(void)state;
	begin_paged(&d, "fixed");
	place = layout_buffer(&layout, 0, DIRECTION_RX, 3);
	address = layout_iova(&layout, place);
	assert_int_equal(fault_at(&d, address, VHOST_ACCESS_WO), VTD_FAULT_PRESENT);
	assert_int_equal(dma_request_page(&d, address, VHOST_ACCESS_WO), PAGE_SUCCESS);
	assert_int_equal(behind(&d, address, VHOST_ACCESS_WO),
			 layout_gpa(&layout, place) & ~4095ULL);
	/* Not the next one. */
	assert_int_equal(fault_at(&d, address + 4096, VHOST_ACCESS_WO), VTD_FAULT_PRESENT);
	/* Rings are there, and nobody has what is elsewhere. */
	behind(&d, layout_ring_iova(&layout, 0, DIRECTION_RX).used, VHOST_ACCESS_RW);
	assert_int_equal(dma_request_page(&d, 0x1000, VHOST_ACCESS_RO), PAGE_INVALID);
	assert_int_equal(d.counts[DIRECTION_RX].requests, 1);
	assert_int_equal(d.counts[DIRECTION_RX].copied, 0);
	dma_free(&d);
}

static void each_second_request_is_refused(void **state)
{
	uint64_t address;
	struct dma d;

	(void)state;
	begin_paged(&d, "fixed");
	d.refuse = 2;
	address = layout_iova(&layout, layout_buffer(&layout, 0, DIRECTION_RX, 0));
	assert_int_equal(dma_request_page(&d, address, VHOST_ACCESS_WO), PAGE_SUCCESS);
	assert_false(dma_take_refusal(&d, DIRECTION_RX));
	address += 4096;
	assert_int_equal(dma_request_page(&d, address, VHOST_ACCESS_WO), PAGE_INVALID);
	assert_int_equal(fault_at(&d, address, VHOST_ACCESS_WO), VTD_FAULT_PRESENT);
	assert_false(dma_take_refusal(&d, DIRECTION_TX));
	assert_true(dma_take_refusal(&d, DIRECTION_RX));
	assert_false(dma_take_refusal(&d, DIRECTION_RX));
	assert_int_equal(dma_request_page(&d, address, VHOST_ACCESS_WO), PAGE_SUCCESS);
	assert_int_equal(d.counts[DIRECTION_RX].refused, 1);
	dma_free(&d);
}

static void who_writes_gets_another_page(void **state)
{
	uint64_t address, old, at;
	struct buffer b;
	struct dma d;

	(void)state;
	begin_paged(&d, "remap");
	buffer_set(&b, &layout, &guest, 0, DIRECTION_RX, 0);
	address = dma_map(&d, DIRECTION_RX, 0, &b);
	at = b.place.at % 4096;
	assert_int_equal(fault_at(&d, address, VHOST_ACCESS_WO), VTD_FAULT_PRESENT);
	assert_int_equal(dma_request_page(&d, address, VHOST_ACCESS_WO), PAGE_SUCCESS);
	old = behind(&d, address, VHOST_ACCESS_WO);
	assert_int_equal(old + at, layout_gpa(&layout, b.place));

	buffer_set(&b, &layout, &guest, 0, DIRECTION_RX, 1);
	assert_int_equal(dma_map(&d, DIRECTION_RX, 0, &b), address);
	assert_int_equal(fault_at(&d, address, VHOST_ACCESS_WO), VTD_FAULT_PERMISSION);
	assert_int_equal(behind(&d, address, VHOST_ACCESS_RO), old);
	assert_int_equal(dma_request_page(&d, address, VHOST_ACCESS_WO), PAGE_SUCCESS);
	assert_int_equal(behind(&d, address, VHOST_ACCESS_WO) + at, layout_gpa(&layout, b.place));
	assert_int_equal(d.counts[DIRECTION_RX].requests, 2);
	assert_int_equal(d.counts[DIRECTION_RX].copied, 1);
	dma_free(&d);
}

static void too_little_room_is_told(void **state)
{
	static uint8_t memory[16 * TABLE_SIZE] __attribute__((aligned(TABLE_SIZE)));
	uint64_t space;

	(void)state;
	begin("fixed", 2, 1);
	sva_tables_free(&tables);
	for (uint64_t i = 0; i < SVA_TABLES_COMMON + 2; i++) {
		memset(memory, 0, sizeof(memory));
		assert_int_equal(sva_tables_init(&tables, 1 << 28, memory, i, 2), -ENOSPC);
	}
	memset(memory, 0, sizeof(memory));
	assert_int_equal(sva_tables_init(&tables, 1 << 28, memory, SVA_TABLES_COMMON + 2 + 5, 2),
			 0);
	space = sva_space_new(&tables);
	assert_true(space);
	assert_int_equal(sva_space_unmap(&tables, space, 0x1000), -ENOENT);
	assert_int_equal(sva_space_map(&tables, space, 0x1000, 0x1000, VHOST_ACCESS_RW), 0);
	assert_int_equal(sva_space_unmap(&tables, space, 0x2000), -ENOENT);
	/* The fifth is for the PASID table. */
	assert_int_equal(sva_tables_bind(&tables, 0, 5, space), 0);
	assert_int_equal(sva_tables_bind(&tables, 1, 5, space), -ENOSPC);
	assert_int_equal(sva_space_map(&tables, space, 1ULL << 40, 0x1000, VHOST_ACCESS_RW),
			 -ENOSPC);
	/* What is given back is there again. */
	sva_tables_unbind(&tables, 0, 5);
	sva_space_free(&tables, space);
	assert_int_equal(sva_tables_bind(&tables, 1, 5, space), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(same_addresses_are_other_pages, end),
		cmocka_unit_test_teardown(a_process_may_have_a_device, end),
		cmocka_unit_test_teardown(what_follows_has_nothing_of_it, end),
		cmocka_unit_test_teardown(buffers_say_whose_they_are, end),
		cmocka_unit_test_teardown(pages_come_and_go, end),
		cmocka_unit_test_teardown(buffers_come_when_asked_for, end),
		cmocka_unit_test_teardown(each_second_request_is_refused, end),
		cmocka_unit_test_teardown(who_writes_gets_another_page, end),
		cmocka_unit_test_teardown(too_little_room_is_told, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
