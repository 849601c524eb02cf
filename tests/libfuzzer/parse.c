// SPDX-License-Identifier: GPL-2.0
/* Numbers that people write, userspace/parse.c. */
#include "number.h"
#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t bounds[2], value = 0, expected = 0;
	char *text;
	bool good;

	if (size < sizeof(bounds))
		return 0;
	memcpy(bounds, data, sizeof(bounds));
	text = strndup((const char *)data + sizeof(bounds), size - sizeof(bounds));
	CHECK(text);
	good = number_is(text, true, NULL, &expected) && expected >= bounds[0] &&
	       expected <= bounds[1];
	CHECK(parse_number(text, bounds[0], bounds[1], &value) == good);
	CHECK(!good || value == expected);
	free(text);
	return 0;
}
