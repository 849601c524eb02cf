// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_socket.h"
#include "ctl_options.h"
#include "parse.h"

#define EXIT_USAGE 2

const char *const ctl_commands[] = {"devices",	     "pasids",	"attach", "detach",	"alloc",
				    "free",	     "bind",	"unbind", "invalidate", "translate",
				    "page-requests", "request", NULL};

const char *const ctl_answers[] = {"success", "invalid", "failure", NULL};

enum {
	KEY_BITS = 0x100,
	KEY_MIN,
	KEY_MAX,
	KEY_WIDTH,
	KEY_FLAGS,
	KEY_GUEST_PASID,
	KEY_PASID,
	KEY_ADDRESS,
	KEY_GRANULE,
	KEY_COUNT,
	KEY_LEAF,
	KEY_CACHES,
	KEY_ACCESS,
	KEY_ANSWER,
};

static const char description[] =
	"Manage the PASIDs of vhost devices, and the page tables that guests bind to them, at the "
	"control socket of iotlbd."
	"\v"
	"Commands:\n"
	"  devices                       those that iotlbd serves\n"
	"  pasids DEVICE                 those that it has, and what is bound to them\n"
	"  attach DEVICE BASE            a PASID table of the guest\n"
	"  detach DEVICE                 it again\n"
	"  alloc DEVICE                  a PASID, which is printed; it stays until it is freed\n"
	"  free DEVICE PASID             it again, with what is bound to it\n"
	"  bind DEVICE PASID ROOT        a page table of the guest\n"
	"  unbind DEVICE PASID           it again\n"
	"  invalidate DEVICE             all translations; with --pasid or --address, not all\n"
	"  translate DEVICE PASID ADDR   where a virtual address leads to\n"
	"  page-requests DEVICE          show pages that are missing, and answer by standard "
	"input\n"
	"  request                       what standard input says, a JSON object a line\n"
	"\n"
	"Numbers are decimal, or hexadecimal after 0x. BASE and ROOT are "
	"guest-physical addresses; DEVICE is an id as \"devices\" lists them.\n"
	"\n"
	"Exit status: 0 done, 1 refused or failed, 2 usage.";

static const struct argp_option known[] = {
	{"socket", 's', "SOCKET", 0,
	 "Where iotlbd --control listens (default: " CONTROL_SOCKET_PATH ")", 0},
	{"json", 'j', NULL, 0, "Print what iotlbd replies as JSON, one object a line", 0},
	{"bits", KEY_BITS, "N", 0, "attach: bits of the table's PASIDs, 13 to 20 (default: 20)", 0},
	{"min", KEY_MIN, "N", 0, "alloc: not less (default: 1)", 0},
	{"max", KEY_MAX, "N", 0, "alloc: not more (default: 1048575)", 0},
	{"width", KEY_WIDTH, "48|57", 0, "bind: bits of its addresses (default: 48)", 0},
	{"flags", KEY_FLAGS, "WORDS", 0, "bind: sre, wpe, with commas between them", 0},
	{"guest-pasid", KEY_GUEST_PASID, "N", 0, "bind: what the guest calls the PASID", 0},
	{"pasid", KEY_PASID, "N", 0, "invalidate: of this PASID, or of 0, requests without", 0},
	{"address", KEY_ADDRESS, "N", 0, "invalidate: from this address on", 0},
	{"granule", KEY_GRANULE, "4k|2m|1g", 0,
	 "invalidate: of pages of this size (default: 4k); or a number", 0},
	{"count", KEY_COUNT, "N", 0, "invalidate: so many of them (default: 1)", 0},
	{"leaf", KEY_LEAF, NULL, 0, "invalidate: only entries that map pages have changed", 0},
	{"caches", KEY_CACHES, "WORDS", 0,
	 "invalidate: iotlb, dev-iotlb, pasid, with commas between them (default: iotlb)", 0},
	{"access", KEY_ACCESS, "r|w|rw", 0, "translate: for this access (default: r)", 0},
	{"answer", KEY_ANSWER, "success|invalid|failure", 0, "page-requests: answer all of them so",
	 0},
	{NULL, 'h', NULL, 0, "Show this help", -1},
	{},
};

/* What the words after a command are. */
enum word { WORD_END, WORD_DEVICE, WORD_PASID, WORD_ADDRESS };

/* Which options a command has, by their keys, and which words after it. */
static const struct {
	int keys[6];
	enum word words[4];
} shapes[] = {
	[CTL_DEVICES] = {.words = {WORD_END}},
	[CTL_PASIDS] = {.words = {WORD_DEVICE}},
	[CTL_ATTACH] = {.keys = {KEY_BITS}, .words = {WORD_DEVICE, WORD_ADDRESS}},
	[CTL_DETACH] = {.words = {WORD_DEVICE}},
	[CTL_ALLOC] = {.keys = {KEY_MIN, KEY_MAX}, .words = {WORD_DEVICE}},
	[CTL_FREE] = {.words = {WORD_DEVICE, WORD_PASID}},
	[CTL_BIND] = {.keys = {KEY_WIDTH, KEY_FLAGS, KEY_GUEST_PASID},
		      .words = {WORD_DEVICE, WORD_PASID, WORD_ADDRESS}},
	[CTL_UNBIND] = {.words = {WORD_DEVICE, WORD_PASID}},
	[CTL_INVALIDATE] = {.keys = {KEY_PASID, KEY_ADDRESS, KEY_GRANULE, KEY_COUNT, KEY_LEAF,
				     KEY_CACHES},
			    .words = {WORD_DEVICE}},
	[CTL_TRANSLATE] = {.keys = {KEY_ACCESS}, .words = {WORD_DEVICE, WORD_PASID, WORD_ADDRESS}},
	[CTL_PAGE_REQUESTS] = {.keys = {KEY_ANSWER}, .words = {WORD_DEVICE}},
	[CTL_REQUEST] = {.words = {WORD_END}},
};

static const char *const word_names[] = {
	[WORD_DEVICE] = "DEVICE", [WORD_PASID] = "PASID", [WORD_ADDRESS] = "address"};

/**
 * struct parsing - the command line while it is read
 * @options:	what it says
 * @words:	how many words there were: the command is the first
 * @keys:	options that only some commands have, in order
 * @key_count:	how many
 */
struct parsing {
	struct ctl_options *options;
	unsigned int words;
	int keys[32];
	size_t key_count;
};

static void set_number(struct argp_state *state, const char *what, const char *text,
		       struct ctl_number *number)
{
	if (!parse_number(text, 0, UINT64_MAX, &number->value))
		argp_error(state, "%s \"%s\" is no number, such as 4096 or 0x1000", what, text);
	number->given = true;
}

static void set_granule(struct argp_state *state, const char *text, struct ctl_number *number)
{
	static const char *const sizes[] = {"4k", "2m", "1g", NULL};
	int size = parse_word(text, sizes);

	if (size < 0) {
		set_number(state, "--granule", text, number);
		return;
	}
	*number = (struct ctl_number){.given = true, .value = 1ULL << (12 + 9 * size)};
}

static void set_answer(struct argp_state *state, struct ctl_options *options, const char *text)
{
	if (parse_word(text, ctl_answers) < 0)
		argp_error(state, "--answer must be one of success, invalid, failure; not \"%s\"",
			   text);
	options->answer = text;
}

static void add_word(struct argp_state *state, struct parsing *parsing, const char *text)
{
	struct ctl_options *options = parsing->options;
	enum word word;
	int command;

	if (!parsing->words++) {
		command = parse_word(text, ctl_commands);
		if (command < 0)
			argp_error(state, "no command \"%s\"; --help lists them", text);
		options->command = command;
		return;
	}
	word = parsing->words - 2 < 4 ? shapes[options->command].words[parsing->words - 2]
				      : WORD_END;
	switch (word) {
	case WORD_DEVICE:
		set_number(state, "DEVICE", text, &options->device);
		break;
	case WORD_PASID:
		set_number(state, "PASID", text, &options->pasid);
		break;
	case WORD_ADDRESS:
		set_number(state, "the address", text, &options->address);
		break;
	case WORD_END:
		argp_error(state, "unexpected argument \"%s\"", text);
	}
}

static const char *name_of(int key)
{
	const struct argp_option *option = known;

	while (option->key != key)
		option++;
	return option->name;
}

static void check_key(struct argp_state *state, const struct ctl_options *options, int key)
{
	size_t i;

	for (i = 0; i < 6; i++)
		if (shapes[options->command].keys[i] == key)
			return;
	argp_error(state, "%s has no option --%s", ctl_commands[options->command], name_of(key));
}

static void finish(struct argp_state *state, const struct parsing *parsing)
{
	const struct ctl_options *options = parsing->options;
	enum word missing;
	size_t i;

	if (!parsing->words)
		argp_error(state, "what to do? Give a COMMAND; --help lists them");
	missing = shapes[options->command].words[parsing->words - 1];
	if (missing)
		argp_error(state, "%s: %s is missing", ctl_commands[options->command],
			   word_names[missing]);
	for (i = 0; i < parsing->key_count; i++)
		check_key(state, options, parsing->keys[i]);
	if (!options->address.given &&
	    (options->granule.given || options->count.given || options->leaf))
		argp_error(state, "--granule, --count and --leaf are about --address");
}

/* An option that only some commands have; false if it is another. */
static bool set_option(struct argp_state *state, struct ctl_options *options, int key, char *arg)
{
	switch (key) {
	case KEY_BITS:
		set_number(state, "--bits", arg, &options->bits);
		return true;
	case KEY_MIN:
		set_number(state, "--min", arg, &options->min);
		return true;
	case KEY_MAX:
		set_number(state, "--max", arg, &options->max);
		return true;
	case KEY_WIDTH:
		set_number(state, "--width", arg, &options->width);
		return true;
	case KEY_FLAGS:
		options->flags = arg;
		return true;
	case KEY_GUEST_PASID:
		set_number(state, "--guest-pasid", arg, &options->guest_pasid);
		return true;
	case KEY_PASID:
		set_number(state, "--pasid", arg, &options->pasid);
		return true;
	case KEY_ADDRESS:
		set_number(state, "--address", arg, &options->address);
		return true;
	case KEY_GRANULE:
		set_granule(state, arg, &options->granule);
		return true;
	case KEY_COUNT:
		set_number(state, "--count", arg, &options->count);
		return true;
	case KEY_LEAF:
		options->leaf = true;
		return true;
	case KEY_ACCESS:
		options->access = arg;
		return true;
	case KEY_CACHES:
		options->caches = arg;
		return true;
	case KEY_ANSWER:
		set_answer(state, options, arg);
		return true;
	default:
		return false;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct parsing *parsing = state->input;

	switch (key) {
	case 's':
		parsing->options->socket = arg;
		break;
	case 'j':
		parsing->options->json = true;
		break;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case ARGP_KEY_ARG:
		add_word(state, parsing, arg);
		break;
	case ARGP_KEY_END:
		finish(state, parsing);
		break;
	default:
		if (!set_option(state, parsing->options, key, arg))
			return ARGP_ERR_UNKNOWN;
		if (parsing->key_count == sizeof(parsing->keys) / sizeof(*parsing->keys))
			argp_error(state, "too many options");
		parsing->keys[parsing->key_count++] = key;
		break;
	}
	return 0;
}

void ctl_options_parse(struct ctl_options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options = known,
		.parser = parse_option,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = description,
	};
	struct parsing parsing = {.options = options};

	*options = (struct ctl_options){.socket = CONTROL_SOCKET_PATH};
	argp_program_version = "iotlbctl " VERSION;
	argp_err_exit_status = EXIT_USAGE;
	/* Messages begin with the name, not with the path. */
	argv[0] = program_invocation_short_name;
	if (argp_parse(&argp, argc, argv, 0, NULL, &parsing))
		exit(EXIT_USAGE);
}
