// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox.h"

static bool leads_to_null(int fd, int mode)
{
	char path[40], target[40] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 && !strcmp(target, "/dev/null") &&
	       (fcntl(fd, F_GETFL) & O_ACCMODE) == mode;
}

/* In a process with some of the three closed. */
static int live_without(int closed)
{
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (closed & 1 << fd)
			close(fd);
	if (sandbox_open_standard_fds())
		return 1;
	for (fd = 0; fd < 3; fd++)
		if (closed & 1 << fd && !leads_to_null(fd, fd ? O_WRONLY : O_RDONLY))
			return 2;
	/* Those that were open are what they were, and nothing is left over. */
	for (fd = 0; fd < 3; fd++)
		if (!(closed & 1 << fd) && leads_to_null(fd, O_WRONLY))
			return 3;
	fd = dup(0);
	return fd < 3 ? 4 : 0;
}

static void test_standard_fds(void **state)
{
	int closed, status;
	pid_t child;

	(void)state;
	for (closed = 0; closed < 8; closed++) {
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		child = fork();
		assert_true(child >= 0);
		if (!child) {
			dup2(ends[1], 1);
			dup2(ends[1], 2);
			_exit(live_without(closed));
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		close(ends[0]);
		close(ends[1]);
	}
}

static int live_started(void)
{
	if (sandbox_enter(SANDBOX_START))
		return 1;
	if (prctl(PR_GET_DUMPABLE) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	return 0;
}

static void test_start(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child)
		_exit(live_started());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standard_fds),
		cmocka_unit_test(test_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
