/* SPDX-License-Identifier: GPL-2.0 */
/* What things are called in the data file, see iotlb-record(8). */
#ifndef RECORD_NAMES_H
#define RECORD_NAMES_H

/* By enum iotlb_counter; NULL for what is never in a record. */
extern const char *const counter_names[];

/* By enum iotlb_event_kind. */
extern const char *const event_names[];

/* By enum record_end; NULL ends it. */
extern const char *const end_names[];

/* In the list of what is unavailable. */
#define LATENCY_NAME "latency_log2_ns"

#endif /* RECORD_NAMES_H */
