// SPDX-License-Identifier: GPL-2.0
/* The text of a vhost fd's fdinfo, for all that reads it. */
#include <errno.h>

#include "device.h"
#include "fdinfo.h"
#include "memory_table.h"
#include "number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Numbers of a line, read by fdinfo_numbers() and here. */
static void check_numbers(const char *value)
{
	char *line = strndup(value, strcspn(value, "\n"));
	uint64_t numbers[3], number;
	int err = fdinfo_numbers(value, numbers, 3);
	unsigned int nr = 0;
	bool good = true;

	CHECK(line);
	for (char *word = strtok(line, " \t"); word; word = strtok(NULL, " \t"), nr++)
		if (!number_is(word, false, NULL, &number) ||
		    (nr < 3 && !err && number != numbers[nr]))
			good = false;
	/* Other blanks are not what the kernel prints. */
	if (!strpbrk(line, "\v\f\r"))
		CHECK(!err == (good && nr == 3));
	CHECK(!err || err == -EPROTO);
	free(line);
}

static void check_table(const char *text)
{
	struct memory_table table = {};
	int err = memory_table_parse(&table, text);
	bool overlaps = false;

	CHECK(!err || err == -EPROTO);
	for (size_t i = 0; i < table.count; i++) {
		const struct memory_region *region = &table.regions[i];
		const struct memory_region *found = memory_table_find(&table, region->gpa);

		CHECK(region->gpa <= region->last);
		CHECK(!i || table.regions[i - 1].gpa <= region->gpa);
		overlaps |= i && table.regions[i - 1].last >= region->gpa;
		CHECK(found && found->gpa <= region->gpa && found->last >= region->gpa);
		CHECK(memory_table_find(&table, region->last));
	}
	/* What lies behind another region is never used; that counts as a change. */
	CHECK(overlaps || memory_table_keeps(&table, &table));
	memory_table_clear(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct vhost_device device = {};
	const char *value = text;

	CHECK(text);
	while ((value = fdinfo_next(value, "vhost-mem")))
		check_numbers(value);
	check_table(text);
	vhost_fdinfo_parse(text, &device);
	CHECK(memchr(device.tap, '\0', sizeof(device.tap)));
	for (const char *c = device.tap; *c; c++)
		CHECK(*c > ' ' && *c <= '~');
	free(text);
	return 0;
}
