// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/ctl_client.h"
#include "json_get.h"
#include "log.h"
#include "walk_control.h"

/* As in iotlbd-control(7), bit by bit as SVA_BIND_* */
static const char *const bind_flags[] = {"sre", "eafe", "pcd", "pwt", "emte", "cd", "wpe", NULL};

/* In a reply at most */
#define LIST_MAX 1024

/**
 * struct search - for the device, and then for the PASID
 * @target:	what is looked for, and filled in
 * @devices:	served by iotlbd
 * @found:	it was there
 * @pasids:	that the device has
 * @is_attached: the device has a PASID table
 * @is_bound:	the PASID has a page table
 */
struct search {
	struct walk_target *target;
	size_t devices;
	bool found;
	uint64_t pasids;
	bool is_attached;
	bool is_bound;
};

typedef void (*element_fn)(struct json_reader *reader, struct json_object *element,
			   struct search *search);

static void look_at_device(struct json_reader *reader, struct json_object *element,
			   struct search *search)
{
	uint64_t dev = json_get_count(reader, element, "device", 1, UINT64_MAX);
	struct walk_target *target = search->target;
	struct json_object *table;

	search->devices++;
	if (target->dev && dev != target->dev)
		return;
	search->found = true;
	target->dev = dev;
	target->pid = json_get_count(reader, element, "pid", 1, INT_MAX);
	search->pasids = json_get_count(reader, element, "pasids", 0, UINT64_MAX);
	search->is_attached = json_has(element, "table");
	if (!search->is_attached)
		return;
	table = json_get_object(reader, element, "table");
	target->space = (struct walk_space){
		.kind = WALK_SPACE_ATTACHED,
		.table.base = json_get_count(reader, table, "base", 0, UINT64_MAX),
		.table.bits = json_get_count(reader, table, "bits", 13, SVA_PASID_BITS),
	};
}

static void look_at_pasid(struct json_reader *reader, struct json_object *element,
			  struct search *search)
{
	struct walk_target *target = search->target;
	struct json_object *binding;

	if (json_get_count(reader, element, "pasid", 1, SVA_PASID_LAST) != target->pasid)
		return;
	search->found = true;
	search->is_bound = json_has(element, "binding");
	if (!search->is_bound)
		return;
	binding = json_get_object(reader, element, "binding");
	target->space = (struct walk_space){
		.kind = WALK_SPACE_BOUND,
		.binding.root = json_get_count(reader, binding, "root", 0, UINT64_MAX),
		.binding.width = json_get_count(reader, binding, "width", 48, 57),
		.binding.flags = json_has(binding, "flags")
					 ? json_get_words(reader, binding, "flags", bind_flags)
					 : 0,
	};
}

/* Calls @fn for each element of a reply's list. Returns where the next part begins, 0
 * if there is none.
 */
static uint64_t look_at_reply(struct json_reader *reader, const char *line, const char *list,
			      const char *id, element_fn fn, struct search *search)
{
	struct json_object *reply = json_tokener_parse(line), *result = NULL, *array = NULL;
	uint64_t after = 0;
	size_t i, count = 0;

	if (!json_object_is_type(reply, json_type_object) ||
	    !json_object_object_get_ex(reply, "return", &result))
		json_bad(reader, "return", "is missing");
	if (json_good(reader))
		array = json_get_array(reader, result, list, LIST_MAX, &count);
	for (i = 0; i < count && json_good(reader); i++)
		fn(reader, json_object_array_get_idx(array, i), search);
	if (count && json_has(result, "more") && json_get_bool(reader, result, "more"))
		after = json_get_count(reader, json_object_array_get_idx(array, count - 1), id, 1,
				       UINT64_MAX);
	json_object_put(reply);
	return after;
}

/* Asks for all of a list; @what is the rest of the request. */
static int look_at_list(struct ctl_client *client, const char *list, const char *id,
			const char *what, element_fn fn, struct search *search)
{
	char error[256] = "", request[256];
	struct json_reader reader = {.error = error, .size = sizeof(error)};
	const char *reply;
	uint64_t after = 0;
	int length;

	do {
		length = snprintf(request, sizeof(request),
				  "{\"command\":\"%s\",\"after\":%" PRIu64 "%s}\n", list, after,
				  what);
		reply = ctl_client_ask(client, request, length);
		if (!reply)
			return -EPIPE;
		after = look_at_reply(&reader, reply, list, id, fn, search);
	} while (after && json_good(&reader));
	if (json_good(&reader))
		return 0;
	log_error("what the iotlbd at %s replies makes no sense: %s", client->path, error);
	return -EPROTO;
}

static int find_device(struct ctl_client *client, struct search *search)
{
	const bool any = !search->target->dev;
	int err = look_at_list(client, "devices", "device", "", look_at_device, search);

	if (err)
		return err;
	if (!search->found) {
		log_error("the iotlbd at %s does not serve %s; \"iotlbctl -s %s devices\" lists "
			  "what it does",
			  client->path, any ? "any device" : "that device", client->path);
		return -ENODEV;
	}
	if (any && search->devices > 1) {
		log_error("the iotlbd at %s serves %zu devices: choose one with --dev; \"iotlbctl "
			  "-s %s devices\" lists them",
			  client->path, search->devices, client->path);
		return -ENODEV;
	}
	return 0;
}

static int find_pasid(struct ctl_client *client, struct search *search)
{
	const struct walk_target *target = search->target;
	char what[64];
	int err;

	search->found = false;
	snprintf(what, sizeof(what), ",\"device\":%" PRIu64, target->dev);
	err = look_at_list(client, "pasids", "pasid", what, look_at_pasid, search);
	if (err)
		return err;
	if (search->is_bound)
		return 0;
	if (search->found)
		log_error("nothing is bound to PASID %" PRIu32 " of device %" PRIu64
			  ", so that its misses wait; \"iotlbctl bind\" does it",
			  target->pasid, target->dev);
	else
		log_error("device %" PRIu64 " has no PASID %" PRIu32
			  "; \"iotlbctl -s %s pasids %" PRIu64 "\" lists those that it has",
			  target->dev, target->pasid, client->path, target->dev);
	return -ENOENT;
}

int walk_control_ask(const char *path, struct walk_target *target)
{
	static struct ctl_client client;
	struct search search = {.target = target};
	int err = ctl_client_connect(&client, path);

	if (err)
		return err;
	err = find_device(&client, &search);
	/* Where nobody manages PASIDs, the guest's IOMMU says what they are. */
	if (!err && !search.is_attached && search.pasids)
		err = find_pasid(&client, &search);
	ctl_client_close(&client);
	return err;
}
