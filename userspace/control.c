// SPDX-License-Identifier: GPL-2.0
/*
 * A client is read from as long as it has taken all replies. So who asks without
 * reading is held up by the socket, and only itself; it is let go if that lasts. What
 * nobody has asked for, events, is kept for it, but not for ever, and not without end.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "control_socket.h"
#include "log.h"
#include "sva_service.h"

/**
 * struct client - a connection
 * @fd:		the socket
 * @number:	never used again
 * @pid:	the process that has connected
 * @waits_for:	events that it is watched for
 * @skipping:	the line was too long, and has not ended
 * @in:		what has come and is no whole line, or waits for @out
 * @in_size:	bytes of it
 * @out:	a reply, and events, that the client has not taken
 * @out_size:	bytes of them
 * @out_done:	those that it has taken
 * @stalls_ns:	since when it has not taken the rest
 * @ends:	it is to go, but was in use when that was found out
 */
struct client {
	int fd;
	uint64_t number;
	pid_t pid;
	uint32_t waits_for;
	bool skipping;
	char in[CONTROL_LINE_MAX];
	size_t in_size;
	char out[CONTROL_EVENTS_MAX + CONTROL_REPLY_MAX];
	size_t out_size;
	size_t out_done;
	uint64_t stalls_ns;
	bool ends;
};

/**
 * struct control - the socket
 * @fd:		where it listens
 * @epoll_fd:	where fds are watched
 * @handler:	who knows what lines mean
 * @arg:	passed to it
 * @clients:	NULL where there is none
 * @last:	number of the last client
 * @deaf:	nobody can be accepted for now, so the socket is not watched
 * @limit:	keeps the log short
 */
struct control {
	int fd;
	int epoll_fd;
	const struct control_handler *handler;
	void *arg;
	struct client *clients[CONTROL_MAX_CLIENTS];
	uint64_t last;
	bool deaf;
	struct log_limit limit;
};

/* What a message is about, see log_subject(). */
enum matter { MATTER_STRANGER = 1, MATTER_FULL, MATTER_STALL, MATTER_ACCEPT };

static bool may_say(struct control *control, uint64_t who, enum matter matter)
{
	return log_limit_allows(&control->limit, log_subject(who, 0, matter), clock_now_ns());
}

/* Clients that go */

static void drop(struct control *control, struct client **slot)
{
	struct client *client = *slot;

	*slot = NULL;
	close(client->fd);
	control->handler->gone(control->arg, client->number);
	log_debug("control client %llu (pid %d) has gone", (unsigned long long)client->number,
		  client->pid);
	free(client);
}

/* Replies */

static bool is_sent(const struct client *client)
{
	return client->out_done == client->out_size;
}

/* As far as the client takes it. False if it has gone. */
static bool send_rest(struct client *client)
{
	ssize_t size;

	while (!is_sent(client)) {
		size = write(client->fd, client->out + client->out_done,
			     client->out_size - client->out_done);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN;
		client->out_done += size;
		client->stalls_ns = clock_now_ns();
	}
	return true;
}

/* Its text, valid as long as itself */
static const char *text_of(struct json_object *line, size_t *length)
{
	const char *text = "{\"error\":{\"name\":\"no-memory\",\"text\":\"there is no memory\"}}";

	if (line)
		text = json_object_to_json_string_length(
			line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, length);
	else
		*length = strlen(text);
	/* What lines are made of is bounded so that this does not happen. */
	if (*length >= CONTROL_REPLY_MAX) {
		text = "{\"error\":{\"name\":\"too-long\",\"text\":\"the reply is too long\"}}";
		*length = strlen(text);
	}
	return text;
}

/* There is room for it. */
static void put(struct client *client, struct json_object *line)
{
	size_t length;
	const char *text = text_of(line, &length);

	if (is_sent(client))
		client->stalls_ns = clock_now_ns();
	client->out_size -= client->out_done;
	memmove(client->out, client->out + client->out_done, client->out_size);
	client->out_done = 0;
	memcpy(client->out + client->out_size, text, length);
	client->out_size += length;
	client->out[client->out_size++] = '\n';
	json_object_put(line);
}

/* Lines */

static void take_away(struct client *client, size_t size)
{
	client->in_size -= size;
	memmove(client->in, client->in + size, client->in_size);
}

static void handle_line(struct control *control, struct client *client, size_t length)
{
	if (client->skipping)
		client->skipping = false;
	else
		put(client,
		    control->handler->line(control->arg, client->number, client->in, length));
	take_away(client, length + 1);
}

/* A line that does not end where it must is answered once, and left out. */
static void handle_too_long(struct client *client)
{
	if (!client->skipping)
		put(client, sva_service_error("too-long", "a line has 4095 bytes at most"));
	client->skipping = true;
	client->in_size = 0;
}

/* Lines that are there, as long as the client takes the replies. False if it has
 * gone.
 */
static bool handle_lines(struct control *control, struct client *client)
{
	const char *end;

	while (is_sent(client)) {
		end = memchr(client->in, '\n', client->in_size);
		if (end)
			handle_line(control, client, end - client->in);
		else if (client->in_size == sizeof(client->in))
			handle_too_long(client);
		else
			break;
		if (!send_rest(client))
			return false;
	}
	return true;
}

/* Once, so that others have their turn. False if the client has gone. */
static bool receive(struct client *client)
{
	ssize_t size;

	size = read(client->fd, client->in + client->in_size, sizeof(client->in) - client->in_size);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	client->in_size += size;
	return size;
}

/* False if the client has gone. */
static bool serve(struct control *control, struct client *client)
{
	if (!send_rest(client) || !handle_lines(control, client))
		return false;
	if (!is_sent(client))
		return true;
	return receive(client) && handle_lines(control, client);
}

static bool watch(struct control *control, struct client *client)
{
	struct epoll_event wanted = {
		.events = is_sent(client) ? EPOLLIN : EPOLLOUT,
		.data.u64 = CONTROL_EVENT | client->number,
	};

	if (wanted.events == client->waits_for)
		return true;
	if (epoll_ctl(control->epoll_fd, client->waits_for ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		      client->fd, &wanted))
		return false;
	client->waits_for = wanted.events;
	return true;
}

/* Clients that come */

static void listen_again(struct control *control, bool listens)
{
	struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = CONTROL_EVENT};

	if (!epoll_ctl(control->epoll_fd, listens ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, control->fd,
		       &wanted))
		control->deaf = !listens;
}

/* The mode of the socket's file says the same, but can be changed. */
static bool may_come(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	*pid = peer.pid;
	return !peer.uid || peer.uid == geteuid();
}

/* As far as it goes at once; whoever does not read it, does not. */
static void turn_away(int fd, const char *name, const char *text)
{
	struct json_object *reply = sva_service_error(name, text);
	char line[256];
	int length;

	length = snprintf(line, sizeof(line), "%s\n",
			  json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
	/* Both replies that there are fit. */
	(void)!write(fd, line, length < (int)sizeof(line) ? length : (int)sizeof(line));
	json_object_put(reply);
	close(fd);
}

static struct client **free_slot(struct control *control)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (!control->clients[i])
			return &control->clients[i];
	return NULL;
}

static void welcome(struct control *control, int fd, pid_t pid)
{
	struct client **slot = free_slot(control);
	struct client *client;

	if (!slot) {
		if (may_say(control, 0, MATTER_FULL))
			log_warn("there are %d control clients, and there can be no more; pid %d "
				 "was turned away",
				 CONTROL_MAX_CLIENTS, pid);
		turn_away(fd, "too-many-clients", "16 clients are connected; try again later");
		return;
	}
	client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return;
	}
	client->fd = fd;
	client->pid = pid;
	client->number = ++control->last;
	*slot = client;
	if (!watch(control, client))
		drop(control, slot);
}

static void accept_one(struct control *control)
{
	pid_t pid = 0;
	int fd;

	fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		if (may_say(control, errno, MATTER_ACCEPT))
			log_warn("cannot accept a control client: %s", strerror(errno));
		/* It would be tried for ever; it is enough to do so now and then. */
		listen_again(control, false);
		return;
	}
	if (may_come(fd, &pid)) {
		welcome(control, fd, pid);
		return;
	}
	if (may_say(control, pid, MATTER_STRANGER))
		log_warn("pid %d has connected to the control socket, but is of another user; it "
			 "was turned away",
			 pid);
	turn_away(fd, "not-allowed", "this is for root and the user of iotlbd");
}

/* The whole */

static struct client **find(struct control *control, uint64_t number)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (control->clients[i] && control->clients[i]->number == number)
			return &control->clients[i];
	return NULL;
}

void control_send(struct control *control, uint64_t number, struct json_object *event)
{
	struct client **slot = find(control, number);
	struct client *client = slot ? *slot : NULL;

	if (!client || client->ends) {
		json_object_put(event);
		return;
	}
	/* Then there is still room for a reply. */
	if (client->out_size - client->out_done + CONTROL_REPLY_MAX <= CONTROL_EVENTS_MAX) {
		put(client, event);
		client->ends = !send_rest(client) || !watch(control, client);
		return;
	}
	json_object_put(event);
	client->ends = true;
	if (may_say(control, client->pid, MATTER_STALL))
		log_warn("control client pid %d does not read its events; it is let go",
			 client->pid);
}

void control_event(struct control *control, uint64_t event)
{
	struct client **slot;

	if (event == CONTROL_EVENT) {
		accept_one(control);
		return;
	}
	/* It may have gone by another event of the same look. */
	slot = find(control, event & ~CONTROL_EVENT);
	if (slot && (!serve(control, *slot) || (*slot)->ends || !watch(control, *slot)))
		drop(control, slot);
}

bool control_needs_check(const struct control *control)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (control->clients[i] &&
		    (control->clients[i]->ends || !is_sent(control->clients[i])))
			return true;
	return control->deaf;
}

static bool has_stalled(struct control *control, const struct client *client)
{
	uint64_t now = clock_now_ns();

	if (is_sent(client) || now - client->stalls_ns < CONTROL_STALL_SECONDS * NS_PER_SECOND)
		return false;
	if (may_say(control, client->pid, MATTER_STALL))
		log_warn("control client pid %d does not read its replies; it was let go",
			 client->pid);
	return true;
}

void control_check(struct control *control)
{
	struct client *client;
	size_t i;

	if (control->deaf)
		listen_again(control, true);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		client = control->clients[i];
		if (client && (client->ends || has_stalled(control, client)))
			drop(control, &control->clients[i]);
	}
}

int control_open(struct control **control, const char *path)
{
	struct control *fresh = calloc(1, sizeof(*fresh));

	if (!fresh) {
		log_error("no memory for the control socket");
		return -ENOMEM;
	}
	fresh->limit.burst = 20;
	fresh->limit.per_second = 1;
	fresh->fd = control_listen(path);
	if (fresh->fd < 0) {
		int err = fresh->fd;

		free(fresh);
		return err;
	}
	*control = fresh;
	return 0;
}

int control_serve(struct control *control, int epoll_fd, const struct control_handler *handler,
		  void *arg)
{
	control->epoll_fd = epoll_fd;
	control->handler = handler;
	control->arg = arg;
	control->deaf = true;
	listen_again(control, true);
	if (!control->deaf)
		return 0;
	log_error("cannot watch the control socket: %s", strerror(errno));
	return -errno;
}

void control_close(struct control *control)
{
	size_t i;

	if (!control)
		return;
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (control->clients[i]) {
			close(control->clients[i]->fd);
			free(control->clients[i]);
		}
	close(control->fd);
	log_limit_tell(&control->limit);
	free(control);
}
