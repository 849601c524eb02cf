// SPDX-License-Identifier: GPL-2.0
#include "stream.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "frame.h"
#include "slot.h"

static int init_working_set(struct stream *s)
{
	const struct layout *l = s->layout;
	unsigned int queue = s->device->number * NR_DIRECTIONS + s->direction;

	if (l->o.map->kind != MAP_KIND_RANDOM)
		return 0;
	return working_set_init(&s->working_set, l->buffers, s->options->seed, queue);
}

int stream_init(struct stream *s, const struct options *o, const struct layout *l,
		const struct guest *g, struct vnet *device, struct dma *dma,
		enum direction direction)
{
	*s = (struct stream){
		.options = o,
		.layout = l,
		.guest = g,
		.device = device,
		.dma = dma,
		.queue = &device->queues[direction],
		.direction = direction,
		.times = calloc(1, sizeof(*s->times)),
	};
	if (!s->times || init_working_set(s)) {
		warn("device %u: no memory for the packets' bookkeeping", device->number);
		stream_free(s);
		return -1;
	}
	for (unsigned int i = 0; i < o->layout.in_flight; i++)
		s->slots[i].buffer.nth = BUFFER_NONE;
	if (dma->process)
		s->marks.now = process_mark(dma->process);
	return 0;
}

void stream_free(struct stream *s)
{
	working_set_free(&s->working_set);
	free(s->times);
	s->times = NULL;
}

bool stream_is_settled(const struct stream *s)
{
	uint64_t arrived = s->direction == DIRECTION_TX ? s->counts.received : s->used;

	return arrived >= s->marks.from;
}

static void forget_buffer(struct stream *s, struct slot *slot)
{
	if (s->layout->o.map->kind == MAP_KIND_RANDOM && slot->buffer.nth != BUFFER_NONE)
		working_set_put(&s->working_set, slot->buffer.nth);
	slot->buffer.nth = BUFFER_NONE;
	slot->is_offered = false;
}

void stream_begin_again(struct stream *s)
{
	for (unsigned int i = 0; i < s->options->layout.in_flight; i++)
		forget_buffer(s, &s->slots[i]);
	/* What the device has not begun with is the new one's to send. */
	s->offered = s->used;
	s->used_before = s->used;
	s->marks = (struct frame_marks){
		.now = process_mark(s->dma->process),
		.before = s->marks.now,
		/* The tap keeps what was sent to the one before. */
		.from = s->direction == DIRECTION_TX ? s->used : s->counts.sent,
	};
	if (s->direction == DIRECTION_TX)
		s->counts.sent = s->used;
}

static struct slot *slot_of(struct stream *s, uint64_t packet)
{
	return &s->slots[packet % s->options->layout.in_flight];
}

static void kick(struct stream *s)
{
	uint64_t one = 1;

	s->counts.kicks++;
	if (write(s->queue->kick, &one, sizeof(one)) != sizeof(one))
		err(1, "device %u: cannot kick the %s virtqueue", s->device->number,
		    direction_name(s->direction));
}

static void publish(struct stream *s)
{
	if (virtq_publish(&s->queue->ring))
		kick(s);
}

/* Fills free slots. Return: the number of the first packet offered. */
static uint64_t offer_all(struct stream *s)
{
	uint64_t first = s->offered;

	for (; s->offered < s->options->layout.packets; s->offered++) {
		struct slot *slot = slot_of(s, s->offered);

		if (slot->is_offered)
			break;
		slot_fill(s, slot, s->offered);
		slot_offer(s, slot, s->offered);
	}
	return first;
}

static void send_tx(struct stream *s)
{
	uint64_t packet = offer_all(s), now;

	if (packet == s->offered)
		return;
	s->counts.sent = s->offered;
	now = clock_now_ns();
	for (; packet < s->offered; packet++)
		slot_of(s, packet)->start = now;
	publish(s);
}

static void send_rx(struct stream *s)
{
	uint8_t frame[SLOT_SIZE];

	if (offer_all(s) != s->offered)
		publish(s);
	/* Never more frames than buffers: the tap would drop them. */
	while (s->counts.sent < s->offered) {
		struct frame_id id = stream_frame_id(s, s->counts.sent);

		frame_build(frame, s->options->frame_size, &id);
		slot_of(s, s->counts.sent)->start = clock_now_ns();
		if (send(s->device->tap.packet, frame, s->options->frame_size, 0) < 0) {
			/* A full socket: tried again with the next event. */
			if (errno == EAGAIN || errno == ENOBUFS)
				return;
			err(1, "device %u: cannot send a frame of %u bytes to the tap",
			    s->device->number, s->options->frame_size);
		}
		s->counts.sent++;
	}
}

void stream_send(struct stream *s, bool stopping)
{
	if (stopping)
		return;
	if (s->direction == DIRECTION_TX)
		send_tx(s);
	else
		send_rx(s);
}

/* Return: true and the packet's number if it is what was sent. */
static bool verify(struct stream *s, const uint8_t *frame, size_t length, uint64_t *packet)
{
	struct frame_id id = stream_frame_id(s, s->next_sequence);

	switch (frame_check(frame, length, s->options->frame_size, &id)) {
	case FRAME_FOREIGN:
		s->counts.foreign++;
		return false;
	case FRAME_GOOD:
		s->counts.received++;
		/*
		 * Nothing on the way reorders. So two frames that have changed
		 * places were read from, or written to, each other's buffer.
		 */
		if (id.sequence >= s->next_sequence && id.sequence < s->counts.sent) {
			s->next_sequence = id.sequence + 1;
			s->counts.verified++;
			*packet = id.sequence;
			return true;
		}
		break;
	case FRAME_POISONED:
		s->counts.stale++;
		/* fall through */
	case FRAME_CORRUPT:
		s->counts.received++;
		break;
	}
	s->counts.corrupted++;
	id.sequence = s->next_sequence;
	s->counts.crossed += frame_crossed(frame, length, &id);
	return false;
}

static void record(struct stream *s, uint64_t packet, uint64_t now)
{
	if (packet >= s->options->warmup)
		histogram_add(s->times, now - slot_of(s, packet)->start);
}

static void offer_again(struct stream *s, struct slot *slot)
{
	s->used--;
	slot_offer(s, slot, slot->packet);
	publish(s);
}

static void complete_rx(struct stream *s, struct slot *slot, uint32_t length, uint64_t now)
{
	uint64_t packet, foreign = s->counts.foreign;
	size_t size = length < VNET_HEADER_SIZE ? 0 : length - VNET_HEADER_SIZE;
	const uint8_t *frame = buffer_load(&slot->buffer, s->options->frame_size, s->scratch);

	if (verify(s, frame, size, &packet))
		record(s, packet, now);
	if (s->counts.foreign == foreign)
		return;
	/* A stranger took the buffer of a packet that is still to come. */
	offer_again(s, slot);
}

static void complete_one(struct stream *s, uint32_t nth, uint32_t length, uint64_t now)
{
	struct slot *slot = &s->slots[nth % VIRTQ_SIZE];
	uint64_t used;

	s->progress++;
	if (nth >= VIRTQ_SIZE || !slot->is_offered) {
		s->counts.ring_errors++;
		return;
	}
	slot_take_back(s, slot);
	used = s->used;
	if (dma_take_refusal(s->dma, s->direction)) {
		/* The device could not reach all of it, and has done nothing. */
		s->counts.ring_errors += length != 0;
		s->counts.resent++;
		offer_again(s, slot);
	} else if (s->direction == DIRECTION_RX) {
		complete_rx(s, slot, length, now);
	} else {
		record(s, slot->packet, now);
	}
	/* Unless it has been offered again. */
	if (s->used == used)
		slot_poison(s, slot);
}

void stream_complete(struct stream *s)
{
	uint64_t now = clock_now_ns();
	uint32_t nth, length;

	do {
		while (virtq_take(&s->queue->ring, &nth, &length))
			complete_one(s, nth, length, now);
	} while (virtq_rearm(&s->queue->ring));
}

/* Return: false if the packet socket is empty. */
static bool collect_one(struct stream *s)
{
	uint8_t frame[SLOT_SIZE];
	uint64_t packet;
	ssize_t length = recv(s->device->tap.packet, frame, sizeof(frame), 0);

	if (length < 0 && errno == EAGAIN)
		return false;
	if (length < 0)
		err(1, "device %u: cannot read the packet socket", s->device->number);
	s->progress++;
	verify(s, frame, length, &packet);
	return true;
}

bool stream_collect(struct stream *s)
{
	/* Not one recv() more than needed: it would cost each packet one. */
	while (s->counts.received < s->used)
		if (!collect_one(s))
			return false;
	return true;
}

void stream_finish(struct stream *s)
{
	/* Whatever is still there is too much, and counted as such. */
	while (s->direction == DIRECTION_TX && collect_one(s))
		;
	s->counts.ring_errors += vnet_ring_errors(s->device, s->direction);
	dma_flush(s->dma);
}

bool stream_is_done(const struct stream *s, bool stopping)
{
	uint64_t wanted = stopping ? s->counts.sent : s->options->layout.packets;

	return s->used >= wanted && (s->direction == DIRECTION_RX || s->counts.received >= wanted);
}

uint64_t stream_lost(const struct stream *s)
{
	uint64_t arrived = s->counts.verified + s->counts.corrupted;

	return arrived < s->counts.sent ? s->counts.sent - arrived : 0;
}

void stream_complain(struct stream *s, unsigned int seconds)
{
	const char *direction = direction_name(s->direction);
	uint64_t iova = slot_of(s, s->used)->iova;

	s->counts.ring_errors += vnet_ring_errors(s->device, s->direction);
	warnx("device %u %s: stuck at packet %" PRIu64 " of %" PRIu64
	      " for %u s: buffer at IOVA 0x%" PRIx64 " offered and not used, %" PRIu64
	      " in flight, notifications %s",
	      s->device->number, direction, s->used, s->options->layout.packets, seconds, iova,
	      s->offered - s->used, virtq_wants_kick(&s->queue->ring) ? "on" : "off");
	if (s->counts.ring_errors)
		warnx("device %u %s: vhost has signalled %" PRIu64
		      " errors of the ring: a wrong translation, or one that allows too little?",
		      s->device->number, direction, s->counts.ring_errors);
	if (!options_serves(s->options))
		warnx("device %u %s: --server %s: does another process serve the misses of "
		      "process %d? --server fd serves them here",
		      s->device->number, direction, options_server(s->options), (int)getpid());
}
