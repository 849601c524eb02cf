/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The library of iotlbd that knows what is to be written to vhost (sva.h), without
 * an iotlbd: its operations are written here, before a call returns.
 */
#ifndef SVA_LIBRARY_H
#define SVA_LIBRARY_H

#include <stdint.h>

#include "memory_table.h"
#include "sva.h"

#define LIBRARY_DEVICES 8

struct device;

struct library {
	struct sva *sva;
	unsigned int nr_devices;
	struct device *devices[LIBRARY_DEVICES];
	uint64_t ids[LIBRARY_DEVICES];
	struct memory_region regions[LIBRARY_DEVICES];
	struct memory_table memory[LIBRARY_DEVICES];
};

/* All of these end the program if that fails. */

void library_open(struct library *l);
void library_close(struct library *l);

/* @id: the device's name in vhost. Return: its number here. */
unsigned int library_add(struct library *l, struct device *device, uint64_t id);

void library_alloc(struct library *l, unsigned int number, uint32_t pasid);
void library_free(struct library *l, unsigned int number, uint32_t pasid);
void library_bind(struct library *l, unsigned int number, uint32_t pasid, uint64_t root);
void library_unbind(struct library *l, unsigned int number, uint32_t pasid);

/* @pasid and @address: as far as the granularity has them. */
void library_invalidate(struct library *l, unsigned int number, enum sva_granularity granularity,
			uint32_t pasid, uint64_t address);

#endif /* SVA_LIBRARY_H */
