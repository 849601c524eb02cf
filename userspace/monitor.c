// SPDX-License-Identifier: GPL-2.0
/*
 * One command is under way at a time: so what comes is a reply to it or an
 * event, the socket always has room for it, and a QEMU that does not run costs
 * no more than that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "monitor.h"
#include "monitor_protocol.h"

/* Read at once, so that nobody else waits for long */
#define READ_SIZE (64UL << 10)

/* Memory that is kept when it is not needed */
#define KEPT_SIZE (256UL << 10)

/**
 * struct question - a command that has no reply yet
 * @command:	the command
 * @reply:	who wants to know
 * @arg:	his
 */
struct question {
	char command[MONITOR_COMMAND_MAX];
	monitor_reply_fn reply;
	void *arg;
};

/**
 * struct monitor - a conversation
 * @protocol:	what is spoken
 * @fd:		the connection
 * @event:	who wants to know of events, or NULL
 * @arg:	his
 * @awaits:	what must come next
 * @id:		of the command or the hello under way
 * @sent_ns:	since when something is awaited
 * @queue:	questions; the first is the one under way, if a reply is awaited
 * @count:	how many
 * @err:	how it has ended, 0 if it has not
 * @why:	the same in words
 * @data:	what has come and is no message yet
 * @size:	bytes of it
 * @room:	bytes that are allocated
 */
struct monitor {
	const struct monitor_protocol *protocol;
	int fd;
	monitor_event_fn event;
	void *arg;
	enum monitor_awaits awaits;
	unsigned int id;
	uint64_t sent_ns;
	struct question queue[MONITOR_QUEUE];
	size_t count;
	int err;
	const char *why;
	char *data;
	size_t size;
	size_t room;
};

char *monitor_copy_text(const char *data, size_t size)
{
	char *text, *to;
	size_t i;

	if (memchr(data, '\0', size))
		return NULL;
	text = malloc(size + 1);
	if (!text)
		return NULL;
	for (i = 0, to = text; i < size; i++)
		if (data[i] != '\r')
			*to++ = data[i];
	*to = '\0';
	return text;
}

/* The connection */

static int refuse(int fd, int err, const char *path)
{
	if (fd >= 0)
		close(fd);
	switch (err) {
	case ENOENT:
		log_error("there is no %s; have QEMU make it, with -qmp unix:%s,server=on,wait=off",
			  path, path);
		break;
	case ECONNREFUSED:
		log_error("nobody listens to %s; does its QEMU still run, and is this its monitor?",
			  path);
		break;
	case EAGAIN:
		log_error("too many wait for %s already; QEMU talks to one at a time, so make a "
			  "monitor for this alone, with -qmp unix:PATH,server=on,wait=off",
			  path);
		break;
	default:
		log_error("cannot connect to QEMU's monitor %s: %s", path, strerror(err));
		break;
	}
	return -err;
}

int monitor_connect(const char *path, pid_t *peer)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred owner = {};
	socklen_t size = sizeof(owner);
	int fd;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		log_error("the path of QEMU's monitor has to have 1 to %zu letters: \"%s\"",
			  sizeof(address.sun_path) - 1, path);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &owner, &size))
		return refuse(fd, errno, path);
	*peer = owner.pid;
	return fd;
}

/* The conversation */

int monitor_open(struct monitor **monitor, const struct monitor_protocol *protocol, int fd,
		 monitor_event_fn event, void *arg)
{
	struct monitor *fresh = calloc(1, sizeof(*fresh));

	if (!fresh) {
		close(fd);
		return -ENOMEM;
	}
	fresh->protocol = protocol;
	fresh->fd = fd;
	fresh->event = event;
	fresh->arg = arg;
	fresh->why = "";
	fresh->sent_ns = clock_now_ns();
	*monitor = fresh;
	return 0;
}

void monitor_close(struct monitor *monitor)
{
	if (!monitor)
		return;
	close(monitor->fd);
	free(monitor->data);
	free(monitor);
}

int monitor_fd(const struct monitor *monitor)
{
	return monitor->fd;
}

const char *monitor_why(const struct monitor *monitor)
{
	return monitor->why;
}

const char *monitor_option(const struct monitor_protocol *protocol)
{
	return protocol->option;
}

uint64_t monitor_waits_since_ns(const struct monitor *monitor)
{
	return monitor->err ? 0 : monitor->sent_ns;
}

/* Whoever is told may ask, and is refused; so nothing is added meanwhile. */
static int fail(struct monitor *monitor, int err, const char *why)
{
	size_t i;

	if (monitor->err)
		return monitor->err;
	monitor->err = err;
	monitor->why = why;
	for (i = 0; i < monitor->count; i++)
		monitor->queue[i].reply(monitor->queue[i].arg, NULL);
	monitor->count = 0;
	return err;
}

static void await(struct monitor *monitor, enum monitor_awaits what)
{
	monitor->awaits = what;
	monitor->sent_ns = what == MONITOR_AWAITS_NOTHING ? 0 : clock_now_ns();
}

static int put(struct monitor *monitor, const char *command)
{
	char text[MONITOR_SEND_MAX];
	size_t length;
	ssize_t written;

	length = monitor->protocol->put(text, command, ++monitor->id);
	written = write(monitor->fd, text, length);
	if (written < 0 && errno != EAGAIN)
		return fail(monitor, -EPIPE, "QEMU has closed it");
	/* All that was sent has been answered, so there is room. */
	if (written != (ssize_t)length)
		return fail(monitor, -EPROTO, "it does not take commands");
	await(monitor, command ? MONITOR_AWAITS_REPLY : MONITOR_AWAITS_HELLO);
	return 0;
}

static int put_next(struct monitor *monitor)
{
	if (monitor->err || monitor->awaits != MONITOR_AWAITS_NOTHING || !monitor->count)
		return monitor->err;
	return put(monitor, monitor->queue[0].command);
}

static bool is_command(const char *command)
{
	size_t i;

	for (i = 0; command[i]; i++)
		if (command[i] < ' ' || command[i] > '~' || i + 1 >= MONITOR_COMMAND_MAX)
			return false;
	return i;
}

int monitor_ask(struct monitor *monitor, const char *command, monitor_reply_fn reply, void *arg)
{
	struct question *question;

	if (monitor->err)
		return monitor->err;
	if (!is_command(command))
		return -EINVAL;
	if (monitor->count == MONITOR_QUEUE)
		return -ENOBUFS;
	question = &monitor->queue[monitor->count++];
	strcpy(question->command, command);
	question->reply = reply;
	question->arg = arg;
	/* Should it fail, he is told as everybody is. */
	put_next(monitor);
	return 0;
}

static void replied(struct monitor *monitor, const char *text)
{
	const struct question question = monitor->queue[0];

	monitor->count--;
	memmove(&monitor->queue[0], &monitor->queue[1], monitor->count * sizeof(monitor->queue[0]));
	question.reply(question.arg, text);
}

static int handle_expected(struct monitor *monitor, const char *text)
{
	enum monitor_awaits what = monitor->awaits;

	await(monitor, MONITOR_AWAITS_NOTHING);
	if (what == MONITOR_AWAITS_GREETING && monitor->protocol->says_hello)
		return put(monitor, NULL);
	if (what == MONITOR_AWAITS_REPLY)
		replied(monitor, text);
	return put_next(monitor);
}

static int handle_message(struct monitor *monitor, const struct monitor_message *message)
{
	switch (message->kind) {
	case MONITOR_EXPECTED:
		return handle_expected(monitor, message->text);
	case MONITOR_EVENT:
		if (monitor->event)
			monitor->event(monitor->arg, message->text);
		break;
	case MONITOR_NOISE:
		break;
	}
	return 0;
}

/* Returns how many bytes were a message, 0 for none yet, or a negative errno. */
static ssize_t take(struct monitor *monitor, size_t from)
{
	const struct monitor_awaited awaited = {
		.what = monitor->awaits,
		.command = monitor->queue[0].command,
		.id = monitor->id,
	};
	struct monitor_message message = {};
	ssize_t taken;
	int err;

	taken = monitor->protocol->take(monitor->data + from, monitor->size - from, &awaited,
					&message);
	if (taken < 0)
		return fail(monitor, (int)taken, message.why ? message.why : "out of memory");
	err = taken ? handle_message(monitor, &message) : 0;
	free(message.text);
	return err ? err : taken;
}

static int take_all(struct monitor *monitor)
{
	size_t from = 0;
	ssize_t taken;

	do {
		taken = take(monitor, from);
		if (taken < 0)
			return (int)taken;
		from += taken;
	} while (taken && from < monitor->size);

	monitor->size -= from;
	memmove(monitor->data, monitor->data + from, monitor->size);
	if (!monitor->size && monitor->room > KEPT_SIZE) {
		free(monitor->data);
		monitor->data = NULL;
		monitor->room = 0;
	}
	return 0;
}

static int make_room(struct monitor *monitor)
{
	size_t room = monitor->room ? 2 * monitor->room : 2 * READ_SIZE;
	char *data;

	if (monitor->size > MONITOR_REPLY_MAX)
		return fail(monitor, -EMSGSIZE, "its reply is too long");
	if (monitor->room - monitor->size >= READ_SIZE)
		return 0;
	data = realloc(monitor->data, room);
	if (!data)
		return fail(monitor, -ENOMEM, "out of memory");
	monitor->data = data;
	monitor->room = room;
	return 0;
}

int monitor_read(struct monitor *monitor)
{
	ssize_t size;

	if (monitor->err || make_room(monitor))
		return monitor->err;
	size = read(monitor->fd, monitor->data + monitor->size, READ_SIZE);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (size <= 0)
		return fail(monitor, -EPIPE, "QEMU has closed it");
	monitor->size += size;
	return take_all(monitor);
}
