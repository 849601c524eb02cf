// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "summary.h"

static void add_number(struct json_object *to, const char *key, uint64_t value)
{
	json_object_object_add(to, key, json_object_new_uint64(value));
}

static void add_bool(struct json_object *to, const char *key, bool value)
{
	json_object_object_add(to, key, json_object_new_boolean(value));
}

static void add_string(struct json_object *to, const char *key, const char *value)
{
	json_object_object_add(to, key, json_object_new_string(value));
}

static struct json_object *options_object(const struct options *o)
{
	struct json_object *j = json_object_new_object();

	add_string(j, "direction", o->direction);
	add_number(j, "count", o->layout.packets);
	add_number(j, "size", o->frame_size);
	add_number(j, "in_flight", o->layout.in_flight);
	add_number(j, "devices", o->layout.devices);
	add_number(j, "sva", o->layout.processes);
	if (o->lifetime)
		add_number(j, "lifetime", o->lifetime);
	if (o->layout.paged)
		add_bool(j, "page_requests", true);
	if (o->refuse)
		add_number(j, "refuse", o->refuse);
	if (o->layout.one_space)
		add_bool(j, "one_space", true);
	add_string(j, "map", o->layout.map->name);
	if (o->layout.map->kind == MAP_KIND_RANDOM) {
		add_number(j, "working_set", o->layout.working_set);
		add_number(j, "seed", o->seed);
	}
	add_number(j, "chain", o->layout.chain);
	add_bool(j, "indirect", o->layout.indirect);
	add_bool(j, "event_idx", o->event_idx);
	add_bool(j, "fragments", o->layout.fragments);
	add_bool(j, "invalidate", !o->no_invalidate);
	add_string(j, "page", o->page);
	add_string(j, "iova", options_iova(o));
	add_string(j, "server", options_server(o));
	if (o->control)
		add_bool(j, "control", true);
	add_bool(j, "prefault", o->prefault);
	add_number(j, "warmup", o->warmup);
	add_number(j, "timeout", o->timeout);
	return j;
}

static struct json_object *misses_object(const struct summary *sum)
{
	struct json_object *j;

	if (!sum->knows_misses)
		return NULL;
	j = json_object_new_object();
	add_number(j, "ring", sum->misses.ring);
	add_number(j, "buffer", sum->misses.buffer);
	return j;
}

/* Left alone, a double prints as 17 digits. */
static struct json_object *fraction(double value, int digits)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*f", digits, value);
	return json_object_new_double_s(value, text);
}

static struct json_object *times_object(const struct histogram *h)
{
	struct json_object *j;

	if (!h->count)
		return NULL;
	j = json_object_new_object();
	add_number(j, "packets", h->count);
	json_object_object_add(j, "mean", fraction(histogram_mean(h), 1));
	add_number(j, "min", h->min);
	add_number(j, "p50", histogram_percentile(h, 50));
	add_number(j, "p90", histogram_percentile(h, 90));
	add_number(j, "p99", histogram_percentile(h, 99));
	add_number(j, "max", h->max);
	return j;
}

static struct json_object *dma_object(const struct dma_counts *c)
{
	struct json_object *j = json_object_new_object();

	add_number(j, "maps", c->maps);
	add_number(j, "unmaps", c->unmaps);
	add_number(j, "invalidate_messages", c->messages);
	add_number(j, "invalidations", c->operations);
	return j;
}

static struct json_object *pages_object(const struct summary *sum)
{
	struct json_object *j = json_object_new_object();

	add_number(j, "requests", sum->dma.requests);
	add_number(j, "copied", sum->dma.copied);
	add_number(j, "refused", sum->dma.refused);
	add_number(j, "resent", sum->counts.resent);
	return j;
}

static struct json_object *summary_object(const struct summary *sum, const struct options *o)
{
	struct json_object *j = json_object_new_object();
	const struct stream_counts *c = &sum->counts;
	double rate;

	add_number(j, "sent", c->sent);
	add_number(j, "received", c->received);
	add_number(j, "verified", c->verified);
	add_number(j, "corrupted", c->corrupted);
	add_number(j, "stale", c->stale);
	add_number(j, "crossed_bytes", c->crossed);
	add_number(j, "lost", sum->lost);
	add_number(j, "foreign", c->foreign);
	add_number(j, "stuck_queues", sum->stuck);
	add_number(j, "ring_errors", c->ring_errors);
	add_number(j, "kicks", c->kicks);
	json_object_object_add(j, "misses", misses_object(sum));
	json_object_object_add(j, "buffer_hit_rate",
			       summary_hit_rate(sum, &rate) ? fraction(rate, 6) : NULL);
	json_object_object_add(j, "dma", dma_object(&sum->dma));
	if (o->layout.paged)
		json_object_object_add(j, "pages", pages_object(sum));
	json_object_object_add(j, "packet_ns",
			       sum->used ? fraction(summary_packet_ns(sum), 1) : NULL);
	add_number(j, "rtt_left_out", sum->left_out);
	json_object_object_add(j, "rtt_ns", times_object(&sum->times));
	return j;
}

/* All streams of a direction, of one device or of all of them. */
static void add_direction(struct json_object *to, const struct report *r, enum direction direction,
			  int device)
{
	struct summary *sum = calloc(1, sizeof(*sum));

	for (unsigned int i = 0; sum && i < r->traffic->nr_streams; i++) {
		const struct stream *s = &r->traffic->streams[i];

		if (s->direction == direction &&
		    (device == ALL_DEVICES || s->device->number == (unsigned int)device))
			summary_add(sum, s, r->server);
	}
	if (sum && sum->queues)
		json_object_object_add(to, direction_name(direction),
				       summary_object(sum, r->options));
	free(sum);
}

static struct json_object *device_object(const struct report *r, unsigned int device)
{
	struct json_object *j = json_object_new_object();

	add_number(j, "device", device);
	for (unsigned int i = 0; i < r->traffic->nr_streams; i++) {
		const struct vnet *v = r->traffic->streams[i].device;

		if (v->number == device)
			json_object_object_add(
				j, "vhost_id",
				v->vhost_id < 0 ? NULL : json_object_new_int64(v->vhost_id));
	}
	add_direction(j, r, DIRECTION_TX, device);
	add_direction(j, r, DIRECTION_RX, device);
	return j;
}

static void add_trouble(struct json_object *to, const struct miss_server *server)
{
	struct json_object *j;

	if (!server)
		return;
	j = json_object_new_object();
	add_number(j, "unmapped", server->unknown);
	add_number(j, "late", server->late);
	add_number(j, "denied", server->denied);
	add_number(j, "refused_updates", server->failed);
	json_object_object_add(to, "unanswered", j);
}

int report_json(const struct report *r)
{
	struct json_object *j = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	int result;

	json_object_object_add(j, "options", options_object(r->options));
	add_bool(j, "good", report_is_good(r));
	add_bool(j, "interrupted", r->traffic->interrupted);
	add_number(j, "elapsed_ns", r->traffic->elapsed);
	add_direction(j, r, DIRECTION_TX, ALL_DEVICES);
	add_direction(j, r, DIRECTION_RX, ALL_DEVICES);
	if (r->traffic->turnover)
		add_number(j, "processes_ended", r->traffic->turnover->ended);
	add_trouble(j, r->server);
	for (unsigned int i = 0; i < r->options->layout.devices; i++)
		json_object_array_add(devices, device_object(r, i));
	json_object_object_add(j, "devices", devices);
	result = puts(json_object_to_json_string_ext(j, JSON_C_TO_STRING_PLAIN)) < 0;
	json_object_put(j);
	return result ? -1 : 0;
}
