/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The devices that a daemon serves: a duplicate of the vhost fd of each, the
 * process that it belongs to, and its guest's memory.
 */
#ifndef IOTLB_SERVED_H
#define IOTLB_SERVED_H

#include <inttypes.h>
#include <stddef.h>
#include <sys/types.h>

#include "answer_batch.h"
#include "device_table.h"
#include "guest_memory.h"
#include "iommu_view.h"
#include "memory_table.h"
#include "miss_stats.h"
#include "once_more.h"
#include "rate.h"
#include "trail.h"

struct vhost_device;

/* "device 7 of pid 4711 (qemu)" in a log message */
#define DEVICE_FORMAT "device %" PRIu64 " of pid %d (%s)"
#define DEVICE_ARGS(d) (d)->info.dev, (d)->info.pid, (d)->info.comm

/**
 * struct served_device - one of them
 * @link:	of the table
 * @target:	our duplicate of the fd, for answers; it keeps the device alive,
 *		so it must not be held for longer than its owner holds his
 * @pidfd:	the owner
 * @owner_fd:	number of the fd there
 * @index:	as of struct lookup; stays as long as the device is served
 * @mem:	memory table
 * @trail:	of the last walk of the guest's tables
 * @is_read:	when it was looked at last, @mem could be read
 * @news_count:	miss_hook_news_count() at that time
 * @mem_seq:	its number, as of vhost_device::mem_seq
 * @mem_changes: how often it was found to have changed
 * @timeouts:	misses that waited for too long, as of vhost_device::timeouts
 * @timeouts_before: the same when misses were last seen to be answered
 * @unanswered:	bounds misses that cannot be answered
 * @once_more:	misses for which the kernel has to set flags
 * @throttled_ns: since when there are too many of them, or 0
 * @iotlb_gen:	number of its IOTLB, as of vhost_device::iotlb_gen
 * @asked:	a question about its guest was asked since it is served (guest.h)
 * @asked_epoch: @iotlb_gen when that was
 * @epoch:	the IOTLB with which @view is true, if device_stats::iommu is
 *		IOMMU_ON
 * @view:	the guest's IOMMU
 * @info:	who it is, and its misses
 */
struct served_device {
	struct device_link link;
	struct answer_target target;
	int pidfd;
	int owner_fd;
	size_t index;
	struct memory_table mem;
	struct trail trail;
	bool is_read;
	uint64_t news_count;
	uint64_t mem_seq;
	unsigned int mem_changes;
	uint64_t timeouts;
	uint64_t timeouts_before;
	struct rate unanswered;
	struct once_more once_more;
	uint64_t throttled_ns;
	uint64_t iotlb_gen;
	bool asked;
	uint64_t asked_epoch;
	uint64_t epoch;
	struct iommu_view view;
	struct device_stats info;
};

/* Its guest's memory, for reading */
static inline struct guest_memory served_memory(const struct served_device *device)
{
	return (struct guest_memory){
		.pid = device->info.pid,
		.pidfd = device->pidfd,
		.table = &device->mem,
	};
}

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

/* In a table of such devices, as device_table_find() and device_table_next(). */
static inline struct served_device *served_find(const struct device_table *table, uint64_t dev)
{
	return device_table_find(table, dev);
}

static inline struct served_device *served_next(const struct device_table *table,
						const struct served_device *device)
{
	return device_table_next(table, device);
}

/**
 * served_has_owner() - does the owner still hold it?
 * @device:	the device
 *
 * Looks under the number that is known first, then under all of the process.
 */
bool served_has_owner(struct served_device *device);

#endif /* IOTLB_SERVED_H */
