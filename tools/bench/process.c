// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <err.h>
#include <errno.h>
#include <string.h>

#include "buffer.h"
#include "vtd_tables.h"
#include "vtd_walk.h"

#define ADDRESS_WIDTH 48
#define SAGAW (1 << 2)	     /* 48 bits */
#define LARGE_PAGES (1 << 1) /* 1G */

static int read_guest(void *memory, enum vtd_table table, int level, __u64 gpa, void *to,
		      __u32 size)
{
	const void *from = guest_memory(memory, gpa);

	(void)table;
	(void)level;
	if (!from)
		return -EFAULT;
	memcpy(to, from, size);
	return 0;
}

enum vtd_fault process_translate(const struct process *p, uint64_t address, uint32_t access,
				 struct mapping *mapping)
{
	const struct vtd_unit unit = {
		.root = sva_tables_root(p->tables->pool.gpa),
		.address_width = ADDRESS_WIDTH,
		.sagaw = SAGAW,
		.large_pages = LARGE_PAGES,
		.flags = VTD_UNIT_NESTED,
	};
	const struct vtd_request request = {
		.iova = address,
		.pasid = p->pasid,
		.source_id = vtd_source_id(p->device),
		.access = access,
	};
	struct vtd_translation found;
	struct vtd_walk where;
	enum vtd_fault fault;

	fault = vtd_walk(&unit, &request, read_guest, (void *)p->guest, &found, &where);
	if (!fault)
		*mapping = (struct mapping){
			.iova = found.iova,
			.size = found.size,
			.gpa = found.gpa,
			.perm = found.perm,
		};
	return fault;
}

/* All processes take their tables from one place. */
static void lock(const struct process *p)
{
	pthread_mutex_lock(&p->tables->lock);
}

static void unlock(const struct process *p)
{
	pthread_mutex_unlock(&p->tables->lock);
}

void process_map(struct process *p, uint64_t address, uint64_t gpa, uint32_t perm)
{
	int result;

	lock(p);
	result = sva_space_map(p->tables, p->space, address, gpa, perm);
	unlock(p);
	if (result)
		errx(1, "process %u: cannot map address 0x%llx: %s", p->number,
		     (unsigned long long)address, strerror(-result));
}

void process_unmap(struct process *p, uint64_t address)
{
	int result;

	lock(p);
	result = sva_space_unmap(p->tables, p->space, address);
	unlock(p);
	if (result)
		errx(1, "process %u: cannot unmap address 0x%llx: %s", p->number,
		     (unsigned long long)address, strerror(-result));
}

static int enter(const struct mapping *m, void *arg)
{
	process_map(arg, m->iova, m->gpa, m->perm);
	return 0;
}

static uint64_t new_space(const struct process *p)
{
	uint64_t space;

	lock(p);
	space = sva_space_new(p->tables);
	unlock(p);
	return space;
}

static int bind(const struct process *p)
{
	int result;

	lock(p);
	result = sva_tables_bind(p->tables, p->device, p->pasid, p->space);
	unlock(p);
	return result;
}

/* Every byte that a frame could be read from tells whose it is. */
static void mark_buffers(const struct process *p, enum direction direction)
{
	uint8_t scratch[SLOT_SIZE];
	struct buffer buffer;

	for (uint64_t i = 0; i < p->layout->buffers; i++) {
		buffer_set(&buffer, p->layout, p->guest, p->home, direction, i);
		buffer_poison(&buffer, SLOT_SIZE - VNET_HEADER_SIZE, process_mark(p), scratch);
	}
}

static void mark_memory(const struct process *p)
{
	for (int d = 0; d < NR_DIRECTIONS; d++)
		if (layout_process_has(p->layout, p->number, d))
			mark_buffers(p, d);
}

/* It has its pages, its PASID, and no address space yet. */
static int start(struct process *p)
{
	int result = -ENOSPC;

	mark_memory(p);
	p->space = new_space(p);
	if (p->space) {
		layout_process_for_each(p->layout, p->number, p->home, enter, p);
		result = bind(p);
	}
	p->is_bound = !result;
	if (!result)
		return 0;
	warnx("process %u: cannot make the tables of its address space: %s", p->number,
	      strerror(-result));
	return -1;
}

/* Never 0, which is of requests without PASID. */
static uint32_t next_pasid(const struct process *p)
{
	return 1 + p->number * PROCESS_PASIDS + p->nr_before % PROCESS_PASIDS;
}

int process_begin(struct process *p, const struct layout *l, const struct guest *g,
		  struct sva_tables *t, unsigned int number)
{
	*p = (struct process){
		.layout = l,
		.guest = g,
		.tables = t,
		.number = number,
		.device = layout_process_device(l, number),
	};
	p->home = p->device;
	p->pasid = next_pasid(p);
	return start(p);
}

void process_unbind(struct process *p)
{
	lock(p);
	sva_tables_unbind(p->tables, p->device, p->pasid);
	unlock(p);
	p->is_bound = false;
}

void process_end(struct process *p)
{
	lock(p);
	sva_space_free(p->tables, p->space);
	unlock(p);
	/* What a device still reads or writes there is not a packet any more. */
	mark_memory(p);
}

int process_follow(struct process *p)
{
	p->nr_before++;
	p->home = (p->home + p->layout->o.devices) % p->layout->homes;
	p->pasid = next_pasid(p);
	return start(p);
}
