// SPDX-License-Identifier: GPL-2.0
#include "library.h"

#include "tables.h"
#include "tests/kernel/batch.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"

#define CLIENT 1

static void emit(void *arg, uint64_t id, const struct vhost_iotlb_op *op)
{
	const struct library *l = arg;

	for (unsigned int i = 0; i < l->nr_devices; i++)
		if (l->ids[i] == id && batch_write_op(l->devices[i], op))
			bail_out("vhost refuses an operation");
}

void library_open(struct library *l)
{
	const struct sva_options options = {.quota = SVA_QUOTA_DEFAULT, .emit = emit, .arg = l};

	*l = (struct library){.sva = sva_open(&options)};
	if (!l->sva)
		bail_out("no memory for PASIDs");
}

void library_close(struct library *l)
{
	sva_close(l->sva);
}

unsigned int library_add(struct library *l, struct device *device, uint64_t id)
{
	unsigned int number = l->nr_devices++;

	if (number == LIBRARY_DEVICES)
		bail_out("too many devices");
	l->devices[number] = device;
	l->ids[number] = id;
	l->regions[number] = (struct memory_region){
		.last = GUEST_PAGES * PAGE - 1,
		.hva = (uintptr_t)device_page(device, 0),
	};
	l->memory[number] = (struct memory_table){.regions = &l->regions[number], .count = 1};
	return number;
}

static struct sva_caller caller(const struct library *l, unsigned int number)
{
	return (struct sva_caller){
		.client = CLIENT,
		.device = l->ids[number],
		.memory = &l->memory[number],
	};
}

static void require(enum sva_error error)
{
	if (error)
		bail_out("refused: %s", sva_error_text(error));
}

void library_alloc(struct library *l, unsigned int number, uint32_t pasid)
{
	const struct sva_caller who = caller(l, number);
	uint32_t got;

	require(sva_alloc(l->sva, &who, pasid, pasid, false, &got));
}

void library_free(struct library *l, unsigned int number, uint32_t pasid)
{
	const struct sva_caller who = caller(l, number);

	require(sva_free(l->sva, &who, pasid));
}

void library_bind(struct library *l, unsigned int number, uint32_t pasid, uint64_t root)
{
	const struct sva_binding binding = {.root = root, .width = 48};
	const struct sva_caller who = caller(l, number);

	require(sva_bind(l->sva, &who, pasid, &binding));
}

void library_unbind(struct library *l, unsigned int number, uint32_t pasid)
{
	const struct sva_caller who = caller(l, number);

	require(sva_unbind(l->sva, &who, pasid));
}

void library_invalidate(struct library *l, unsigned int number, enum sva_granularity granularity,
			uint32_t pasid, uint64_t address)
{
	const bool is_range = granularity == SVA_ADDRESS;
	const struct sva_invalidation what = {
		.caches = SVA_CACHE_IOTLB,
		.granularity = granularity,
		.has_pasid = granularity != SVA_DOMAIN,
		.pasid = granularity == SVA_DOMAIN ? 0 : pasid,
		.address = is_range ? address : 0,
		.granule = is_range ? PAGE : 0,
		.count = is_range,
	};
	const struct sva_caller who = caller(l, number);

	require(sva_invalidate(l->sva, &who, &what));
}
