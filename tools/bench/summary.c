// SPDX-License-Identifier: GPL-2.0
#include "summary.h"

static void add_counts(struct stream_counts *into, const struct stream_counts *from)
{
	into->sent += from->sent;
	into->received += from->received;
	into->verified += from->verified;
	into->corrupted += from->corrupted;
	into->foreign += from->foreign;
	into->ring_errors += from->ring_errors;
	into->kicks += from->kicks;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Mappings of buffers that the device has met for the first time. */
static uint64_t compulsory_misses(const struct stream *s)
{
	const struct options *o = s->options;

	if (!o->layout.map->is_fixed)
		return s->used;
	if (o->prefault)
		return 0;
	if (o->layout.page > SLOT_SIZE)
		return smaller(s->used, 1);
	return smaller(s->used, o->layout.in_flight);
}

void summary_add(struct summary *sum, const struct stream *s, const struct miss_server *server)
{
	add_counts(&sum->counts, &s->counts);
	sum->lost += stream_lost(s);
	sum->left_out += smaller(s->options->warmup, s->used);
	sum->queues++;
	sum->stuck += s->state == STREAM_STUCK;
	sum->found += s->used;
	sum->compulsory += compulsory_misses(s);
	histogram_merge(&sum->times, s->times);
	if (server) {
		const struct miss_count *c = &server->counts[s->device->number][s->direction];

		sum->knows_misses = true;
		sum->misses.ring += c->ring;
		sum->misses.buffer += c->buffer;
	}
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
