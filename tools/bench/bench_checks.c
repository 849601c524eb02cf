// SPDX-License-Identifier: GPL-2.0
#include "bench_checks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "virtq.h"

#define ENTRIES_FILE "/sys/module/vhost/parameters/max_iotlb_entries"
#define DEFAULT_ENTRIES 2048
#define TIMES_ENTRIES 16

uint64_t bench_default_working_set(void)
{
	FILE *file = fopen(ENTRIES_FILE, "re");
	uint64_t entries = 0;

	if (file) {
		if (fscanf(file, "%" SCNu64, &entries) != 1)
			entries = 0;
		fclose(file);
	}
	if (!entries || entries > DEFAULT_ENTRIES * DEFAULT_ENTRIES)
		entries = DEFAULT_ENTRIES;
	return entries * TIMES_ENTRIES;
}

__attribute__((format(printf, 1, 2))) static char *say(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text ? text : strdup("no memory");
}

static char *check_map(const struct options *o)
{
	const struct layout_options *l = &o->layout;

	if (l->identity && (l->map->is_dynamic || l->map->kind == MAP_KIND_SWEEP))
		return say("--iova identity needs --map fixed or random: with %s, many IOVAs share "
			   "a guest address",
			   l->map->name);
	if (l->map->kind != MAP_KIND_RANDOM && l->working_set)
		return say("--working-set goes with --map random only");
	if (l->map->kind != MAP_KIND_RANDOM && o->has_seed)
		return say("--seed goes with --map random only: nothing else is");
	if (!l->map->is_dynamic && o->no_invalidate)
		return say("--no-invalidate goes with --map strict, lazy and remap only: with %s, "
			   "nothing "
			   "is unmapped",
			   l->map->name);
	if (l->map->is_dynamic && o->iova == IOVA_TABLE && !options_serves(o))
		return say("--map %s with --server %s needs --iova vtd: what is mapped changes "
			   "during the run, and a table does not",
			   l->map->name, options_server(o));
	return NULL;
}

unsigned int bench_default_devices(const struct options *o)
{
	unsigned int queues = o->layout.has[DIRECTION_TX] + o->layout.has[DIRECTION_RX];

	return o->layout.processes % queues ? o->layout.processes : o->layout.processes / queues;
}

static char *check_without_processes(const struct options *o)
{
	if (o->layout.map->kind == MAP_KIND_REMAP)
		return say("--map remap needs --sva: it is what happens to the pages of processes");
	if (o->lifetime)
		return say("--lifetime goes with --sva only: it is that of processes");
	if (o->control)
		return say("--control goes with --sva only: it is about PASIDs");
	if (o->layout.paged)
		return say("--page-requests goes with --sva only: the pages are those of "
			   "processes");
	if (o->layout.one_space)
		return say("--one-space goes with --sva only: without, it is always so");
	return NULL;
}

static char *check_paging(const struct options *o)
{
	const struct layout_options *l = &o->layout;

	if (!l->paged)
		return o->refuse ? say("--refuse goes with --page-requests only") : NULL;
	if (!options_serves(o) && !o->control)
		return say("--page-requests with --server %s needs --control: a page is asked for "
			   "at the control socket of the iotlbd that is started",
			   options_server(o));
	if (l->one_space)
		return say("--page-requests does not go with --one-space");
	if (o->refuse && l->in_flight > 1)
		return say("--refuse needs --in-flight 1: a packet that is sent again would come "
			   "behind others");
	return NULL;
}

static char *check_processes(const struct options *o)
{
	const struct layout_options *l = &o->layout;
	unsigned int queues = l->has[DIRECTION_TX] + l->has[DIRECTION_RX];

	if (!l->processes)
		return check_without_processes(o);
	if (l->processes != l->devices && l->processes != l->devices * queues)
		return say("--sva %u does not go with --devices %u: there is a process for each "
			   "device, or one for each of its %u virtqueues",
			   l->processes, l->devices, queues);
	if (o->iova != IOVA_VTD)
		return say("--sva does not go with --iova %s: page tables of processes are those "
			   "of an IOMMU, vtd",
			   options_iova(o));
	if (l->map->kind == MAP_KIND_SWEEP)
		return say("--sva does not go with --map sweep: a process does not get an address "
			   "for each packet; remap gives the address another page");
	if (l->page != SLOT_SIZE)
		return say("--sva needs --page 4k: processes share no pages, and have small ones");
	if (o->prefault)
		return say("--sva does not go with --prefault: a process tells the device of no "
			   "mappings");
	if (o->table)
		return say("--write-table does not go with --sva: an address means another page "
			   "for each process");
	if (l->one_space && l->processes == l->devices)
		return say("--one-space needs a process for each virtqueue: --direction both, and "
			   "--sva twice --devices");
	if (l->one_space && (o->lifetime || l->map->is_dynamic))
		return say("--one-space needs processes that do not end, and --map fixed or "
			   "random");
	return NULL;
}

static char *check_memory(const struct options *o)
{
	const struct layout_options *l = &o->layout;

	if (l->fragments && l->page != SLOT_SIZE)
		return say("--fragments needs --page 4k: a page of %s is not in pieces", o->page);
	if (l->fragments && l->identity)
		return say("--fragments does not go with --iova identity: pages that follow each "
			   "other by IOVA would do so in guest memory");
	if (!l->indirect && l->in_flight * l->chain > VIRTQ_SIZE)
		return say("--in-flight %u of --chain %u are more descriptors than the %d of a "
			   "virtqueue; --indirect puts them elsewhere",
			   l->in_flight, l->chain, VIRTQ_SIZE);
	return NULL;
}

static char *check_server(const struct options *o)
{
	if (o->server == SERVER_KERNEL && o->iova != IOVA_VTD)
		return say("--server kernel needs --iova vtd: the kernel walks the tables of an "
			   "IOMMU");
	if (o->control && !options_starts_iotlbd(o))
		return say("--control goes with --server ring or kernel only: the socket is that "
			   "of the iotlbd that is started");
	if (o->iotlbd && !options_starts_iotlbd(o))
		return say("--iotlbd goes with --server ring or kernel only");
	return NULL;
}

static char *check_files(const struct options *o)
{
	const char *const files[] = {o->table, o->vtd};

	if (o->run && !o->table && !o->vtd)
		return say("--run goes with --write-table or --write-vtd only");
	for (int i = 0; i < 2; i++)
		if (o->run && files[i] && !strcmp(files[i], "-"))
			return say("--run with --write-%s -: that and the results would both go "
				   "to the standard output; give a file",
				   i ? "vtd" : "table");
	if (o->vtd && o->iova != IOVA_VTD)
		return say("--write-vtd goes with --iova vtd only");
	if (o->table && o->vtd && !strcmp(o->table, o->vtd))
		return say("--write-table and --write-vtd would both write %s", o->table);
	if (o->table && o->layout.map->is_dynamic)
		return say("--write-table does not go with --map %s: what is mapped changes during "
			   "the run",
			   o->layout.map->name);
	return NULL;
}

static char *check_layout(const struct options *o)
{
	const struct layout_options *l = &o->layout;
	struct layout unused;

	switch (layout_init(&unused, l)) {
	case LAYOUT_GOOD:
		break;
	case LAYOUT_NO_IOVA:
		if (l->map->kind != MAP_KIND_SWEEP)
			return say("--in-flight %u at --page %s with %u devices needs more IOVA "
				   "space than there is",
				   l->in_flight, o->page, l->devices);
		return say(
			"--count %" PRIu64
			" at --page %s needs more IOVA space than the %d bits there are; %" PRIu64
			" packets fit with this number of devices",
			l->packets, o->page, l->vtd ? 48 : 57, layout_most_packets(l));
	case LAYOUT_NO_MEMORY:
		return say("--in-flight %u at --page %s with %u devices needs more guest memory "
			   "than there can be",
			   l->in_flight, o->page, l->devices);
	case LAYOUT_NO_TABLES:
		return say(
			"the tables of the IOMMU would take %" PRIu64
			" MiB, and there is room for 512; fewer --count or --devices, or a larger "
			"--page, need fewer",
			layout_vtd_pages(&unused) * SLOT_SIZE >> 20);
	case LAYOUT_NO_SET:
		return say("--working-set %" PRIu64 " is too small for --in-flight %u: each queue "
			   "needs twice as many buffers as are in flight",
			   l->working_set, l->in_flight);
	}
	return NULL;
}

char *bench_check(const struct options *o)
{
	static char *(*const checks[])(const struct options *o) = {
		check_processes, check_paging, check_map,    check_memory,
		check_server,	 check_files,  check_layout,
	};
	char *message = NULL;

	for (unsigned int i = 0; i < sizeof(checks) / sizeof(checks[0]) && !message; i++)
		message = checks[i](o);
	return message;
}
