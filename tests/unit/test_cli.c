// SPDX-License-Identifier: GPL-2.0
/* What programs say of numbers that they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/bench_options.h"
#include "check/check_options.h"
#include "cli.h"
#include "record/record_options.h"
#include "top/top_options.h"
#include "walk/walk_options.h"

#define DEFINE_PROGRAM(program, type)                                                              \
	static void program(int argc, char **argv)                                                 \
	{                                                                                          \
		struct type options;                                                               \
                                                                                                   \
		program##_options_parse(&options, argc, argv);                                     \
	}

DEFINE_PROGRAM(bench, options)
DEFINE_PROGRAM(check, check_options)
DEFINE_PROGRAM(record, record_options)
DEFINE_PROGRAM(top, top_options)
DEFINE_PROGRAM(walk, walk_options)

static void assert_says(void (*program)(int argc, char **argv), char *argument,
			const char *expected)
{
	char said[1000] = "", name[] = "program";
	char *argv[] = {name, argument, NULL};
	int fds[2], status;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	/* Being refused ends the process. */
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		dup2(fds[1], STDERR_FILENO);
		program(2, argv);
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE);
	assert_true(read(fds[0], said, sizeof(said) - 1) > 0);
	close(fds[0]);
	if (!strstr(said, expected))
		fail_msg("not \"%s\" but \"%s\"", expected, said);
}

static void test_bounds_are_told(void **state)
{
	(void)state;
	assert_says(bench, "--working-set=1",
		    ": --working-set: '1' is not a number from 2 to 16777216\n");
	assert_says(check, "--duration=3601",
		    ": --duration: \"3601\" is no number from 1 to 3600\n");
	assert_says(record, "--duration=nan",
		    ": duration \"nan\": must be seconds, from 0.01 to 31622400\n");
	assert_says(top, "--max-queues=3073",
		    ": max-queues \"3073\": must be a number from 1 to 3072\n");
	assert_says(walk, "--pasid=1x",
		    ": --pasid \"1x\" is not a number up to 0xfffff, decimal or hexadecimal after "
		    "0x\n");
}

static void test_only_decimal(void **state)
{
	(void)state;
	assert_says(top, "--pid=0x10", ": pid \"0x10\": must be a number from 1 to 2147483647\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds_are_told),
		cmocka_unit_test(test_only_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
