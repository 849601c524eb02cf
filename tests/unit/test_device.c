// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "device.h"

static void test_fdinfo(void **state)
{
	struct vhost_device dev = {.pid = 5};

	(void)state;
	assert_int_equal(vhost_fdinfo_parse("pos:\t0\n"
					    "vhost-id:\t18446744073709551615\n"
					    "vhost-iotlb:\t12 2048\n"
					    "vhost-iotlb-gen:\t3\n"
					    "vhost-iotlb-fallback:\t4 5 6\n"
					    "vhost-mem-seq:\t9\n",
					    &dev),
			 0);
	assert_true(dev.has_id);
	assert_int_equal(dev.id, UINT64_MAX);
	assert_true(dev.has_iotlb);
	assert_int_equal(dev.entries, 12);
	assert_int_equal(dev.limit, 2048);
	assert_int_equal(dev.iotlb_gen, 3);
	assert_int_equal(dev.timeouts, 4);
	assert_int_equal(dev.mem_seq, 9);
	assert_int_equal(dev.pid, 5);
}

static void test_spaces(void **state)
{
	struct vhost_device dev = {.nr_spaces = 5};
	char text[1024] = "vhost-id:\t7\nvhost-iotlb:\t12 2048\n";
	size_t i;

	(void)state;
	assert_int_equal(vhost_fdinfo_parse(text, &dev), 0);
	assert_int_equal(dev.nr_spaces, 0);
	assert_int_equal(vhost_spaces_find(dev.spaces, 0, 1), 0);

	strcat(text, "vhost-iotlb-as:\t5 7 2048 0 63\nvhost-iotlb-as:\t4294967295 0 1 1 64\n"
		     "vhost-mem-seq:\t1\n");
	assert_int_equal(vhost_fdinfo_parse(text, &dev), 0);
	assert_int_equal(dev.entries, 12);
	assert_int_equal(dev.nr_spaces, 2);
	assert_int_equal(dev.spaces[0].asid, 5);
	assert_int_equal(dev.spaces[0].entries, 7);
	assert_int_equal(dev.spaces[0].limit, 2048);
	assert_int_equal(vhost_spaces_find(dev.spaces, 2, 0), 5);
	assert_int_equal(vhost_spaces_find(dev.spaces, 2, 1), UINT32_MAX);
	assert_int_equal(vhost_spaces_find(dev.spaces, 2, 2), 0);
	assert_int_equal(vhost_spaces_find(dev.spaces, 2, 63), 5);
	assert_int_equal(vhost_spaces_find(dev.spaces, 2, 64), 0);
	assert_int_equal(vhost_spaces_find(dev.spaces, 2, UINT32_MAX), 0);

	/* Those for which there is no room are left out. */
	for (i = 0; i < VHOST_DEVICE_SPACES; i++)
		strcat(text, "vhost-iotlb-as:\t9 1 1\n");
	assert_int_equal(vhost_fdinfo_parse(text, &dev), 0);
	assert_int_equal(dev.nr_spaces, VHOST_DEVICE_SPACES);
}

static void test_fdinfo_without_iotlb(void **state)
{
	struct vhost_device dev = {.has_iotlb = true, .entries = 3, .timeouts = 3, .mem_seq = 3};

	(void)state;
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7", &dev), 0);
	assert_int_equal(dev.timeouts, 0);
	assert_int_equal(dev.mem_seq, 0);
	assert_true(dev.has_id);
	assert_int_equal(dev.id, 7);
	assert_false(dev.has_iotlb);
	assert_int_equal(dev.entries, 0);
}

static void test_fdinfo_of_unpatched_kernel(void **state)
{
	struct vhost_device dev = {.has_id = true};

	(void)state;
	assert_int_equal(vhost_fdinfo_parse("pos:\t0\nflags:\t02\n", &dev), 0);
	assert_false(dev.has_id);
	assert_int_equal(vhost_fdinfo_parse("", &dev), 0);
	assert_false(dev.has_id);
	/* Not at the start of a line, or another key. */
	assert_int_equal(vhost_fdinfo_parse("x-vhost-id:\t7\nvhost-ids:\t7\n", &dev), 0);
	assert_false(dev.has_id);
}

static void test_strange_fdinfo(void **state)
{
	struct vhost_device dev;

	(void)state;
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\n", &dev), -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t-7\n", &dev), -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7 8\n", &dev), -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\nvhost-iotlb:\t1\n", &dev), -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\nvhost-mem-seq:\tx\n", &dev), -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\nvhost-iotlb:\t1 2\n"
					    "vhost-iotlb-gen:\tx\n",
					    &dev),
			 -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\nvhost-iotlb:\t1 2\n"
					    "vhost-iotlb-fallback:\t1 2\n",
					    &dev),
			 -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\nvhost-iotlb:\t1 2\n"
					    "vhost-iotlb-as:\t1 2\n",
					    &dev),
			 -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\nvhost-iotlb:\t1 2\n"
					    "vhost-iotlb-as:\t4294967296 2 3\n",
					    &dev),
			 -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\nvhost-iotlb:\t1 2\n"
					    "vhost-iotlb-as:\t1 2 3 -4\n",
					    &dev),
			 -EPROTO);
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t18446744073709551616\n", &dev), -EPROTO);
}

static void test_tap(void **state)
{
	struct vhost_device dev = {.tap = "before"};

	(void)state;
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\n", &dev), 0);
	assert_string_equal(dev.tap, "");
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\niff:\tguest0\niff:\tguest1\n", &dev), 0);
	assert_string_equal(dev.tap, "guest0");
	assert_int_equal(vhost_fdinfo_parse("iff:\t123456789012345\nvhost-id:\t7", &dev), 0);
	assert_string_equal(dev.tap, "123456789012345");
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\niff:\t", &dev), 0);
	assert_string_equal(dev.tap, "");

	/* Names that are not what they look like, or end elsewhere */
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\niff:\ttap\x1b[2J\n", &dev), 0);
	assert_string_equal(dev.tap, "");
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\niff:\ttap 0\n", &dev), 0);
	assert_string_equal(dev.tap, "");
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\niff:\ttap\xc3\xa9\n", &dev), 0);
	assert_string_equal(dev.tap, "");
	assert_int_equal(vhost_fdinfo_parse("vhost-id:\t7\niff:\t1234567890123456\n", &dev),
			 -EPROTO);
}

static void test_no_tap(void **state)
{
	char tap[VHOST_DEVICE_TAP_MAX] = "before";
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(tap_read(getpid(), fd, tap), -ENOTTY);
	close(fd);
	assert_int_equal(tap_read(getpid(), fd, tap), -ESRCH);
	assert_string_equal(tap, "before");
}

static void test_other_files(void **state)
{
	struct vhost_device dev;
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(vhost_device_read(getpid(), fd, &dev, NULL), -ENOTTY);
	close(fd);
	assert_int_equal(vhost_device_read(getpid(), fd, &dev, NULL), -ESRCH);
}

static int never(const struct vhost_device *dev, void *arg)
{
	(void)dev;
	(void)arg;
	return 1;
}

static pid_t ended_process(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void test_process_that_has_gone(void **state)
{
	struct vhost_device dev;
	pid_t pid = ended_process();

	(void)state;
	assert_int_equal(vhost_device_for_each(pid, never, NULL), -ESRCH);
	assert_int_equal(vhost_device_read(pid, 0, &dev, NULL), -ESRCH);
	/* This process holds none, and that is no error. */
	assert_int_equal(vhost_device_for_each(getpid(), never, NULL), 0);
}

static void test_take_refuses_other_files(void **state)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(pidfd >= 0 && fd >= 0);
	assert_int_equal(vhost_device_take(pidfd, fd, 7), -ESTALE);
	close(fd);
	assert_int_equal(vhost_device_take(pidfd, fd, 7), -EBADF);
	close(pidfd);
}

static void test_printable(void **state)
{
	char dir[] = "/tmp/device.XXXXXX", path[60], name[16];
	struct vhost_device dev;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/vhost-\033[2J\377", dir);
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_int_equal(prctl(PR_SET_NAME, "\033]0;x\a\303"), 0);
	assert_int_equal(vhost_device_read(getpid(), fd, &dev, NULL), 0);
	assert_int_equal(prctl(PR_SET_NAME, name), 0);
	assert_string_equal(dev.comm, "?]0;x??");
	assert_string_equal(strrchr(dev.path, '/'), "/vhost-?[2J?");
	close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fdinfo),
		cmocka_unit_test(test_spaces),
		cmocka_unit_test(test_fdinfo_without_iotlb),
		cmocka_unit_test(test_fdinfo_of_unpatched_kernel),
		cmocka_unit_test(test_strange_fdinfo),
		cmocka_unit_test(test_tap),
		cmocka_unit_test(test_no_tap),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_process_that_has_gone),
		cmocka_unit_test(test_take_refuses_other_files),
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
