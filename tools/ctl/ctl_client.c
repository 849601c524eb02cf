// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "control_socket.h"
#include "ctl_client.h"
#include "log.h"

/* iotlbd answers within milliseconds, if nobody stops it. */
#define PATIENCE_SECONDS 30

int ctl_client_connect(struct ctl_client *client, const char *path)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};

	client->path = path;
	client->event = NULL;
	client->arg = NULL;
	client->size = 0;
	client->used = 0;
	client->fd = control_connect(path);
	if (client->fd < 0)
		return client->fd;
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return 0;
}

void ctl_client_close(struct ctl_client *client)
{
	close(client->fd);
}

static const char *fail(const struct ctl_client *client, int err)
{
	if (err == EAGAIN)
		log_error("the iotlbd at %s has not answered for %d seconds; is it stopped?",
			  client->path, PATIENCE_SECONDS);
	else if (err == EMSGSIZE)
		log_error("what listens at %s is no iotlbd: its reply does not end", client->path);
	else
		log_error("the iotlbd at %s has gone: %s", client->path, strerror(err));
	return NULL;
}

/* Returns an errno, 0 if all was sent. */
static int send_all(const struct ctl_client *client, const char *line, size_t size)
{
	ssize_t sent;

	while (size) {
		sent = send(client->fd, line, size, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return errno;
		if (sent > 0) {
			line += sent;
			size -= sent;
		}
	}
	return 0;
}

int ctl_client_send(const struct ctl_client *client, const char *lines, size_t size)
{
	int err = send_all(client, lines, size);

	if (err)
		fail(client, err);
	return -err;
}

/* The line that is there as a whole, or NULL */
static const char *take_line(struct ctl_client *client)
{
	char *end;

	client->size -= client->used;
	memmove(client->text, client->text + client->used, client->size);
	client->used = 0;
	end = memchr(client->text, '\n', client->size);
	if (!end)
		return NULL;
	*end = '\0';
	client->used = end - client->text + 1;
	return client->text;
}

/* More of it. Returns an errno: EAGAIN if there is none, EMSGSIZE if there was too much. */
static int receive_more(struct ctl_client *client, int flags)
{
	ssize_t got;

	if (client->size == sizeof(client->text))
		return EMSGSIZE;
	do {
		got = recv(client->fd, client->text + client->size,
			   sizeof(client->text) - client->size, flags);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got ? errno : EPIPE;
	client->size += got;
	return 0;
}

static bool is_event(const char *line)
{
	const char begin[] = "{\"event\":";

	return !strncmp(line, begin, sizeof(begin) - 1);
}

const char *ctl_client_receive(struct ctl_client *client)
{
	const char *line;
	int err = 0;

	while (!err) {
		while ((line = take_line(client))) {
			if (!is_event(line))
				return line;
			if (client->event)
				client->event(client->arg, line);
		}
		err = receive_more(client, 0);
	}
	return fail(client, err);
}

const char *ctl_client_ask(struct ctl_client *client, const char *line, size_t size)
{
	int err = send_all(client, line, size);

	/* Who was turned away has been told why. */
	if (err == EPIPE || err == ECONNRESET)
		return ctl_client_receive(client);
	return err ? fail(client, err) : ctl_client_receive(client);
}

bool ctl_client_next(struct ctl_client *client, const char **line)
{
	int err = 0;

	while (!(*line = take_line(client)) && !err)
		err = receive_more(client, MSG_DONTWAIT);
	if (!err || err == EAGAIN)
		return true;
	fail(client, err);
	return false;
}
