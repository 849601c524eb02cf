// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_info.h"
#include "qemu_text.h"

/*
 * "net0: index=0,type=tap,ifname=guest0,script=no,downscript=no", or ",fd=10" in
 * place of the name, or ",helper=..." which says nothing.
 */
static void read_tap(struct qemu_info *info, const char *netdev, const char *rest)
{
	const char *value;
	size_t i;

	for (i = 0; i < info->nic_count; i++) {
		struct qemu_nic *nic = &info->nics[i];

		/* Of several queues, all have the same tap. */
		if (strcmp(nic->netdev, netdev) || nic->is_tap)
			continue;
		nic->is_tap = true;
		value = qemu_after(rest, "ifname=");
		/* A longer name is none: cut, it could be another's. */
		if (value && strcspn(value, ",") < sizeof(nic->tap))
			qemu_copy_name(nic->tap, sizeof(nic->tap), value, ",");
		value = qemu_after(rest, "fd=");
		if (value && isdigit((unsigned char)*value) && strlen(value) < 10)
			nic->tap_fd = (int)strtol(value, NULL, 10);
	}
}

void qemu_read_network(struct qemu_info *info, const char *text)
{
	static const char kind[] = ",type=tap,";
	char line[QEMU_LINE_MAX], *name, *end, *tap;
	size_t indent;

	while ((text = qemu_next_line(text, line, &indent))) {
		name = line;
		if (name[0] == '\\')
			name += 1 + strspn(name + 1, " ");
		end = strstr(name, ": index=");
		tap = end ? strstr(end, kind) : NULL;
		if (!tap)
			continue;
		*end = '\0';
		if (*name && strlen(name) < QEMU_NAME_MAX)
			read_tap(info, name, tap + sizeof(kind) - 1);
	}
}

const struct qemu_nic *qemu_find_nic(const struct qemu_info *info, const char *tap)
{
	const struct qemu_nic *found = NULL;
	size_t i;

	for (i = 0; i < info->nic_count; i++) {
		if (!*tap || strcmp(info->nics[i].tap, tap))
			continue;
		if (found)
			return NULL;
		found = &info->nics[i];
	}
	return found;
}

const struct qemu_nic *qemu_only_nic(const struct qemu_info *info)
{
	const struct qemu_nic *found = NULL;
	size_t i;

	for (i = 0; i < info->nic_count; i++) {
		if (!info->nics[i].is_tap || !info->nics[i].iommu_platform)
			continue;
		if (found)
			return NULL;
		found = &info->nics[i];
	}
	return found;
}
