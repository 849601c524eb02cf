// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "iotlb_counters.h"
#include "iotlb_event.h"
#include "names.h"
#include "record.h"

const char *const counter_names[IOTLB_NR_COUNTERS] = {
	[IOTLB_HIT_DESC] = "hits_desc",
	[IOTLB_HIT_AVAIL] = "hits_avail",
	[IOTLB_HIT_USED] = "hits_used",
	[IOTLB_HIT_BUFFER] = "hits_buffer",
	/* Is in the first three by then. */
	[IOTLB_HIT_META] = NULL,
	[IOTLB_MISS] = "misses",
	[IOTLB_RESOLVED] = "resolved",
	[IOTLB_MISS_RING] = "ring",
	[IOTLB_MISS_FD] = "fd",
	[IOTLB_MISS_DROP] = "drops",
	[IOTLB_MISS_BUFFER] = "misses_buffer",
	[IOTLB_RESOLVED_BUFFER] = "resolved_buffer",
	[IOTLB_FALLBACK_TIMEOUT] = "fallback_timeout",
	[IOTLB_FALLBACK_REFUSED] = "fallback_refused",
	[IOTLB_FALLBACK_DETACHED] = "fallback_detached",
	[IOTLB_ACCESS_FAILED] = "accesses_failed",
	[IOTLB_LATENCY_NS] = "latency_ns",
	[IOTLB_UPDATE] = "updates",
	[IOTLB_UPDATE_FAILED] = "updates_failed",
	[IOTLB_UPDATE_STALE] = "updates_stale",
	[IOTLB_INVALIDATE] = "invalidations",
	[IOTLB_EVICT] = "evictions",
};

const char *const event_names[IOTLB_EVENT_KINDS] = {
	[IOTLB_EVENT_MISS] = "misses",
	[IOTLB_EVENT_UPDATE] = "updates",
	[IOTLB_EVENT_INVALIDATE] = "invalidations",
	[IOTLB_EVENT_EVICT] = "evictions",
	[IOTLB_EVENT_FAIL] = "accesses_failed",
};

const char *const end_names[] = {
	[RECORD_END_COMMAND] = "command",
	[RECORD_END_SIGNAL] = "signal",
	[RECORD_END_TIME] = "duration",
	NULL,
};
