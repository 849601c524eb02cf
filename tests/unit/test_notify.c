// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "notify.h"

/* The service manager's end, by the name that is put into the environment. */
static int manager_socket(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = offsetof(struct sockaddr_un, sun_path) + strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	strncpy(address.sun_path, name, sizeof(address.sun_path) - 1);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static void assert_notified(const char *name)
{
	int manager = manager_socket(name);
	char text[100];

	notify_open();
	notify_send("READY=1");
	notify_send("STOPPING=1");
	assert_int_equal(read(manager, text, sizeof(text)), 7);
	assert_memory_equal(text, "READY=1", 7);
	assert_int_equal(read(manager, text, sizeof(text)), 10);
	assert_memory_equal(text, "STOPPING=1", 10);
	/* It may go; that is no reason to end. */
	close(manager);
	notify_send("READY=1");
}

static void test_file(void **state)
{
	char dir[] = "/tmp/notify.XXXXXX", path[40];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	assert_notified(path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_name(void **state)
{
	char name[40];

	(void)state;
	snprintf(name, sizeof(name), "@iotlb-test-notify-%d", getpid());
	assert_notified(name);
}

static void test_nobody(void **state)
{
	char name[200];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	notify_open();
	notify_send("READY=1");
	assert_int_equal(setenv("NOTIFY_SOCKET", "vsock:2:1234", 1), 0);
	notify_open();
	notify_send("READY=1");
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	notify_open();
	notify_send("READY=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
