// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "record/command.h"
#include "record/record_options.h"

static char text[64];

static const char *quote(char *const *argv)
{
	memset(text, 'x', sizeof(text));
	command_quote(argv, text, sizeof(text));
	return text;
}

static void commands_are_quoted_as_needed(void **state)
{
	(void)state;
	assert_string_equal(quote((char *[]){"ls", "-l", "/tmp/a_b", NULL}), "ls -l /tmp/a_b");
	assert_string_equal(quote((char *[]){"sh", "-c", "a b", "", NULL}), "sh -c 'a b' ''");
	assert_string_equal(quote((char *[]){"it's", NULL}), "'it'\\''s'");
	assert_string_equal(quote((char *[]){"a\nb\033", NULL}), "'a?b?'");
}

static void long_commands_are_cut_off(void **state)
{
	char argument[200] = "";

	(void)state;
	memset(argument, 'a', sizeof(argument) - 1);
	quote((char *[]){"echo", argument, NULL});
	assert_int_equal(strlen(text), sizeof(text) - 1);
	assert_string_equal(text + strlen(text) - 5, "aa...");
}

static int status_of(char *const *argv)
{
	pid_t pid;
	int status;

	assert_int_equal(command_start(argv, &pid), 0);
	while (!command_ended(pid, &status))
		usleep(1000);
	return status;
}

static void exit_statuses_are_told(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(status_of((char *[]){"true", NULL}), 0);
	assert_int_equal(status_of((char *[]){"sh", "-c", "exit 200", NULL}), 200);
	assert_int_equal(status_of((char *[]){"sh", "-c", "kill -KILL $$", NULL}), 137);
	assert_int_equal(command_start((char *[]){"/no/such", NULL}, &pid), COMMAND_NOT_FOUND);
	assert_int_equal(command_start((char *[]){"/", NULL}, &pid), COMMAND_CANNOT_RUN);
}

static void signals_are_as_usual(void **state)
{
	sigset_t set;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGINT, SIG_IGN);
	assert_int_equal(status_of((char *[]){"sh", "-c", "kill -INT $$; exit 0", NULL}), 130);
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void options_end_at_the_command(void **state)
{
	char *argv[] = {"iotlb-record", "-q", "-o", "a.html", "ls", "-f", "--perf", "-c", NULL};
	struct record_options options;

	(void)state;
	record_options_parse(&options, 8, argv);
	assert_int_equal(options.mode, RECORD_RUN);
	assert_true(options.quiet);
	assert_false(options.force || options.perf);
	assert_string_equal(options.output, "a.html");
	assert_string_equal(options.command[0], "ls");
	assert_string_equal(options.command[2], "--perf");
	assert_null(options.command[4]);
}

static void dashes_are_no_command(void **state)
{
	char *argv[] = {"iotlb-record", "--", "--compare", "x", NULL};
	struct record_options options;

	(void)state;
	record_options_parse(&options, 4, argv);
	assert_int_equal(options.mode, RECORD_RUN);
	assert_string_equal(options.command[0], "--compare");
	assert_string_equal(options.command[1], "x");
}

static void two_files_are_compared(void **state)
{
	char *argv[] = {"iotlb-record", "--compare", "A.json", "B.json", "-o", "c.html", NULL};
	struct record_options options;

	(void)state;
	record_options_parse(&options, 6, argv);
	assert_int_equal(options.mode, RECORD_COMPARE);
	assert_string_equal(options.inputs[0], "A.json");
	assert_string_equal(options.inputs[1], "B.json");
	assert_string_equal(options.output, "c.html");
	assert_null(options.command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_quoted_as_needed),
		cmocka_unit_test(long_commands_are_cut_off),
		cmocka_unit_test(exit_statuses_are_told),
		cmocka_unit_test(signals_are_as_usual),
		cmocka_unit_test(options_end_at_the_command),
		cmocka_unit_test(dashes_are_no_command),
		cmocka_unit_test(two_files_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
