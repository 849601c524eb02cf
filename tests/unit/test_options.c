// SPDX-License-Identifier: GPL-2.0
/* Numbers on the command line; one that is refused ends the process. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor.h"
#include "options.h"

#define EXIT_USAGE 2

static struct options options;

static void parse(const char *option, const char *value)
{
	char name[] = "iotlbd", translator[] = "--translator=identity", text[100];
	char *argv[] = {name, translator, text, NULL};

	snprintf(text, sizeof(text), "--%s=%s", option, value);
	options_parse(&options, 3, argv);
}

static void assert_refused(const char *option, const char *value)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		parse(option, value);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_USAGE)
		fail_msg("--%s=\"%s\": status 0x%x", option, value, status);
}

static void test_taken(void **state)
{
	(void)state;
	parse("max-unanswered", "1");
	assert_int_equal(options.max_unanswered, 1);
	parse("max-unanswered", "2147483647");
	assert_int_equal(options.max_unanswered, INT32_MAX);
	parse("stats", "86400");
	assert_int_equal(options.stats_seconds, 86400);
	parse("pid", "4711");
	assert_int_equal(options.pid_count, 1);
	assert_int_equal(options.pids[0], 4711);
	parse("ring-size", "4096");
	assert_int_equal(options.ring_size, 4096);
	parse("ring-size", "0x2000");
	assert_int_equal(options.ring_size, 0x2000);
	parse("ring-size", "64k");
	assert_int_equal(options.ring_size, 64 << 10);
	parse("ring-size", "1G");
	assert_int_equal(options.ring_size, 1 << 30);
}

static void parse_all(int argc, ...)
{
	char *argv[8] = {(char[]){"iotlbd"}};
	va_list args;
	int i;

	va_start(args, argc);
	for (i = 1; i <= argc; i++)
		argv[i] = va_arg(args, char *);
	va_end(args);
	options_parse(&options, argc + 1, argv);
}

static void test_monitor(void **state)
{
	(void)state;
	parse_all(2, "--pid=4711", "--qmp=socket");
	assert_ptr_equal(options.monitor, &monitor_qmp);
	assert_string_equal(options.monitor_path, "socket");
	assert_ptr_equal(options.translator, &translator_vtd);
	assert_true(options.translator_args.asks_qemu);
	assert_true(options.resolve);
	/* The same process twice is one. */
	parse_all(4, "-p4711", "-p4711", "--monitor=socket", "--translator=vtd");
	assert_ptr_equal(options.monitor, &monitor_hmp);
	parse_all(1, "--vtd=file");
	assert_null(options.monitor);
	assert_false(options.translator_args.asks_qemu);
	assert_false(options.resolve);
}

static void test_control(void **state)
{
	(void)state;
	parse_all(1, "--translator=identity");
	assert_null(options.control_path);
	assert_int_equal(options.pasid_quota, 1024);
	parse_all(3, "--translator=identity", "--pasid-quota=65536", "--control=/run/socket");
	assert_string_equal(options.control_path, "/run/socket");
	assert_int_equal(options.pasid_quota, 65536);
	/* Nobody could allocate any. */
	assert_refused("pasid-quota", "5");
	assert_int_equal(options.page_request_seconds, 30);
	parse_all(3, "--translator=identity", "--page-request-timeout=86400",
		  "--control=/run/socket");
	assert_int_equal(options.page_request_seconds, 86400);
	/* Nobody could answer any. */
	assert_refused("page-request-timeout", "5");
}

static void test_refused(void **state)
{
	static const char *const names[] = {"pid",	 "max-unanswered", "stats",
					    "ring-size", "pasid-quota",	   "page-request-timeout"};
	/* Each of them would be 8192 or the like to who is not strict. */
	static const char *const values[] = {
		"",
		"0",
		"-1",
		"+8192",
		" 8192",
		"\t8192",
		"8192 ",
		"8192x",
		"0x",
		"k",
		"-18446744073709543424", /* 8192 - (1 << 64) */
		"18446744073709559808",	 /* 8192 + (1 << 64) */
		"-8192",
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (j = 0; j < sizeof(values) / sizeof(*values); j++)
			assert_refused(names[i], values[j]);
	assert_refused("pid", "0x10");
	assert_refused("max-unanswered", "2147483648");
	assert_refused("stats", "86401");
	assert_refused("ring-size", "8193");
	assert_refused("ring-size", "2G");
	assert_refused("ring-size", "18014398509481992k"); /* (8 + (1 << 54)) << 10 */
	assert_refused("ring-size", "8kk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
