// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>
#include <string.h>

#include "ctl_options.h"
#include "ctl_request.h"

static void put_number(struct json_object *request, const char *name, uint64_t value)
{
	json_object_object_add(request, name, json_object_new_uint64(value));
}

static void put_if_given(struct json_object *request, const char *name,
			 const struct ctl_number *number)
{
	if (number->given)
		put_number(request, name, number->value);
}

static uint64_t or_else(const struct ctl_number *number, uint64_t otherwise)
{
	return number->given ? number->value : otherwise;
}

static void put_text(struct json_object *request, const char *name, const char *text)
{
	json_object_object_add(request, name, json_object_new_string(text));
}

static void put_true(struct json_object *request, const char *name)
{
	json_object_object_add(request, name, json_object_new_boolean(1));
}

/* "sre,wpe"; nothing without text */
static void put_words(struct json_object *request, const char *name, const char *text)
{
	struct json_object *array;
	size_t length;

	if (!text)
		return;
	array = json_object_new_array();
	for (;; text += length + 1) {
		length = strcspn(text, ",");
		json_object_array_add(array, json_object_new_string_len(text, (int)length));
		if (!text[length])
			break;
	}
	json_object_object_add(request, name, array);
}

static void put_invalidation(struct json_object *request, const struct ctl_options *options)
{
	const char *granularity = "domain";

	if (options->address.given)
		granularity = "address";
	else if (options->pasid.given)
		granularity = "pasid";
	put_text(request, "granularity", granularity);
	put_if_given(request, "pasid", &options->pasid);
	put_if_given(request, "address", &options->address);
	put_if_given(request, "granule", &options->granule);
	put_if_given(request, "count", &options->count);
	if (options->leaf)
		put_true(request, "leaf");
	put_words(request, "caches", options->caches);
}

struct json_object *ctl_request(const struct ctl_options *options, uint64_t after)
{
	struct json_object *request = json_object_new_object();

	put_text(request, "command", ctl_commands[options->command]);
	put_if_given(request, "device", &options->device);
	if (after)
		put_number(request, "after", after);
	switch (options->command) {
	case CTL_ATTACH:
		put_number(request, "base", options->address.value);
		put_number(request, "bits", or_else(&options->bits, 20));
		/* This client goes at once. */
		put_true(request, "keep");
		break;
	case CTL_ALLOC:
		put_if_given(request, "min", &options->min);
		put_if_given(request, "max", &options->max);
		put_true(request, "keep");
		break;
	case CTL_FREE:
	case CTL_UNBIND:
		put_number(request, "pasid", options->pasid.value);
		break;
	case CTL_BIND:
		put_number(request, "pasid", options->pasid.value);
		put_number(request, "root", options->address.value);
		put_number(request, "width", or_else(&options->width, 48));
		put_words(request, "flags", options->flags);
		put_if_given(request, "guest_pasid", &options->guest_pasid);
		break;
	case CTL_INVALIDATE:
		put_invalidation(request, options);
		break;
	case CTL_TRANSLATE:
		put_number(request, "pasid", options->pasid.value);
		put_number(request, "address", options->address.value);
		if (options->access)
			put_text(request, "access", options->access);
		break;
	case CTL_PAGE_REQUESTS:
		put_true(request, "on");
		break;
	case CTL_DEVICES:
	case CTL_PASIDS:
	case CTL_DETACH:
	case CTL_REQUEST:
		break;
	}
	return request;
}
