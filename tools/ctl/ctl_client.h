/* SPDX-License-Identifier: GPL-2.0 */
/* The other end of the control socket. */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "control.h"

/**
 * struct ctl_client - a connection
 * @fd:		the socket
 * @path:	where it is, for messages
 * @event:	takes a line that is no reply, while a reply is waited for; NULL after
 *		ctl_client_connect(), and then they are left out
 * @arg:	passed to it
 * @text:	the last line, without its end
 * @size:	bytes that have come
 * @used:	those of them that were the last line
 */
struct ctl_client {
	int fd;
	const char *path;
	void (*event)(void *arg, const char *line);
	void *arg;
	char text[CONTROL_REPLY_MAX + 1];
	size_t size;
	size_t used;
};

/* 0, or a negative errno after a message */
int ctl_client_connect(struct ctl_client *client, const char *path);

void ctl_client_close(struct ctl_client *client);

/**
 * ctl_client_ask() - send a line, and wait for the reply to it
 * @client:	connected
 * @line:	with its end
 * @size:	bytes
 *
 * Return: the reply, valid until something else is called; NULL after a message.
 */
const char *ctl_client_ask(struct ctl_client *client, const char *line, size_t size);

/**
 * ctl_client_next() - the next line, if it is there
 * @client:	connected
 * @line:	set to it, valid until something else is called; NULL if there is none yet
 *
 * For who waits for events: when the socket can be read, and after each
 * ctl_client_ask(), as some may have come behind the reply; until there is none.
 *
 * Return: false after a message.
 */
bool ctl_client_next(struct ctl_client *client, const char **line);

/*
 * Who asks much need not wait each time: lines that are sent, and then as many
 * replies, in their order. Replies must be taken before they fill the socket.
 */

/* 0, or a negative errno after a message */
int ctl_client_send(const struct ctl_client *client, const char *lines, size_t size);

/* As ctl_client_ask(), for the first line that has no reply yet. */
const char *ctl_client_receive(struct ctl_client *client);

#endif /* CTL_CLIENT_H */
