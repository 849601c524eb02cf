// SPDX-License-Identifier: GPL-2.0
#include "vtd_file.h"

#include <inttypes.h>

#include "sva_tables.h"
#include "vtd_tables.h"

int vtd_file_write(const struct layout *l, FILE *file)
{
	uint64_t gpa = l->areas[AREA_VTD].gpa;

	/* The whole of RTADDR_REG: legacy mode is 0 in its lowest bits. */
	fprintf(file, "root 0x%" PRIx64 "\n", l->o.processes ? sva_tables_root(gpa) : gpa);
	fprintf(file, "width 48\nsagaw 48\nlarge 2m,1g\npass-through no\nnested %s\n",
		l->o.processes ? "yes" : "no");
	for (unsigned int i = 0; i < l->o.devices; i++) {
		uint16_t id = vtd_source_id(i);

		fprintf(file, "device %02x:%02x.%x\n", id >> 8, id >> 3 & 0x1f, id & 7);
	}
	return ferror(file) ? -1 : 0;
}
