/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Answers the misses of all our devices, as QEMU's main loop does: epoll over
 * the vhost fds, read() the misses, write() the updates. There is a reader for
 * each device, as if each belonged to a guest of its own, or one for all.
 */
#ifndef BENCH_MISS_SERVER_H
#define BENCH_MISS_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dma.h"
#include "guest.h"
#include "layout.h"
#include "vnet.h"

struct miss_count {
	uint64_t ring;	 /* misses of ring addresses */
	uint64_t buffer; /* misses of packets' buffers */
};

struct miss_server;

struct miss_reader {
	struct miss_server *server;
	pthread_t thread;
	int epoll;
};

struct miss_server {
	const struct layout *layout;
	const struct guest *guest;
	struct vnet *devices;
	struct dma *dmas; /* of each device, or of each process */
	unsigned int nr_readers;
	unsigned int nr_running;
	struct miss_reader *readers;
	int stop;	  /* eventfd */
	int answered;	  /* eventfd: an answer was written, while starting */
	bool is_starting; /* tell @answered */
	uint64_t unknown; /* misses of an address that is not mapped */
	uint64_t late;	  /* misses of one that was, and is unmapped by now, or of a process
			   * that has ended */
	uint64_t denied;  /* misses that want more access than is mapped */
	uint64_t failed;  /* updates that vhost refused */
	struct miss_count (*counts)[NR_DIRECTIONS]; /* one for each device */
};

/* Return: 0, or -1 after a message. */
int miss_server_start(struct miss_server *s, const struct layout *l, const struct guest *g,
		      struct vnet *devices, struct dma *dmas, unsigned int nr_readers);

/* Misses of all devices so far. */
uint64_t miss_server_total(const struct miss_server *s);

/* No more use for @answered: save the writes to it. */
void miss_server_started(struct miss_server *s);

/* The counts stay until miss_server_free(). */
void miss_server_stop(struct miss_server *s);
void miss_server_free(struct miss_server *s);

#endif /* BENCH_MISS_SERVER_H */
