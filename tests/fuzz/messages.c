// SPDX-License-Identifier: GPL-2.0
/*
 * Writes messages, good and bad, to vhost devices, and compares after each
 * one what write() returns and what the IOTLB holds with a model.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "generate.h"
#include "session.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/number.h"

/* Longest time that a round takes, with much to spare. */
#define HANG_SECONDS 120

#define SHRINK_SECONDS 30

/* Messages from which on all errors must have been seen. */
#define ENOUGH 50000

static struct {
	uint64_t seed, start, count;
	uint64_t *only;
	size_t nr_only;
	bool force_kind;
	enum round_kind kind;
	bool verbose;
	long kib;
} options = {.seed = 1, .count = 1000000, .kib = 1024};

static double began;

static void on_hang(int signal)
{
	static const char message[] = "Bail out! a write hangs\n";

	(void)signal;
	(void)!write(STDOUT_FILENO, message, sizeof(message) - 1);
	_exit(1);
}

static void usage(FILE *stream)
{
	fputs("Usage: fuzz_messages [OPTION]...\n"
	      "\n"
	      "Writes messages, good and bad, to vhost devices, and compares what write()\n"
	      "returns and what the IOTLB holds with a model. Needs root, and a kernel of\n"
	      "its own.\n"
	      "\n"
	      "  --seed N      what the messages follow from (default 1)\n"
	      "  --count N     how many to write (default 1000000)\n"
	      "  --start N     begin with the round of message N\n"
	      "  --only LIST   write these messages, numbers of a round, with commas\n"
	      "  --kind NAME   make all rounds of this kind\n"
	      "  --verbose     print all messages of --only\n"
	      "  --kib N       fail if the kernel's memory grows by more while all but the\n"
	      "                first tenth of the messages are written (default 1024)\n"
	      "  --help        show this\n"
	      "\n"
	      "Exit status: 0 all is as in the model, 1 it is not, 2 usage.\n",
	      stream);
}

static void usage_error(const char *format, const char *what)
{
	fprintf(stderr, "fuzz_messages: ");
	fprintf(stderr, format, what);
	fputs("; see --help\n", stderr);
	exit(2);
}

static void parse_only(char *list)
{
	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		options.only = realloc(options.only, (options.nr_only + 1) * sizeof(uint64_t));
		if (!options.only)
			bail_out_errno("no memory");
		options.only[options.nr_only++] = number_of(word, UINT64_MAX);
		if (options.only[options.nr_only - 1] / ROUND != options.only[0] / ROUND)
			usage_error("%s is in another round", word);
	}
	if (!options.nr_only)
		usage_error("--only wants numbers%s", "");
}

static void parse_kind(const char *name)
{
	options.force_kind = true;
	for (options.kind = 0; options.kind < NR_ROUND_KINDS; options.kind++)
		if (!strcmp(name, round_name(options.kind)))
			return;
	usage_error("no kind of round is called %s", name);
}

static void parse_options(int argc, char **argv)
{
	static const struct option list[] = {
		{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"start", required_argument, NULL, 'b'},
		{"only", required_argument, NULL, 'o'},
		{"kind", required_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'},
		{"kib", required_argument, NULL, 'm'},
		{"verbose", no_argument, NULL, 'v'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", list, NULL)) != -1) {
		switch (option) {
		case 's':
			options.seed = number_of(optarg, UINT64_MAX);
			break;
		case 'c':
			options.count = number_of(optarg, UINT64_MAX);
			break;
		case 'b':
			options.start = number_of(optarg, UINT64_MAX) / ROUND * ROUND;
			break;
		case 'o':
			parse_only(optarg);
			break;
		case 'k':
			parse_kind(optarg);
			break;
		case 'm':
			options.kib = number_of(optarg, UINT64_MAX);
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
	if (options.force_kind)
		generate_force_kind(options.kind);
}

static double seconds(void)
{
	return clock_seconds() - began;
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	if (!dir)
		bail_out_errno("cannot open /proc/self/fd");
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static long kernel_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = -1;

	if (!file)
		bail_out_errno("cannot open /proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld kB", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

/* Returns how many messages were played well. */
static size_t play(const uint64_t *numbers, size_t nr)
{
	size_t i = 0;

	alarm(HANG_SECONDS);
	if (!session_begin(options.seed, numbers[0]))
		return 0;
	while (i < nr && session_play(numbers[i])) {
		if (options.verbose)
			session_print();
		i++;
	}
	return i;
}

static bool fails(const uint64_t *numbers, size_t nr)
{
	size_t good = play(numbers, nr);

	session_end();
	return good < nr;
}

/* Find fewer messages that fail, too: first only the last ones, then without any. */
static size_t shrink(uint64_t *numbers, size_t nr)
{
	static uint64_t try[ROUND];
	const double end = seconds() + SHRINK_SECONDS;

	for (size_t last = 1; last < nr && seconds() < end; last *= 2) {
		if (fails(numbers + nr - last, last)) {
			memmove(numbers, numbers + nr - last, last * sizeof(*numbers));
			nr = last;
			break;
		}
	}
	for (size_t size = nr / 2; size; size /= 2) {
		for (size_t at = 0; at + size < nr && seconds() < end;) {
			const size_t rest = nr - at - size;

			memcpy(try, numbers, at * sizeof(*try));
			memcpy(try + at, numbers + at + size, rest * sizeof(*try));
			if (fails(try, nr - size)) {
				nr -= size;
				memcpy(numbers, try, nr * sizeof(*try));
			} else {
				at += size;
			}
		}
	}
	return nr;
}

static void print_command(const uint64_t *numbers, size_t nr)
{
	printf("#   again: fuzz_messages --seed %" PRIu64, options.seed);
	if (options.force_kind)
		printf(" --kind %s", round_name(options.kind));
	printf(" --only ");
	for (size_t i = 0; i < nr; i++)
		printf("%s%" PRIu64, i ? "," : "", numbers[i]);
	putchar('\n');
}

/* The last of the messages has failed: tell all about it. */
static void report(const uint64_t *failed, size_t nr)
{
	static uint64_t numbers[ROUND];
	size_t good;

	printf("# message %" PRIu64 " of seed %" PRIu64 ", a round of kind %s: %s\n",
	       failed[nr - 1], options.seed, round_name(session_kind()), session_fault());
	session_print();
	session_end();

	memcpy(numbers, failed, nr * sizeof(*numbers));
	nr = shrink(numbers, nr);
	printf("# the same with %zu messages:\n", nr);
	print_command(numbers, nr);
	good = play(numbers, nr);
	if (good == nr)
		printf("#   but not this time\n");
	else
		printf("# message %" PRIu64 ": %s\n", numbers[good], session_fault());
	session_print();
	session_end();
}

static bool play_all(const uint64_t *numbers, size_t nr)
{
	size_t good = play(numbers, nr);

	if (good < nr) {
		report(numbers, good + 1);
		return false;
	}
	if (!session_finish()) {
		printf("# after the round of message %" PRIu64 " of seed %" PRIu64 ": %s\n",
		       numbers[0], options.seed, session_fault());
		session_print();
		session_end();
		return false;
	}
	session_end();
	return true;
}

static bool race_all(uint64_t number, uint64_t nr)
{
	bool good;

	alarm(HANG_SECONDS);
	good = session_begin(options.seed, number) && session_race(number, nr / 2) &&
	       session_finish();
	if (!good)
		printf("# in the race from message %" PRIu64 " of seed %" PRIu64 " on: %s\n",
		       number, options.seed, session_fault());
	session_end();
	return good;
}

static bool play_round(uint64_t number, uint64_t nr)
{
	static uint64_t numbers[ROUND];
	struct round round;

	generate_round(&round, options.seed, number);
	if (round.kind == ROUND_RACE)
		return race_all(number, nr);
	for (uint64_t i = 0; i < nr; i++)
		numbers[i] = number + i;
	return play_all(numbers, nr);
}

static void print_progress(uint64_t done)
{
	fprintf(stderr, "# %" PRIu64 " of %" PRIu64 " messages, %.0f s\n", done, options.count,
		seconds());
}

static bool play_rounds(void)
{
	const uint64_t end = options.start + options.count;
	uint64_t next_progress = options.start + options.count / 10;
	unsigned int fds = 0;
	long kib = 0;

	for (uint64_t number = options.start; number < end; number += ROUND) {
		if (!play_round(number, end - number < ROUND ? end - number : ROUND))
			return false;
		if (number + ROUND < next_progress)
			continue;
		if (!fds) {
			fds = count_fds();
			kib = kernel_kib();
		}
		print_progress(number + ROUND < end ? number + ROUND - options.start
						    : options.count);
		next_progress += options.count / 10;
	}
	tally_print(session_tally());
	printf("# the kernel's memory has grown by %ld KiB since a tenth of that\n",
	       kernel_kib() - kib);
	if (count_fds() != fds) {
		printf("# %u file descriptors were open, now %u\n", fds, count_fds());
		return false;
	}
	if (kernel_kib() - kib > options.kib) {
		printf("# that is more than %ld KiB\n", options.kib);
		return false;
	}
	if (options.force_kind || options.count < ENOUGH || tally_is_complete(session_tally()))
		return true;
	printf("# not everything has happened\n");
	return false;
}

int main(int argc, char **argv)
{
	bool good;

	parse_options(argc, argv);
	setlinebuf(stdout);
	signal(SIGALRM, on_hang);
	began = clock_seconds();
	device_enter_namespace();
	session_open();

	if (options.only) {
		good = play_all(options.only, options.nr_only);
	} else {
		printf("# seed %" PRIu64 "\n", options.seed);
		good = play_rounds();
	}
	session_close();
	return good ? 0 : 1;
}
