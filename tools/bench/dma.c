// SPDX-License-Identifier: GPL-2.0
#include "dma.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/vhost_types.h>

/* An entry has room below the page's address. */
#define ENTRY_PERM 3ULL
#define ENTRY_TX 4ULL
#define ENTRY_PRESENT 8ULL /* with pages that come when they are asked for */
#define ENTRY_ADDRESS (~(uint64_t)(SLOT_SIZE - 1))

int dma_init(struct dma *d, const struct layout *l, const struct vnet *device,
	     struct vtd_tables *tables, struct process *process, bool is_silent)
{
	uint64_t units = layout_dynamic_units(l);

	*d = (struct dma){
		.layout = l,
		.device = device,
		.tables = tables,
		.process = process,
		.is_silent = is_silent,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	if (!l->o.map->is_dynamic)
		return 0;
	d->base = layout_dynamic_base(l, device->number);
	d->nr_entries = units * l->pages;
	d->entries = calloc(d->nr_entries, sizeof(*d->entries));
	if (!d->entries || iova_alloc_init(&d->iovas, d->base, l->unit, units)) {
		warn("device %u: no memory for its IOVA space", device->number);
		dma_free(d);
		return -1;
	}
	return 0;
}

void dma_free(struct dma *d)
{
	iova_alloc_free(&d->iovas);
	free(d->entries);
	d->entries = NULL;
	d->nr_entries = 0;
}

/* Readers of misses see it at once, without the lock. */
static void set_entry(struct dma *d, uint64_t iova, uint64_t value)
{
	__atomic_store_n(&d->entries[(iova - d->base) / d->layout->o.page], value,
			 __ATOMIC_RELEASE);
}

static void map_granule(struct dma *d, uint64_t iova, struct place place, uint64_t flags)
{
	const struct layout *l = d->layout;
	uint64_t gpa = layout_gpa(l, place), page = l->o.page;
	uint32_t perm = l->areas[place.area].perm;
	int result;

	set_entry(d, iova, gpa | flags | perm);
	if (d->process && !l->o.paged)
		process_map(d->process, iova, gpa, perm);
	if (!d->tables)
		return;
	result = vtd_tables_map(d->tables, d->device->number, iova, gpa, page, page, perm);
	if (result)
		errx(1, "device %u: cannot map IOVA 0x%llx: %s", d->device->number,
		     (unsigned long long)iova, strerror(-result));
}

static void map_unit(struct dma *d, enum direction direction, uint64_t iova, const struct buffer *b)
{
	const struct layout *l = d->layout;
	uint64_t offset = b->place.at & (l->o.page - 1);

	for (unsigned int i = 0; i < l->pages; i++) {
		struct place place = {b->place.area, b->place.at - offset + i * l->o.page};

		map_granule(d, iova + i * l->o.page, place,
			    direction == DIRECTION_TX ? ENTRY_TX : 0);
	}
	d->counts[direction].maps++;
}

/* As if the process had written to a page that it shares with another. */
static bool is_present(const struct dma *d, uint64_t iova)
{
	return d->entries[(iova - d->base) / d->layout->o.page] & ENTRY_PRESENT;
}

/*
 * As after a fork: to be read, the page is still the one that it was, and who
 * writes to it gets another. A driver of ours writes to what is to be sent by
 * itself, so that only the new page counts.
 */
static void share(struct dma *d, enum direction direction, uint64_t iova)
{
	const struct layout *l = d->layout;

	for (unsigned int i = 0; i < l->pages; i++, iova += l->o.page) {
		uint64_t entry = d->entries[(iova - d->base) / l->o.page];

		if (!is_present(d, iova))
			continue;
		if (direction == DIRECTION_TX)
			process_unmap(d->process, iova);
		else
			process_map(d->process, iova, entry & ENTRY_ADDRESS, VHOST_ACCESS_RO);
	}
}

static uint64_t remap(struct dma *d, enum direction direction, unsigned int slot,
		      const struct buffer *b)
{
	const struct layout *l = d->layout;
	uint64_t iova = d->base + (direction * l->o.in_flight + slot) * l->unit;
	uint64_t *entry = &d->entries[(iova - d->base) / l->o.page];

	dma_lock(d);
	if (*entry) {
		d->counts[direction].unmaps++;
		d->counts[direction].operations += !d->is_silent;
		d->last = direction;
		d->pending[d->nr_pending++] = iova;
		if (l->o.paged)
			share(d, direction, iova);
	}
	map_unit(d, direction, iova, b);
	dma_unlock(d);
	dma_flush(d);
	return iova;
}

uint64_t dma_map(struct dma *d, enum direction direction, unsigned int slot, const struct buffer *b)
{
	const struct layout *l = d->layout;
	uint64_t iova;

	if (l->o.map->kind == MAP_KIND_REMAP) {
		iova = remap(d, direction, slot, b);
	} else {
		iova = iova_alloc_get(&d->iovas);
		if (iova == IOVA_NONE)
			errx(1, "device %u: all of its IOVA space is in use", d->device->number);
		map_unit(d, direction, iova, b);
	}
	return iova + (b->place.at & (l->o.page - 1));
}

static void remove_mapping(struct dma *d, uint64_t iova)
{
	const struct layout *l = d->layout;
	int result;

	for (unsigned int i = 0; i < l->pages; i++) {
		bool is_there = !l->o.paged || is_present(d, iova + i * l->o.page);

		set_entry(d, iova + i * l->o.page, 0);
		if (d->process && is_there)
			process_unmap(d->process, iova + i * l->o.page);
	}
	if (!d->tables)
		return;
	result = vtd_tables_unmap(d->tables, d->device->number, iova, l->unit, l->o.page);
	if (result)
		errx(1, "device %u: cannot unmap IOVA 0x%llx: %s", d->device->number,
		     (unsigned long long)iova, strerror(-result));
}

void dma_unmap(struct dma *d, enum direction direction, uint64_t iova)
{
	struct dma_counts *counts = &d->counts[direction];

	/* That is for whoever replaces it. */
	if (d->layout->o.map->kind == MAP_KIND_REMAP)
		return;
	iova &= ~(d->layout->o.page - 1);
	dma_lock(d);
	remove_mapping(d, iova);
	counts->unmaps++;
	counts->operations += !d->is_silent;
	d->last = direction;
	d->pending[d->nr_pending++] = iova;
	dma_unlock(d);
	if (d->layout->o.map->kind == MAP_KIND_STRICT || d->nr_pending == FLUSH_BATCH)
		dma_flush(d);
}

/* Return: how many messages it took, or a negative errno. */
static int invalidate_by_control(struct dma *d)
{
	for (unsigned int i = 0; i < d->nr_pending; i++)
		if (pasid_control_invalidate(d->control, d->device, d->process->pasid,
					     d->pending[i], d->layout->pages))
			return -EIO;
	return d->nr_pending;
}

static int invalidate(struct dma *d)
{
	if (d->control)
		return invalidate_by_control(d);
	return vnet_invalidate(d->device, dma_asid(d), d->pending, d->nr_pending, d->layout->unit);
}

void dma_flush(struct dma *d)
{
	int result = 0;

	if (!d->nr_pending)
		return;
	dma_lock(d);
	if (!d->is_silent)
		result = invalidate(d);
	dma_unlock(d);
	if (result < 0)
		errx(1, "device %u: vhost refuses to forget %u translations: %s", d->device->number,
		     d->nr_pending, strerror(-result));
	d->counts[d->last].messages += result;
	for (unsigned int i = 0; i < d->nr_pending && d->layout->o.map->kind != MAP_KIND_REMAP; i++)
		iova_alloc_put(&d->iovas, d->pending[i]);
	d->nr_pending = 0;
}

void dma_end(struct dma *d)
{
	uint32_t pasid = d->process->pasid;
	int result;

	/* No answer to a miss may come between. */
	dma_lock(d);
	process_unbind(d->process);
	if (d->control)
		result = pasid_control_invalidate_all(d->control, d->device, pasid) ? -EIO : 0;
	else
		result = vnet_invalidate_all(d->device, pasid);
	dma_unlock(d);
	if (result)
		errx(1, "device %u: vhost refuses to forget address space %u: %s",
		     d->device->number, pasid, strerror(-result));
}

void dma_forget(struct dma *d)
{
	d->nr_pending = 0;
	memset(d->has_refused, 0, sizeof(d->has_refused));
	if (!d->nr_entries)
		return;
	memset(d->entries, 0, d->nr_entries * sizeof(*d->entries));
	iova_alloc_reset(&d->iovas, d->base, layout_dynamic_units(d->layout));
}

bool dma_is_dynamic(const struct dma *d, uint64_t iova)
{
	return d->nr_entries && iova >= d->base &&
	       (iova - d->base) / d->layout->o.page < d->nr_entries;
}

/* Return: false if the process has nothing at this address. */
static bool find_page(const struct dma *d, uint64_t address, struct mapping *page,
		      enum direction *direction)
{
	const struct process *p = d->process;
	struct iova_owner owner;

	if (!dma_is_dynamic(d, address))
		return layout_process_buffer(d->layout, p->number, p->home, address, page,
					     direction);
	if (!dma_translate(d, address, page, &owner))
		return false;
	*direction = owner.direction;
	return true;
}

enum page_response dma_request_page(struct dma *d, uint64_t address, uint32_t access)
{
	enum direction direction;
	struct dma_counts *counts;
	struct mapping page, unused;

	if (!find_page(d, address, &page, &direction) || access & ~page.perm)
		return PAGE_INVALID;
	counts = &d->counts[direction];
	counts->requests++;
	counts->copied += !process_translate(d->process, address, VHOST_ACCESS_RO, &unused);
	if (d->refuse && ++d->nr_requests % d->refuse == 0) {
		counts->refused++;
		__atomic_store_n(&d->has_refused[direction], true, __ATOMIC_RELEASE);
		return PAGE_INVALID;
	}
	process_map(d->process, page.iova, page.gpa, page.perm);
	if (dma_is_dynamic(d, page.iova))
		set_entry(d, page.iova,
			  d->entries[(page.iova - d->base) / d->layout->o.page] | ENTRY_PRESENT);
	return PAGE_SUCCESS;
}

bool dma_take_refusal(struct dma *d, enum direction direction)
{
	return d->refuse &&
	       __atomic_exchange_n(&d->has_refused[direction], false, __ATOMIC_ACQ_REL);
}

bool dma_translate(const struct dma *d, uint64_t iova, struct mapping *mapping,
		   struct iova_owner *owner)
{
	uint64_t start = iova & ~(d->layout->o.page - 1), entry;

	if (!dma_is_dynamic(d, iova))
		return layout_translate(d->layout, iova, mapping, owner);
	entry = __atomic_load_n(&d->entries[(start - d->base) / d->layout->o.page],
				__ATOMIC_ACQUIRE);
	if (!entry)
		return false;
	*mapping = (struct mapping){
		.iova = start,
		.size = d->layout->o.page,
		.gpa = entry & ENTRY_ADDRESS,
		.perm = entry & ENTRY_PERM,
	};
	*owner = (struct iova_owner){
		.device = d->device->number,
		.direction = entry & ENTRY_TX ? DIRECTION_TX : DIRECTION_RX,
	};
	return true;
}

void dma_lock(struct dma *d)
{
	pthread_mutex_lock(&d->lock);
}

void dma_unlock(struct dma *d)
{
	pthread_mutex_unlock(&d->lock);
}
