// SPDX-License-Identifier: GPL-2.0
#include "summary.h"

static void add_counts(struct stream_counts *into, const struct stream_counts *from)
{
	into->sent += from->sent;
	into->received += from->received;
	into->verified += from->verified;
	into->corrupted += from->corrupted;
	into->stale += from->stale;
	into->crossed += from->crossed;
	into->foreign += from->foreign;
	into->ring_errors += from->ring_errors;
	into->kicks += from->kicks;
	into->resent += from->resent;
}

static void add_dma(struct dma_counts *into, const struct dma_counts *from)
{
	into->maps += from->maps;
	into->unmaps += from->unmaps;
	into->messages += from->messages;
	into->operations += from->operations;
	into->requests += from->requests;
	into->copied += from->copied;
	into->refused += from->refused;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Mappings of buffers that the device has met for the first time, at least. */
static uint64_t compulsory_misses(const struct stream *s)
{
	const struct options *o = s->options;
	const struct layout *l = s->layout;
	uint64_t buffers = smaller(s->used, l->buffers);

	switch (l->o.map->kind) {
	case MAP_KIND_FIXED:
		if (o->prefault)
			return 0;
		if (l->o.page > SLOT_SIZE)
			return smaller(s->used, 1);
		return buffers * l->pages;
	case MAP_KIND_RANDOM:
		return smaller(s->used, 1) * l->pages;
	default:
		return s->used * l->pages;
	}
}

/* Each part of a packet that lies in one descriptor and one page is looked up. */
static uint64_t lookups(const struct stream *s)
{
	const struct layout *l = s->layout;
	struct place place = layout_buffer(l, 0, s->direction, 0);
	uint64_t chain = l->o.chain, length = VNET_HEADER_SIZE + s->options->frame_size;
	uint64_t first = SLOT_SIZE - place.at % SLOT_SIZE;

	if (length <= first)
		return chain;
	/* Unless a descriptor ends where the page does. */
	for (uint64_t i = 1; i < chain; i++)
		if (length * i / chain == first)
			return chain;
	return chain + 1;
}

void summary_add(struct summary *sum, const struct stream *s, const struct miss_server *server)
{
	add_counts(&sum->counts, &s->counts);
	sum->lost += stream_lost(s);
	sum->left_out += smaller(s->options->warmup, s->used);
	sum->queues++;
	sum->stuck += s->state == STREAM_STUCK;
	sum->used += s->used;
	if (s->elapsed > sum->elapsed)
		sum->elapsed = s->elapsed;
	add_dma(&sum->dma, &s->dma->counts[s->direction]);
	sum->found += s->used * lookups(s);
	sum->compulsory += compulsory_misses(s);
	histogram_merge(&sum->times, s->times);
	if (server) {
		const struct miss_count *c = &server->counts[s->device->number][s->direction];

		sum->knows_misses = true;
		sum->misses.ring += c->ring;
		sum->misses.buffer += c->buffer;
	}
}

double summary_packet_ns(const struct summary *sum)
{
	return sum->used ? (double)sum->elapsed / (double)sum->used : 0;
}

bool summary_is_good(const struct summary *sum)
{
	return !sum->lost && !sum->counts.corrupted && !sum->stuck;
}

bool summary_hit_rate(const struct summary *sum, double *rate)
{
	/*
	 * A miss that a BPF program, or another reader of the fd, has taken is
	 * one that we have not seen. None at all proves nothing either way.
	 */
	if (!sum->knows_misses || !sum->found || !sum->misses.buffer ||
	    sum->misses.buffer < sum->compulsory)
		return false;
	/* More misses than look-ups: reported again before the answer came. */
	*rate = sum->misses.buffer >= sum->found
			? 0
			: 1 - (double)sum->misses.buffer / (double)sum->found;
	return true;
}
