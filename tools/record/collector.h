/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fills a record with samples of counters and with events, as they come.
 */
#ifndef RECORD_COLLECTOR_H
#define RECORD_COLLECTOR_H

#include <stdint.h>

#include "iotlb_event.h"
#include "record.h"
#include "top/model.h"

/**
 * struct collector - on the way to a record
 * @record:	filled in
 * @start_ns:	when recording has begun, CLOCK_MONOTONIC
 * @last:	when the sample before was taken, nanoseconds since then
 * @weights:	events of the devices that have a map, as of the sample before
 */
struct collector {
	struct record *record;
	uint64_t start_ns;
	uint64_t last;
	uint64_t weights[RECORD_MAPS];
};

void collector_init(struct collector *collector, struct record *record, uint64_t now_ns);

/* Takes an event from the ring buffer. */
void collector_event(struct collector *collector, const struct iotlb_event *event);

/**
 * collector_sample() - take a sample of the counters
 * @collector:	the collector
 * @sample:	what happened since the one before; the final one has the totals
 * @now_ns:	when it was taken, CLOCK_MONOTONIC
 */
void collector_sample(struct collector *collector, const struct top_sample *sample,
		      uint64_t now_ns);

#endif /* RECORD_COLLECTOR_H */
