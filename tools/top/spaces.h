/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The address spaces of a device of the model: which there are, which virtqueues are
 * in them, and how what is counted is shared out among them.
 */
#ifndef TOP_SPACES_H
#define TOP_SPACES_H

#include "model.h"

/* Address spaces of a device that are gone and of which the final sample tells. */
#define SPACES_RETIRED_MAX 64

/* The address space of this number, which is made if need be; NULL without memory. */
struct top_space *space_get(struct top_device *device, uint32_t asid);

/* A sample begins: nothing has been read, and nobody is known to be anywhere. */
void spaces_begin(struct top_device *device);

/* The kernel says what there is. Return: 0 or -ENOMEM. */
int spaces_hold(struct top_device *device, const struct vhost_device *held);

/* All has been read, and virtqueues have their sums, but not yet the device. Puts
 * them where they are. Return: 0 or -ENOMEM.
 */
int spaces_place(struct top_device *device);

/* The device has its sums, too. */
void spaces_end(struct top_device *device);

/* Was this one in the sample before for the last time? Has any been? */
bool space_is_gone(const struct top_device *device, uint32_t asid);
bool spaces_any_gone(const struct top_device *device);

/* What is gone is not shown again until the end, and in time forgotten. */
void spaces_retire(struct top_device *device);

#endif /* TOP_SPACES_H */
