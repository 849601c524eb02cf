// SPDX-License-Identifier: GPL-2.0
#include "sva_tables.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <linux/vhost_types.h>

#include "vtd.h"
#include "vtd_tables.h"

#define TOP_LEVEL 4
#define WIDTH_FIELD 2ULL /* VTD_LEVELS(2) is 4 */
#define DEVICE_TLB VTD_BIT(2)
#define LARGE_SHIFT 30

#define ENTRY_WORDS(bytes) ((bytes) / sizeof(uint64_t))

/* All of guest memory in pages of 1G, which is what a hypervisor would use. */
static int make_second_level(struct sva_tables *t)
{
	const uint64_t flags = VTD_SECOND_READ | VTD_SECOND_WRITE;
	uint64_t top = table_pool_get(&t->pool), table = table_pool_get(&t->pool);

	if (!top || !table)
		return -ENOSPC;
	for (uint64_t i = 0; i < TABLE_WORDS; i++)
		table_store(table_at(&t->pool, table) + i,
			    i << LARGE_SHIFT | flags | VTD_PAGE_LARGE);
	table_store(table_at(&t->pool, top) + (SVA_NESTED >> VTD_LEVELS_BITS(3)), table | flags);
	t->second = top;
	return 0;
}

static int enter_device(struct sva_tables *t, uint64_t contexts, unsigned int device)
{
	uint64_t *context = table_at(&t->pool, contexts) +
			    vtd_source_id(device) * ENTRY_WORDS(VTD_SCALABLE_CONTEXT_SIZE);

	t->directories[device] = table_pool_get(&t->pool);
	if (!t->directories[device])
		return -ENOSPC;
	table_store(context, t->directories[device] | VTD_SCALABLE_CONTEXT_PASID | DEVICE_TLB |
				     VTD_SCALABLE_CONTEXT_PRESENT);
	return 0;
}

static int make_tables(struct sva_tables *t)
{
	uint64_t root = table_pool_get(&t->pool), contexts = table_pool_get(&t->pool);
	int result;

	if (!root || !contexts)
		return -ENOSPC;
	/* The half of bus 0 that all devices are in. */
	table_store(table_at(&t->pool, root), contexts | VTD_ROOT_PRESENT);
	result = make_second_level(t);
	for (unsigned int i = 0; i < t->nr_devices && !result; i++)
		result = enter_device(t, contexts, i);
	return result;
}

int sva_tables_init(struct sva_tables *t, uint64_t gpa, void *memory, uint64_t pages,
		    unsigned int devices)
{
	int result;

	*t = (struct sva_tables){
		.pool = {.gpa = gpa, .words = memory, .nr_pages = pages},
		.directories = calloc(devices, sizeof(*t->directories)),
		.nr_devices = devices,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	if (!t->directories)
		return -ENOMEM;
	result = make_tables(t);
	if (result)
		sva_tables_free(t);
	return result;
}

void sva_tables_free(struct sva_tables *t)
{
	free(t->directories);
	*t = (struct sva_tables){0};
}

uint64_t sva_tables_root(uint64_t gpa)
{
	return gpa | VTD_ROOT_MODE_SCALABLE;
}

uint64_t sva_space_new(struct sva_tables *t)
{
	return table_pool_get(&t->pool);
}

static uint64_t table_of(uint64_t entry)
{
	return (entry & VTD_PAGE_ADDRESS) - SVA_NESTED;
}

static void free_level(struct sva_tables *t, uint64_t table, int level)
{
	for (unsigned int i = 0; i < TABLE_WORDS && level > 1; i++) {
		uint64_t entry = table_load(table_at(&t->pool, table) + i);

		if (entry & VTD_FIRST_PRESENT)
			free_level(t, table_of(entry), level - 1);
	}
	table_pool_put(&t->pool, table);
}

void sva_space_free(struct sva_tables *t, uint64_t space)
{
	free_level(t, space, TOP_LEVEL);
}

/* Return: NULL if there is none and, with @make, no room for one. */
static uint64_t *find_entry(struct sva_tables *t, uint64_t table, uint64_t address, bool make)
{
	for (int level = TOP_LEVEL;; level--) {
		uint64_t *entry = table_at(&t->pool, table) +
				  (address >> VTD_LEVELS_BITS(level - 1)) % TABLE_WORDS;

		if (level == 1)
			return entry;
		if (!(table_load(entry) & VTD_FIRST_PRESENT)) {
			table = make ? table_pool_get(&t->pool) : 0;
			if (!table)
				return NULL;
			table_store(entry, (table + SVA_NESTED) | VTD_FIRST_PRESENT |
						   VTD_FIRST_WRITE | VTD_FIRST_USER |
						   VTD_FIRST_ACCESSED);
		}
		table = table_of(table_load(entry));
	}
}

int sva_space_map(struct sva_tables *t, uint64_t space, uint64_t address, uint64_t gpa,
		  uint32_t perm)
{
	uint64_t *entry = find_entry(t, space, address, true);

	if (!entry)
		return -ENOSPC;
	/* Dirty, as Linux maps pages for devices */
	table_store(entry, (gpa + SVA_NESTED) | VTD_FIRST_PRESENT | VTD_FIRST_USER |
				   VTD_FIRST_ACCESSED | VTD_FIRST_DIRTY |
				   (perm & VHOST_ACCESS_WO ? VTD_FIRST_WRITE : 0));
	return 0;
}

int sva_space_unmap(struct sva_tables *t, uint64_t space, uint64_t address)
{
	uint64_t *entry = find_entry(t, space, address, false);

	if (!entry || !(table_load(entry) & VTD_FIRST_PRESENT))
		return -ENOENT;
	table_store(entry, 0);
	return 0;
}

/* Return: the PASID's entry; NULL if there is none and, with @make, no room for one. */
static uint64_t *find_pasid(struct sva_tables *t, unsigned int device, uint32_t pasid, bool make)
{
	uint64_t *entry =
		table_at(&t->pool, t->directories[device]) + (pasid >> VTD_DIRECTORY_PASIDS_SHIFT);
	uint32_t index = pasid & ((1 << VTD_DIRECTORY_PASIDS_SHIFT) - 1);

	if (!(table_load(entry) & VTD_DIRECTORY_PRESENT)) {
		uint64_t table = make ? table_pool_get(&t->pool) : 0;

		if (!table)
			return NULL;
		table_store(entry, table | VTD_DIRECTORY_PRESENT);
	}
	return table_at(&t->pool, table_load(entry) & VTD_TABLE_ADDRESS) +
	       index * ENTRY_WORDS(VTD_PASID_SIZE);
}

int sva_tables_bind(struct sva_tables *t, unsigned int device, uint32_t pasid, uint64_t space)
{
	uint64_t *entry = find_pasid(t, device, pasid, true);

	if (!entry)
		return -ENOSPC;
	table_store(&entry[2], (space + SVA_NESTED) | VTD_PASID_FIRST_4_LEVELS_2);
	/* Domain 0 is not for use where the unit caches what is not present. */
	table_store(&entry[1], device + 1);
	table_store(&entry[0], t->second | VTD_PASID_TYPE_NESTED |
				       WIDTH_FIELD << VTD_PASID_WIDTH_SHIFT | VTD_PASID_PRESENT);
	return 0;
}

void sva_tables_unbind(struct sva_tables *t, unsigned int device, uint32_t pasid)
{
	uint64_t *entry = find_pasid(t, device, pasid, false);

	if (!entry)
		return;
	for (int i = 0; i < 3; i++)
		table_store(&entry[i], 0);
}
