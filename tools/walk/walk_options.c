// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "cli.h"
#include "vtd_file.h"
#include "walk_options.h"

enum key {
	KEY_VTD = 0x100,
	KEY_DEV,
	KEY_MEMORY,
	KEY_SOURCE,
	KEY_ACCESS,
	KEY_PASID,
	KEY_BOUND,
	KEY_ATTACHED,
	KEY_CONTROL,
};

/* Of what is bound or attached, unless it is said. */
#define WIDTH_DEFAULT 48
#define BITS_MIN 13

#define TABLE_SIZE 4096

static const struct argp_option known[] = {
	{"vtd", KEY_VTD, "FILE", 0,
	 "The IOMMU: one fact a line, as for iotlbd(8); without, the guest has none", 0},
	{"pid", 'p', "PID", 0, "The guest's memory is that of this process's vhost device", 0},
	{"dev", KEY_DEV, "ID", 0,
	 "With --pid or --control: the device with this id (default: the process's first; with "
	 "--control the only one)",
	 0},
	{"memory", KEY_MEMORY, "DUMP[@GPA]", 0,
	 "The guest's memory is in this file, which begins at GPA (default: 0); may be given "
	 "several times",
	 0},
	{"source", KEY_SOURCE, "BB:DD.F", 0,
	 "The device whose requests are looked at (default: as --vtd says)", 0},
	{"access", KEY_ACCESS, "r|w|rw", 0, "What the device wants to do (default: r)", 0},
	{"pasid", KEY_PASID, "N", 0, "PASID of the requests (default: as --vtd says)", 0},
	{"bound", KEY_BOUND, "ROOT[/WIDTH]", 0,
	 "The PASID has a page table of its own, which is bound to it: its first level is at GPA "
	 "ROOT, for addresses of 48 (default) or 57 bits, which ,sre and ,wpe may follow",
	 0},
	{"attached", KEY_ATTACHED, "BASE[/BITS]", 0,
	 "The guest's PASID directory is at GPA BASE, for PASIDs of so many bits (default: 20)", 0},
	{"control", KEY_CONTROL, "SOCKET", 0,
	 "Ask the iotlbd that listens there whose memory it is, and what is bound to the PASID or "
	 "attached",
	 0},
	{"json", 'j', NULL, 0, "Print JSON, one object for each IOVA, one a line", 0},
	{"verbose", 'v', NULL, 0, "Say more on standard error", 0},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0},
	{}};

static const char description[] =
	"Walk a guest's IOMMU tables (Intel VT-d) and show each step."
	"\vPrints each entry that a walk reads, what it says, and where the IOVA leads to, or why "
	"it does not.\n"
	"\n"
	"Exit status: 0 good, 1 failed or an IOVA has no translation, 2 wrong usage.";

static void add_dump(struct argp_state *state, struct walk_options *options, char *text)
{
	struct walk_dump *dump = &options->dumps[options->dump_count];
	char *at = strrchr(text, '@');

	if (options->dump_count++ == WALK_MAX_DUMPS)
		argp_error(state, "more than %d --memory", WALK_MAX_DUMPS);
	dump->path = text;
	if (!at)
		return;
	*at = '\0';
	dump->gpa = cli_number(state, "--memory: the address after @", at + 1, 0, UINT64_MAX);
}

static void parse_source(struct argp_state *state, struct walk_options *options, const char *text)
{
	if (vtd_parse_source(text, &options->source))
		argp_error(state,
			   "--source \"%s\" is not bus, device and function in hexadecimal, as "
			   "00:03.0",
			   text);
	options->has_source = true;
}

static void parse_access(struct argp_state *state, struct walk_options *options, const char *text)
{
	if (!strcmp(text, "r"))
		options->access = VTD_READ;
	else if (!strcmp(text, "w"))
		options->access = VTD_WRITE;
	else if (!strcmp(text, "rw"))
		options->access = VTD_READ | VTD_WRITE;
	else
		argp_error(state, "--access \"%s\" is none of r, w, rw", text);
}

static uint64_t table_address(struct argp_state *state, const char *option, const char *text)
{
	uint64_t address = cli_number(state, option, text, 0, UINT64_MAX);

	if (address % TABLE_SIZE)
		argp_error(state, "%s %s: a table begins at a multiple of 0x%x", option, text,
			   TABLE_SIZE);
	return address;
}

static void set_space(struct argp_state *state, struct walk_options *options,
		      const struct walk_space *space)
{
	if (options->space.kind != WALK_SPACE_IOMMU)
		argp_error(state, "give only one of --bound and --attached, once");
	options->space = *space;
}

/* "sre,wpe" */
static uint32_t parse_flags(struct argp_state *state, char *text)
{
	uint32_t flags = 0;
	char *word;

	while ((word = strsep(&text, ","))) {
		if (!strcmp(word, "sre"))
			flags |= SVA_BIND_SRE;
		else if (!strcmp(word, "wpe"))
			flags |= SVA_BIND_WPE;
		else
			argp_error(state, "--bound: the flag \"%s\" is none of sre, wpe", word);
	}
	return flags;
}

static void parse_bound(struct argp_state *state, struct walk_options *options, char *text)
{
	struct walk_space space = {.kind = WALK_SPACE_BOUND, .binding.width = WIDTH_DEFAULT};
	char *width = strchr(text, '/'), *flags = NULL;

	if (width) {
		*width++ = '\0';
		flags = strchr(width, ',');
	}
	if (flags) {
		*flags++ = '\0';
		space.binding.flags = parse_flags(state, flags);
	}
	if (width && strcmp(width, "48") && strcmp(width, "57"))
		argp_error(state, "--bound: the width \"%s\" is none of 48, 57", width);
	if (width && !strcmp(width, "57"))
		space.binding.width = 57;
	space.binding.root = table_address(state, "--bound", text);
	set_space(state, options, &space);
}

static void parse_attached(struct argp_state *state, struct walk_options *options, char *text)
{
	struct walk_space space = {.kind = WALK_SPACE_ATTACHED, .table.bits = SVA_PASID_BITS};
	char *bits = strchr(text, '/');

	if (bits) {
		*bits++ = '\0';
		space.table.bits =
			cli_number(state, "--attached: bits", bits, BITS_MIN, SVA_PASID_BITS);
	}
	space.table.base = table_address(state, "--attached", text);
	set_space(state, options, &space);
}

static void add_iova(struct argp_state *state, struct walk_options *options, const char *text)
{
	if (options->iova_count == WALK_MAX_IOVAS)
		argp_error(state, "more than %d IOVAs", WALK_MAX_IOVAS);
	options->iovas[options->iova_count++] = cli_number(state, "IOVA", text, 0, UINT64_MAX);
}

static void finish(struct argp_state *state, const struct walk_options *options)
{
	const bool is_given = options->control || options->space.kind != WALK_SPACE_IOMMU;

	if (!options->vtd_path && !is_given)
		argp_error(state, "which IOMMU? Describe it with --vtd FILE, or say with --bound, "
				  "--attached or --control what translates a PASID");
	if (is_given && (!options->has_pasid || !options->pasid))
		argp_error(state, "which PASID? Give --pasid N, from 1 on");
	if (options->control &&
	    (options->pid || options->dump_count || options->space.kind != WALK_SPACE_IOMMU))
		argp_error(state, "iotlbd knows the rest: --control does not go with --pid, "
				  "--memory, --bound or --attached");
	if (!options->control && !options->pid == !options->dump_count)
		argp_error(state, "where is the guest's memory? Give either --pid PID or --memory "
				  "DUMP[@GPA]");
	if (options->dev && !options->pid && !options->control)
		argp_error(state, "--dev makes no sense without --pid; --source names a device of "
				  "the guest");
	if (!options->iova_count)
		argp_error(state, "which IOVA?");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct walk_options *options = state->input;

	switch (key) {
	case KEY_VTD:
		options->vtd_path = arg;
		break;
	case 'p':
		options->pid = cli_number(state, "--pid", arg, 0, INT_MAX);
		break;
	case KEY_DEV:
		options->dev = cli_number(state, "--dev", arg, 0, UINT64_MAX);
		break;
	case KEY_MEMORY:
		add_dump(state, options, arg);
		break;
	case KEY_SOURCE:
		parse_source(state, options, arg);
		break;
	case KEY_ACCESS:
		parse_access(state, options, arg);
		break;
	case KEY_PASID:
		options->pasid = cli_number(state, "--pasid", arg, 0, VTD_MAX_PASID);
		options->has_pasid = true;
		break;
	case KEY_BOUND:
		parse_bound(state, options, arg);
		break;
	case KEY_ATTACHED:
		parse_attached(state, options, arg);
		break;
	case KEY_CONTROL:
		options->control = arg;
		break;
	case 'j':
		options->json = true;
		break;
	case ARGP_KEY_ARG:
		add_iova(state, options, arg);
		break;
	case ARGP_KEY_END:
		finish(state, options);
		break;
	default:
		return cli_common(key, arg, state);
	}
	return 0;
}

void walk_options_parse(struct walk_options *options, int argc, char **argv)
{
	static const struct cli cli = {
		.version = "iotlb-walk " VERSION,
		.argp =
			{
				.options = known,
				.parser = parse_option,
				.args_doc = "IOVA...",
				.doc = description,
			},
		.bad_number = "%s \"%s\" is not a number up to 0x%" PRIx64
			      ", decimal or hexadecimal after 0x",
	};

	*options = (struct walk_options){.access = VTD_READ};
	cli_parse(&cli, argc, argv, options);
}
