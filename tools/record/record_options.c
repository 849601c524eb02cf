// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "cli.h"
#include "parse.h"
#include "record_options.h"

#define BUFFER_KIB_DEFAULT 16384
#define BUFFER_KIB_MIN 4
#define BUFFER_KIB_MAX (1 << 20)

static const char doc[] =
	"Run a command, record what the device IOTLBs of vhost do meanwhile, and leave a "
	"report: one HTML file that needs nothing else, and its data as JSON beside it."
	"\v"
	"Without COMMAND, records until Ctrl-C, or for --duration. All devices of this host "
	"are recorded, whoever owns them. The files are called "
	"iotlb-record-YYYYmmdd-HHMMSS.html and .json if --output does not say otherwise.\n"
	"\n"
	"Exit status: that of COMMAND, 128 + N if signal N has killed it; 127 there is no such "
	"command, 126 it cannot be run; 125 iotlb-record itself has failed; 2 usage; 0 good.";

static const struct argp_option help[] = {
	{"buffer", 'b', "KIB", 0,
	 "Room for events that are not yet read, a power of two (16384); for when events "
	 "are lost",
	 0},
	{"compare", 'c', NULL, 0, "Record nothing: compare two data files in one report", 0},
	{"duration", 'd', "SECONDS", 0, "End after this time, and so the command", 0},
	{"force", 'f', NULL, 0, "Overwrite files", 0},
	{"output", 'o', "FILE.html", 0, "Write the report there, and the data to FILE.json", 0},
	{"perf", 'p', NULL, 0, "Have perf write all events, hits included, to FILE.perf.data", 0},
	{"quiet", 'q', NULL, 0, "No progress on standard error", 0},
	{"report", 'r', "RECORD.json", 0,
	 "Record nothing: make the report of this data file anew (to RECORD.html)", 0},
	{"verbose", 'v', NULL, 0, "Tell when recording begins, and more about what fails", 0},
	{NULL, 'h', NULL, 0, "Show this help", -1},
	{},
};

static void parse_buffer(struct record_options *options, const char *text, struct argp_state *state)
{
	uint64_t kib;

	if (!parse_number(text, BUFFER_KIB_MIN, BUFFER_KIB_MAX, &kib) || kib & (kib - 1))
		argp_error(state, "buffer \"%s\": must be a power of two from %d to %d", text,
			   BUFFER_KIB_MIN, BUFFER_KIB_MAX);
	else
		options->buffer_kib = kib;
}

static void set_mode(struct record_options *options, enum record_mode mode,
		     struct argp_state *state)
{
	if (options->mode != RECORD_RUN)
		argp_error(state, "give one of --report and --compare, once");
	options->mode = mode;
}

static void parse_argument(struct record_options *options, char *text, struct argp_state *state)
{
	if (options->mode == RECORD_COMPARE) {
		if (state->arg_num > 1)
			argp_error(state, "too many arguments: \"%s\"", text);
		else
			options->inputs[state->arg_num] = text;
		return;
	}
	if (options->mode == RECORD_REPORT)
		argp_error(state, "--report records nothing, so there is no COMMAND to be run");
	/* All the rest is the command's. */
	options->command = &state->argv[state->next - 1];
	state->next = state->argc;
}

static void check(const struct record_options *options, struct argp_state *state)
{
	const size_t length = options->output ? strlen(options->output) : 0;

	if (options->output && (length < 6 || strcmp(options->output + length - 5, ".html")))
		argp_error(state, "output \"%s\": must end in .html", options->output);
	if (options->mode == RECORD_COMPARE && !options->inputs[1])
		argp_error(state, "--compare needs two data files");
	if (options->mode == RECORD_COMPARE && !options->output)
		argp_error(state, "--compare needs --output");
	if (options->mode != RECORD_RUN && (options->perf || options->duration))
		argp_error(state, "--perf and --duration are for recording");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record_options *options = state->input;

	switch (key) {
	case 'b':
		parse_buffer(options, arg, state);
		break;
	case 'c':
		set_mode(options, RECORD_COMPARE, state);
		break;
	case 'd':
		options->duration = cli_seconds(state, "duration", arg);
		break;
	case 'f':
		options->force = true;
		break;
	case 'o':
		options->output = arg;
		break;
	case 'p':
		options->perf = true;
		break;
	case 'q':
		options->quiet = true;
		break;
	case 'r':
		set_mode(options, RECORD_REPORT, state);
		options->inputs[0] = arg;
		break;
	case ARGP_KEY_ARG:
		parse_argument(options, arg, state);
		break;
	case ARGP_KEY_END:
		check(options, state);
		break;
	default:
		return cli_common(key, arg, state);
	}
	return 0;
}

void record_options_parse(struct record_options *options, int argc, char **argv)
{
	static const struct cli cli = {
		.version = "iotlb-record " VERSION,
		.argp =
			{
				.options = help,
				.parser = parse,
				.args_doc = "[--] [COMMAND [ARG...]]\n--compare A.json B.json -o "
					    "FILE.html\n--report RECORD.json",
				.doc = doc,
			},
		/* What follows the first argument may be the command's. */
		.flags = ARGP_IN_ORDER,
	};

	*options = (struct record_options){.buffer_kib = BUFFER_KIB_DEFAULT};
	cli_parse(&cli, argc, argv, options);
}
