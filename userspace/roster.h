/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Follows devices that come and go: finds those whose misses come in, takes
 * them from their owners, keeps up with their memory tables, and gives them
 * back.
 */
#ifndef IOTLB_ROSTER_H
#define IOTLB_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "pid_list.h"
#include "rate.h"
#include "served.h"
#include "server.h"
#include "strangers.h"

struct guest;
struct iotlb_record;

/* Devices that have gone, for the summary at the end. */
#define ROSTER_GONE_MAX 64

/**
 * struct roster - all of them
 * @hook:	which is told whose misses are wanted
 * @translator:	for which devices are told apart
 * @resolve:	have the kernel resolve what it can
 * @guest:	that is followed, or NULL
 * @batch:	where messages to the devices go; whoever calls flushes it
 * @epoll_fd:	where pidfds are watched
 * @pids:	whose devices are served
 * @max_unanswered: see struct server_options
 * @devices:	what is served
 * @strangers:	what is not
 * @scans:	bounds how often all processes are looked at
 * @gone:	devices that have gone, the next one at @gone_count % ROSTER_GONE_MAX
 * @gone_count:	how many there ever were
 * @gone_late:	roster_has_timeouts(), of devices that have gone
 * @without_tokens: devices so far whose late answers vhost cannot refuse
 * @said:	the log has: that answers carry tokens; that some do not; that
 *		there are too many devices
 * @limit:	keeps the log short
 */
struct roster {
	struct miss_hook *hook;
	const struct translator *translator;
	bool resolve;
	struct guest *guest;
	struct answer_batch *batch;
	int epoll_fd;
	struct pid_list pids;
	unsigned int max_unanswered;
	struct device_table devices;
	struct strangers strangers;
	struct rate scans;
	struct device_stats gone[ROSTER_GONE_MAX];
	size_t gone_count;
	bool gone_late;
	uint64_t without_tokens;
	struct {
		bool tokens;
		bool no_tokens;
		bool full;
	} said;
	struct log_limit limit;
};

/**
 * roster_open() - take the devices that are there
 * @roster:	all zero
 * @options:	what is to be served
 * @guest:	that is followed, or NULL
 * @batch:	where messages to the devices go
 *
 * Return: as for server_open(); if it fails, the roster is to be closed too.
 */
int roster_open(struct roster *roster, const struct server_options *options,
		struct answer_batch *batch);

/* Gives all devices back. */
void roster_close(struct roster *roster);

/**
 * roster_meet() - a device that is not served has missed
 * @roster:	the roster
 * @miss:	the miss
 *
 * Return: the device, if it could be taken at once. Else NULL; it may be taken
 * later, and then its virtqueues miss again.
 */
struct served_device *roster_meet(struct roster *roster, const struct iotlb_record *miss);

/* Look for devices that were not where they were looked for first, if it is
 * time for that.
 */
void roster_scan(struct roster *roster);

/* When to call roster_scan(): in so many nanoseconds, or -1 for no need. */
int64_t roster_scan_wait_ns(const struct roster *roster);

/* The memory table may have changed. */
void roster_refresh(struct roster *roster, struct served_device *device);
void roster_refresh_all(struct roster *roster);

/* As roster_refresh(), but not if it is known that nothing has changed: what its owner
 * has done before this is called, is seen.
 */
void roster_catch_up(struct roster *roster, struct served_device *device);

/* Gives back what the owners have closed, and looks at the rest. */
void roster_check(struct roster *roster);

/* A process has ended; @event is the data.u64 of the event. */
void roster_process_gone(struct roster *roster, uint64_t event);

/* Have misses waited for too long since roster_forget_timeouts()? Both go by what
 * roster_refresh() has seen last.
 */
bool roster_has_timeouts(const struct roster *roster);
void roster_forget_timeouts(struct roster *roster);

#endif /* IOTLB_ROSTER_H */
