// SPDX-License-Identifier: GPL-2.0
#include "turnover.h"

#include <err.h>
#include <stdlib.h>

static bool belongs(const struct stream *s, const struct process *p)
{
	return s->dma->process == p;
}

/* Used in this life; and all of the last one's packets have arrived. */
static bool is_due(const struct turnover *t, const struct process *p)
{
	uint64_t used = 0;

	for (unsigned int i = 0; i < t->nr_streams; i++) {
		const struct stream *s = &t->streams[i];

		if (!belongs(s, p))
			continue;
		if (!stream_is_settled(s))
			return false;
		used += s->used - s->used_before;
	}
	return used >= t->options->lifetime;
}

static void replace(struct dma *d)
{
	int result;

	dma_lock(d);
	process_end(d->process);
	dma_forget(d);
	result = process_follow(d->process);
	dma_unlock(d);
	if (result)
		exit(EXIT_FAILURE);
}

static void stop(struct stream *s)
{
	vnet_stop_queue(s->device, s->direction);
	/* The last that has arrived is the process's that ends. */
	stream_complete(s);
	s->counts.ring_errors += vnet_ring_errors(s->device, s->direction);
}

static void go_on(struct turnover *t, struct stream *s)
{
	struct vnet *v = s->device;

	stream_begin_again(s);
	if (vnet_move_queue(v, s->direction, s->dma->process->home, t->options, t->guest) ||
	    vnet_bind(v, s->direction, s->dma->process->pasid) ||
	    start_queue(t->options, t->layout, v, s->direction, &t->sources) != START_DONE)
		errx(1, "device %u: the %s virtqueue cannot be given to another process", v->number,
		     direction_name(s->direction));
}

bool turnover_run(struct turnover *t, const struct stream *s)
{
	struct dma *d = s->dma;
	const struct process *p = d->process;

	if (!is_due(t, p))
		return false;
	dma_end(d);
	for (unsigned int i = 0; i < t->nr_streams; i++)
		if (belongs(&t->streams[i], p))
			stop(&t->streams[i]);
	replace(d);
	for (unsigned int i = 0; i < t->nr_streams; i++)
		if (belongs(&t->streams[i], p))
			go_on(t, &t->streams[i]);
	t->ended++;
	return true;
}
