/* SPDX-License-Identifier: GPL-2.0 */
/* vhost's tracepoints, through an instance of tracefs that is ours alone. */
#ifndef KERNEL_TEST_TRACE_H
#define KERNEL_TEST_TRACE_H

/* Begin to record, with nothing recorded. The runner ends it. */
void trace_open(void);
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

#endif /* KERNEL_TEST_TRACE_H */
