/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's kernel as it is asked for pages of its processes: by events at the
 * control socket of our iotlbd (iotlbd-control(7)), which a thread answers.
 */
#ifndef BENCH_PAGER_H
#define BENCH_PAGER_H

#include <pthread.h>
#include <stdbool.h>

#include "ctl/ctl_client.h"
#include "dma.h"
#include "layout.h"
#include "vnet.h"

struct pager {
	const struct layout *layout;
	const struct vnet *devices;
	struct dma *dmas; /* of each process */
	struct ctl_client client;
	int stop; /* eventfd */
	bool is_running;
	pthread_t thread;
};

/**
 * pager_start() - from now on, page requests of all devices are answered
 * @p:		result
 * @path:	of the control socket
 * @l:		layout, of processes
 * @devices:	all of them
 * @dmas:	of each process
 *
 * Return: 0, or -1 after a message.
 */
int pager_start(struct pager *p, const char *path, const struct layout *l,
		const struct vnet *devices, struct dma *dmas);

/* While iotlbd still runs. Nothing if it was not started. */
void pager_stop(struct pager *p);

#endif /* BENCH_PAGER_H */
