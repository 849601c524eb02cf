// SPDX-License-Identifier: GPL-2.0
#include "bench_options.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "frame.h"
#include "parse.h"
#include "virtq.h"

#ifndef VERSION
#define VERSION "0.1"
#endif

#define MOST_DEVICES 64 /* keeps all fds below the usual limit of 1024 */
#define MOST_PACKETS 100000000
#define MOST_TIMEOUT 86400
#define LARGEST_FRAME (SLOT_SIZE - VNET_HEADER_SIZE)

enum {
	KEY_IOVA = 256,
	KEY_DIRECTION,
	KEY_SIZE,
	KEY_PAGE,
	KEY_PREFAULT,
	KEY_WRITE_TABLE,
	KEY_RUN,
	KEY_WARMUP,
};

static const struct argp_option argp_options[] = {
	{0, 0, 0, 0, "Traffic:", 1},
	{"direction", KEY_DIRECTION, "tx|rx|both", 0,
	 "Which way packets go, as the guest sees it (both)", 0},
	{"count", 'n', "N", 0, "Packets per direction and device (10000)", 0},
	{"size", KEY_SIZE, "BYTES", 0, "Size of a frame, Ethernet header included (64)", 0},
	{"in-flight", 'f', "N", 0, "Packets per direction and device under way at once (1)", 0},
	{"devices", 'D', "N", 0, "vhost devices, each with its own tap and virtqueues (1)", 0},
	{0, 0, 0, 0, "Translation:", 2},
	{"map", 'm', "fixed|sweep", 0,
	 "fixed: every buffer keeps its IOVA; sweep: every packet at an IOVA never used before "
	 "(fixed)",
	 0},
	{"page", KEY_PAGE, "4k|2m|1g", 0, "Granule of the mappings (4k)", 0},
	{"iova", KEY_IOVA, "table|identity", 0,
	 "table: IOVAs have nothing to do with guest addresses; identity: they are the same, with "
	 "--map fixed (table)",
	 0},
	{"server", 'S', "fd|one|none", 0,
	 "Who answers misses. fd: we do, with read() and write(), a thread for each vhost fd; "
	 "one: the same, one thread for all; none: another process (fd)",
	 0},
	{"prefault", KEY_PREFAULT, 0, 0,
	 "Install the mappings that stay for the whole run before it starts", 0},
	{"write-table", KEY_WRITE_TABLE, "FILE", 0,
	 "Write the translations that this run needs, a line `iova size gpa perm' each, and exit; "
	 "- is the standard output",
	 0},
	{"run", KEY_RUN, 0, 0, "Run, too, after --write-table", 0},
	{0, 0, 0, 0, "Measuring and reporting:", 3},
	{"timeout", 't', "SECONDS", 0, "Give up a queue after so long without progress (30)", 0},
	{"warmup", KEY_WARMUP, "N", 0,
	 "Leave the first N packets of each queue, at most half of all, out of the times (16)", 0},
	{"json", 'j', 0, 0, "Print one JSON object", 0},
	{"quiet", 'q', 0, 0, "No progress on the standard error", 0},
	{"verbose", 'v', 0, 0, "A line for each device, too", 0},
	{0, 'h', 0, OPTION_HIDDEN, 0, 0},
	{0},
};

static const char doc[] =
	"Send packets through /dev/vhost-net behind an IOMMU and measure what its device IOTLB "
	"does."
	"\v"
	"A virtio-net driver in user space: its rings and buffers have I/O virtual addresses "
	"(IOVA), which vhost must have translated. Every packet's contents are verified. Needs "
	"root.\n\n"
	"Exit status: 0 if every packet arrived as it was sent, 1 if not, 2 for wrong usage.";

static const char *const directions[] = {"tx", "rx", "both", NULL};
static const char *const pages[] = {"4k", "2m", "1g", NULL};
static const uint64_t page_sizes[] = {1 << 12, 1 << 21, 1 << 30};
static const char *const iovas[] = {"table", "identity", NULL};
static const char *const servers[] = {"fd", "one", "none", NULL};

static uint64_t number(struct argp_state *state, const char *option, const char *text, uint64_t min,
		       uint64_t max)
{
	uint64_t value = 0;

	if (!parse_number(text, min, max, &value))
		argp_error(state, "%s: '%s' is not a number from %" PRIu64 " to %" PRIu64, option,
			   text, min, max);
	return value;
}

static int word(struct argp_state *state, const char *option, const char *text,
		const char *const *words)
{
	char all[64] = "";
	int found = parse_word(text, words);

	if (found >= 0)
		return found;
	for (int i = 0; words[i]; i++) {
		if (i)
			strcat(all, words[i + 1] ? ", " : " or ");
		strcat(all, words[i]);
	}
	argp_error(state, "%s: '%s' is not one of %s", option, text, all);
	return 0;
}

static const struct map_mode *map_mode(struct argp_state *state, const char *text)
{
	for (int i = 0; map_modes[i]; i++)
		if (!strcmp(map_modes[i]->name, text))
			return map_modes[i];
	argp_error(state, "--map: '%s' is not one of fixed or sweep", text);
	return NULL;
}

static void set_direction(struct options *o, struct argp_state *state, const char *text)
{
	o->direction = directions[word(state, "--direction", text, directions)];
	o->layout.has[DIRECTION_TX] = strcmp(o->direction, "rx");
	o->layout.has[DIRECTION_RX] = strcmp(o->direction, "tx");
}

static void set_page(struct options *o, struct argp_state *state, const char *text)
{
	int which = word(state, "--page", text, pages);

	o->page = pages[which];
	o->layout.page = page_sizes[which];
}

static void check_together(struct options *o, struct argp_state *state)
{
	struct layout unused;

	if (o->layout.identity && !o->layout.map->is_fixed)
		argp_error(state,
			   "--iova identity needs --map fixed: with %s, many IOVAs share a guest "
			   "address",
			   o->layout.map->name);
	if (o->run && !o->table)
		argp_error(state, "--run goes with --write-table only");
	if (o->run && !strcmp(o->table, "-"))
		argp_error(state, "--run with --write-table -: the table and the results would "
				  "both go to the standard output; give a file");
	if (!layout_init(&unused, &o->layout))
		argp_error(
			state,
			"--count %" PRIu64
			" at --page %s needs more IOVA space than the 57 bits there are; %" PRIu64
			" packets fit with this number of devices",
			o->layout.packets, o->page, layout_most_packets(&o->layout));
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_DIRECTION:
		set_direction(o, state, text);
		break;
	case 'n':
		o->layout.packets = number(state, "--count", text, 1, MOST_PACKETS);
		break;
	case KEY_SIZE:
		o->frame_size = number(state, "--size", text, FRAME_MIN, LARGEST_FRAME);
		break;
	case 'f':
		o->layout.in_flight = number(state, "--in-flight", text, 1, VIRTQ_SIZE);
		break;
	case 'D':
		o->layout.devices = number(state, "--devices", text, 1, MOST_DEVICES);
		break;
	case 'm':
		o->layout.map = map_mode(state, text);
		break;
	case KEY_PAGE:
		set_page(o, state, text);
		break;
	case KEY_IOVA:
		o->layout.identity = word(state, "--iova", text, iovas);
		break;
	case 'S':
		o->server = word(state, "--server", text, servers);
		break;
	case KEY_PREFAULT:
		o->prefault = true;
		break;
	case KEY_WRITE_TABLE:
		if (!*text)
			argp_error(state, "--write-table: no file given");
		o->table = text;
		break;
	case KEY_RUN:
		o->run = true;
		break;
	case 't':
		o->timeout = number(state, "--timeout", text, 1, MOST_TIMEOUT);
		break;
	case KEY_WARMUP:
		o->warmup = number(state, "--warmup", text, 0, MOST_PACKETS);
		break;
	case 'j':
		o->json = true;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	case 'h':
		argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': no arguments are expected", text);
		break;
	case ARGP_KEY_END:
		check_together(o, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

void bench_options_parse(struct options *o, int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = parse_option,
		.doc = doc,
	};

	*o = (struct options){
		.layout =
			{
				.map = map_modes[0],
				.page = page_sizes[0],
				.packets = 10000,
				.devices = 1,
				.in_flight = 1,
				.has = {true, true},
			},
		.server = SERVER_FD,
		.frame_size = 64,
		.warmup = 16,
		.timeout = 30,
		.direction = "both",
		.page = pages[0],
	};
	argp_program_version = "iotlb-bench " VERSION;
	argp_err_exit_status = 2;
	/* getopt()'s messages start with the whole path otherwise. */
	argv[0] = program_invocation_short_name;
	argp_parse(&argp, argc, argv, 0, NULL, o);
	if (o->warmup > o->layout.packets / 2)
		o->warmup = o->layout.packets / 2;
}
