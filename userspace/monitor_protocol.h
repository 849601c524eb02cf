/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is said on the socket of a monitor: how a command is put, and what the
 * bytes that come mean. Nothing here knows of sockets.
 */
#ifndef IOTLB_MONITOR_PROTOCOL_H
#define IOTLB_MONITOR_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Room for a command as it is sent */
#define MONITOR_SEND_MAX 512

enum monitor_awaits {
	MONITOR_AWAITS_GREETING, /* what QEMU says first */
	MONITOR_AWAITS_HELLO,	 /* that it has taken ours */
	MONITOR_AWAITS_REPLY,	 /* to a command */
	MONITOR_AWAITS_NOTHING,	 /* but events */
};

/**
 * struct monitor_awaited - what must come next
 * @what:	a greeting, a reply and so on
 * @command:	the one that a reply is to
 * @id:		of the hello or the command
 */
struct monitor_awaited {
	enum monitor_awaits what;
	const char *command;
	unsigned int id;
};

enum monitor_kind {
	MONITOR_NOISE,	  /* nothing to anybody */
	MONITOR_EXPECTED, /* what was awaited */
	MONITOR_EVENT,
};

/**
 * struct monitor_message - what has come
 * @kind:	what it is
 * @text:	of a reply, or the name of an event, NUL-terminated and without
 *		other NULs and \r; NULL if there is none; to be freed
 * @why:	the errors of monitor_protocol::take in words
 */
struct monitor_message {
	enum monitor_kind kind;
	char *text;
	const char *why;
};

/**
 * struct monitor_protocol - how to talk
 * @name:	for messages
 * @option:	of the command line
 * @says_hello:	a hello is due after the greeting
 * @put:	writes a hello (@command is NULL) or a command to @to, which has
 *		room for MONITOR_SEND_MAX bytes; returns how many
 * @take:	looks at the bytes that have come. Returns how many of them are a
 *		message, which is filled in (it is all zero before), 0 if there
 *		have to be more, or a negative errno if they never will be one.
 */
struct monitor_protocol {
	const char *name;
	const char *option;
	bool says_hello;
	size_t (*put)(char *to, const char *command, unsigned int id);
	ssize_t (*take)(const char *data, size_t size, const struct monitor_awaited *awaited,
			struct monitor_message *message);
};

/* A copy without \r, or NULL: no memory, or there is a NUL in it. */
char *monitor_copy_text(const char *data, size_t size);

#endif /* IOTLB_MONITOR_PROTOCOL_H */
