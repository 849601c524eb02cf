// SPDX-License-Identifier: GPL-2.0
#include "fdinfo.h"

#include <inttypes.h>
#include <stdio.h>

#include "check.h"
#include "module.h"

static void parse_space(struct fdinfo *info, const char *line)
{
	struct fdinfo_space space;

	if (sscanf(line, "vhost-iotlb-as:\t%u %u %u %15[0-9 ]", &space.asid, &space.entries,
		   &space.limit, space.queues) != 4)
		return;
	if (info->nr_spaces < FDINFO_SPACES)
		info->spaces[info->nr_spaces] = space;
	info->nr_spaces++;
}

static void parse_line(struct fdinfo *info, const char *line)
{
	struct fdinfo_region region;

	parse_space(info, line);
	if (sscanf(line, "vhost-id:\t%" SCNu64, &info->id) == 1)
		info->has_id = true;
	if (sscanf(line, "vhost-iotlb:\t%u %u", &info->entries, &info->limit) == 2)
		info->has_iotlb = true;
	if (sscanf(line, "vhost-iotlb-fallback:\t%u %u %u", &info->timeouts, &info->refused,
		   &info->detached) == 3)
		info->has_fallbacks = true;
	if (sscanf(line, "vhost-mem-seq:\t%" SCNu64, &info->mem_seq) == 1)
		info->has_mem_seq = true;
	sscanf(line, "iff:\t%15s", info->tap);
	if (sscanf(line, "vhost-mem:\t0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64, &region.gpa,
		   &region.size, &region.hva) != 3)
		return;
	if (info->nr_regions < FDINFO_REGIONS)
		info->regions[info->nr_regions] = region;
	info->nr_regions++;
}

void fdinfo_read(struct fdinfo *info, int fd)
{
	char path[64], line[256];
	FILE *file;

	*info = (struct fdinfo){0};
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		bail_out_errno("cannot open %s", path);
	while (fgets(line, sizeof(line), file))
		parse_line(info, line);
	fclose(file);
}

unsigned int fdinfo_entries(int fd)
{
	struct fdinfo info;

	fdinfo_read(&info, fd);
	return info.entries;
}

int fdinfo_entries_in(int fd, uint32_t asid)
{
	struct fdinfo info;

	fdinfo_read(&info, fd);
	if (!asid)
		return info.has_iotlb ? (int)info.entries : -1;
	for (unsigned int i = 0; i < info.nr_spaces && i < FDINFO_SPACES; i++)
		if (info.spaces[i].asid == asid)
			return info.spaces[i].entries;
	return -1;
}

uint64_t fdinfo_id(int fd)
{
	struct fdinfo info;

	fdinfo_read(&info, fd);
	return info.id;
}

unsigned int fdinfo_limit(void)
{
	return module_parameter(MODULE_LIMIT);
}
