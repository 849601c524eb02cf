/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket: a Unix socket at which clients write requests and read
 * replies, a JSON object a line, iotlbd-control(7). Nobody is waited for, and
 * memory and clients are bounded, so that no client can hold up misses or other
 * clients.
 */
#ifndef IOTLB_CONTROL_H
#define IOTLB_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct json_object;

/* At a time */
#define CONTROL_MAX_CLIENTS 16

/* Of a line with its end, of a reply or an event, and of events that a client has not
 * read yet
 */
#define CONTROL_LINE_MAX 4096
#define CONTROL_REPLY_MAX 16384
#define CONTROL_EVENTS_MAX (256 << 10)

/* A client that does not read what is for it is let go after this. */
#define CONTROL_STALL_SECONDS 5

/* Set in data.u64 of its events */
#define CONTROL_EVENT (1ULL << 62)

/**
 * struct control_handler - who knows what the lines mean
 * @line:	does what a line asks for, and returns the reply, which is the
 *		control's then; NULL for no memory
 * @gone:	the client will not come back
 *
 * Clients have numbers that are never used again, from 1 on.
 */
struct control_handler {
	struct json_object *(*line)(void *arg, uint64_t client, const char *line, size_t size);
	void (*gone)(void *arg, uint64_t client);
};

/**
 * control_open() - listen
 * @control:	set on success
 * @path:	of the socket; only its owner may connect. A socket that is there,
 *		but has nobody who listens, is replaced.
 *
 * Clients that come are not looked at before control_serve().
 *
 * Return: 0, or a negative errno after a message.
 */
int control_open(struct control **control, const char *path);

/**
 * control_serve() - from now on, look after clients
 * @control:	the socket
 * @epoll_fd:	where fds are watched; control_event() wants the events
 * @handler:	who knows what lines mean
 * @arg:	passed to it
 *
 * Return: 0, or a negative errno after a message.
 */
int control_serve(struct control *control, int epoll_fd, const struct control_handler *handler,
		  void *arg);

/**
 * control_send() - send a line that is no reply
 * @control:	the socket
 * @client:	its number; one that has gone is fine
 * @event:	the line; it is the control's then
 *
 * The handler is not called. A client that has too many to read is let go later.
 */
void control_send(struct control *control, uint64_t client, struct json_object *event);

/* Something has happened; @event is the data.u64 of the event. */
void control_event(struct control *control, uint64_t event);

/* To be called every second as long as control_needs_check(). */
void control_check(struct control *control);
bool control_needs_check(const struct control *control);

/* Clients are told by the end of their connections, the handler is not. The
 * socket's file stays, as it takes privileges to remove it. NULL is fine.
 */
void control_close(struct control *control);

#endif /* IOTLB_CONTROL_H */
