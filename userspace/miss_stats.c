// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <json-c/json.h>

#include "miss_stats.h"
#include "page_requests.h"

/**
 * struct column - one number of struct miss_stats
 * @heading:	in a table
 * @key:	in JSON
 * @offset:	where it is
 */
struct column {
	const char *heading;
	const char *key;
	size_t offset;
};

#define COLUMN(heading, name)                                                                      \
	{                                                                                          \
		heading, #name, offsetof(struct miss_stats, name)                                  \
	}

static const struct column columns[] = {
	COLUMN("MISSES", misses),	 COLUMN("ANSWERED", answered),
	COLUMN("DUPLICATE", duplicates), COLUMN("UNANSWERED", unanswered),
	COLUMN("STALE", stale),		 COLUMN("FAILED", failed),
	COLUMN("DROPS", drops),		 COLUMN("PASSED", passed),
	COLUMN("RESOLVED", resolved),	 COLUMN("LARGE", large),
	COLUMN("FAULTS", faults),
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

_Static_assert(sizeof(struct miss_stats) == COLUMNS * sizeof(uint64_t), "each has its column");

static uint64_t *number_at(struct miss_stats *stats, size_t column)
{
	return (uint64_t *)((char *)stats + columns[column].offset);
}

static uint64_t number_of(const struct miss_stats *stats, size_t column)
{
	return *number_at((struct miss_stats *)stats, column);
}

struct miss_stats miss_stats_since(const struct miss_stats *now, const struct miss_stats *before)
{
	struct miss_stats since;
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		*number_at(&since, i) = number_of(now, i) - number_of(before, i);
	return since;
}

static void print_headings(FILE *out)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		fprintf(out, "%s%10s", i ? " " : "", columns[i].heading);
}

static void print_values(FILE *out, const struct miss_stats *stats)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		fprintf(out, "%s%10" PRIu64, i ? " " : "", number_of(stats, i));
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

static void text_page_requests(FILE *out, const struct page_request_counts *counts)
{
	if (!counts || !counts->requests)
		return;
	fprintf(out,
		"page requests: %" PRIu64 " (success %" PRIu64 ", invalid %" PRIu64
		", failure %" PRIu64 ", timeouts %" PRIu64 ", no effect %" PRIu64
		", withdrawn %" PRIu64 ", outstanding %" PRIu64 ")\n",
		counts->requests, counts->success, counts->invalid, counts->failure,
		counts->timeouts, counts->no_effect, counts->withdrawn, counts->outstanding);
}

static void text_total(FILE *out, const struct stats_summary *summary)
{
	if (summary->without_tokens)
		fprintf(out,
			"vhost could not refuse late answers for %" PRIu64 " devices (no tokens)\n",
			summary->without_tokens);
	if (summary->strange)
		fprintf(out, "%" PRIu64 " records could not be understood\n", summary->strange);
	if (summary->asked)
		fprintf(out, "QEMU was asked %" PRIu64 " times\n", summary->asked);
	if (summary->detached)
		fprintf(out, "detached by vhost %" PRIu64 " times\n", summary->detached);
	text_page_requests(out, summary->page_requests);
	print_headings(out);
	fputs(" DEVICE\n", out);
	print_values(out, &summary->total);
	fputs(" all\n", out);
}

static const char *const iommu_names[] = {
	[IOMMU_UNKNOWN] = "unknown",
	[IOMMU_OFF] = "off",
	[IOMMU_ON] = "on",
};

static void text_device(FILE *out, const struct device_stats *device)
{
	const char *iommu = iommu_names[device->iommu];

	print_values(out, &device->stats);
	fprintf(out, " %" PRIu64 " of pid %d (%s)%s%s%s%s\n", device->dev, device->pid,
		device->comm, iommu ? ", IOMMU " : "", iommu ? iommu : "",
		device->tokens ? "" : ", no tokens", device->gone ? ", gone" : "");
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
	size_t i;

	json_object_object_add(object, "kind", json_object_new_string(kind));
	for (i = 0; i < COLUMNS; i++)
		add_number(object, columns[i].key, number_of(stats, i));
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

static struct json_object *json_page_requests(const struct page_request_counts *counts)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "requests", counts->requests);
	add_number(object, "success", counts->success);
	add_number(object, "invalid", counts->invalid);
	add_number(object, "failure", counts->failure);
	add_number(object, "timeouts", counts->timeouts);
	add_number(object, "no_effect", counts->no_effect);
	add_number(object, "withdrawn", counts->withdrawn);
	add_number(object, "outstanding", counts->outstanding);
	return object;
}

static void json_total(FILE *out, const struct stats_summary *summary)
{
	struct json_object *object = json_stats("total", &summary->total);

	add_number(object, "strange", summary->strange);
	add_number(object, "detached", summary->detached);
	add_number(object, "devices", summary->devices);
	add_number(object, "without_tokens", summary->without_tokens);
	add_number(object, "asked", summary->asked);
	if (summary->page_requests)
		json_object_object_add(object, "page_requests",
				       json_page_requests(summary->page_requests));
	print_json(out, object);
}

static void json_device(FILE *out, const struct device_stats *device)
{
	struct json_object *object = json_stats("device", &device->stats);

	add_number(object, "dev", device->dev);
	json_object_object_add(object, "pid", json_object_new_int(device->pid));
	json_object_object_add(object, "comm", json_object_new_string(device->comm));
	json_object_object_add(object, "tokens", json_object_new_boolean(device->tokens));
	json_object_object_add(object, "gone", json_object_new_boolean(device->gone));
	if (iommu_names[device->iommu])
		json_object_object_add(object, "iommu",
				       json_object_new_string(iommu_names[device->iommu]));
	print_json(out, object);
}

const struct stats_view stats_view_json = {
	.interval = json_interval,
	.total = json_total,
	.device = json_device,
};
