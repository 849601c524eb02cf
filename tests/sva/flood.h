/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As many invalidations as there is time for, of each granularity, while frames
 * are sent: pages of processes are replaced, time and again, and the control
 * socket told so. What was there before an invalidation must not be sent after it.
 *
 * There are several devices, each with two processes, and each has one request
 * under way at a time: the requests of all of them are written at once, and then
 * their replies read. So it goes fast, and still nothing but its own invalidation
 * stands between a device and the page that it must not find any more. Without a
 * socket and its JSON it goes much faster: the library that iotlbd does it by is
 * called here, and iotlbd only answers misses.
 *
 * A page tells of its epoch: how often that address has been given another one.
 * Before a frame is offered, the sender looks up which epochs have ended, that
 * is, whose invalidation has been replied to; and none of these must come out.
 */
#ifndef SVA_FLOOD_H
#define SVA_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

enum flood_granularity { FLOOD_ADDRESS, FLOOD_PASID, FLOOD_DOMAIN, NR_FLOOD };

/**
 * struct flood_counts - what has happened
 * @invalidations: that were replied to, by granularity
 * @switches:	a virtqueue's PASID was unbound and bound to another process
 * @frames:	that were sent
 * @renewed:	of these: out of another page than the frame before, at the same
 *		address; so an invalidation has had its effect
 * @stale:	of these: out of a page of an epoch that had ended, by what has ended it
 * @crossed:	of these: out of another process's memory, or another page
 * @lost:	that were offered and never sent
 */
struct flood_counts {
	uint64_t invalidations[NR_FLOOD];
	uint64_t switches;
	uint64_t frames, renewed;
	uint64_t stale[NR_FLOOD];
	uint64_t crossed, lost;
};

/**
 * flood_run() - the whole, on devices of its own
 * @socket:	of iotlbd's control
 * @by_library:	invalidate by the library, not by requests at the socket
 * @count:	invalidations of each granularity
 * @skipped:	"address", "pasid" or "domain": something else is invalidated
 *		instead, to see that this is found; "none"
 * @counts:	result
 */
void flood_run(const char *socket, bool by_library, unsigned int count, const char *skipped,
	       struct flood_counts *counts);

#endif /* SVA_FLOOD_H */
