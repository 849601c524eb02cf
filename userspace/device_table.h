/* SPDX-License-Identifier: GPL-2.0 */
/* Devices by id, for all who keep something of each. */
#ifndef IOTLB_DEVICE_TABLE_H
#define IOTLB_DEVICE_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Ids are given out one after the other. */
#define DEVICE_TABLE_CHAINS 256

/**
 * struct device_link - what a device begins with, whatever else is kept of it
 * @next:	in the same chain
 * @id:		the device
 */
struct device_link {
	struct device_link *next;
	uint64_t id;
};

/* All zero is an empty table. */
struct device_table {
	struct device_link *chains[DEVICE_TABLE_CHAINS];
	size_t count;
};

/* There is none with its id yet. */
void device_table_add(struct device_table *table, struct device_link *device);
void device_table_remove(struct device_table *table, struct device_link *device);

/* NULL if it is not there. */
void *device_table_find(const struct device_table *table, uint64_t id);

/* The device after this one, the first after NULL, NULL after the last. Before
 * a device is removed, the one after it must be asked for.
 */
void *device_table_next(const struct device_table *table, const void *device);

#endif /* IOTLB_DEVICE_TABLE_H */
