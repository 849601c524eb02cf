// SPDX-License-Identifier: GPL-2.0
/*
 * Checks what the kernel series makes of vhost's device IOTLB, on the real
 * /dev/vhost-net with a tap behind it. Prints TAP.
 *
 * No check sleeps to give something time to happen. What must happen is waited
 * for with poll(); what must not is known after device_flush(), which returns
 * when vhost's worker has nothing left to do.
 *
 * With --stock, on the modules of the distribution, a check is good if it does
 * there what it says in the tables: pass, or fail at the very statement that
 * the series is about. That proves that the checks can fail.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "device.h"
#include "hook.h"
#include "module.h"
#include "process.h"
#include "slowness.h"
#include "trace.h"

/* Beyond what any check waits for in sequence: something hangs. */
#define HANG_SECONDS 240

static const struct check_group *const groups[] = {
	&checks_miss,	   &checks_access,	 &checks_update,     &checks_fdinfo,
	&checks_events,	   &checks_evict,	 &checks_split,	     &checks_batch,
	&checks_token,	   &checks_hook,	 &checks_retry,	     &checks_watchdog,
	&checks_resolve,   &checks_resolve_ring, &checks_guest_read, &checks_guest_word,
	&checks_guest_set, &checks_regions,	 &checks_asid,	     &checks_asid_move,
	&checks_asid_race, &checks_fail,	 &checks_fail_race,  &checks_life,
};

#define NR_GROUPS (sizeof(groups) / sizeof(*groups))

static bool failed_at_feature;

bool check_failed(bool at_feature, const char *file, int line, const char *condition,
		  const char *format, ...)
{
	va_list arguments;

	failed_at_feature = at_feature;
	printf("# %s:%d: not so: %s: ", file, line, condition);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	return false;
}

static void usage(FILE *stream)
{
	fputs("Usage: vhost_iotlb_test [--stock] [--list] [GROUP]...\n"
	      "\n"
	      "Checks vhost's device IOTLB and prints TAP; all groups of checks, or those\n"
	      "that are named. Needs root, and a kernel of its own: the group \"hook\"\n"
	      "unloads the vhost modules.\n"
	      "\n"
	      "  --stock  the modules are without the patches: see that the checks fail\n"
	      "  --list   print the groups\n"
	      "  --help   show this\n"
	      "\n"
	      "Exit status: 0 all good, 1 some failed, 2 usage.\n",
	      stream);
}

static void on_hang(int signal)
{
	static const char message[] = "Bail out! the check hangs\n";

	(void)signal;
	(void)!write(STDOUT_FILENO, message, sizeof(message) - 1);
	_exit(1);
}

static bool is_selected(const char *group, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(group, *names))
			return true;
	return false;
}

static bool run(const struct check *check, bool on_stock)
{
	bool passed;

	alarm(HANG_SECONDS * slowness());
	failed_at_feature = false;
	/* However slow a machine is, who took a miss has all the time. */
	if (module_has_parameter(MODULE_TIMEOUT))
		module_set_parameter(MODULE_TIMEOUT, 0);
	passed = check->run();
	process_kill_all();
	hook_close_all();
	trace_close();
	device_close_all();
	alarm(0);

	if (!on_stock || check->stock == STOCK_PASSES)
		return passed;
	return !passed && failed_at_feature;
}

static unsigned int run_group(const struct check_group *group, bool on_stock, unsigned int *number)
{
	unsigned int failed = 0;

	for (size_t i = 0; i < group->nr_checks; i++) {
		const struct check *check = &group->checks[i];
		bool good;

		if (on_stock && check->stock == STOCK_LACKS)
			continue;
		good = run(check, on_stock);
		failed += !good;
		printf("%s %u - %s: %s%s\n", good ? "ok" : "not ok", ++*number, group->name,
		       check->name,
		       on_stock && check->stock == STOCK_FAILS ? ": fails without the patches"
							       : "");
	}
	return failed;
}

static void parse_options(int argc, char **argv, bool *on_stock)
{
	static const struct option options[] = {
		{"stock", no_argument, NULL, 's'},
		{"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			*on_stock = true;
			break;
		case 'l':
			for (size_t i = 0; i < NR_GROUPS; i++)
				puts(groups[i]->name);
			exit(0);
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
}

static void check_names(char **names)
{
	for (; *names; names++) {
		size_t i = 0;

		while (i < NR_GROUPS && strcmp(groups[i]->name, *names))
			i++;
		if (i == NR_GROUPS) {
			fprintf(stderr,
				"vhost_iotlb_test: no group of checks is called %s; see --list\n",
				*names);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int failed = 0, number = 0;
	bool on_stock = false;

	parse_options(argc, argv, &on_stock);
	check_names(argv + optind);
	setlinebuf(stdout);
	signal(SIGALRM, on_hang);
	device_enter_namespace();

	for (size_t i = 0; i < NR_GROUPS; i++)
		if (is_selected(groups[i]->name, argv + optind))
			failed += run_group(groups[i], on_stock, &number);
	printf("1..%u\n", number);
	return failed ? 1 : 0;
}
