// SPDX-License-Identifier: GPL-2.0
#include "vtd_tables.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "vtd.h"

#define TOP_LEVEL 4
#define WIDTH VTD_LEVELS_BITS(TOP_LEVEL)
#define WIDTH_FIELD 2ULL /* VTD_LEVELS(2) is 4 */
#define DOMAIN_SHIFT 8	 /* of the context entry's second word */

static int enter_device(struct vtd_tables *t, unsigned int device)
{
	uint16_t source_id = vtd_source_id(device);
	uint64_t *root = t->pool.words + (source_id >> 8) * VTD_ROOT_SIZE / sizeof(uint64_t);
	uint64_t *context;

	if (!*root) {
		uint64_t table = table_pool_get(&t->pool);

		if (!table)
			return -ENOSPC;
		table_store(root, table | VTD_ROOT_PRESENT);
	}
	t->domains[device] = table_pool_get(&t->pool);
	if (!t->domains[device])
		return -ENOSPC;
	context = table_at(&t->pool, table_load(root) & VTD_TABLE_ADDRESS);
	context += (source_id & 0xff) * VTD_CONTEXT_SIZE / sizeof(uint64_t);
	/* Domain 0 is not for use where the unit caches what is not present. */
	table_store(&context[1], WIDTH_FIELD | (uint64_t)(device + 1) << DOMAIN_SHIFT);
	table_store(&context[0],
		    t->domains[device] | VTD_CONTEXT_TYPE_DEVICE_TLB | VTD_CONTEXT_PRESENT);
	return 0;
}

int vtd_tables_init(struct vtd_tables *t, uint64_t gpa, void *memory, uint64_t pages,
		    unsigned int devices)
{
	int result = 0;

	*t = (struct vtd_tables){
		.pool = {.gpa = gpa, .words = memory, .nr_pages = pages},
		.domains = calloc(devices, sizeof(*t->domains)),
		.nr_devices = devices,
	};
	if (!t->domains)
		return -ENOMEM;
	if (!table_pool_get(&t->pool))
		result = -ENOSPC;
	for (unsigned int i = 0; i < devices && !result; i++)
		result = enter_device(t, i);
	if (result)
		vtd_tables_free(t);
	return result;
}

void vtd_tables_free(struct vtd_tables *t)
{
	free(t->domains);
	*t = (struct vtd_tables){0};
}

/* Return: 0 if @page is none of the three sizes. */
static int leaf_level(uint64_t page)
{
	for (int level = 1; level <= VTD_LEAF_LEVELS; level++)
		if (page == 1ULL << VTD_LEVELS_BITS(level - 1))
			return level;
	return 0;
}

static uint64_t *entry_of(const struct vtd_tables *t, uint64_t table, uint64_t iova, int level)
{
	return table_at(&t->pool, table) + (iova >> VTD_LEVELS_BITS(level - 1)) % TABLE_WORDS;
}

static bool is_present(uint64_t entry)
{
	return entry & (VTD_SECOND_READ | VTD_SECOND_WRITE);
}

/*
 * The entry of level @leaf for @iova. Without @make, NULL if no table leads
 * there; else *@error tells why it could not be made.
 */
static uint64_t *find_leaf(struct vtd_tables *t, unsigned int device, uint64_t iova, int leaf,
			   bool make, int *error)
{
	uint64_t table = t->domains[device];

	for (int level = TOP_LEVEL; level > leaf; level--) {
		uint64_t *entry = entry_of(t, table, iova, level);
		uint64_t value = table_load(entry);

		*error = -EEXIST;
		if (value & VTD_PAGE_LARGE)
			return NULL;
		if (!is_present(value)) {
			*error = make ? -ENOSPC : -ENOENT;
			table = make ? table_pool_get(&t->pool) : 0;
			if (!table)
				return NULL;
			value = table | VTD_SECOND_READ | VTD_SECOND_WRITE;
			table_store(entry, value);
		}
		table = value & VTD_PAGE_ADDRESS;
	}
	return entry_of(t, table, iova, leaf);
}

static int check_range(const struct vtd_tables *t, unsigned int device, uint64_t iova,
		       uint64_t size, uint64_t page)
{
	const uint64_t end = 1ULL << WIDTH;

	if (!leaf_level(page) || !size || (iova | size) % page || device >= t->nr_devices)
		return -EINVAL;
	return iova >= end || size > end - iova ? -ERANGE : 0;
}

int vtd_tables_map(struct vtd_tables *t, unsigned int device, uint64_t iova, uint64_t gpa,
		   uint64_t size, uint64_t page, uint32_t perm)
{
	/* The bits are the same: VHOST_ACCESS_RO is R, _WO is W. */
	const uint32_t all = VTD_SECOND_READ | VTD_SECOND_WRITE;
	int leaf = leaf_level(page), result = check_range(t, device, iova, size, page);
	uint64_t flags = perm | (leaf > 1 ? VTD_PAGE_LARGE : 0);

	if (!result && (!perm || perm & ~all || gpa % page || gpa & ~VTD_PAGE_ADDRESS))
		result = -EINVAL;
	for (uint64_t at = 0; at < size && !result; at += page) {
		uint64_t *entry = find_leaf(t, device, iova + at, leaf, true, &result);

		if (!entry)
			break;
		/* A table where a large page would be: it would get lost. */
		result = leaf > 1 && is_present(table_load(entry)) &&
					 !(table_load(entry) & VTD_PAGE_LARGE)
				 ? -EEXIST
				 : 0;
		if (!result)
			table_store(entry, (gpa + at) | flags);
	}
	return result;
}

int vtd_tables_unmap(struct vtd_tables *t, unsigned int device, uint64_t iova, uint64_t size,
		     uint64_t page)
{
	int leaf = leaf_level(page), result = check_range(t, device, iova, size, page);

	if (result)
		return result;
	for (uint64_t at = 0; at < size; at += page) {
		int error = 0;
		uint64_t *entry = find_leaf(t, device, iova + at, leaf, false, &error);
		uint64_t value = entry ? table_load(entry) : 0;

		if (!is_present(value) || (leaf > 1 && !(value & VTD_PAGE_LARGE)))
			result = -ENOENT;
		else
			table_store(entry, 0);
	}
	return result;
}
