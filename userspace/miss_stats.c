// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <json-c/json.h>

#include "miss_stats.h"

struct miss_stats miss_stats_since(const struct miss_stats *now, const struct miss_stats *before)
{
	return (struct miss_stats){
		.misses = now->misses - before->misses,
		.answered = now->answered - before->answered,
		.duplicates = now->duplicates - before->duplicates,
		.unanswered = now->unanswered - before->unanswered,
		.failed = now->failed - before->failed,
		.late = now->late - before->late,
		.drops = now->drops - before->drops,
	};
}

#define COLUMNS "%10s %10s %10s %10s %10s %10s %10s"
#define VALUES                                                                                     \
	"%10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64         \
	" %10" PRIu64

static void print_headings(FILE *out)
{
	fprintf(out, COLUMNS, "MISSES", "ANSWERED", "DUPLICATE", "UNANSWERED", "FAILED", "LATE",
		"DROPS");
}

static void print_values(FILE *out, const struct miss_stats *stats)
{
	fprintf(out, VALUES, stats->misses, stats->answered, stats->duplicates, stats->unanswered,
		stats->failed, stats->late, stats->drops);
}

/* Often enough that the headings are on the screen. */
#define LINES_PER_HEADING 20

static void text_interval(FILE *out, const struct miss_stats *since, double seconds, size_t devices)
{
	static unsigned int lines;

	(void)seconds;
	if (lines++ % LINES_PER_HEADING == 0) {
		print_headings(out);
		fprintf(out, " %8s\n", "DEVICES");
	}
	print_values(out, since);
	fprintf(out, " %8zu\n", devices);
	fflush(out);
}

static void text_total(FILE *out, const struct miss_stats *total, uint64_t strange, size_t devices)
{
	(void)devices;
	print_headings(out);
	fputs(" DEVICE\n", out);
	print_values(out, total);
	fputs(" all\n", out);
	if (strange)
		fprintf(out, "%" PRIu64 " records could not be understood\n", strange);
}

static void text_device(FILE *out, const struct device_stats *device)
{
	print_values(out, &device->stats);
	fprintf(out, " %" PRIu64 " of pid %d (%s)%s\n", device->dev, device->pid, device->comm,
		device->gone ? ", gone" : "");
}

const struct stats_view stats_view_text = {
	.interval = text_interval,
	.total = text_total,
	.device = text_device,
};

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static struct json_object *json_stats(const char *kind, const struct miss_stats *stats)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "kind", json_object_new_string(kind));
	add_number(object, "misses", stats->misses);
	add_number(object, "answered", stats->answered);
	add_number(object, "duplicates", stats->duplicates);
	add_number(object, "unanswered", stats->unanswered);
	add_number(object, "failed", stats->failed);
	add_number(object, "late", stats->late);
	add_number(object, "drops", stats->drops);
	return object;
}

static void print_json(FILE *out, struct json_object *object)
{
	fprintf(out, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	fflush(out);
	json_object_put(object);
}

static void json_interval(FILE *out, const struct miss_stats *since, double seconds, size_t devices)
{
	struct json_object *object = json_stats("interval", since);

	json_object_object_add(object, "seconds", json_object_new_double(seconds));
	add_number(object, "devices", devices);
	print_json(out, object);
}

static void json_total(FILE *out, const struct miss_stats *total, uint64_t strange, size_t devices)
{
	struct json_object *object = json_stats("total", total);

	add_number(object, "strange", strange);
	add_number(object, "devices", devices);
	print_json(out, object);
}

static void json_device(FILE *out, const struct device_stats *device)
{
	struct json_object *object = json_stats("device", &device->stats);

	add_number(object, "dev", device->dev);
	json_object_object_add(object, "pid", json_object_new_int(device->pid));
	json_object_object_add(object, "comm", json_object_new_string(device->comm));
	json_object_object_add(object, "gone", json_object_new_boolean(device->gone));
	print_json(out, object);
}

const struct stats_view stats_view_json = {
	.interval = json_interval,
	.total = json_total,
	.device = json_device,
};
