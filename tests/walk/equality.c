// SPDX-License-Identifier: GPL-2.0
/*
 * Makes guests at random and compares the page walks of include/vtd_walk.h and
 * vtd_space.h, for many addresses of each, with a second one that is slow and
 * obvious.
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
#define LEAST 50

static struct {
	uint64_t seed, start, count;
	struct wish wish;
	const char *save;
	bool verbose;
} options = {.seed = 1, .count = ENOUGH, .wish.chaos = -1};

static struct scene scene;
static struct tally tally;
static struct comparison comparison;

/* Walks that were compared, and those that count. */
static uint64_t done, counted;

static void usage(FILE *stream)
{
	fputs("Usage: walk_equality [OPTION]...\n"
	      "\n"
	      "Compares the page walks of include/vtd_walk.h and include/vtd_space.h with a\n"
	      "reference, in guests made at random, and says how they ended.\n"
	      "\n"
	      "  --seed N      what the guests follow from (default 1)\n"
	      "  --count N     how many walks to compare (default 10000000, with which all\n"
	      "                ways to end must come 50 times)\n"
	      "  --start N     begin with walk N\n"
	      "  --nested      only in nested mode; of these walks --count is the number\n"
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
		{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"start", required_argument, NULL, 'b'},
		{"chaos", required_argument, NULL, 'x'},
		{"save", required_argument, NULL, 'w'},
		{"verbose", no_argument, NULL, 'v'},
		{"nested", no_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{0},
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
			options.wish.chaos = number_of(optarg, 1000);
			break;
		case 'n':
			options.wish.nested = true;
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

static void print_progress(void)
{
	static double next = 1;

	if (!isatty(STDERR_FILENO) || seconds() < next)
		return;
	next = seconds() + 1;
	fprintf(stderr, "\r# %" PRIu64 " of %" PRIu64 " walks, %.0f s ", counted, options.count,
		seconds());
}

static void save(uint64_t number, const struct walk_case *walk)
{
	static uint8_t bytes[IMAGE_MAX];
	const size_t size = image_write(bytes, walk, &comparison.expected);
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%" PRIu64, options.save, number);
	file = fopen(path, "we");
	if (!file || fwrite(bytes, size, 1, file) != 1 || fclose(file)) {
		printf("Bail out! cannot write %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static bool compare_one(uint64_t number, const struct vtd_request *request,
			const struct start *start)
{
	const struct walk_case walk = {
		.unit = &scene.unit,
		.request = request,
		.guest = &scene.guest,
		.space = start->has_space ? &start->space : NULL,
		.parent = &start->parent,
		.can_set = start->can_set,
	};
	bool good = compare_walk(&comparison, &walk);

	done++;
	counted += !options.wish.nested || comparison.expected.path == PATH_NESTED;
	if (tally_count(&tally, &walk, &comparison.expected) && options.save)
		save(number, &walk);
	if (!good)
		printf("# walk %" PRIu64 " differs; again: walk_equality%s --seed %" PRIu64
		       " --start %" PRIu64 " --count 1\n",
		       number, options.wish.nested ? " --nested" : "", options.seed, number);
	if (!good || options.verbose)
		compare_print(&comparison, stdout);
	return good;
}

/* Walks in one guest, from @number on. */
static bool compare_some(uint64_t number)
{
	struct random r = random_for(number / REQUESTS);
	const uint64_t skipped = number % REQUESTS;
	struct vtd_request request;
	struct start start;

	generate_scene(&scene, &r, &options.wish);
	/* A request depends on those before. */
	for (uint64_t nth = 0; nth < REQUESTS && counted < options.count; nth++) {
		generate_request(&scene, &r, &request);
		generate_start(&scene, &r, &request, &start);
		if (nth >= skipped && !compare_one(number - skipped + nth, &request, &start))
			return false;
	}
	return true;
}

static bool compare_all(void)
{
	uint64_t number = options.start;

	while (counted < options.count) {
		if (!compare_some(number))
			return false;
		number = (number / REQUESTS + 1) * REQUESTS;
		print_progress();
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
	printf("# %" PRIu64 " walks in %.1f s, %.0f each second\n", done, seconds(),
	       done / seconds());
	if (options.wish.nested)
		printf("# %" PRIu64 " of them nested\n", counted);
	tally_print(&tally);
	print_result(equal, 1, "walks are as the reference says");

	if (!equal || options.count < ENOUGH || options.wish.chaos >= 0) {
		print_result(equal, 2,
			     "all ways to end have come # SKIP there were not enough walks");
		return equal ? 0 : 1;
	}
	complete = tally_is_complete(&tally, options.wish.nested, LEAST);
	print_result(complete, 2, "all ways to end have come");
	return complete ? 0 : 1;
}
