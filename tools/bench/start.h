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

/**
 * start_devices() - install mappings if asked for, and connect all queues
 * @o:		options
 * @l:		layout
 * @g:		guest memory
 * @devices:	o->layout.devices of them, open
 * @server:	running, or NULL if another process serves
 * @iotlbd:	fd that becomes readable when another process that is to serve
 *		them has ended, or -1
 * @signals:	signalfd that becomes readable when we are to stop
 *
 * A queue cannot be connected before vhost has the translation of its used
 * ring: this waits for it, o->timeout seconds for each queue.
 */
enum start_result start_devices(const struct options *o, const struct layout *l,
				const struct guest *g, struct vnet *devices,
				struct miss_server *server, int iotlbd, int signals);

#endif /* BENCH_START_H */
