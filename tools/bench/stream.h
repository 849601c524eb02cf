/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets of one virtqueue: offering buffers, sending, taking back,
 * verifying. No waiting in here: traffic.c says when something can be done.
 *
 * A packet has slot (number % in_flight) of the virtqueue, which is offered again
 * only after the device has used it. Which buffer it has is another matter:
 * what is mapped anew must not lie where it lay before.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "dma.h"
#include "frame.h"
#include "guest.h"
#include "histogram.h"
#include "bench_options.h"
#include "vnet.h"
#include "working_set.h"

struct stream_counts {
	uint64_t sent;	      /* TX: offered to the device; RX: sent by the far end */
	uint64_t received;    /* frames of ours that came out at the other end */
	uint64_t verified;    /* of these: as they were sent, and in order */
	uint64_t corrupted;   /* of these: other contents, or out of order */
	uint64_t stale;	      /* of these: what lies where nothing is mapped any more */
	uint64_t crossed;     /* bytes of another process that came instead of these */
	uint64_t foreign;     /* frames that nobody here has sent */
	uint64_t ring_errors; /* vhost's, and descriptors used out of turn */
	uint64_t kicks;
	uint64_t resent; /* packets whose pages were refused, once more */
};

enum stream_state {
	STREAM_RUNNING,
	STREAM_STUCK,
	STREAM_FINISHED,
};

struct slot {
	struct buffer buffer;
	uint64_t iova;	 /* of the buffer */
	uint64_t packet; /* whose buffer it is */
	uint64_t start;	 /* when packet (number % in_flight) was sent, ns */
	bool is_offered;
};

struct stream {
	const struct options *options;
	const struct layout *layout;
	const struct guest *guest;
	struct vnet *device;
	struct dma *dma;
	struct vnet_queue *queue;
	struct working_set working_set; /* with MAP_KIND_RANDOM */
	struct frame_marks marks;	/* with processes */
	uint64_t used_before;		/* by those of @used that came before */
	enum direction direction;
	enum stream_state state;
	uint64_t elapsed; /* ns, from the start of all until the last packet */
	struct stream_counts counts;
	uint64_t offered;    /* buffers given to the device */
	uint64_t used;	     /* buffers that came back */
	uint64_t idle_since; /* ns */
	uint64_t progress;   /* grows whenever anything happens */
	uint64_t progress_seen;
	uint64_t next_sequence;	 /* that may arrive */
	struct histogram *times; /* from sending to completion */
	struct slot slots[VIRTQ_SIZE];
	uint8_t scratch[SLOT_SIZE]; /* for frames that do not lie in one piece */
};

/* Return: 0, or -1 after a message. */
int stream_init(struct stream *s, const struct options *o, const struct layout *l,
		const struct guest *g, struct vnet *device, struct dma *dma,
		enum direction direction);
void stream_free(struct stream *s);

/* Offer and send all that may be sent now; unless @stopping. */
void stream_send(struct stream *s, bool stopping);

/* Take back what the device has used; verify what it has received (RX). */
void stream_complete(struct stream *s);

/**
 * stream_collect() - take from the packet socket what the guest has sent (TX)
 *
 * Return: true if all that is complete has arrived; false: wait for more.
 */
bool stream_collect(struct stream *s);

/*
 * With processes: is nothing of the one that was there before under way any
 * more? Then it may be the end of this one, too.
 */
bool stream_is_settled(const struct stream *s);

/*
 * Another process has come, and the virtqueue is empty: what the device has not
 * used is to be offered once more.
 */
void stream_begin_again(struct stream *s);

/* The last look at sockets and eventfds, and flush, once no more is to come. */
void stream_finish(struct stream *s);

/* Is nothing more to come? */
bool stream_is_done(const struct stream *s, bool stopping);

/* One that has vanished on the way; for TX, between vhost and the socket. */
uint64_t stream_lost(const struct stream *s);

/* Tell people where it stopped. */
void stream_complain(struct stream *s, unsigned int seconds);

#endif /* BENCH_STREAM_H */
