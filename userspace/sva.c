// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of a device is made when it gets its first PASID or table, and
 * goes with the last. So devices take no more memory than PASIDs do, but for the
 * one table of each that is served.
 *
 * Whatever ends a translation first takes it out of here, so that no miss finds
 * it any more, and then emits the INVALIDATE: an answer that was made before
 * carries a token from before, and vhost refuses it.
 */
#include <stdlib.h>

#include "device_table.h"
#include "memory_table.h"
#include "sva.h"

#define PAGE_SIZE 4096

/* Of what VT-d has room for in its tables */
#define ADDRESS_BITS_MAX 52

/* A directory entry, 8 bytes, is for 64 PASIDs. */
#define DIRECTORY_BYTES(bits) (8ULL << ((bits)-6))
#define DIRECTORY_BITS_MIN 13

/**
 * struct pasid - one that is allocated
 * @next:	of the same device
 * @device:	whose
 * @info:	all the rest
 */
struct pasid {
	struct pasid *next;
	struct device *device;
	struct sva_pasid_info info;
};

/**
 * struct device - one with PASIDs or a table
 * @link:	of the table of devices
 * @pasids:	all of them
 * @count:	how many
 * @bound:	those of them that have a binding
 * @has_table:	@table is attached
 * @table_client: who has attached it, or SVA_KEPT
 * @table:	the PASID table
 */
struct device {
	struct device_link link;
	struct pasid *pasids;
	uint32_t count;
	uint32_t bound;
	bool has_table;
	uint64_t table_client;
	struct sva_table table;
};

/**
 * struct sva - all there is
 * @options:	as given
 * @pasids:	by their number
 * @count:	how many there are
 * @cursor:	the last that was given out
 * @devices:	all of them
 */
struct sva {
	struct sva_options options;
	struct pasid **pasids;
	size_t count;
	uint32_t cursor;
	struct device_table devices;
};

struct sva *sva_open(const struct sva_options *options)
{
	struct sva *sva = calloc(1, sizeof(*sva));

	if (!sva)
		return NULL;
	sva->options = *options;
	/* Pages of it that are never written to take no memory. */
	sva->pasids = calloc(SVA_PASID_LAST + 1, sizeof(*sva->pasids));
	if (sva->pasids)
		return sva;
	free(sva);
	return NULL;
}

static void changed(const struct sva *sva, uint64_t device, uint32_t pasid)
{
	if (sva->options.changed)
		sva->options.changed(sva->options.arg, device, pasid);
}

/* Devices */

static struct device *find_device(const struct sva *sva, uint64_t id)
{
	return device_table_find(&sva->devices, id);
}

static struct device *make_device(struct sva *sva, uint64_t id)
{
	struct device *device = find_device(sva, id);

	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	device->link.id = id;
	device_table_add(&sva->devices, &device->link);
	changed(sva, id, 0);
	return device;
}

static void drop_device_if_empty(struct sva *sva, struct device *device)
{
	if (device->count || device->has_table)
		return;
	device_table_remove(&sva->devices, &device->link);
	changed(sva, device->link.id, 0);
	free(device);
}

/* What is to be written */

static void emit(struct sva *sva, uint64_t device, const struct vhost_iotlb_op *op)
{
	sva->options.emit(sva->options.arg, device, op);
}

static void emit_all(struct sva *sva, uint64_t device)
{
	emit(sva, device,
	     &(struct vhost_iotlb_op){
		     .type = VHOST_IOTLB_INVALIDATE,
		     .flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
	     });
}

static void emit_pasid(struct sva *sva, uint64_t device, uint32_t pasid)
{
	emit(sva, device,
	     &(struct vhost_iotlb_op){
		     .type = VHOST_IOTLB_INVALIDATE,
		     .asid = pasid,
	     });
}

/* Whose it is */

static bool may_use(uint64_t user, uint64_t owner)
{
	return owner == SVA_KEPT || owner == user;
}

static enum sva_error find_pasid(const struct sva *sva, const struct sva_caller *caller,
				 uint32_t number, struct pasid **found)
{
	struct pasid *pasid;

	if (!number || number > SVA_PASID_LAST)
		return SVA_BAD_PASID;
	pasid = sva->pasids[number];
	if (!pasid)
		return SVA_NOT_ALLOCATED;
	if (pasid->device->link.id != caller->device)
		return SVA_OTHER_DEVICE;
	if (!may_use(caller->client, pasid->info.client))
		return SVA_OTHER_CLIENT;
	*found = pasid;
	return SVA_OK;
}

/* Is all of it within one region of the guest's memory? */
static bool is_memory(const struct sva_caller *caller, uint64_t gpa, uint64_t size)
{
	const struct memory_region *region = memory_table_find(caller->memory, gpa);

	return region && size - 1 <= region->last - gpa;
}

/* PASID tables */

static enum sva_error check_table(const struct sva_caller *caller, const struct sva_table *table)
{
	if (table->base % PAGE_SIZE)
		return SVA_TABLE_MISALIGNED;
	if (table->bits < DIRECTORY_BITS_MIN || table->bits > SVA_PASID_BITS)
		return SVA_TABLE_BITS;
	if (!is_memory(caller, table->base, DIRECTORY_BYTES(table->bits)))
		return SVA_TABLE_OUTSIDE;
	return SVA_OK;
}

enum sva_error sva_attach(struct sva *sva, const struct sva_caller *caller,
			  const struct sva_table *table, bool keep)
{
	struct device *device = find_device(sva, caller->device);
	enum sva_error error = check_table(caller, table);

	if (error)
		return error;
	if (device && device->has_table)
		return SVA_TABLE_ATTACHED;
	if (device && device->bound)
		return SVA_PASIDS_BOUND;

	device = make_device(sva, caller->device);
	if (!device)
		return SVA_NO_MEMORY;
	device->has_table = true;
	device->table_client = keep ? SVA_KEPT : caller->client;
	device->table = *table;
	changed(sva, device->link.id, 0);
	/* What has missed, and was handed back, may have a translation now. */
	emit(sva, device->link.id,
	     &(struct vhost_iotlb_op){
		     .type = VHOST_IOTLB_RETRY,
		     .flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
	     });
	return SVA_OK;
}

static void detach(struct sva *sva, struct device *device)
{
	device->has_table = false;
	changed(sva, device->link.id, 0);
	/* PASIDs are the guest's, and it has not said which it uses. */
	emit_all(sva, device->link.id);
}

enum sva_error sva_detach(struct sva *sva, const struct sva_caller *caller)
{
	struct device *device = find_device(sva, caller->device);

	if (!device || !device->has_table)
		return SVA_NO_TABLE;
	if (!may_use(caller->client, device->table_client))
		return SVA_OTHER_CLIENT;
	detach(sva, device);
	drop_device_if_empty(sva, device);
	return SVA_OK;
}

/* PASIDs */

/* The first that is free, beginning behind the one that was given out last; 0 if
 * there is none. There are no more than SVA_MAX_PASIDS steps to it.
 */
static uint32_t find_free(const struct sva *sva, uint32_t min, uint32_t max)
{
	uint32_t first = sva->cursor >= min && sva->cursor < max ? sva->cursor + 1 : min;
	uint32_t number;

	for (number = first; number <= max; number++)
		if (!sva->pasids[number])
			return number;
	for (number = min; number < first; number++)
		if (!sva->pasids[number])
			return number;
	return 0;
}

enum sva_error sva_alloc(struct sva *sva, const struct sva_caller *caller, uint32_t min,
			 uint32_t max, bool keep, uint32_t *number)
{
	struct device *device = find_device(sva, caller->device);
	struct pasid *pasid;
	uint32_t free_one;

	if (!min || min > max || max > SVA_PASID_LAST)
		return SVA_BAD_RANGE;
	if (device && device->count >= sva->options.quota)
		return SVA_QUOTA;
	free_one = sva->count < SVA_MAX_PASIDS ? find_free(sva, min, max) : 0;
	if (!free_one)
		return SVA_EXHAUSTED;

	pasid = calloc(1, sizeof(*pasid));
	device = pasid ? make_device(sva, caller->device) : NULL;
	if (!device) {
		free(pasid);
		return SVA_NO_MEMORY;
	}
	pasid->info.pasid = free_one;
	pasid->info.client = keep ? SVA_KEPT : caller->client;
	pasid->device = device;
	pasid->next = device->pasids;
	device->pasids = pasid;
	device->count++;
	sva->pasids[free_one] = pasid;
	sva->count++;
	sva->cursor = free_one;
	*number = free_one;
	return SVA_OK;
}

static void unbind(struct sva *sva, struct pasid *pasid)
{
	pasid->info.is_bound = false;
	pasid->device->bound--;
	changed(sva, pasid->device->link.id, pasid->info.pasid);
	emit_pasid(sva, pasid->device->link.id, pasid->info.pasid);
}

/* Its device stays, even if it is empty now. */
static void free_pasid(struct sva *sva, struct pasid **link)
{
	struct pasid *pasid = *link;

	*link = pasid->next;
	sva->pasids[pasid->info.pasid] = NULL;
	sva->count--;
	pasid->device->count--;
	free(pasid);
}

enum sva_error sva_free(struct sva *sva, const struct sva_caller *caller, uint32_t number)
{
	struct pasid **link, *pasid;
	struct device *device;
	enum sva_error error;

	error = find_pasid(sva, caller, number, &pasid);
	if (error)
		return error;
	if (pasid->info.is_bound)
		unbind(sva, pasid);
	device = pasid->device;
	for (link = &device->pasids; *link != pasid;)
		link = &(*link)->next;
	free_pasid(sva, link);
	drop_device_if_empty(sva, device);
	return SVA_OK;
}

/* Guest page tables */

static enum sva_error check_binding(const struct sva_caller *caller,
				    const struct sva_binding *binding)
{
	if (binding->flags & ~SVA_BIND_KNOWN)
		return SVA_UNKNOWN_FLAGS;
	if (binding->flags & ~SVA_BIND_SUPPORTED)
		return SVA_UNSUPPORTED_FLAGS;
	if (binding->width != 48 && binding->width != 57)
		return SVA_WIDTH;
	if (binding->root % PAGE_SIZE)
		return SVA_ROOT_MISALIGNED;
	/* Where the second level leads is for each walk to see. */
	if (caller->has_iommu ? binding->root >> ADDRESS_BITS_MAX
			      : !is_memory(caller, binding->root, PAGE_SIZE))
		return SVA_ROOT_OUTSIDE;
	if (binding->has_guest_pasid && binding->guest_pasid > SVA_PASID_LAST)
		return SVA_GUEST_PASID;
	return SVA_OK;
}

enum sva_error sva_bind(struct sva *sva, const struct sva_caller *caller, uint32_t number,
			const struct sva_binding *binding)
{
	struct pasid *pasid;
	enum sva_error error;

	error = find_pasid(sva, caller, number, &pasid);
	if (!error)
		error = check_binding(caller, binding);
	if (error)
		return error;
	if (pasid->device->has_table)
		return SVA_TABLE_ATTACHED;
	if (pasid->info.is_bound)
		return SVA_BOUND;

	pasid->info.is_bound = true;
	pasid->info.binding = *binding;
	pasid->device->bound++;
	changed(sva, caller->device, number);
	emit(sva, caller->device,
	     &(struct vhost_iotlb_op){
		     .type = VHOST_IOTLB_RETRY,
		     .asid = number,
	     });
	return SVA_OK;
}

enum sva_error sva_unbind(struct sva *sva, const struct sva_caller *caller, uint32_t number)
{
	struct pasid *pasid;
	enum sva_error error;

	error = find_pasid(sva, caller, number, &pasid);
	if (error)
		return error;
	if (!pasid->info.is_bound)
		return SVA_NOT_BOUND;
	unbind(sva, pasid);
	return SVA_OK;
}

/* Invalidations */

/* Linux has this table at struct iommu_cache_invalidate_info. */
static enum sva_error check_caches(const struct sva_invalidation *invalidation)
{
	if (!invalidation->caches || invalidation->caches & ~SVA_CACHE_KNOWN)
		return SVA_CACHE;
	if (invalidation->granularity == SVA_DOMAIN && invalidation->caches & SVA_CACHE_DEV_IOTLB)
		return SVA_CACHE_GRANULARITY;
	if (invalidation->granularity == SVA_ADDRESS && invalidation->caches & SVA_CACHE_PASID)
		return SVA_CACHE_GRANULARITY;
	return SVA_OK;
}

/* The guest gives out PASIDs by itself if it has a table. */
static bool may_be_in_table(const struct device *device, uint32_t pasid)
{
	return device && device->has_table && !(pasid >> device->table.bits);
}

static enum sva_error check_pasid(const struct sva *sva, const struct sva_caller *caller,
				  const struct sva_invalidation *invalidation)
{
	struct pasid *pasid;

	if (!invalidation->has_pasid)
		return invalidation->granularity == SVA_PASID ? SVA_NO_PASID : SVA_OK;
	if (!invalidation->pasid)
		return SVA_OK;
	if (may_be_in_table(find_device(sva, caller->device), invalidation->pasid))
		return SVA_OK;
	return find_pasid(sva, caller, invalidation->pasid, &pasid);
}

static enum sva_error check_range(const struct sva_invalidation *invalidation)
{
	uint64_t granule = invalidation->granule;
	uint64_t first = invalidation->address / (granule ? granule : 1);

	if (granule < PAGE_SIZE || granule & (granule - 1) || !invalidation->count)
		return SVA_GRANULE;
	if (invalidation->address % granule)
		return SVA_ADDRESS_MISALIGNED;
	/* Counted in granules, of which there are 2^64 / granule. */
	if (invalidation->count - 1 > (UINT64_MAX / granule) - first)
		return SVA_ADDRESS_RANGE;
	return SVA_OK;
}

static void emit_range(struct sva *sva, uint64_t device, const struct sva_invalidation *what)
{
	/* All of 2^64 is a size of 0, at address 0: just as vhost has it. */
	emit(sva, device,
	     &(struct vhost_iotlb_op){
		     .type = VHOST_IOTLB_INVALIDATE,
		     .iova = what->address,
		     .size = what->granule * what->count,
		     .asid = what->has_pasid ? what->pasid : 0,
		     .flags = what->has_pasid ? 0 : VHOST_IOTLB_OP_F_ALL_ASIDS,
	     });
}

enum sva_error sva_invalidate(struct sva *sva, const struct sva_caller *caller,
			      const struct sva_invalidation *invalidation)
{
	enum sva_error error = check_caches(invalidation);

	if (!error && invalidation->granularity != SVA_DOMAIN)
		error = check_pasid(sva, caller, invalidation);
	if (!error && invalidation->granularity == SVA_ADDRESS)
		error = check_range(invalidation);
	if (error)
		return error;

	if (invalidation->granularity == SVA_DOMAIN)
		emit_all(sva, caller->device);
	else if (invalidation->granularity == SVA_PASID)
		emit_pasid(sva, caller->device, invalidation->pasid);
	else
		emit_range(sva, caller->device, invalidation);
	return SVA_OK;
}

/* Those who go */

static void client_gone_from(struct sva *sva, struct device *device, uint64_t client)
{
	struct pasid **link = &device->pasids;

	if (device->has_table && device->table_client == client)
		detach(sva, device);
	while (*link) {
		if ((*link)->info.client != client) {
			link = &(*link)->next;
			continue;
		}
		if ((*link)->info.is_bound)
			unbind(sva, *link);
		free_pasid(sva, link);
	}
	drop_device_if_empty(sva, device);
}

void sva_client_gone(struct sva *sva, uint64_t client)
{
	struct device *device, *next;

	for (device = device_table_next(&sva->devices, NULL); device; device = next) {
		next = device_table_next(&sva->devices, device);
		client_gone_from(sva, device, client);
	}
}

static void forget(struct sva *sva, struct device *device)
{
	uint32_t number;

	device->has_table = false;
	while (device->pasids) {
		number = device->pasids->info.pasid;
		free_pasid(sva, &device->pasids);
		changed(sva, device->link.id, number);
	}
	drop_device_if_empty(sva, device);
}

void sva_forget_gone(struct sva *sva, bool (*is_there)(void *arg, uint64_t device), void *arg)
{
	struct device *device, *next;

	for (device = device_table_next(&sva->devices, NULL); device; device = next) {
		next = device_table_next(&sva->devices, device);
		if (!is_there(arg, device->link.id))
			forget(sva, device);
	}
}

static bool is_nowhere(void *arg, uint64_t device)
{
	(void)arg;
	(void)device;
	return false;
}

void sva_close(struct sva *sva)
{
	if (!sva)
		return;
	sva->options.changed = NULL;
	sva_forget_gone(sva, is_nowhere, NULL);
	free(sva->pasids);
	free(sva);
}

/* Questions */

bool sva_next(const struct sva *sva, uint64_t id, uint32_t after, struct sva_pasid_info *info)
{
	const struct device *device = find_device(sva, id);
	const struct pasid *pasid, *best = NULL;

	for (pasid = device ? device->pasids : NULL; pasid; pasid = pasid->next)
		if (pasid->info.pasid > after && (!best || pasid->info.pasid < best->info.pasid))
			best = pasid;
	if (best)
		*info = best->info;
	return best;
}

enum sva_error sva_space_of(const struct sva *sva, const struct sva_caller *caller, uint32_t number,
			    struct sva_space *space)
{
	const struct device *device = find_device(sva, caller->device);
	enum sva_error error;
	struct pasid *pasid;

	*space = (struct sva_space){.pasid = number};
	if (number && may_be_in_table(device, number)) {
		space->table = &device->table;
		return SVA_OK;
	}
	error = find_pasid(sva, caller, number, &pasid);
	if (error)
		return error;
	if (!pasid->info.is_bound)
		return SVA_NOT_BOUND;
	space->binding = &pasid->info.binding;
	return SVA_OK;
}

bool sva_find(const struct sva *sva, uint64_t id, uint32_t number, struct sva_space *space)
{
	*space = (struct sva_space){
		.pasid = number,
		.binding = sva_binding_of(sva, id, number),
		.table = sva_table_of(sva, id),
	};
	return find_device(sva, id);
}

bool sva_is_usable(const struct sva *sva, uint64_t client, uint64_t id, uint32_t number)
{
	const struct device *device = find_device(sva, id);
	const struct pasid *pasid = number <= SVA_PASID_LAST ? sva->pasids[number] : NULL;

	if (!device)
		return true;
	if (may_be_in_table(device, number))
		return may_use(client, device->table_client);
	return pasid && pasid->device == device && may_use(client, pasid->info.client);
}

bool sva_has_usable(const struct sva *sva, uint64_t client, uint64_t id)
{
	const struct device *device = find_device(sva, id);
	const struct pasid *pasid;

	if (!device || (device->has_table && may_use(client, device->table_client)))
		return true;
	for (pasid = device->pasids; pasid; pasid = pasid->next)
		if (may_use(client, pasid->info.client))
			return true;
	return false;
}

const struct sva_binding *sva_binding_of(const struct sva *sva, uint64_t device, uint32_t number)
{
	const struct pasid *pasid = number <= SVA_PASID_LAST ? sva->pasids[number] : NULL;

	if (!pasid || pasid->device->link.id != device || !pasid->info.is_bound)
		return NULL;
	return &pasid->info.binding;
}

const struct sva_table *sva_table_of(const struct sva *sva, uint64_t id)
{
	const struct device *device = find_device(sva, id);

	return device && device->has_table ? &device->table : NULL;
}

size_t sva_count_of(const struct sva *sva, uint64_t id)
{
	const struct device *device = find_device(sva, id);

	return device ? device->count : 0;
}
