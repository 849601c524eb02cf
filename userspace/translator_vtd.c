// SPDX-License-Identifier: GPL-2.0
/*
 * The guest has an IOMMU, VT-d, and what is mapped stands in tables in its
 * memory. They are walked for each miss: nothing that is read is kept, so there
 * is nothing to invalidate; only where the last walk has read helps to read for
 * the next (trail.h). What the guest changes while they are walked, it
 * invalidates afterwards, and vhost refuses the answer by its token.
 *
 * The guest may write anything there. A walk reads no more entries than
 * vtd_walk.h says, and answer_find() bounds where it leads to.
 */
#include <errno.h>
#include <stdlib.h>

#include "bpf/deliver.h"
#include "log.h"
#include "trail.h"
#include "translator.h"
#include "vtd_file.h"
#include "vtd_walk.h"

static int vtd_check(const struct translator_args *args)
{
	if (args->vtd_path || args->asks_qemu)
		return translator_refuse("vtd", "--table", args->table_path);
	log_error("--translator vtd has nothing to go by; give the monitor of the guest's "
		  "QEMU with --qmp, or describe the IOMMU with --vtd FILE");
	return -EINVAL;
}

static int vtd_open(struct translator *translator, const struct translator_args *args)
{
	struct vtd_file *file;
	int err;

	if (args->asks_qemu)
		return 0;
	file = malloc(sizeof(*file));
	if (!file) {
		log_error("no memory for the description of the IOMMU %s", args->vtd_path);
		return -ENOMEM;
	}
	err = vtd_file_load(file, args->vtd_path);
	if (err) {
		free(file);
		return err;
	}
	translator->state = file;
	return 0;
}

static struct iommu_view view_of(const struct translator *translator, size_t index)
{
	const struct vtd_file *file = translator->state;

	return (struct iommu_view){
		.unit = file->unit,
		.pasid = file->pasid,
		.source_id = vtd_file_source(file, index),
	};
}

static int vtd_translate(struct translator *translator, const struct lookup *lookup,
			 struct finding *finding)
{
	const struct iommu_view view =
		lookup->view ? *lookup->view : view_of(translator, lookup->index);
	const struct vtd_request request = {
		.iova = lookup->iova,
		.pasid = view.pasid,
		.source_id = view.source_id,
		.access = lookup->access,
		.merge = 1,
	};
	struct vtd_translation found;
	enum vtd_fault fault;
	struct trail_walk walk;

	trail_begin(&walk, &lookup->memory, lookup->trail, lookup->iova);
	fault = vtd_walk_whole(&view.unit, &request, trail_read, &walk, &found, &finding->walk);
	trail_end(&walk);
	return translator_walked(lookup, fault, &found, finding);
}

static size_t vtd_told_apart(const struct translator *translator)
{
	const struct vtd_file *file = translator->state;

	return file ? file->count : 1;
}

static void vtd_resolver(const struct translator *translator, size_t index,
			 struct resolver_device *device)
{
	const struct iommu_view view = view_of(translator, index);

	*device = (struct resolver_device){
		.unit = view.unit,
		.pasid = view.pasid,
		.source_id = view.source_id,
	};
}

static void vtd_close(struct translator *translator)
{
	free(translator->state);
	translator->state = NULL;
}

const struct translator_ops translator_vtd = {
	.name = "vtd",
	.summary = "walks the guest's own tables, of the IOMMU that QEMU or --vtd describes",
	.reads_memory = true,
	.check = vtd_check,
	.open = vtd_open,
	.translate = vtd_translate,
	.told_apart = vtd_told_apart,
	.resolver = vtd_resolver,
	.close = vtd_close,
};
