// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "summary.h"

static double us(double ns)
{
	return ns / 1000;
}

static void print_heading(void)
{
	printf("%-4s %-3s %9s %9s %9s %9s %9s %9s %9s %6s %9s %9s %9s %9s %9s %9s\n", "DEV", "DIR",
	       "SENT", "RECEIVED", "VERIFIED", "CORRUPTED", "LOST", "RINGMISS", "BUFMISS", "HIT%",
	       "PACKET_us", "MEAN_us", "P50_us", "P90_us", "P99_us", "MAX_us");
}

static void print_misses(const struct summary *sum)
{
	double rate;

	if (sum->knows_misses)
		printf(" %9" PRIu64 " %9" PRIu64, sum->misses.ring, sum->misses.buffer);
	else
		printf(" %9s %9s", "-", "-");
	if (summary_hit_rate(sum, &rate))
		printf(" %6.2f", rate * 100);
	else
		printf(" %6s", "-");
}

static void print_packet(const struct summary *sum)
{
	if (sum->used)
		printf(" %9.2f", us(summary_packet_ns(sum)));
	else
		printf(" %9s", "-");
}

static void print_times(const struct histogram *h)
{
	static const double percents[] = {50, 90, 99, 100};

	if (!h->count) {
		printf(" %9s %9s %9s %9s %9s\n", "-", "-", "-", "-", "-");
		return;
	}
	printf(" %9.2f", us(histogram_mean(h)));
	for (unsigned int i = 0; i < 4; i++)
		printf(" %9.2f", us(histogram_percentile(h, percents[i])));
	putchar('\n');
}

static void print_row(const char *device, enum direction direction, const struct summary *sum)
{
	const struct stream_counts *c = &sum->counts;

	printf("%-4s %-3s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64, device,
	       direction_name(direction), c->sent, c->received, c->verified, c->corrupted,
	       sum->lost);
	print_misses(sum);
	print_packet(sum);
	print_times(&sum->times);
}

static void print_devices(const struct report *r, struct summary *sum)
{
	for (unsigned int i = 0; i < r->traffic->nr_streams; i++) {
		const struct stream *s = &r->traffic->streams[i];
		char device[16];

		*sum = (struct summary){0};
		summary_add(sum, s, r->server);
		snprintf(device, sizeof(device), "%u", s->device->number);
		print_row(device, s->direction, sum);
	}
}

static void print_dma(const struct options *o, enum direction direction, const struct summary *sum)
{
	const struct dma_counts *c = &sum->dma;

	if (o->layout.map->is_dynamic)
		printf("         %s: %" PRIu64 " maps, %" PRIu64 " unmaps, %" PRIu64
		       " invalidations in %" PRIu64 " messages\n",
		       direction_name(direction), c->maps, c->unmaps, c->operations, c->messages);
}

static void print_shape(const struct options *o)
{
	if (o->layout.map->kind == MAP_KIND_RANDOM)
		printf(", working set %" PRIu64 " pages, seed %" PRIu64, o->layout.working_set,
		       o->seed);
	if (o->layout.processes)
		printf(", %u process%s", o->layout.processes, o->layout.processes > 1 ? "es" : "");
	if (o->lifetime)
		printf(", each of %" PRIu64 " packets", o->lifetime);
	if (o->layout.paged)
		printf(", page requests");
	if (o->refuse)
		printf(", each %" PRIu64 "th refused", o->refuse);
	if (o->layout.chain > 1)
		printf(", chain %u", o->layout.chain);
	printf("%s%s%s%s%s\n", o->no_invalidate ? ", no invalidations" : "",
	       o->layout.indirect ? ", indirect" : "", o->event_idx ? ", event-idx" : "",
	       o->layout.fragments ? ", fragments" : "", o->prefault ? ", prefault" : "");
}

static void print_direction(const struct report *r, enum direction direction, struct summary *sum)
{
	*sum = (struct summary){0};
	for (unsigned int i = 0; i < r->traffic->nr_streams; i++)
		if (r->traffic->streams[i].direction == direction)
			summary_add(sum, &r->traffic->streams[i], r->server);
	if (!sum->queues)
		return;
	print_row("all", direction, sum);
	print_dma(r->options, direction, sum);
	if (r->options->layout.paged)
		printf("         %s: %" PRIu64 " page requests, %" PRIu64
		       " of them to write to what could be read, %" PRIu64 " refused; %" PRIu64
		       " packets sent again\n",
		       direction_name(direction), sum->dma.requests, sum->dma.copied,
		       sum->dma.refused, sum->counts.resent);
	if (sum->counts.stale)
		printf("         %" PRIu64 " %s packets were stale: from or to where nothing was "
		       "mapped any more\n",
		       sum->counts.stale, direction_name(direction));
	if (sum->counts.crossed)
		printf("         %" PRIu64 " bytes of another process came in %s packets\n",
		       sum->counts.crossed, direction_name(direction));
	if (sum->stuck)
		printf("         %u of %u queues stuck\n", sum->stuck, sum->queues);
}

int report_text(const struct report *r)
{
	struct summary *sum = calloc(1, sizeof(*sum));
	const struct options *o = r->options;

	if (!sum)
		return -1;
	printf("%u device%s, %s, %" PRIu64
	       " packets each of %u bytes, %u in flight; map %s, page %s, iova %s, server %s",
	       o->layout.devices, o->layout.devices == 1 ? "" : "s", o->direction,
	       o->layout.packets, o->frame_size, o->layout.in_flight, o->layout.map->name, o->page,
	       options_iova(o), options_server(o));
	print_shape(o);
	print_heading();
	if (o->verbose)
		print_devices(r, sum);
	print_direction(r, DIRECTION_TX, sum);
	print_direction(r, DIRECTION_RX, sum);
	if (r->traffic->turnover)
		printf("%" PRIu64 " processes have ended, and others took their places\n",
		       r->traffic->turnover->ended);
	printf("%s after %.3f s; times leave out the first %" PRIu64 " packets of each queue\n",
	       r->traffic->interrupted ? "Interrupted"
	       : r->traffic->abandoned ? "Abandoned by iotlbd"
				       : "Ended",
	       (double)r->traffic->elapsed / NS_PER_SECOND, o->warmup);
	free(sum);
	return 0;
}
