/* SPDX-License-Identifier: GPL-2.0 */
/* An iotlbd of our own, which serves this process for as long as it runs. */
#ifndef BENCH_IOTLBD_H
#define BENCH_IOTLBD_H

#include <stdbool.h>
#include <sys/types.h>

#include "bench_options.h"
#include "layout.h"

struct iotlbd {
	pid_t pid;	 /* 0: does not run */
	int pidfd;	 /* readable: it has ended */
	int notify;	 /* where it tells that it is ready */
	int file;	 /* the table, or the description of the IOMMU */
	char folder[32]; /* where its control socket is, "" if it has none */
};

enum iotlbd_result {
	IOTLBD_READY,
	IOTLBD_FAILED, /* after a message */
	IOTLBD_INTERRUPTED,
};

/**
 * iotlbd_start() - start one, and wait until it serves our devices
 * @d:		result
 * @o:		options
 * @l:		layout
 * @signals:	signalfd that becomes readable when we are to stop
 *
 * The devices must be open.
 */
enum iotlbd_result iotlbd_start(struct iotlbd *d, const struct options *o, const struct layout *l,
				int signals);

#define IOTLBD_SOCKET_MAX 48

/* Where its control socket is; it listens when iotlbd_start() returns. */
void iotlbd_socket(const struct iotlbd *d, char path[IOTLBD_SOCKET_MAX]);

/* The socket is for us alone: to be called once all have connected. */
void iotlbd_remove_socket(struct iotlbd *d);

/* Has it ended before it was told to? After a message, then. */
bool iotlbd_has_died(struct iotlbd *d);

/* End it. Return: 0, or -1 after a message if it did not end well. */
int iotlbd_stop(struct iotlbd *d);

#endif /* BENCH_IOTLBD_H */
