/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client of QEMU's monitor that never waits: commands of the human monitor
 * (HMP) are queued, and what QEMU says comes to a callback. There are two ways
 * to it (monitor_protocol.h): the human monitor itself, and QMP, which passes
 * such commands on.
 *
 * QEMU is not trusted: a guest may have got hold of it. What it sends is
 * bounded, and whatever is not as it has to be is the end of the conversation.
 */
#ifndef IOTLB_MONITOR_H
#define IOTLB_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct monitor;
struct monitor_protocol;

extern const struct monitor_protocol monitor_qmp;
extern const struct monitor_protocol monitor_hmp;

/* Longest reply. A device is some kilobytes of "info qtree". */
#define MONITOR_REPLY_MAX (4UL << 20)

#define MONITOR_COMMAND_MAX 128

/* Commands that may wait for their replies */
#define MONITOR_QUEUE 8

/**
 * typedef monitor_reply_fn - what QEMU says to a command
 * @arg:	as given with the command
 * @text:	lines that end in \n, only valid during the call; NULL if there
 *		will be no reply, because the conversation has ended
 *
 * May ask for more, but not close the monitor.
 */
typedef void (*monitor_reply_fn)(void *arg, const char *text);

/**
 * typedef monitor_event_fn - something has happened; QMP only
 * @arg:	as given to monitor_open()
 * @name:	"RESET" and so on
 */
typedef void (*monitor_event_fn)(void *arg, const char *name);

/**
 * monitor_connect() - to QEMU's socket
 * @path:	a Unix socket
 * @peer:	set to the process that listens there, 0 if that cannot be told
 *
 * Does not wait. QEMU talks to one client at a time on each of its sockets: to
 * others there is a connection as well, but no word.
 *
 * Return: an fd that does not block, or a negative errno after a message.
 */
int monitor_connect(const char *path, pid_t *peer);

/**
 * monitor_open() - begin a conversation
 * @monitor:	set on success
 * @protocol:	what is spoken there
 * @fd:		a connection, see monitor_connect(); the monitor's from now on,
 *		also if this fails
 * @event:	called for events, NULL for nobody
 * @arg:	passed to @event
 *
 * Return: 0, or -ENOMEM.
 */
int monitor_open(struct monitor **monitor, const struct monitor_protocol *protocol, int fd,
		 monitor_event_fn event, void *arg);

/* Commands without reply are forgotten. NULL is fine. */
void monitor_close(struct monitor *monitor);

/* To be watched for reading until it is closed */
int monitor_fd(const struct monitor *monitor);

/**
 * monitor_ask() - have QEMU carry out a command
 * @monitor:	the monitor
 * @command:	of HMP, shorter than MONITOR_COMMAND_MAX, printable ASCII
 * @reply:	called once, unless the monitor is closed before
 * @arg:	passed to @reply
 *
 * Return: 0, -ENOBUFS too many wait already, -EINVAL no such command can be, or
 * the errno that monitor_read() has returned.
 */
int monitor_ask(struct monitor *monitor, const char *command, monitor_reply_fn reply, void *arg);

/**
 * monitor_read() - the fd can be read
 * @monitor:	the monitor
 *
 * Reads what is there, but not for long, and calls who is concerned.
 *
 * Return: 0, or a negative errno when the conversation has ended: -EPIPE QEMU
 * has closed it, -EPROTO it is no monitor, or does not do as one, -EMSGSIZE a
 * reply is too long, or another one. monitor_why() has the words for it.
 */
int monitor_read(struct monitor *monitor);

/* Why it has ended, or "" */
const char *monitor_why(const struct monitor *monitor);

/* Since when QEMU owes a reply (CLOCK_MONOTONIC), 0 if it does not. */
uint64_t monitor_waits_since_ns(const struct monitor *monitor);

/* The option that names this kind of monitor, "--qmp" */
const char *monitor_option(const struct monitor_protocol *protocol);

#endif /* IOTLB_MONITOR_H */
