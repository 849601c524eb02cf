// SPDX-License-Identifier: GPL-2.0
#include "iova_table.h"

#include <inttypes.h>
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

int iova_table_write(const struct layout *l, FILE *file)
{
	return layout_for_each(l, ALL_DEVICES, false, write_line, file) ? -1 : 0;
}
