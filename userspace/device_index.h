/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_DEVICE_INDEX_H
#define IOTLB_DEVICE_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Devices that can be counted */
#define DEVICE_INDEX_MAX 4096

/**
 * device_index() - how many vhost devices of a process are older than one
 * @pid:	the process
 * @dev:	id of the device
 * @max:	count no further, and no further than DEVICE_INDEX_MAX
 *
 * A device that the process holds several times counts once.
 */
size_t device_index(pid_t pid, uint64_t dev, size_t max);

#endif /* IOTLB_DEVICE_INDEX_H */
