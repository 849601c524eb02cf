/* SPDX-License-Identifier: GPL-2.0 */
/* The events of all device IOTLBs, from a ring buffer. */
#ifndef RECORD_EVENTS_H
#define RECORD_EVENTS_H

#include <stdint.h>

#include "iotlb_event.h"

struct events;

typedef void (*event_fn)(void *arg, const struct iotlb_event *event);

/**
 * events_open() - begin to take down events
 * @kib:	size of the ring buffer, a power of two from 4 on
 * @fn:		what they are given to, by events_read()
 * @arg:	passed to @fn
 *
 * Return: NULL after an error, which has been told.
 */
struct events *events_open(unsigned int kib, event_fn fn, void *arg);

/* Hands out what there is, or as much of it as is sensible at a time.
 * Return: 0 or a negative errno.
 */
int events_read(struct events *events);

/* Takes down no more, and hands out all that there is. */
int events_stop(struct events *events);

/* Those for which there was no room since the start. */
uint64_t events_lost(const struct events *events);

void events_close(struct events *events);

#endif /* RECORD_EVENTS_H */
