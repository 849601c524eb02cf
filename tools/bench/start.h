/* SPDX-License-Identifier: GPL-2.0 */
/* Brings the devices to the point where packets can flow. */
#ifndef BENCH_START_H
#define BENCH_START_H

#include "guest.h"
#include "bench_options.h"
#include "miss_server.h"
#include "vnet.h"

enum start_result {
	START_DONE,
	START_FAILED, /* after a message */
	START_INTERRUPTED,
	START_ABANDONED, /* nobody serves any more */
};

/* What tells us to go on, or to stop. */
struct start_sources {
	struct miss_server *server; /* running, or NULL if another process serves */
	int iotlbd;  /* readable when another process that is to serve has ended; or -1 */
	int signals; /* signalfd, readable when we are to stop; or -1 */
};

/**
 * start_queue() - connect a virtqueue
 *
 * It cannot be connected before vhost has the translation of its used ring: this
 * waits for it, o->timeout seconds.
 */
enum start_result start_queue(const struct options *o, const struct layout *l, struct vnet *v,
			      enum direction direction, const struct start_sources *sources);

/**
 * start_devices() - install mappings if asked for, and connect all queues
 * @o:		options
 * @l:		layout
 * @g:		guest memory
 * @devices:	o->layout.devices of them, open
 * @sources:	who serves misses, and what else there is to wait for
 */
enum start_result start_devices(const struct options *o, const struct layout *l,
				const struct guest *g, struct vnet *devices,
				const struct start_sources *sources);

#endif /* BENCH_START_H */
