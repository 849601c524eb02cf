// SPDX-License-Identifier: GPL-2.0
/*
 * The data file of iotlb-record: what is read is within the bounds of a record,
 * the same when it is written and read again, and makes a report in which
 * nothing of it is markup.
 */
#include <stdio.h>

#include "number.h"
#include "tools/record/data_file.h"
#include "tools/record/report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_bytes(struct record *record, const void *bytes, size_t size)
{
	char error[DATA_ERROR_MAX];
	FILE *in = fmemopen((void *)bytes, size, "r");
	int err;

	CHECK(in);
	memset(record, 0, sizeof(*record));
	err = data_read(record, in, error);
	fclose(in);
	CHECK(memchr(error, '\0', sizeof(error)));
	CHECK(!err == !error[0]);
	return err;
}

static void check_heat(const struct heat *heat)
{
	CHECK(heat->count <= HEAT_ROWS && heat->columns <= HEAT_COLUMNS && heat->bucket_ns);
	CHECK(heat->shift >= HEAT_SHIFT_MIN && heat->shift <= HEAT_SHIFT_MAX);
	for (size_t i = 1; i < heat->count; i++)
		CHECK(heat->rows[i].number > heat->rows[i - 1].number);
}

static void check(const struct record *record)
{
	CHECK(record->timeline.count <= TIMELINE_BUCKETS && record->timeline.bucket_ns);
	CHECK(record->nr_devices <= RECORD_DEVICES && record->nr_maps <= RECORD_MAPS + 1);
	CHECK(record->status >= 0 && record->status <= 255);
	for (size_t i = 0; i < record->nr_devices; i++)
		CHECK(record->devices[i].count <= RECORD_QUEUES);
	for (size_t i = 0; i < record->nr_maps; i++) {
		CHECK(record->maps[i].timeline.count <= TIMELINE_BUCKETS);
		check_heat(&record->maps[i].heat);
	}
}

static size_t occurrences(const char *text, const char *what)
{
	size_t count = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		count++;
	return count;
}

static void check_report(const struct record *record, size_t count)
{
	const struct report_input inputs[2] = {{record, "<script>&\"'"}, {record, NULL}};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	report_write(inputs, count, out);
	CHECK(!ferror(out));
	fclose(out);
	CHECK(strlen(text) == size);
	CHECK(occurrences(text, "<script") == 1 && occurrences(text, "</script") == 1);
	CHECK(occurrences(text, "<svg") == occurrences(text, "</svg>"));
	CHECK(!strstr(text, "=\"nan") && !strstr(text, "inf\"") && !strstr(text, " nan"));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record record, again;
	char *text = NULL;
	size_t length = 0;
	FILE *out;

	if (!size || read_bytes(&record, data, size))
		return 0;
	check(&record);

	out = open_memstream(&text, &length);
	CHECK(out);
	CHECK(!data_write(&record, out));
	fclose(out);
	CHECK(!read_bytes(&again, text, length));
	/* Written with milliseconds. */
	again.start = record.start;
	CHECK(!memcmp(&record, &again, sizeof(record)));
	free(text);

	check_report(&record, 1);
	check_report(&record, 2);
	return 0;
}
