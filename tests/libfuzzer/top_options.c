// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers on the command line of iotlb-top: each line of the input is an option
 * and what it is given.
 */
#include "number.h"
#include "refused.h"
#include "tools/top/top_options.h"

#define ARGUMENTS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const prefixes[] = {
	"--count=", "--duration=", "--max-queues=", "--pid=", "--rows=", "--sort=", "",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct top_options options;
	static char name[] = "iotlb-top", end[] = "--";
	char *argv[ARGUMENTS_MAX + 3] = {name};
	char *text = strndup((const char *)data, size);
	char *plain[2] = {};
	int argc = 1, first, nr = 0;

	CHECK(text);
	for (char *line = strtok(text, "\n"); line && argc < ARGUMENTS_MAX;
	     line = strtok(NULL, "\n")) {
		const size_t which = (unsigned char)line[0] % 7;

		if (which < 6)
			CHECK(asprintf(&argv[argc++], "%s%s", prefixes[which], line + 1) >= 0);
		else if (nr < 2)
			plain[nr++] = line + 1;
	}
	first = argc;
	argv[argc++] = end;
	for (int i = 0; i < nr; i++)
		argv[argc++] = plain[i];

	refused = false;
	top_options_parse(&options, argc, argv);
	if (!refused) {
		CHECK(options.interval >= 0.01 && options.interval <= 366 * 24 * 3600.0);
		CHECK(options.duration >= 0 && options.duration <= 366 * 24 * 3600.0);
		CHECK(options.count <= INT32_MAX && options.rows <= INT32_MAX);
		CHECK(options.pid >= 0 && options.max_queues >= 1);
	}
	while (first > 1)
		free(argv[--first]);
	free(text);
	return 0;
}
