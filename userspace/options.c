// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "monitor.h"
#include "options.h"

#define MAX_STATS_SECONDS 86400

enum key {
	KEY_TRANSLATOR = 0x100,
	KEY_TABLE,
	KEY_VTD,
	KEY_QMP,
	KEY_MONITOR,
	KEY_RESOLVE,
	KEY_POLL,
	KEY_RING_SIZE,
	KEY_MAX_UNANSWERED,
	KEY_CONTROL,
	KEY_PASID_QUOTA,
	KEY_PAGE_REQUEST_TIMEOUT,
	KEY_STATS,
};

static const struct argp_option known[] = {
	{"pid", 'p', "PID", 0,
	 "Serve the devices of this process only; may be given several times (default: all "
	 "processes, now and later)",
	 0},
	{"translator", KEY_TRANSLATOR, "NAME", 0,
	 "How to translate: see below (with --table, it is table, with --qmp, --monitor and --vtd, "
	 "it is vtd)",
	 0},
	{"qmp", KEY_QMP, "SOCKET", 0,
	 "Ask the QEMU of -p, at this QMP socket, about the IOMMU of its guest, and have the "
	 "kernel "
	 "walk its tables; with exactly one -p",
	 0},
	{"monitor", KEY_MONITOR, "SOCKET", 0, "The same, at the socket of its human monitor", 0},
	{"table", KEY_TABLE, "FILE", 0, "Mappings, one a line: iova size gpa perm", 0},
	{"vtd", KEY_VTD, "FILE", 0,
	 "The IOMMU of the guests, whose tables are walked; one fact a line, see iotlbd(8)", 0},
	{"resolve", KEY_RESOLVE, NULL, 0,
	 "Have the kernel walk the tables that --vtd describes, so that no miss of a 4K page comes "
	 "to user space",
	 0},
	{"ring-size", KEY_RING_SIZE, "BYTES", 0,
	 "Size of the ring buffer: a power of two, at least a page; k, M or G may follow (default: "
	 "1M)",
	 0},
	{"max-unanswered", KEY_MAX_UNANSWERED, "N", 0,
	 "Leave a device alone for a second when it has had more misses than that within a second "
	 "that could not be answered (default: 1000)",
	 0},
	{"control", KEY_CONTROL, "SOCKET", 0,
	 "Make this Unix socket, at which iotlbctl(8) and others manage PASIDs and what guests "
	 "bind "
	 "to them, see iotlbd-control(7)",
	 0},
	{"pasid-quota", KEY_PASID_QUOTA, "N", 0,
	 "PASIDs that a device may have (default: 1024); with --control", 0},
	{"page-request-timeout", KEY_PAGE_REQUEST_TIMEOUT, "SECONDS", 0,
	 "How long a guest may take to answer a page request (default: 30); with --control", 0},
	{"poll", KEY_POLL, NULL, 0,
	 "Look for misses all the time: saves the wake-up after a pause, and takes a whole CPU", 0},
	{"stats", KEY_STATS, "SECONDS", OPTION_ARG_OPTIONAL,
	 "Print a line each second, or each so many seconds", 0},
	{"json", 'j', NULL, 0, "Print statistics as JSON, one object a line", 0},
	{"verbose", 'v', NULL, 0, "Say more on standard error", 0},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0},
	{}};

static const char description[] =
	"Answer the IOTLB misses of vhost devices."
	"\vEnds, with a summary on standard output, on SIGINT or SIGTERM, or when the processes "
	"that were given by -p have ended.\n"
	"\n"
	"Exit status: 0 good, 1 failed, 2 wrong usage.";

static size_t parse_ring_size(struct argp_state *state, const char *text)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned long long size = 0;
	char *end = (char *)text;

	/* strtoull() would take a sign, and blanks before it. */
	if (isdigit((unsigned char)*text))
		size = strtoull(text, &end, 0);
	/* Too great a number stays too great. */
	if (size <= OPTIONS_RING_SIZE_MAX) {
		switch (*end) {
		case 'G':
			size <<= 10;
			/* fall through */
		case 'M':
			size <<= 10;
			/* fall through */
		case 'k':
		case 'K':
			size <<= 10;
			end++;
		}
	}
	if (*end || size < page || size > OPTIONS_RING_SIZE_MAX || size & (size - 1))
		argp_error(state, "--ring-size \"%s\" is not a power of two from %zu to %lu", text,
			   page, OPTIONS_RING_SIZE_MAX);
	return size;
}

static void add_pid(struct argp_state *state, struct options *options, const char *text)
{
	pid_t pid = cli_number(state, "--pid", text, 1, INT_MAX);
	size_t i;

	for (i = 0; i < options->pid_count; i++)
		if (options->pids[i] == pid)
			return;
	if (options->pid_count == OPTIONS_MAX_PIDS)
		argp_error(state, "more than %d --pid; without any, all processes are served",
			   OPTIONS_MAX_PIDS);
	options->pids[options->pid_count++] = pid;
}

static void set_monitor(struct argp_state *state, struct options *options,
			const struct monitor_protocol *protocol, const char *path)
{
	if (options->monitor)
		argp_error(state, "one of --qmp and --monitor is enough, and once");
	options->monitor = protocol;
	options->monitor_path = path;
	options->translator_args.asks_qemu = true;
}

/* Each QEMU has its own monitor, and whose devices it is about must be sure. */
static void check_monitor(struct argp_state *state, struct options *options)
{
	const char *option = monitor_option(options->monitor);

	if (options->pid_count != 1)
		argp_error(state,
			   "%s takes exactly one -p, the process of that QEMU; there are %zu",
			   option, options->pid_count);
	if (options->translator_args.vtd_path)
		argp_error(state, "%s and --vtd both say what the IOMMU is like; leave one out",
			   option);
	if (options->translator && options->translator != &translator_vtd)
		argp_error(state, "%s makes no sense with --translator %s; leave one out", option,
			   options->translator->name);
	options->translator = &translator_vtd;
	options->resolve = true;
}

static void set_control_defaults(struct argp_state *state, struct options *options)
{
	if (options->pasid_quota && !options->control_path)
		argp_error(state, "--pasid-quota makes no sense without --control SOCKET, by which "
				  "PASIDs are allocated");
	if (options->page_request_seconds && !options->control_path)
		argp_error(state, "--page-request-timeout makes no sense without --control SOCKET, "
				  "by which page requests are answered");
	if (!options->pasid_quota)
		options->pasid_quota = OPTIONS_PASID_QUOTA;
	if (!options->page_request_seconds)
		options->page_request_seconds = OPTIONS_PAGE_REQUEST_SECONDS;
}

static void finish(struct argp_state *state, struct options *options)
{
	if (options->monitor)
		check_monitor(state, options);

	if (!options->translator && options->translator_args.table_path)
		options->translator = &translator_table;
	if (!options->translator && options->translator_args.vtd_path)
		options->translator = &translator_vtd;
	/* Identity is not a default: where a guest remaps, it would be wrong. */
	if (!options->translator)
		argp_error(state,
			   "how to translate? Give --qmp SOCKET, --vtd FILE or --table FILE, or "
			   "--translator identity if addresses are guest addresses in every guest "
			   "that is "
			   "served");
	if (options->translator->check && options->translator->check(&options->translator_args))
		exit(EXIT_USAGE);
	set_control_defaults(state, options);
	if (options->resolve && !options->translator->resolver)
		argp_error(state,
			   "--resolve makes no sense with --translator %s, which the kernel does "
			   "not know; it wants --vtd FILE",
			   options->translator->name);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'p':
		add_pid(state, options, arg);
		break;
	case KEY_TRANSLATOR:
		options->translator = translator_by_name(arg);
		if (!options->translator)
			argp_error(state, "no translator \"%s\"; --help lists them", arg);
		break;
	case KEY_TABLE:
		options->translator_args.table_path = arg;
		break;
	case KEY_VTD:
		options->translator_args.vtd_path = arg;
		break;
	case KEY_QMP:
		set_monitor(state, options, &monitor_qmp, arg);
		break;
	case KEY_MONITOR:
		set_monitor(state, options, &monitor_hmp, arg);
		break;
	case KEY_RESOLVE:
		options->resolve = true;
		break;
	case KEY_RING_SIZE:
		options->ring_size = parse_ring_size(state, arg);
		break;
	case KEY_MAX_UNANSWERED:
		options->max_unanswered = cli_number(state, "--max-unanswered", arg, 1, INT_MAX);
		break;
	case KEY_CONTROL:
		options->control_path = arg;
		break;
	case KEY_PASID_QUOTA:
		options->pasid_quota =
			cli_number(state, "--pasid-quota", arg, 1, OPTIONS_PASID_QUOTA_MAX);
		break;
	case KEY_PAGE_REQUEST_TIMEOUT:
		options->page_request_seconds = cli_number(state, "--page-request-timeout", arg, 1,
							   OPTIONS_PAGE_REQUEST_SECONDS_MAX);
		break;
	case KEY_POLL:
		options->poll = true;
		break;
	case KEY_STATS:
		options->stats_seconds =
			arg ? cli_number(state, "--stats", arg, 1, MAX_STATS_SECONDS) : 1;
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

/* Puts the translators before what is said at the end of the help. */
static char *list_translators(int key, const char *text, void *input)
{
	const struct translator_ops *const *ops;
	char *list = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return (char *)text;
	fputs("Translators:\n", out);
	for (ops = translators; *ops; ops++)
		fprintf(out, "  %-10s %s\n", (*ops)->name, (*ops)->summary);
	fprintf(out, "\n%s", text);
	fclose(out);
	return list;
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct cli cli = {
		.version = "iotlbd " VERSION,
		.argp =
			{
				.options = known,
				.parser = parse_option,
				.doc = description,
				.help_filter = list_translators,
			},
		.decimal = true,
		.bad_number = "%s \"%s\" is not a number from 1 to %" PRIu64,
	};

	*options = (struct options){
		.ring_size = OPTIONS_RING_SIZE,
		.max_unanswered = OPTIONS_MAX_UNANSWERED,
	};
	cli_parse(&cli, argc, argv, options);
}
