// SPDX-License-Identifier: GPL-2.0
/*
 * The description of an IOMMU, userspace/vtd_file.c: what is read is within the
 * bounds of the format, and when it is written and read again, the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "number.h"
#include "vtd_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_bytes(struct vtd_file *file, const void *bytes, size_t size)
{
	char error[VTD_FILE_ERROR_MAX] = "";
	FILE *stream = fmemopen((void *)bytes, size, "r");
	int err;

	CHECK(stream);
	err = vtd_file_read(file, stream, "t", error);
	fclose(stream);
	CHECK(memchr(error, '\0', sizeof(error)));
	if (err)
		CHECK(err == -EINVAL && !strncmp(error, "t:", 2));
	else
		CHECK(!*error);
	return err;
}

static void check(const struct vtd_file *file)
{
	const struct vtd_unit *unit = &file->unit;

	CHECK(unit->address_width >= 39 && unit->address_width <= 52);
	CHECK(unit->sagaw && !(unit->sagaw & ~0xe));
	CHECK(!(unit->large_pages & ~3) && !(unit->flags & ~15));
	CHECK(file->pasid == VTD_NO_PASID || file->pasid < 1 << 20);
	CHECK(file->count >= 1 && file->count <= VTD_FILE_MAX_DEVICES);
}

static const char *yes_if(unsigned int set)
{
	return set ? "yes" : "no";
}

static void write_file(FILE *out, const struct vtd_file *file)
{
	static const char *const large[] = {"none", "2m", "1g", "1g,2m"};
	static const char *const widths[] = {"",   "39",    "48",    "39,48",
					     "57", "57,39", "57,48", "39,57,48"};
	const struct vtd_unit *unit = &file->unit;

	fprintf(out, "root %" PRIu64 "\nwidth %u # of addresses\n\n", (uint64_t)unit->root,
		unit->address_width);
	fprintf(out, "sagaw %s\nlarge %s\n", widths[unit->sagaw >> 1], large[unit->large_pages]);
	fprintf(out, "pass-through %s\nnested %s\n", yes_if(unit->flags & VTD_UNIT_PASS_THROUGH),
		yes_if(unit->flags & VTD_UNIT_NESTED));
	fprintf(out, "first-level %s%s%s%s\n", unit->flags & VTD_UNIT_FIRST_1G ? "1g" : "",
		(unit->flags & 6) == 6 ? "," : "", unit->flags & VTD_UNIT_FIRST_5 ? "5" : "",
		unit->flags & 6 ? "" : "none");
	if (file->pasid != VTD_NO_PASID)
		fprintf(out, "pasid 0x%x\n", file->pasid);
	for (size_t i = 0; i < file->count; i++)
		fprintf(out, "device %02x:%02x.%x\n", file->sources[i] >> 8,
			file->sources[i] >> 3 & 31, file->sources[i] & 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vtd_file file, again;
	char *text = NULL;
	size_t length = 0;
	FILE *out;

	if (!size || read_bytes(&file, data, size))
		return 0;
	check(&file);

	out = open_memstream(&text, &length);
	CHECK(out);
	write_file(out, &file);
	fclose(out);
	CHECK(!read_bytes(&again, text, length));
	CHECK(!memcmp(&file.unit, &again.unit, sizeof(file.unit)));
	CHECK(file.pasid == again.pasid && file.count == again.count);
	CHECK(!memcmp(file.sources, again.sources, file.count * sizeof(*file.sources)));
	free(text);
	return 0;
}
