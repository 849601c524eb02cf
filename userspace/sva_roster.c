// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "iotlb_record.h"
#include "roster.h"
#include "sva_roster.h"

static int finish(void *arg)
{
	struct roster *roster = arg;
	int err;

	roster->batch->dropped_err = 0;
	answer_batch_flush(roster->batch);
	err = roster->batch->dropped_err;
	roster->batch->dropped_err = 0;
	return err;
}

/* A guest's page tables are known before its device misses for the first time. */
static struct served_device *meet(struct roster *roster, uint64_t id)
{
	struct served_device *device = served_find(&roster->devices, id);

	return device ? device : roster_meet(roster, &(struct iotlb_record){.dev = id});
}

static const struct memory_table *find(void *arg, uint64_t id)
{
	struct roster *roster = arg;
	struct served_device *device = meet(roster, id);

	if (device)
		roster_refresh(roster, device);
	/* What this has to write is not of the request. */
	finish(roster);
	return device ? &device->mem : NULL;
}

static bool is_there(void *arg, uint64_t id)
{
	const struct roster *roster = arg;

	return served_find(&roster->devices, id);
}

static bool next(void *arg, uint64_t after, struct sva_device_info *info)
{
	const struct roster *roster = arg;
	const struct served_device *device = NULL, *best = NULL;

	while ((device = served_next(&roster->devices, device)))
		if (device->info.dev > after && (!best || device->info.dev < best->info.dev))
			best = device;
	if (!best)
		return false;
	info->id = best->info.dev;
	info->pid = best->info.pid;
	info->has_asid = best->target.has_asid;
	memcpy(info->comm, best->info.comm, sizeof(info->comm));
	return true;
}

static void emit(void *arg, uint64_t id, const struct vhost_iotlb_op *op)
{
	struct roster *roster = arg;
	struct served_device *device = served_find(&roster->devices, id);

	/* What has gone has nothing to drop. */
	if (device)
		answer_batch_add(roster->batch, &device->target, op);
}

const struct sva_devices sva_roster = {
	.find = find,
	.is_there = is_there,
	.next = next,
	.emit = emit,
	.finish = finish,
};
