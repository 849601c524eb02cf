/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The devices that a daemon serves: a duplicate of the vhost fd of each, the
 * process that it belongs to, and its guest's memory.
 */
#ifndef IOTLB_SERVED_H
#define IOTLB_SERVED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "iotlb_record.h"
#include "memory_table.h"
#include "miss_stats.h"

struct vhost_device;

/* Waiting virtqueues of one device that are remembered. */
#define SERVED_MAX_WAITING 256

/**
 * struct served_device - one of them
 * @next:	in the same chain of the table
 * @fd:		our duplicate; it keeps the device alive, so it must not be
 *		held for longer than its owner holds his
 * @pidfd:	the owner
 * @owner_fd:	number of the fd there
 * @mem:	memory table
 * @info:	who it is, and its misses
 * @waiting:	the last miss of each virtqueue that could not be answered
 * @waiting_count: how many
 * @waiting_room: for how many there is room
 */
struct served_device {
	struct served_device *next;
	int fd;
	int pidfd;
	int owner_fd;
	struct memory_table mem;
	struct device_stats info;
	struct iotlb_record *waiting;
	size_t waiting_count;
	size_t waiting_room;
};

#define SERVED_CHAINS 256

/* All zero is an empty table. */
struct served_table {
	struct served_device *chains[SERVED_CHAINS];
	size_t count;
};

/**
 * served_take() - take a device from its owner
 * @found:	the device as it was found
 * @device:	set on success; in no table yet
 *
 * Return: 0 or a negative errno as of vhost_device_take() and pidfd_open(2).
 */
int served_take(const struct vhost_device *found, struct served_device **device);

/* Gives the device back: closes everything and frees it. */
void served_release(struct served_device *device);

void served_add(struct served_table *table, struct served_device *device);
void served_remove(struct served_table *table, struct served_device *device);
struct served_device *served_find(const struct served_table *table, uint64_t dev);

/* The device after this one, the first after NULL, NULL after the last. Before
 * a device is removed, the one after it must be asked for.
 */
struct served_device *served_next(const struct served_table *table,
				  const struct served_device *device);

/**
 * served_has_owner() - does the owner still hold it?
 * @device:	the device
 *
 * Looks under the number that is known first, then under all of the process.
 */
bool served_has_owner(struct served_device *device);

/* Remember that a virtqueue waits, instead of what it has waited for before. */
void served_wait(struct served_device *device, const struct iotlb_record *miss);

#endif /* IOTLB_SERVED_H */
