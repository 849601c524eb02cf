/* SPDX-License-Identifier: GPL-2.0 */
/* vhost's tracepoints, through an instance of tracefs that is ours alone. */
#ifndef KERNEL_TEST_TRACE_H
#define KERNEL_TEST_TRACE_H

#include <stdint.h>

/* Begin to record, with nothing recorded. The runner ends it. */
void trace_open(void);

/* The same with one @event, if there would be too many of all. */
void trace_open_event(const char *event);
void trace_close(void);

/* Forget what was recorded. */
void trace_clear(void);

/**
 * trace_count() - count events
 * @event:	name without "vhost_iotlb_", or "" for any
 * @fields:	printf() format of words "name=value", as tracefs prints them;
 *		events that have all of these are counted
 */
unsigned int trace_count(const char *event, const char *fields, ...)
	__attribute__((format(printf, 2, 3)));

/* Place of the first such event among all events, or -1. */
int trace_place(const char *event, const char *fields, ...) __attribute__((format(printf, 2, 3)));

/* The largest that a decimal field of such events is, or -1. */
int64_t trace_field(const char *field, const char *event, const char *fields, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* KERNEL_TEST_TRACE_H */
