/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Serves misses: takes records from the hook, asks the translator, and writes
 * translations to the devices, which the roster knows.
 */
#ifndef IOTLB_SERVER_H
#define IOTLB_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "miss_stats.h"

struct guest;
struct miss_hook;
struct roster;
struct server;
struct sva_service;
struct translator;

/**
 * struct server_options - what is to be served
 * @hook:	loaded, not yet attached
 * @translator:	open
 * @epoll_fd:	pidfds are added to it; an event's data.u64 is then what
 *		server_process_gone() wants, and SERVER_EVENT is set in it
 * @pids:	serve the devices of these processes only
 * @pid_count:	how many; 0 for all processes
 * @resolve:	have the kernel resolve what it can; the hook and the translator
 *		must be able to
 * @guest:	whose QEMU is asked, or NULL; the hook must follow guests then
 * @max_unanswered: a device that has more misses without an answer within a
 *		second is left alone for a while
 */
struct server_options {
	struct miss_hook *hook;
	struct translator *translator;
	int epoll_fd;
	const pid_t *pids;
	size_t pid_count;
	bool resolve;
	struct guest *guest;
	unsigned int max_unanswered;
};

#define SERVER_EVENT (1ULL << 63)

/**
 * server_open() - take the devices that are there
 * @server:	set on success
 * @options:	what is to be served
 *
 * Return: 0, or a negative errno after a message; with pids, it is an error
 * if one of them does not exist or holds no vhost fd.
 */
int server_open(struct server **server, const struct server_options *options);

/* Give all devices back. NULL is fine. */
void server_close(struct server *server);

/**
 * server_pump() - serve what has come in
 * @server:	the server
 *
 * Stops after a while even if more keeps coming, so that the caller can look
 * at other things.
 *
 * Return: how many records there were.
 */
size_t server_pump(struct server *server);

/* How long server_pump() need not be called if no records come in: for so many
 * milliseconds, or -1 for ever.
 */
int server_idle_ms(const struct server *server);

/* A process has ended; @event is the data.u64 of the event. */
void server_process_gone(struct server *server, uint64_t event);

/* To be called every second as long as server_devices() is not zero: gives
 * back the devices that their owners have closed.
 */
void server_check(struct server *server);

/* Has vhost, since misses were last answered, had to take some back? */
bool server_was_late(struct server *server);

/* From now on, misses with a PASID go by what is bound to it there, and who is
 * subscribed to page requests is asked.
 */
void server_set_pasids(struct server *server, struct sva_service *pasids);

/* The devices, for who is asked about them; not to be changed. */
struct roster *server_roster(struct server *server);

/* How many devices are served now. */
size_t server_devices(const struct server *server);

/* False if only certain processes are to be served, and all have ended. */
bool server_has_future(const struct server *server);

/* All devices together, from the start. */
struct miss_stats server_stats(const struct server *server);

/* Devices that were ever served, and whose answers had no tokens. */
uint64_t server_without_tokens(const struct server *server);

/**
 * server_for_each() - every device that is served, and the last that were
 * @server:	the server
 * @fn:		called with each
 * @arg:	passed to @fn
 */
void server_for_each(const struct server *server,
		     void (*fn)(const struct device_stats *device, void *arg), void *arg);

#endif /* IOTLB_SERVER_H */
