// SPDX-License-Identifier: GPL-2.0
#include "fdinfo.h"

#include <inttypes.h>
#include <stdio.h>

#include "check.h"

static void parse_line(struct fdinfo *info, const char *line)
{
	struct fdinfo_region region;

	if (sscanf(line, "vhost-id:\t%" SCNu64, &info->id) == 1)
		info->has_id = true;
	if (sscanf(line, "vhost-iotlb:\t%u %u", &info->entries, &info->limit) == 2)
		info->has_iotlb = true;
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

uint64_t fdinfo_id(int fd)
{
	struct fdinfo info;

	fdinfo_read(&info, fd);
	return info.id;
}

unsigned int fdinfo_limit(void)
{
	static const char path[] = "/sys/module/vhost/parameters/max_iotlb_entries";
	FILE *file = fopen(path, "re");
	unsigned int limit;

	if (!file || fscanf(file, "%u", &limit) != 1)
		bail_out("cannot read %s", path);
	fclose(file);
	return limit;
}
