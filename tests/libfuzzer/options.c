// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers on the command line of iotlbd: each line of the input is an option
 * and what it is given.
 */
#include <limits.h>
#include <unistd.h>

#include "number.h"
#include "options.h"
#include "refused.h"

#define ARGUMENTS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const prefixes[] = {
	"--pid=",
	"--ring-size=",
	"--max-unanswered=",
	"--stats=",
};

/* Is it a number that must be taken? */
static bool must_be_taken(const char *text, uint64_t most)
{
	uint64_t number;

	return strspn(text, "0123456789") == strlen(text) &&
	       number_is(text, false, NULL, &number) && number >= 1 && number <= most;
}

static void check(const struct options *options)
{
	const size_t ring = options->ring_size;

	for (size_t i = 0; i < options->pid_count; i++)
		CHECK(options->pids[i] >= 1);
	CHECK(ring >= (size_t)sysconf(_SC_PAGESIZE) && ring <= OPTIONS_RING_SIZE_MAX);
	CHECK(!(ring & (ring - 1)));
	CHECK(options->max_unanswered >= 1 && options->max_unanswered <= INT_MAX);
	CHECK(options->stats_seconds <= 86400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options options;
	static char name[] = "iotlbd", translator[] = "--translator=identity";
	char *argv[ARGUMENTS_MAX + 3] = {name, translator};
	char *text = strndup((const char *)data, size);
	bool all_good = true;
	int argc = 2;

	CHECK(text);
	for (char *line = strtok(text, "\n"); line && argc < ARGUMENTS_MAX;
	     line = strtok(NULL, "\n")) {
		const size_t which = (unsigned char)line[0] % 4;

		CHECK(asprintf(&argv[argc], "%s%s", prefixes[which], line + 1) >= 0);
		/* A ring's size is more than a number. */
		if (which == 1 || !must_be_taken(line + 1, which == 3 ? 86400 : INT_MAX))
			all_good = false;
		argc++;
	}
	free(text);

	refused = false;
	options_parse(&options, argc, argv);
	if (!refused)
		check(&options);
	CHECK(!(refused && all_good));
	while (argc > 2)
		free(argv[--argc]);
	return 0;
}
