// SPDX-License-Identifier: GPL-2.0
#include "iova_table.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <linux/vhost_types.h>

static int write_line(const struct mapping *m, void *arg)
{
	static const char *const perms[] = {
		[VHOST_ACCESS_RO] = "r",
		[VHOST_ACCESS_WO] = "w",
		[VHOST_ACCESS_RW] = "rw",
	};

	return fprintf(arg, "0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " %s\n", m->iova, m->size,
		       m->gpa, perms[m->perm]) < 0;
}

int iova_table_write(const struct layout *l, const char *path)
{
	bool is_stdout = !strcmp(path, "-");
	FILE *file = is_stdout ? stdout : fopen(path, "we");
	int result;

	if (!file) {
		warn("cannot write the table to %s", path);
		return -1;
	}
	result = layout_for_each(l, ALL_DEVICES, false, write_line, file);
	/* What does not fit on the disk shows only now. */
	if (is_stdout ? fflush(file) : fclose(file))
		result = -1;
	if (result) {
		warn("cannot write the table to %s", path);
		return -1;
	}
	return 0;
}
