// SPDX-License-Identifier: GPL-2.0
/* Both ends of a monitor: here is what QEMU would say, good and bad. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor.h"
#include "monitor_protocol.h"

#define QMP_GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define HMP_GREETING "QEMU 7.2.22 monitor - type 'help' for more information\r\n(qemu) "

static struct monitor *monitor;
static int qemu;
static char replies[1000];
static char events[1000];

static void note_reply(void *arg, const char *text)
{
	strcat(replies, arg);
	strcat(replies, text ? text : "(none)");
	strcat(replies, ";");
}

static void note_event(void *arg, const char *name)
{
	assert_string_equal(arg, "arg");
	strcat(events, name);
	strcat(events, ";");
}

static void begin(const struct monitor_protocol *protocol)
{
	int fds[2];

	replies[0] = events[0] = '\0';
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	qemu = fds[0];
	assert_int_equal(monitor_open(&monitor, protocol, fds[1], note_event, "arg"), 0);
	assert_int_equal(monitor_fd(monitor), fds[1]);
}

static void end(void)
{
	monitor_close(monitor);
	if (qemu >= 0)
		close(qemu);
}

static void say_bytes(const char *bytes, size_t size)
{
	assert_int_equal(write(qemu, bytes, size), size);
}

/* In one piece. */
static int say(const char *text)
{
	say_bytes(text, strlen(text));
	return monitor_read(monitor);
}

/* Letter by letter */
static int say_slowly(const char *text)
{
	int err = 0;

	for (; *text && !err; text++) {
		say_bytes(text, 1);
		err = monitor_read(monitor);
	}
	return err;
}

/* What has been asked: all that is there to be read */
static const char *heard(void)
{
	static char text[2 * MONITOR_SEND_MAX];
	ssize_t size = read(qemu, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void ask(const char *command, char *name)
{
	assert_int_equal(monitor_ask(monitor, command, note_reply, name), 0);
}

static void test_qmp(void **state)
{
	int (*const ways[])(const char *text) = {say, say_slowly};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin(&monitor_qmp);
		ask("info qtree", "a:");
		ask("xp \"\\", "b:");
		assert_string_equal(heard(), "");
		assert_int_not_equal(monitor_waits_since_ns(monitor), 0);
		assert_int_equal(ways[i](QMP_GREETING), 0);
		assert_string_equal(heard(), "{\"execute\": \"qmp_capabilities\", \"id\": 1}\n");
		assert_int_equal(ways[i]("{\"event\": \"STOP\", \"data\": {}}\r\n\r\n"
					 "{\"return\": {}, \"id\": 1}\r\n"),
				 0);
		assert_string_equal(events, "STOP;");
		assert_string_equal(heard(), "{\"execute\": \"human-monitor-command\", \"id\": 2, "
					     "\"arguments\": {\"command-line\": "
					     "\"info qtree\"}}\n");
		assert_int_equal(ways[i]("{\"return\": \"one\\r\\ntwo\\r\\n\", \"id\": 2}\r\n"), 0);
		assert_string_equal(replies, "a:one\ntwo\n;");
		assert_string_equal(heard(), "{\"execute\": \"human-monitor-command\", \"id\": 3, "
					     "\"arguments\": {\"command-line\": "
					     "\"xp \\\"\\\\\"}}\n");
		assert_int_equal(ways[i]("{\"return\": \"\", \"id\": 3}\n{\"event\": \"RESET\"}\n"),
				 0);
		assert_string_equal(replies, "a:one\ntwo\n;b:;");
		assert_string_equal(events, "STOP;RESET;");
		assert_int_equal(monitor_waits_since_ns(monitor), 0);
		assert_string_equal(monitor_why(monitor), "");
		end();
	}
}

/* As QEMU's line editor echoes "xp" */
#define ECHO "x\033[K\033[Dxp\033[K\r\n"

static void test_hmp(void **state)
{
	int (*const ways[])(const char *text) = {say, say_slowly};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin(&monitor_hmp);
		ask("xp", "a:");
		ask("xp", "b:");
		assert_int_equal(ways[i](HMP_GREETING), 0);
		assert_string_equal(heard(), "xp\n");
		assert_int_equal(ways[i](ECHO "one\r\ntwo\r\n(qemu) "), 0);
		assert_string_equal(replies, "a:one\ntwo\n;");
		assert_string_equal(heard(), "xp\n");
		assert_int_equal(ways[i](ECHO "(qemu) "), 0);
		assert_string_equal(replies, "a:one\ntwo\n;b:;");
		/* For people */
		assert_int_equal(ways[i]("\r\nsomething has happened\r\n(qemu) "), 0);
		ask("xp", "c:");
		assert_int_equal(ways[i](ECHO "three\r\n(qemu) "), 0);
		assert_string_equal(replies, "a:one\ntwo\n;b:;c:three\n;");
		end();
	}
}

static void ask_again(void *arg, const char *text)
{
	note_reply(arg, text);
	if (strlen(replies) < 20)
		monitor_ask(monitor, "xp", ask_again, arg);
}

static void test_ask_in_reply(void **state)
{
	(void)state;
	begin(&monitor_hmp);
	assert_int_equal(say(HMP_GREETING), 0);
	assert_int_equal(monitor_ask(monitor, "xp", ask_again, "a:"), 0);
	assert_int_equal(say(ECHO "(qemu) "), 0);
	assert_string_equal(heard(), "xp\nxp\n");
	/* At the end, too, and is refused. */
	close(qemu);
	qemu = -1;
	assert_int_equal(monitor_read(monitor), -EPIPE);
	assert_string_equal(replies, "a:;a:(none);");
	assert_string_equal(monitor_why(monitor), "QEMU has closed it");
	end();
}

static void test_commands(void **state)
{
	char longest[MONITOR_COMMAND_MAX + 1];
	size_t i;

	(void)state;
	begin(&monitor_qmp);
	assert_int_equal(monitor_ask(monitor, "", note_reply, "x"), -EINVAL);
	assert_int_equal(monitor_ask(monitor, "a\nb", note_reply, "x"), -EINVAL);
	assert_int_equal(monitor_ask(monitor, "\xc3\xa4", note_reply, "x"), -EINVAL);
	memset(longest, '"', sizeof(longest));
	longest[MONITOR_COMMAND_MAX] = '\0';
	assert_int_equal(monitor_ask(monitor, longest, note_reply, "x"), -EINVAL);
	longest[MONITOR_COMMAND_MAX - 1] = '\0';
	ask(longest, "");
	for (i = 1; i < MONITOR_QUEUE; i++)
		ask("xp", "");
	assert_int_equal(monitor_ask(monitor, "xp", note_reply, ""), -ENOBUFS);
	assert_int_equal(say(QMP_GREETING "{\"return\": {}, \"id\": 1}\n"), 0);
	assert_non_null(strstr(heard(), "\\\"\\\"\"}}\n"));
	end();
	assert_string_equal(replies, "");
}

/* Whatever comes, if it is not what has to come, is the end. */
static void assert_refused(const struct monitor_protocol *protocol, const char *before,
			   const char *text, const char *why)
{
	begin(protocol);
	ask("xp", "a:");
	assert_int_equal(say(before), 0);
	assert_int_equal(say(text), -EPROTO);
	if (strcmp(monitor_why(monitor), why))
		fail_msg("\"%s\" is refused because %s", text, monitor_why(monitor));
	assert_string_equal(replies, "a:(none);");
	assert_int_equal(monitor_ask(monitor, "xp", note_reply, "b:"), -EPROTO);
	assert_int_equal(monitor_read(monitor), -EPROTO);
	assert_string_equal(replies, "a:(none);");
	assert_int_equal(monitor_waits_since_ns(monitor), 0);
	end();
}

#define ASKED QMP_GREETING "{\"return\": {}, \"id\": 1}\n"

static void test_bad_qmp(void **state)
{
	const struct monitor_protocol *qmp = &monitor_qmp;

	(void)state;
	assert_refused(qmp, "", HMP_GREETING, "this is the human monitor; give it with --monitor");
	assert_refused(qmp, "", "SSH-2.0", "what listens there is no QMP of QEMU");
	assert_refused(qmp, "", "{}\n", "what listens there is no QMP of QEMU");
	assert_refused(qmp, "", "{\"QMP\": }\n", "what it says is no JSON");
	assert_refused(qmp, QMP_GREETING, "{\"return\": {}, \"id\": 2}\n",
		       "it answers what it was not asked");
	assert_refused(qmp, QMP_GREETING, "{\"return\": {}}\n", "it answers what it was not asked");
	assert_refused(qmp, QMP_GREETING, "{\"return\": {}, \"id\": \"1\"}\n",
		       "it answers what it was not asked");
	assert_refused(qmp, ASKED, "{\"return\": \"\", \"id\": 1}\n",
		       "it answers what it was not asked");
	assert_refused(qmp, ASKED, "{\"return\": \"\", \"id\": 4294967298}\n",
		       "it answers what it was not asked");
	assert_refused(qmp, ASKED, "{\"error\": {\"desc\": \"no\"}, \"id\": 2}\n",
		       "it refuses a command");
	assert_refused(qmp, ASKED, "{\"return\": {}, \"id\": 2}\n", "its reply is no text");
	assert_refused(qmp, ASKED, "{\"return\": \"a\\u0000b\", \"id\": 2}\n",
		       "its reply is no text");
	assert_refused(qmp, ASKED, "{\"event\": 1}\n", "it tells of an event without a name");
	assert_refused(qmp, ASKED, "[]\n", "what it says is no object of JSON");
	assert_refused(qmp, ASKED, "{\"a\":\n", "what it says is no JSON");
	assert_refused(qmp, ASKED, "{\"return\": \"\", \"id\": 2} {}\n", "what it says is no JSON");
	assert_refused(qmp, ASKED,
		       "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}\n",
		       "what it says is no JSON");
}

static void test_bad_hmp(void **state)
{
	const struct monitor_protocol *hmp = &monitor_hmp;

	(void)state;
	assert_refused(hmp, "", QMP_GREETING, "this is a QMP socket; give it with --qmp");
	assert_refused(hmp, "", "SSH-2.0", "what listens there is no monitor of QEMU");
	assert_refused(hmp, HMP_GREETING, "yp\033[K\r\n(qemu) ",
		       "it does not repeat the command that it was given");
	assert_refused(hmp, HMP_GREETING, "\r\n(qemu) ",
		       "it does not repeat the command that it was given");
}

/* The reply to the one before seemed to end too early. */
static void test_out_of_step(void **state)
{
	(void)state;
	begin(&monitor_hmp);
	ask("xp", "a:");
	ask("xp", "b:");
	assert_int_equal(say(HMP_GREETING), 0);
	assert_int_equal(say(ECHO "one\r\n(qemu) "), 0);
	assert_int_equal(say("two\r\n(qemu) "), -EPROTO);
	assert_string_equal(replies, "a:one\n;b:(none);");
	end();
}

/* Without an end: not more than so much memory is taken. */
static void assert_bounded(const struct monitor_protocol *protocol, const char *before)
{
	static char line[32 << 10];
	size_t sum = 0;
	int err = 0;

	memset(line, 'x', sizeof(line));
	begin(protocol);
	ask("xp", "a:");
	assert_int_equal(say(before), 0);
	while (!err) {
		say_bytes(line, sizeof(line));
		sum += sizeof(line);
		err = monitor_read(monitor);
	}
	assert_int_equal(err, -EMSGSIZE);
	assert_in_range(sum, MONITOR_REPLY_MAX, MONITOR_REPLY_MAX + (128 << 10));
	assert_string_equal(replies, "a:(none);");
	end();
}

static void test_too_long(void **state)
{
	(void)state;
	assert_bounded(&monitor_qmp, ASKED "{");
	assert_bounded(&monitor_qmp, "{");
	assert_bounded(&monitor_hmp, HMP_GREETING);
	assert_bounded(&monitor_hmp, "QEMU ");
}

/* What nobody has asked for is not kept, however much it is. */
static void test_noise(void **state)
{
	static char line[32 << 10];
	size_t i;

	(void)state;
	memset(line, 'x', sizeof(line));
	begin(&monitor_hmp);
	assert_int_equal(say(HMP_GREETING), 0);
	for (i = 0; i < 4 * MONITOR_REPLY_MAX / sizeof(line); i++) {
		say_bytes(line, sizeof(line));
		assert_int_equal(monitor_read(monitor), 0);
	}
	end();
}

/* A reply of some 100 kilobytes comes in pieces. */
static void test_long(void **state)
{
	static char line[32 << 10];
	size_t i;

	(void)state;
	memset(line, 'x', sizeof(line));
	begin(&monitor_hmp);
	assert_int_equal(say(HMP_GREETING), 0);
	assert_int_equal(say(ECHO), 0);
	for (i = 0; i < 20; i++) {
		say_bytes(line, sizeof(line));
		assert_int_equal(monitor_read(monitor), 0);
	}
	assert_int_equal(monitor_ask(monitor, "xp", note_reply, "a:"), 0);
	assert_string_equal(replies, "");
	end();
}

static void test_closed(void **state)
{
	static const char *const before[] = {"", QMP_GREETING, ASKED, ASKED "{\"ret"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(before) / sizeof(*before); i++) {
		begin(&monitor_qmp);
		ask("xp", "a:");
		ask("xp", "b:");
		if (*before[i])
			assert_int_equal(say(before[i]), 0);
		heard();
		close(qemu);
		qemu = -1;
		assert_int_equal(monitor_read(monitor), -EPIPE);
		assert_string_equal(replies, "a:(none);b:(none);");
		end();
	}
}

/* Who does not read is given one command, not more. */
static void test_stopped(void **state)
{
	int i;

	(void)state;
	begin(&monitor_hmp);
	assert_int_equal(say(HMP_GREETING), 0);
	for (i = 0; i < MONITOR_QUEUE; i++)
		ask("xp", "");
	assert_int_equal(monitor_ask(monitor, "xp", note_reply, ""), -ENOBUFS);
	assert_int_equal(monitor_read(monitor), 0);
	assert_int_not_equal(monitor_waits_since_ns(monitor), 0);
	assert_string_equal(heard(), "xp\n");
	end();
}

static void test_connect(void **state)
{
	char dir[] = "/tmp/test_monitor.XXXXXX", longest[200];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	pid_t peer = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
	assert_int_equal(monitor_connect(address.sun_path, &peer), -ENOENT);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(monitor_connect(address.sun_path, &peer), -ECONNREFUSED);
	assert_int_equal(listen(listener, 0), 0);
	fd = monitor_connect(address.sun_path, &peer);
	assert_true(fd >= 0);
	assert_int_equal(peer, getpid());
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	/* There is room for one in the queue. */
	assert_int_equal(monitor_connect(address.sun_path, &peer), -EAGAIN);
	close(fd);
	close(listener);
	unlink(address.sun_path);
	rmdir(dir);

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(monitor_connect(longest, &peer), -ENAMETOOLONG);
	assert_int_equal(monitor_connect("", &peer), -ENAMETOOLONG);
	assert_int_equal(monitor_connect("/", &peer), -ECONNREFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qmp),	     cmocka_unit_test(test_hmp),
		cmocka_unit_test(test_ask_in_reply), cmocka_unit_test(test_commands),
		cmocka_unit_test(test_bad_qmp),	     cmocka_unit_test(test_bad_hmp),
		cmocka_unit_test(test_out_of_step),  cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_noise),	     cmocka_unit_test(test_long),
		cmocka_unit_test(test_closed),	     cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
