// SPDX-License-Identifier: GPL-2.0
#include "device.h"
#include "device_index.h"

/**
 * struct older - devices with lower ids
 * @dev:	than this one
 * @max:	of @count
 * @count:	how many were found
 * @ids:	theirs
 */
struct older {
	uint64_t dev;
	size_t max;
	size_t count;
	uint64_t ids[DEVICE_INDEX_MAX];
};

/* For vhost_device_for_each() */
static int add_older(const struct vhost_device *found, void *arg)
{
	struct older *older = arg;
	size_t i;

	if (!found->has_id || found->id >= older->dev)
		return 0;
	for (i = 0; i < older->count; i++)
		if (older->ids[i] == found->id)
			return 0;
	older->ids[older->count++] = found->id;
	return older->count == older->max;
}

size_t device_index(pid_t pid, uint64_t dev, size_t max)
{
	struct older older = {
		.dev = dev,
		.max = max < DEVICE_INDEX_MAX ? max : DEVICE_INDEX_MAX,
	};

	if (older.max)
		vhost_device_for_each(pid, add_older, &older);
	return older.count;
}
