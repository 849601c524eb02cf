// SPDX-License-Identifier: GPL-2.0
/*
 * iotlb-walk - shows how a guest's IOMMU tables translate an address
 *
 * The walk is that of iotlbd (include/vtd_walk.h), and so are the description
 * of the IOMMU and the way to a process's guest memory. Each read of the walk is
 * recorded; what it has read is put into words afterwards.
 *
 * Of a PASID that is managed at iotlbd's control socket, the beginning of the walk
 * stands in no table: it is given (walk_space), or iotlbd is asked for it
 * (walk_control).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "device_index.h"
#include "log.h"
#include "vtd_file.h"
#include "walk/walk_control.h"
#include "walk/walk_memory.h"
#include "walk/walk_options.h"
#include "walk/walk_record.h"
#include "walk/walk_view.h"

static uint16_t source_of(const struct walk_options *options, const struct vtd_file *file,
			  const struct walk_memory *memory)
{
	size_t index = 0;

	if (options->has_source)
		return options->source;
	if (options->pid)
		index = device_index(options->pid, memory->device.id, file->count - 1);
	return vtd_file_source(file, index);
}

/* Returns whether all have a translation. */
static bool walk_all(const struct walk_options *options, const struct vtd_file *file,
		     const struct walk_memory *memory)
{
	static struct walk_record record;
	bool good = true;
	size_t i;

	record.unit = &file->unit;
	record.space = &options->space;
	record.memory = memory;
	record.request = (struct vtd_request){
		.pasid = options->has_pasid ? options->pasid : file->pasid,
		.source_id = source_of(options, file, memory),
		.access = options->access,
	};
	for (i = 0; i < options->iova_count; i++) {
		record.request.iova = options->iovas[i];
		walk_record(&record);
		if (options->json) {
			walk_view_json(stdout, &record);
		} else {
			if (i)
				putchar('\n');
			walk_view_text(stdout, &record);
		}
		good = good && !record.where.fault;
	}
	return good;
}

/* The IOMMU, if there is one. */
static bool load_iommu(struct vtd_file *file, struct walk_options *options)
{
	options->space.has_iommu = options->vtd_path;
	if (options->vtd_path)
		return !vtd_file_load(file, options->vtd_path);
	*file = (struct vtd_file){
		.unit = walk_space_any_unit(),
		.pasid = VTD_NO_PASID,
		.count = 1,
	};
	return true;
}

/* Fills in what iotlbd knows. */
static bool ask_iotlbd(struct walk_options *options)
{
	struct walk_target target = {.dev = options->dev, .pasid = options->pasid};

	if (!options->control)
		return true;
	if (walk_control_ask(options->control, &target))
		return false;
	if (target.space.kind == WALK_SPACE_IOMMU && !options->vtd_path) {
		log_error("nobody manages PASIDs of device %" PRIu64 " at %s, so it is for the "
			  "guest's IOMMU to say what they are: describe it with --vtd",
			  target.dev, options->control);
		return false;
	}
	options->pid = target.pid;
	options->dev = target.dev;
	options->space = target.space;
	return true;
}

int main(int argc, char **argv)
{
	static struct walk_options options;
	static struct walk_memory memory;
	static struct vtd_file file;
	bool good;

	walk_options_parse(&options, argc, argv);
	if (!ask_iotlbd(&options) || !load_iommu(&file, &options))
		return EXIT_FAILURE;
	good = !walk_memory_open(&memory, &options) && walk_all(&options, &file, &memory);
	walk_memory_close(&memory);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write to standard output");
		return EXIT_FAILURE;
	}
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
