/* SPDX-License-Identifier: GPL-2.0 */
/* The far end: a tap in a network namespace of our own, and a packet socket. */
#ifndef BENCH_TAP_H
#define BENCH_TAP_H

#include <stddef.h>
#include <stdbool.h>
#include <sys/types.h>

struct tap {
	int fd;	    /* for VHOST_NET_SET_BACKEND */
	int packet; /* what the guest sends comes out here, and vice versa */
};

/*
 * Leave the host's network for an empty one, that vanishes with the process.
 * Return: 0, or -1 after a message.
 */
int tap_enter_namespace(void);

/**
 * tap_open() - make interface bench<number> and its packet socket
 * @t:		result
 * @number:	of the device
 * @frame_size:	largest frame, in bytes with Ethernet header
 *
 * Return: 0, or -1 after a message, with nothing left open.
 */
int tap_open(struct tap *t, unsigned int number, size_t frame_size);
void tap_close(struct tap *t);

#endif /* BENCH_TAP_H */
