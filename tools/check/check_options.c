// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <limits.h>

#include "check_options.h"
#include "cli.h"

/* An hour is enough to see what a guest does. */
#define DURATION_MAX 3600

enum { KEY_QMP = 0x100, KEY_MONITOR };

static const char description[] =
	"Explain what the device IOTLBs of a running QEMU do: why packets are slow, or why "
	"there is nothing to be seen."
	"\v"
	"Asks QEMU how the guest is made, looks into the tables of its IOMMU, watches its vhost "
	"devices for a while, and says what follows: what is so, by what it can be seen, and what "
	"to change. Without a monitor, only what can be seen from outside. Let the guest send or "
	"receive meanwhile.\n"
	"\n"
	"Exit status: 0 nothing is wrong, 1 something is wrong, or failed, 2 usage.";

static const struct argp_option known[] = {
	{"pid", 'p', "PID", 0, "The guest's QEMU", 0},
	{"qmp", KEY_QMP, "SOCKET", 0, "Ask at this QMP socket of QEMU's", 0},
	{"monitor", KEY_MONITOR, "SOCKET", 0, "The same for a socket of its human monitor", 0},
	{"duration", 'd', "SECONDS", 0, "Watch for so long (default 5)", 0},
	{"json", 'j', NULL, 0, "Each conclusion as a JSON object on a line", 0},
	{"verbose", 'v', NULL, 0, "Say more about what fails", 0},
	{NULL, 'h', NULL, 0, "Show this help", -1},
	{},
};

static void finish(struct argp_state *state, const struct check_options *options)
{
	if (!options->pid)
		argp_error(state, "which QEMU? Give --pid PID; pgrep -a qemu lists them");
	if (options->qmp && options->monitor)
		argp_error(state, "--qmp or --monitor, not both");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct check_options *options = state->input;

	switch (key) {
	case 'p':
		options->pid = cli_number(state, "--pid", arg, 1, INT_MAX);
		break;
	case KEY_QMP:
		options->qmp = arg;
		break;
	case KEY_MONITOR:
		options->monitor = arg;
		break;
	case 'd':
		options->duration = cli_number(state, "--duration", arg, 1, DURATION_MAX);
		break;
	case 'j':
		options->json = true;
		break;
	case ARGP_KEY_END:
		finish(state, options);
		break;
	default:
		return cli_common(key, arg, state);
	}
	return 0;
}

void check_options_parse(struct check_options *options, int argc, char **argv)
{
	static const struct cli cli = {
		.version = "iotlb-check " VERSION,
		.argp = {.options = known, .parser = parse_option, .doc = description},
		.bad_number = "%s: \"%s\" is no number from 1 to %" PRIu64,
	};

	*options = (struct check_options){.duration = 5};
	cli_parse(&cli, argc, argv, options);
}
