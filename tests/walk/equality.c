// SPDX-License-Identifier: GPL-2.0
/*
 * Makes guests at random and compares the page walk of include/vtd_walk.h, for
 * many addresses of each, with a second one that is slow and obvious.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "compare.h"
#include "generate.h"
#include "image.h"
#include "tally.h"
#include "tests/number.h"

/* Requests to a guest: so many that it costs little to make one. */
#define REQUESTS 250

/* From so many walks on, each end must have come at least so often. */
#define ENOUGH 10000000
#define LEAST 100

static struct {
	uint64_t seed, start, count;
	int chaos;
	const char *save;
	bool verbose;
} options = {.seed = 1, .count = ENOUGH, .chaos = -1};

static struct scene scene;
static struct tally tally;
static struct comparison comparison;

static void usage(FILE *stream)
{
	fputs("Usage: walk_equality [OPTION]...\n"
	      "\n"
	      "Compares the page walk of include/vtd_walk.h with a reference, in guests made\n"
	      "at random.\n"
	      "\n"
	      "  --seed N      what the guests follow from (default 1)\n"
	      "  --count N     how many walks to compare (default 10000000, with which all\n"
	      "                ways to end must come 100 times)\n"
	      "  --start N     begin with walk N\n"
	      "  --chaos N     mutilate N of 1000 words of tables (default: it varies)\n"
	      "  --save DIR    write the first walk of each end there, for the fuzzer\n"
	      "  --verbose     print all walks\n"
	      "  --help        show this\n"
	      "\n"
	      "Exit status: 0 all is as the reference says, 1 it is not, 2 usage.\n",
	      stream);
}

static void usage_error(const char *format, const char *what)
{
	fprintf(stderr, "walk_equality: ");
	fprintf(stderr, format, what);
	fputs("; see --help\n", stderr);
	exit(2);
}

static void parse_options(int argc, char **argv)
{
	static const struct option list[] = {
		{"seed", required_argument, NULL, 's'},	 {"count", required_argument, NULL, 'c'},
		{"start", required_argument, NULL, 'b'}, {"chaos", required_argument, NULL, 'x'},
		{"save", required_argument, NULL, 'w'},	 {"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},	 {0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", list, NULL)) != -1) {
		switch (option) {
		case 's':
			options.seed = number_of(optarg, UINT64_MAX);
			break;
		case 'c':
			options.count = number_of(optarg, UINT32_MAX);
			break;
		case 'b':
			options.start = number_of(optarg, UINT32_MAX);
			break;
		case 'x':
			options.chaos = number_of(optarg, 1000);
			break;
		case 'w':
			options.save = optarg;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (optind < argc)
		usage_error("what is %s?", argv[optind]);
}

static double began;

static double seconds(void)
{
	return clock_seconds() - began;
}

static struct random random_for(uint64_t number)
{
	struct random r = {options.seed};

	r.state = random_next(&r) ^ number;
	r.state = random_next(&r);
	return r;
}

static void print_progress(uint64_t done)
{
	static double next = 1;

	if (!isatty(STDERR_FILENO) || seconds() < next)
		return;
	next = seconds() + 1;
	fprintf(stderr, "\r# %" PRIu64 " of %" PRIu64 " walks, %.0f s ", done, options.count,
		seconds());
}

static void save(uint64_t number, const struct vtd_request *request)
{
	static uint8_t bytes[IMAGE_MAX];
	const size_t size =
		image_write(bytes, &scene.unit, request, &scene.guest, &comparison.expected);
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%" PRIu64, options.save, number);
	file = fopen(path, "we");
	if (!file || fwrite(bytes, size, 1, file) != 1 || fclose(file)) {
		printf("Bail out! cannot write %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static bool compare_one(uint64_t number, const struct vtd_request *request)
{
	bool good = compare_walk(&comparison, &scene.unit, request, &scene.guest);

	if (tally_count(&tally, request, &comparison.expected) && options.save)
		save(number, request);
	if (!good)
		printf("# walk %" PRIu64 " differs; again: walk_equality --seed %" PRIu64
		       " --start %" PRIu64 " --count 1\n",
		       number, options.seed, number);
	if (!good || options.verbose)
		compare_print(&comparison, stdout);
	return good;
}

/* Walks in one guest, from @number to @end. */
static bool compare_some(uint64_t number, uint64_t end)
{
	struct random r = random_for(number / REQUESTS);
	struct vtd_request request;

	generate_scene(&scene, &r, options.chaos);
	/* A request depends on those before. */
	for (uint64_t skipped = 0; skipped < number % REQUESTS; skipped++)
		generate_request(&scene, &r, &request);
	for (; number < end; number++) {
		generate_request(&scene, &r, &request);
		if (!compare_one(number, &request))
			return false;
	}
	return true;
}

static bool compare_all(void)
{
	const uint64_t end = options.start + options.count;
	uint64_t number = options.start;

	while (number < end) {
		uint64_t next = (number / REQUESTS + 1) * REQUESTS;

		if (next > end)
			next = end;
		if (!compare_some(number, next))
			return false;
		number = next;
		print_progress(number - options.start);
	}
	return true;
}

static void print_result(bool good, int number, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", number, what);
}

int main(int argc, char **argv)
{
	bool equal, complete;

	parse_options(argc, argv);
	setlinebuf(stdout);
	began = clock_seconds();

	printf("1..2\n# seed %" PRIu64 "\n", options.seed);
	equal = compare_all();
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	printf("# %" PRIu64 " walks in %.1f s, %.0f each second\n", options.count, seconds(),
	       options.count / seconds());
	print_result(equal, 1, "walks are as the reference says");

	if (!equal || options.count < ENOUGH || options.chaos >= 0) {
		print_result(equal, 2,
			     "all ways to end have come # SKIP there were not enough walks");
		return equal ? 0 : 1;
	}
	tally_print(&tally);
	complete = tally_is_complete(&tally, LEAST);
	print_result(complete, 2, "all ways to end have come");
	return complete ? 0 : 1;
}
