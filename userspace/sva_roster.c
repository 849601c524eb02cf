// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "answer.h"
#include "bpf/deliver.h"
#include "guest.h"
#include "iotlb_record.h"
#include "roster.h"
#include "sva.h"
#include "sva_roster.h"
#include "translator.h"

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

/* The IOMMU that the guest has for the device; NULL if it has none. 0, or -EAGAIN if
 * that is not known.
 */
static int find_view(const struct roster *roster, const struct served_device *device,
		     struct iommu_view *room, const struct iommu_view **view)
{
	const struct translator *translator = roster->translator;
	struct resolver_device known;

	*view = NULL;
	if (roster->guest) {
		if (device->info.iommu == IOMMU_OFF)
			return 0;
		if (device->info.iommu != IOMMU_ON || !guest_knows(roster->guest, device))
			return -EAGAIN;
		*view = &device->view;
	} else if (translator->ops->resolver) {
		translator->ops->resolver(translator, device->index, &known);
		*room = (struct iommu_view){
			.unit = known.unit,
			.pasid = known.pasid,
			.source_id = known.source_id,
		};
		*view = room;
	}
	return 0;
}

static int translate(void *arg, uint64_t id, const struct sva_space *space, uint64_t address,
		     uint32_t access, struct sva_translation *found)
{
	struct translator translator = {.ops = &translator_pasid};
	const struct roster *roster = arg;
	const struct served_device *device = served_find(&roster->devices, id);
	struct lookup lookup = {
		.dev = id,
		.index = device->index,
		.iova = address,
		.access = access,
		.memory = served_memory(device),
		.space = space,
	};
	struct iommu_view room;
	struct finding finding;
	struct answer answer;
	int err;

	err = find_view(roster, device, &room, &lookup.view);
	if (err)
		return err;
	err = answer_find(&translator, &lookup, &answer, &finding);
	found->walk = finding.walk;
	if (err)
		return err;
	found->address = answer.iova;
	found->size = answer.last - answer.iova + 1;
	found->gpa = finding.mapping.gpa + (answer.iova - finding.mapping.iova);
	found->perm = answer.perm;
	return 0;
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
	.translate = translate,
	.emit = emit,
	.finish = finish,
};
