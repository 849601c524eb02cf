// SPDX-License-Identifier: GPL-2.0
#include "bench_options.h"

#include <inttypes.h>
#include <string.h>

#include "bench_checks.h"
#include "cli.h"
#include "frame.h"
#include "parse.h"
#include "virtq.h"

#define MOST_DEVICES 64 /* keeps all fds below the usual limit of 1024 */
#define MOST_PACKETS 100000000
#define MOST_TIMEOUT 86400
#define MOST_CHAIN 64 /* so that each descriptor of the smallest frame has a byte */
#define MOST_PAGES_SET (1 << 24)
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
	KEY_WORKING_SET,
	KEY_SEED,
	KEY_FRAGMENTS,
	KEY_CHAIN,
	KEY_INDIRECT,
	KEY_EVENT_IDX,
	KEY_WRITE_VTD,
	KEY_IOTLBD,
	KEY_NO_INVALIDATE,
	KEY_SVA,
	KEY_LIFETIME,
	KEY_ONE_SPACE,
	KEY_CONTROL,
	KEY_PAGE_REQUESTS,
	KEY_REFUSE,
};

static const struct argp_option argp_options[] = {
	{0, 0, 0, 0, "Traffic:", 1},
	{"direction", KEY_DIRECTION, "tx|rx|both", 0,
	 "Which way packets go, as the guest sees it (both)", 0},
	{"count", 'n', "N", 0, "Packets per direction and device (10000)", 0},
	{"size", KEY_SIZE, "BYTES", 0, "Size of a frame, Ethernet header included (64)", 0},
	{"in-flight", 'f', "N", 0, "Packets per direction and device under way at once (1)", 0},
	{"devices", 'D', "N", 0, "vhost devices, each with its own tap and virtqueues (1)", 0},
	{"chain", KEY_CHAIN, "N", 0, "Descriptors of a packet (1)", 0},
	{"indirect", KEY_INDIRECT, 0, 0, "Descriptors are in an indirect table for each packet", 0},
	{"event-idx", KEY_EVENT_IDX, 0, 0, "Negotiate and use VIRTIO_RING_F_EVENT_IDX", 0},
	{"fragments", KEY_FRAGMENTS, 0, 0,
	 "Rings, tables and buffers lie across two pages that are far from each other in guest "
	 "memory; with --page 4k",
	 0},
	{0, 0, 0, 0, "Translation:", 2},
	{"map", 'm', "fixed|sweep|strict|lazy|random|remap", 0,
	 "fixed: every buffer keeps its IOVA; sweep: every packet at an IOVA never used before; "
	 "strict: mapped before each packet, unmapped and invalidated after; lazy: the same, but "
	 "invalidated 256 at a time; random: each packet in a random one of many mapped pages; "
	 "remap: with --sva, another page at the same address for each packet (fixed)",
	 0},
	{"working-set", KEY_WORKING_SET, "N", 0,
	 "With --map random: pages of 4K per device (16 times max_iotlb_entries of the kernel)", 0},
	{"seed", KEY_SEED, "N", 0, "With --map random: another one, another order (1)", 0},
	{"no-invalidate", KEY_NO_INVALIDATE, 0, 0,
	 "With --map strict, lazy and remap: do not tell vhost what is unmapped, to see that this "
	 "is "
	 "found",
	 0},
	{"sva", KEY_SVA, "N", 0,
	 "The guest is one of N processes that share their address spaces with the devices: one "
	 "for each virtqueue, or for each device",
	 0},
	{"lifetime", KEY_LIFETIME, "N", 0,
	 "With --sva: after so many packets a process ends, and another takes its place (none "
	 "ends)",
	 0},
	{"one-space", KEY_ONE_SPACE, 0, 0,
	 "With --sva: the virtqueues of a device are in one address space, to see that this is "
	 "found",
	 0},
	{"control", KEY_CONTROL, 0, 0,
	 "With --sva, and --server ring or kernel: attach PASID tables and invalidate by the "
	 "control socket of iotlbd",
	 0},
	{"page-requests", KEY_PAGE_REQUESTS, 0, 0,
	 "With --sva: a page of a buffer is not there before the device asks for it", 0},
	{"refuse", KEY_REFUSE, "N", 0,
	 "With --page-requests: refuse each Nth of them, so that the packet fails and is sent "
	 "again (none)",
	 0},
	{"page", KEY_PAGE, "4k|2m|1g", 0, "Granule of the mappings (4k)", 0},
	{"iova", KEY_IOVA, "table|identity|vtd", 0,
	 "table: IOVAs have nothing to do with guest addresses; identity: they are the same; vtd: "
	 "as table, and the guest's memory holds tables of an Intel IOMMU that say so (table)",
	 0},
	{"server", 'S', "fd|one|none|ring|kernel", 0,
	 "Who answers misses. fd: we do, with read() and write(), a thread for each vhost fd; "
	 "one: the same, one thread for all; none: another process; ring: iotlbd, which is "
	 "started and ended; kernel: the same, and it lets the kernel do the page walk (fd)",
	 0},
	{"iotlbd", KEY_IOTLBD, "PATH", 0,
	 "The program for --server ring and kernel (in the folder of this one, or else in PATH)",
	 0},
	{"prefault", KEY_PREFAULT, 0, 0,
	 "Install the mappings that stay for the whole run before it starts", 0},
	{"write-table", KEY_WRITE_TABLE, "FILE", 0,
	 "Write the translations that this run needs, a line `iova size gpa perm' each, and exit; "
	 "- is the standard output",
	 0},
	{"write-vtd", KEY_WRITE_VTD, "FILE", 0,
	 "With --iova vtd: write the description of the IOMMU for iotlbd --vtd, and exit", 0},
	{"run", KEY_RUN, 0, 0, "Run, too, after --write-table or --write-vtd", 0},
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
static const char *const iovas[] = {
	[IOVA_TABLE] = "table",
	[IOVA_IDENTITY] = "identity",
	[IOVA_VTD] = "vtd",
	NULL,
};
static const char *const servers[] = {
	[SERVER_FD] = "fd",	[SERVER_ONE] = "one",	    [SERVER_NONE] = "none",
	[SERVER_RING] = "ring", [SERVER_KERNEL] = "kernel", NULL,
};

const char *options_server(const struct options *o)
{
	return servers[o->server];
}

const char *options_iova(const struct options *o)
{
	return iovas[o->iova];
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
	const char *names[8] = {0};

	for (int i = 0; map_modes[i]; i++)
		names[i] = map_modes[i]->name;
	return map_modes[word(state, "--map", text, names)];
}

static void set_iova(struct options *o, struct argp_state *state, const char *text)
{
	o->iova = word(state, "--iova", text, iovas);
	o->layout.identity = o->iova == IOVA_IDENTITY;
	o->layout.vtd = o->iova == IOVA_VTD;
}

static const char *path(struct argp_state *state, const char *option, const char *text)
{
	if (!*text)
		argp_error(state, "%s: no file given", option);
	return text;
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
	char *message;

	/* What was not given follows from other things that were. */
	if (o->layout.processes && !o->has_iova) {
		o->layout.vtd = true;
		o->iova = IOVA_VTD;
	}
	if (o->layout.processes && !o->has_devices)
		o->layout.devices = bench_default_devices(o);
	if (o->layout.map->kind == MAP_KIND_RANDOM && !o->layout.working_set)
		o->layout.working_set = bench_default_working_set();
	message = bench_check(o);
	if (message)
		argp_error(state, "%s", message);
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_DIRECTION:
		set_direction(o, state, text);
		break;
	case 'n':
		o->layout.packets = cli_number(state, "--count", text, 1, MOST_PACKETS);
		break;
	case KEY_SIZE:
		o->frame_size = cli_number(state, "--size", text, FRAME_MIN, LARGEST_FRAME);
		break;
	case 'f':
		o->layout.in_flight = cli_number(state, "--in-flight", text, 1, VIRTQ_SIZE);
		break;
	case 'D':
		o->layout.devices = cli_number(state, "--devices", text, 1, MOST_DEVICES);
		o->has_devices = true;
		break;
	case 'm':
		o->layout.map = map_mode(state, text);
		break;
	case KEY_PAGE:
		set_page(o, state, text);
		break;
	case KEY_IOVA:
		set_iova(o, state, text);
		o->has_iova = true;
		break;
	case KEY_SVA:
		o->layout.processes = cli_number(state, "--sva", text, 1, 2 * MOST_DEVICES);
		break;
	case KEY_LIFETIME:
		o->lifetime = cli_number(state, "--lifetime", text, 1, MOST_PACKETS);
		o->layout.mortal = true;
		break;
	case KEY_CONTROL:
		o->control = true;
		break;
	case KEY_PAGE_REQUESTS:
		o->layout.paged = true;
		break;
	case KEY_REFUSE:
		o->refuse = cli_number(state, "--refuse", text, 2, MOST_PACKETS);
		break;
	case KEY_ONE_SPACE:
		o->layout.one_space = true;
		break;
	case 'S':
		o->server = word(state, "--server", text, servers);
		break;
	case KEY_PREFAULT:
		o->prefault = true;
		break;
	case KEY_WRITE_TABLE:
		o->table = path(state, "--write-table", text);
		break;
	case KEY_WRITE_VTD:
		o->vtd = path(state, "--write-vtd", text);
		break;
	case KEY_IOTLBD:
		o->iotlbd = path(state, "--iotlbd", text);
		break;
	case KEY_WORKING_SET:
		o->layout.working_set = cli_number(state, "--working-set", text, 2, MOST_PAGES_SET);
		break;
	case KEY_SEED:
		o->seed = cli_number(state, "--seed", text, 0, UINT64_MAX);
		o->has_seed = true;
		break;
	case KEY_CHAIN:
		o->layout.chain = cli_number(state, "--chain", text, 1, MOST_CHAIN);
		break;
	case KEY_INDIRECT:
		o->layout.indirect = true;
		break;
	case KEY_NO_INVALIDATE:
		o->no_invalidate = true;
		break;
	case KEY_EVENT_IDX:
		o->event_idx = true;
		break;
	case KEY_FRAGMENTS:
		o->layout.fragments = true;
		break;
	case KEY_RUN:
		o->run = true;
		break;
	case 't':
		o->timeout = cli_number(state, "--timeout", text, 1, MOST_TIMEOUT);
		break;
	case KEY_WARMUP:
		o->warmup = cli_number(state, "--warmup", text, 0, MOST_PACKETS);
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
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': no arguments are expected", text);
		break;
	case ARGP_KEY_END:
		check_together(o, state);
		break;
	default:
		return cli_common(key, text, state);
	}
	return 0;
}

void bench_options_parse(struct options *o, int argc, char **argv)
{
	static const struct cli cli = {
		.version = "iotlb-bench " VERSION,
		.argp = {.options = argp_options, .parser = parse_option, .doc = doc},
		.bad_number = "%1$s: '%2$s' is not a number from %4$" PRIu64 " to %3$" PRIu64,
	};

	*o = (struct options){
		.layout =
			{
				.map = map_modes[0],
				.page = page_sizes[0],
				.packets = 10000,
				.devices = 1,
				.in_flight = 1,
				.chain = 1,
				.has = {true, true},
			},
		.server = SERVER_FD,
		.frame_size = 64,
		.seed = 1,
		.warmup = 16,
		.timeout = 30,
		.direction = "both",
		.page = pages[0],
	};
	cli_parse(&cli, argc, argv, o);
	if (o->warmup > o->layout.packets / 2)
		o->warmup = o->layout.packets / 2;
}
