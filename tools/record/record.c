// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "record.h"

struct record *record_new(void)
{
	struct record *record = calloc(1, sizeof(*record));

	if (record)
		record->timeline.bucket_ns = RECORD_TIMELINE_NS;
	return record;
}

const struct record_device *record_device(const struct record *record, uint64_t id)
{
	size_t i;

	for (i = 0; i < record->nr_devices; i++)
		if (record->devices[i].id == id)
			return &record->devices[i];
	return NULL;
}
