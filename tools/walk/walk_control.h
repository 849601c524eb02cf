/* SPDX-License-Identifier: GPL-2.0 */
/* What iotlbd knows of a PASID, from its control socket. */
#ifndef WALK_CONTROL_H
#define WALK_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include "walk_space.h"

/**
 * struct walk_target - a PASID of a device
 * @dev:	id of the device, 0 if it is the only one that iotlbd serves
 * @pasid:	the PASID
 * @pid:	filled in: who owns the device
 * @space:	filled in: what translates the PASID
 */
struct walk_target {
	uint64_t dev;
	uint32_t pasid;
	pid_t pid;
	struct walk_space space;
};

/* Asks the iotlbd that listens at @path, also for @target->dev if that is 0.
 * Return: 0, or a negative errno after a message.
 */
int walk_control_ask(const char *path, struct walk_target *target);

#endif /* WALK_CONTROL_H */
