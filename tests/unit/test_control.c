// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket with real clients. In place of who knows what lines mean,
 * one who gives them back.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "control.h"
#include "control_socket.h"

static char directory[] = "/tmp/test_control.XXXXXX";
static char path[64];

static struct control *control;
static int epoll_fd = -1;
static unsigned int lines;
static uint64_t gone;

/* A reply may be large: a line of a number is answered by so many letters. */
static struct json_object *give_back(void *arg, uint64_t client, const char *line, size_t size)
{
	struct json_object *reply = json_object_new_object();
	size_t length = strtoul(line, NULL, 10);
	char *text;

	assert_ptr_equal(arg, &lines);
	lines++;
	if (length) {
		text = malloc(length);
		assert_non_null(text);
		memset(text, 'x', length);
		json_object_object_add(reply, "x", json_object_new_string_len(text, (int)length));
		free(text);
		return reply;
	}
	json_object_object_add(reply, "client", json_object_new_int64((int64_t)client));
	json_object_object_add(reply, "line", json_object_new_string_len(line, (int)size));
	return reply;
}

static void note_gone(void *arg, uint64_t client)
{
	assert_ptr_equal(arg, &lines);
	gone = gone * 100 + client;
}

static const struct control_handler handler = {.line = give_back, .gone = note_gone};

static int begin(void **state)
{
	(void)state;
	lines = 0;
	gone = 0;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0 || control_open(&control, path))
		return -1;
	return control_serve(control, epoll_fd, &handler, &lines);
}

static int end(void **state)
{
	(void)state;
	control_close(control);
	control = NULL;
	close(epoll_fd);
	return 0;
}

/* Until nothing more happens */
static void run(void)
{
	struct epoll_event events[4];
	int count, i;

	while ((count = epoll_wait(epoll_fd, events, 4, 0)) > 0)
		for (i = 0; i < count; i++) {
			assert_true(events[i].data.u64 & CONTROL_EVENT);
			control_event(control, events[i].data.u64);
		}
	assert_int_equal(count, 0);
}

static int connect_client(void)
{
	int fd = control_connect(path);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	run();
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	run();
}

static void assert_hears(int fd, const char *expected)
{
	char text[2 * CONTROL_REPLY_MAX];
	ssize_t size = read(fd, text, sizeof(text) - 1);

	if (size < 0)
		fail_msg("nothing came, instead of %s", expected);
	text[size] = '\0';
	assert_string_equal(text, expected);
}

static void assert_hears_nothing(int fd)
{
	char letter;

	assert_int_equal(read(fd, &letter, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void assert_ended(int fd)
{
	char letter;

	assert_int_equal(read(fd, &letter, 1), 0);
}

static void test_lines(void **state)
{
	int first = connect_client(), second = connect_client();

	(void)state;
	say(first, "one\n");
	assert_hears(first, "{\"client\":1,\"line\":\"one\"}\n");
	say(second, "two\nthree\n");
	assert_hears(second,
		     "{\"client\":2,\"line\":\"two\"}\n{\"client\":2,\"line\":\"three\"}\n");
	/* In pieces, and another's between them */
	say(first, "fo");
	assert_hears_nothing(first);
	say(second, "\n");
	assert_hears(second, "{\"client\":2,\"line\":\"\"}\n");
	say(first, "ur\nfi");
	assert_hears(first, "{\"client\":1,\"line\":\"four\"}\n");
	say(first, "ve\n");
	assert_hears(first, "{\"client\":1,\"line\":\"five\"}\n");
	assert_int_equal(gone, 0);
	close(first);
	run();
	assert_int_equal(gone, 1);
	close(second);
	run();
	assert_int_equal(gone, 102);
}

/* Who sends all at once and says that this was all, gets all replies. */
static void test_half_closed(void **state)
{
	int fd = connect_client();

	(void)state;
	assert_int_equal(write(fd, "one\ntwo\nthr", 11), 11);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run();
	assert_hears(fd, "{\"client\":1,\"line\":\"one\"}\n{\"client\":1,\"line\":\"two\"}\n");
	assert_ended(fd);
	assert_int_equal(gone, 1);
	assert_int_equal(lines, 2);
	close(fd);
}

static void test_long_lines(void **state)
{
	char line[3 * CONTROL_LINE_MAX];
	int fd = connect_client();

	(void)state;
	memset(line, 'y', sizeof(line));
	memcpy(line, "x", 1);
	line[CONTROL_LINE_MAX - 1] = '\n';
	assert_int_equal(write(fd, line, CONTROL_LINE_MAX), CONTROL_LINE_MAX);
	run();
	assert_int_equal(lines, 1);
	assert_true(read(fd, line, sizeof(line)) > CONTROL_LINE_MAX - 1);

	/* One more, or many more, are answered once and left out. */
	memset(line, 'z', sizeof(line));
	assert_int_equal(write(fd, line, CONTROL_LINE_MAX), CONTROL_LINE_MAX);
	run();
	assert_hears(fd, "{\"error\":{\"name\":\"too-long\",\"text\":\"a line has 4095 bytes at "
			 "most\"}}\n");
	assert_int_equal(write(fd, line, sizeof(line)), sizeof(line));
	run();
	assert_hears_nothing(fd);
	say(fd, "zzz\nwell\n");
	assert_hears(fd, "{\"client\":1,\"line\":\"well\"}\n");
	assert_int_equal(lines, 2);
	close(fd);
}

static void test_long_reply(void **state)
{
	char room[2 * CONTROL_REPLY_MAX];
	int fd = connect_client();

	(void)state;
	say(fd, "16000\n");
	assert_int_equal(read(fd, room, sizeof(room)), 16009);
	/* It cannot be, but if it is, it does no harm. */
	say(fd, "20000\nnext\n");
	assert_hears(fd, "{\"error\":{\"name\":\"too-long\",\"text\":\"the reply is too long\"}}\n"
			 "{\"client\":1,\"line\":\"next\"}\n");
	close(fd);
}

/* Asks for much, and reads nothing. Returns how many lines it has sent. */
static unsigned int stall(int fd)
{
	unsigned int sent = 0;

	while (write(fd, "16000\n", 6) == 6) {
		sent++;
		run();
		/* What is on the way is bounded, or this would not end. */
		assert_in_range(sent, 0, 1000000);
	}
	assert_int_equal(errno, EAGAIN);
	return sent;
}

static void test_stalls(void **state)
{
	int slow = connect_client(), other = connect_client();
	char room[65536];
	unsigned int sent;
	size_t total = 0;
	ssize_t size;

	(void)state;
	assert_false(control_needs_check(control));
	sent = stall(slow);
	assert_true(control_needs_check(control));
	assert_true(lines < sent);
	/* It holds up nobody else, and is not let go at once. */
	say(other, "hello\n");
	assert_hears(other, "{\"client\":2,\"line\":\"hello\"}\n");
	control_check(control);
	assert_int_equal(gone, 0);

	/* When it reads, it gets all. */
	while ((size = read(slow, room, sizeof(room))) > 0) {
		total += size;
		run();
	}
	assert_int_equal(total, (size_t)sent * 16009);
	assert_int_equal(lines, sent + 1);
	assert_false(control_needs_check(control));
	close(slow);
	close(other);
}

static void test_stalls_for_long(void **state)
{
	int slow = connect_client(), other = connect_client();
	uint64_t begin_ns = clock_now_ns(), last_ns;

	(void)state;
	stall(slow);
	/* How long a second of sleep takes, is not known. */
	do {
		sleep(1);
		last_ns = clock_now_ns();
		control_check(control);
		run();
	} while (!gone && last_ns - begin_ns < 10 * CONTROL_STALL_SECONDS * NS_PER_SECOND);
	assert_int_equal(gone, 1);
	assert_true(clock_now_ns() - begin_ns >= CONTROL_STALL_SECONDS * NS_PER_SECOND);
	assert_false(control_needs_check(control));
	say(other, "hello\n");
	assert_hears(other, "{\"client\":2,\"line\":\"hello\"}\n");
	close(slow);
	close(other);
}

/* Dies while replies are on the way. */
static void test_dies(void **state)
{
	int fd = connect_client();

	(void)state;
	stall(fd);
	close(fd);
	run();
	assert_int_equal(gone, 1);
	assert_false(control_needs_check(control));
}

static void test_too_many(void **state)
{
	int fds[CONTROL_MAX_CLIENTS], one_more;
	size_t i;

	(void)state;
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		fds[i] = connect_client();
	one_more = connect_client();
	assert_hears(one_more,
		     "{\"error\":{\"name\":\"too-many-clients\",\"text\":\"16 clients are "
		     "connected; try again later\"}}\n");
	assert_ended(one_more);
	close(one_more);
	say(fds[7], "here\n");
	assert_hears(fds[7], "{\"client\":8,\"line\":\"here\"}\n");
	close(fds[3]);
	run();
	assert_int_equal(gone, 4);
	/* Its place is free, and its number is not used again. */
	fds[3] = connect_client();
	say(fds[3], "new\n");
	assert_hears(fds[3], "{\"client\":17,\"line\":\"new\"}\n");
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		close(fds[i]);
}

static void test_end(void **state)
{
	int fd = connect_client();

	control_close(control);
	control = NULL;
	assert_ended(fd);
	close(fd);
	close(epoll_fd);
	/* What was left behind is replaced. */
	assert_int_equal(begin(state), 0);
	fd = connect_client();
	say(fd, "again\n");
	assert_hears(fd, "{\"client\":1,\"line\":\"again\"}\n");
	close(fd);
}

static void test_places(void **state)
{
	char name[200];
	struct control *second = NULL;
	struct stat info;

	(void)state;
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(control_open(&second, path), -EADDRINUSE);
	assert_int_equal(control_open(&second, ""), -ENAMETOOLONG);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(control_open(&second, name), -ENAMETOOLONG);
	assert_int_equal(control_open(&second, "/nowhere/control"), -ENOENT);
	/* What is no socket is not removed. */
	snprintf(name, sizeof(name), "%s/file", directory);
	close(open(name, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(control_open(&second, name), -EEXIST);
	assert_int_equal(stat(name, &info), 0);
	unlink(name);
	assert_int_equal(control_connect(name), -ENOENT);
}

/* Another user who has got past the mode of the file. */
static void test_stranger(void **state)
{
	int status, fd;
	pid_t child;
	char end;

	(void)state;
	if (geteuid()) {
		print_message("not root: nobody else can be\n");
		skip();
	}
	chmod(directory, 0755);
	chmod(path, 0666);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		fd = control_connect(path);
		_exit(fd < 0 || read(fd, &end, 1) != 1 || end != '{');
	}
	while (!waitpid(child, &status, WNOHANG))
		run();
	assert_int_equal(status, 0);
	assert_int_equal(gone, 0);
}

static int make_place(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/control", directory);
	return 0;
}

static int remove_place(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

/* Events */

static struct json_object *event_of(size_t length)
{
	struct json_object *event = json_object_new_object();
	char *text = malloc(length);

	assert_non_null(text);
	memset(text, 'e', length);
	json_object_object_add(event, "e", json_object_new_string_len(text, (int)length));
	free(text);
	return event;
}

static void test_events(void **state)
{
	int first = connect_client(), second = connect_client();

	(void)state;
	control_send(control, 2, event_of(1));
	assert_hears_nothing(first);
	assert_hears(second, "{\"e\":\"e\"}\n");
	say(second, "half ");
	control_send(control, 2, event_of(2));
	say(second, "a line\n");
	assert_hears(second, "{\"e\":\"ee\"}\n{\"client\":2,\"line\":\"half a line\"}\n");
	/* There is no such client, or no more. */
	control_send(control, 3, event_of(1));
	close(second);
	control_send(control, 2, event_of(1));
	run();
	assert_int_equal(gone, 2);
	control_send(control, 2, event_of(1));
	assert_false(control_needs_check(control));
	close(first);
}

/* One of them while a line is handled comes before the reply to it. */
static struct json_object *send_event(void *arg, uint64_t client, const char *line, size_t size)
{
	control_send(control, client, event_of(3));
	return give_back(arg, client, line, size);
}

static void test_event_within(void **state)
{
	static const struct control_handler sends = {.line = send_event, .gone = note_gone};
	int fd;

	end(state);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	assert_int_equal(control_open(&control, path), 0);
	assert_int_equal(control_serve(control, epoll_fd, &sends, &lines), 0);
	fd = connect_client();
	say(fd, "a\nb\n");
	assert_hears(fd, "{\"e\":\"eee\"}\n{\"client\":1,\"line\":\"a\"}\n"
			 "{\"e\":\"eee\"}\n{\"client\":1,\"line\":\"b\"}\n");
	/* It goes while that is said to it. */
	assert_int_equal(write(fd, "c\n", 2), 2);
	close(fd);
	run();
	assert_int_equal(gone, 1);
}

/* What it has not read is kept for it, behind what it has asked for, */
static void test_events_wait(void **state)
{
	int fd = connect_client(), events = 0;
	char room[65536];
	size_t total = 0;
	ssize_t size;
	unsigned int sent;

	(void)state;
	sent = stall(fd);
	for (; events < 200; events++)
		control_send(control, 1, event_of(1000));
	assert_true(control_needs_check(control));
	control_check(control);
	assert_int_equal(gone, 0);
	while ((size = read(fd, room, sizeof(room))) > 0) {
		total += size;
		run();
	}
	assert_int_equal(total, (size_t)sent * 16009 + (size_t)events * 1009);
	close(fd);
}

/* but not without end. */
static void test_too_many_events(void **state)
{
	int fd = connect_client(), other = connect_client(), events;

	(void)state;
	for (events = 0; events < 10000 && !gone; events++) {
		control_send(control, 1, event_of(1000));
		/* In the middle of something, it does not go. */
		assert_int_equal(gone, 0);
		control_check(control);
	}
	assert_int_equal(gone, 1);
	assert_true(events > (CONTROL_EVENTS_MAX - CONTROL_REPLY_MAX) / 1009);
	assert_true(events < 2000);
	assert_false(control_needs_check(control));
	say(other, "hello\n");
	assert_hears(other, "{\"client\":2,\"line\":\"hello\"}\n");
	close(fd);
	close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines),	 TEST(test_half_closed), TEST(test_long_lines),
		TEST(test_long_reply),	 TEST(test_stalls),	 TEST(test_stalls_for_long),
		TEST(test_dies),	 TEST(test_too_many),	 TEST(test_end),
		TEST(test_places),	 TEST(test_stranger),	 TEST(test_events),
		TEST(test_event_within), TEST(test_events_wait), TEST(test_too_many_events),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
