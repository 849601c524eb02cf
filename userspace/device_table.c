// SPDX-License-Identifier: GPL-2.0
#include "device_table.h"

void device_table_add(struct device_table *table, struct device_link *device)
{
	struct device_link **chain = &table->chains[device->id % DEVICE_TABLE_CHAINS];

	device->next = *chain;
	*chain = device;
	table->count++;
}

void device_table_remove(struct device_table *table, struct device_link *device)
{
	struct device_link **link = &table->chains[device->id % DEVICE_TABLE_CHAINS];

	while (*link != device)
		link = &(*link)->next;
	*link = device->next;
	table->count--;
}

void *device_table_find(const struct device_table *table, uint64_t id)
{
	struct device_link *device = table->chains[id % DEVICE_TABLE_CHAINS];

	while (device && device->id != id)
		device = device->next;
	return device;
}

void *device_table_next(const struct device_table *table, const void *device)
{
	const struct device_link *link = device;
	size_t chain = 0;

	if (link) {
		if (link->next)
			return link->next;
		chain = link->id % DEVICE_TABLE_CHAINS + 1;
	}
	while (chain < DEVICE_TABLE_CHAINS && !table->chains[chain])
		chain++;
	return chain < DEVICE_TABLE_CHAINS ? table->chains[chain] : NULL;
}
