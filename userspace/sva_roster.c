// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "answer.h"
#include "bpf/deliver.h"
#include "clock.h"
#include "guest.h"
#include "iotlb_record.h"
#include "miss_hook.h"
#include "pasid_walk.h"
#include "roster.h"
#include "sva.h"
#include "sva_roster.h"
#include "translator.h"

/* What a message is about, see log_subject(); beyond those of the roster. */
enum matter {
	MATTER_SPACE = 16,
};

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
		roster_catch_up(roster, device);
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
		if (device->info.iommu != IOMMU_ON || !guest_knows(device))
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

/* By what was bound or attached. */
static int answer_in(const struct roster *roster, const struct served_device *device,
		     const struct sva_space *space, const struct lookup *asked,
		     struct answer *answer, struct finding *finding)
{
	struct translator translator = {.ops = &translator_pasid};
	struct lookup lookup = *asked;
	struct iommu_view room;
	int err;

	lookup.space = space;
	err = find_view(roster, device, &room, &lookup.view);
	return err ? err : answer_find(&translator, &lookup, answer, finding);
}

/* By the tables of the guest's IOMMU. */
static int answer_by_guest(const struct roster *roster, const struct served_device *device,
			   uint32_t pasid, const struct lookup *asked, struct answer *answer,
			   struct finding *finding)
{
	struct translator translator = {.ops = &translator_vtd};
	struct lookup lookup = *asked;
	const struct iommu_view *view;
	struct iommu_view room;
	int err;

	err = find_view(roster, device, &room, &view);
	if (err)
		return err;
	if (!view)
		return -ENOLINK;
	room = *view;
	room.pasid = pasid;
	lookup.view = &room;
	/* The device's trail is of its requests without PASID. */
	lookup.trail = NULL;
	return answer_find(&translator, &lookup, answer, finding);
}

int sva_roster_answer(const struct roster *roster, const struct sva *pasids,
		      const struct served_device *device, uint32_t pasid,
		      const struct lookup *lookup, struct answer *answer, struct finding *finding)
{
	struct sva_space space;

	*finding = (struct finding){};
	/* What a PASID cannot be, could be taken for another. */
	if (pasid > SVA_PASID_LAST)
		return -ENOLINK;
	if (!pasids || !sva_find(pasids, device->info.dev, pasid, &space))
		return answer_by_guest(roster, device, pasid, lookup, answer, finding);
	if (!space.binding && !space.table)
		return -ENOLINK;
	return answer_in(roster, device, &space, lookup, answer, finding);
}

/* As far as is known now; what is behind one cannot be told from here. */
static bool has_iommu(void *arg, uint64_t id)
{
	const struct roster *roster = arg;
	const struct served_device *device = served_find(&roster->devices, id);
	const struct iommu_view *view;
	struct iommu_view room;

	return device && (find_view(roster, device, &room, &view) || view);
}

static bool can_fail(void *arg, uint64_t id)
{
	const struct roster *roster = arg;
	const struct served_device *device = served_find(&roster->devices, id);

	return device && device->target.has_access_fail;
}

static bool is_missing(void *arg, const struct sva *pasids, const struct page_request *request)
{
	const struct roster *roster = arg;
	const struct served_device *device = served_find(&roster->devices, request->device);
	struct finding finding;
	struct answer answer;
	struct lookup lookup;

	if (!device)
		return true;
	lookup = (struct lookup){
		.dev = request->device,
		.index = device->index,
		.iova = request->address,
		.access = request->access,
		.memory = served_memory(device),
	};
	sva_roster_answer(roster, pasids, device, request->pasid, &lookup, &answer, &finding);
	return page_request_is_for(&finding.walk);
}

/* Is all as it must be, but for flags that are not set? */
static bool lacks_flags(const struct finding *finding)
{
	return finding->walk.fault == VTD_FAULT_ACCESSED_DIRTY;
}

/* The first flag that is missing for @asked: who only reads needs none to be dirty. */
static enum sva_unset find_unset(const struct roster *roster, const struct served_device *device,
				 const struct sva_space *space, const struct lookup *asked)
{
	struct lookup lookup = *asked;
	struct finding finding = {};
	struct answer answer;

	lookup.access = VHOST_ACCESS_RO;
	answer_in(roster, device, space, &lookup, &answer, &finding);
	return lacks_flags(&finding) ? SVA_UNSET_ACCESSED : SVA_UNSET_DIRTY;
}

/* What it is when the kernel has set the flags that are missing, as it will. */
static int answer_with_flags(const struct roster *roster, const struct served_device *device,
			     const struct sva_space *space, const struct lookup *lookup,
			     struct answer *answer, const struct finding *finding,
			     struct sva_translation *found)
{
	found->walk = (struct vtd_walk){};
	found->unset = find_unset(roster, device, space, lookup);
	return answer_of(&finding->mapping, lookup, answer);
}

static int translate(void *arg, uint64_t id, const struct sva_space *space, uint64_t address,
		     uint32_t access, struct sva_translation *found)
{
	const struct roster *roster = arg;
	const struct served_device *device = served_find(&roster->devices, id);
	struct lookup lookup = {
		.dev = id,
		.index = device->index,
		.iova = address,
		.access = access,
		.memory = served_memory(device),
	};
	struct finding finding = {};
	struct answer answer;
	int err;

	err = answer_in(roster, device, space, &lookup, &answer, &finding);
	found->walk = finding.walk;
	if (err == -ENOENT && lacks_flags(&finding) && miss_hook_sets_flags(roster->hook, id))
		err = answer_with_flags(roster, device, space, &lookup, &answer, &finding, found);
	if (err)
		return err;
	found->address = answer.iova;
	found->size = answer.last - answer.iova + 1;
	found->gpa = finding.mapping.gpa + (answer.iova - finding.mapping.iova);
	found->perm = answer.perm;
	return 0;
}

/* The kernel learns of it, if it is to resolve misses. */
static void set_space(void *arg, uint64_t id, uint32_t pasid, const struct sva_space *space)
{
	struct roster *roster = arg;
	struct vtd_space known = {.kind = VTD_SPACE_NONE};
	int err;

	if (!roster->resolve)
		return;
	if (space && space->binding)
		known = pasid_space_bound(space->binding);
	else if (space && space->table)
		known = pasid_space_attached(space->table);
	err = miss_hook_set_space(roster->hook, id, pasid, space ? &known : NULL);
	if (err &&
	    log_limit_allows(&roster->limit, log_subject(id, pasid, MATTER_SPACE), clock_now_ns()))
		log_warn("device %" PRIu64 ": cannot have the kernel resolve misses of PASID %u: "
			 "%s; iotlbd answers them",
			 id, pasid, strerror(-err));
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
	.has_iommu = has_iommu,
	.can_fail = can_fail,
	.is_missing = is_missing,
	.next = next,
	.translate = translate,
	.set_space = set_space,
	.emit = emit,
	.finish = finish,
};
