// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "walk_memory.h"
#include "walk_record.h"

/* For vtd_walk() */
static int read_step(void *arg, enum vtd_table table, int level, __u64 gpa, void *to, __u32 size)
{
	struct walk_record *record = arg;
	struct walk_step *step = &record->steps[record->count];

	if (record->count == VTD_MAX_READS_NESTED || size > sizeof(step->words))
		return -E2BIG;
	record->count++;
	*step = (struct walk_step){
		.table = table,
		.level = level,
		.gpa = gpa,
		.count = size / sizeof(step->words[0]),
	};
	step->err = walk_memory_read(record->memory, gpa, step->words, size);
	memcpy(to, step->words, size);
	return step->err;
}

void walk_record(struct walk_record *record)
{
	record->count = 0;
	vtd_walk(record->unit, &record->request, read_step, record, &record->translation,
		 &record->where);
}
