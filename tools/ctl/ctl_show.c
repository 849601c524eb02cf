// SPDX-License-Identifier: GPL-2.0
/*
 * What is not there is shown as "-", so that a reply of another version of iotlbd
 * does no harm.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "ctl_show.h"

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	return value;
}

static uint64_t number(struct json_object *object, const char *name)
{
	return json_object_get_uint64(member(object, name));
}

static const char *text(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return value ? json_object_get_string(value) : "-";
}

static const char *yes_or_no(struct json_object *object, const char *name)
{
	return json_object_get_boolean(member(object, name)) ? "yes" : "no";
}

/* The parts of a list, NULL if there is none. */
static struct json_object *list_of(enum ctl_command command, struct json_object *result)
{
	struct json_object *list = NULL;

	if (command == CTL_DEVICES)
		list = member(result, "devices");
	else if (command == CTL_PASIDS)
		list = member(result, "pasids");
	return json_object_is_type(list, json_type_array) ? list : NULL;
}

static void show_device(FILE *out, struct json_object *device)
{
	struct json_object *table = member(device, "table");

	fprintf(out, "%8" PRIu64 " %8" PRIu64 "  %-15s %4s %8" PRIu64, number(device, "device"),
		number(device, "pid"), text(device, "comm"), yes_or_no(device, "asid"),
		number(device, "pasids"));
	if (table)
		fprintf(out, "  0x%" PRIx64 "/%" PRIu64 "\n", number(table, "base"),
			number(table, "bits"));
	else
		fputs("  -\n", out);
}

static void show_flags(FILE *out, struct json_object *flags)
{
	size_t i, count = flags ? json_object_array_length(flags) : 0;

	for (i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? "," : " ",
			json_object_get_string(json_object_array_get_idx(flags, i)));
	if (!count)
		fputs(" -", out);
}

static void show_pasid(FILE *out, struct json_object *pasid)
{
	struct json_object *binding = member(pasid, "binding");
	char root[24];

	fprintf(out, "%8" PRIu64 " %4s", number(pasid, "pasid"), yes_or_no(pasid, "keep"));
	if (!binding) {
		fputs("                  -     -     - -\n", out);
		return;
	}
	snprintf(root, sizeof(root), "0x%" PRIx64, number(binding, "root"));
	fprintf(out, " %18s %5" PRIu64 " %5s", root, number(binding, "width"),
		text(binding, "guest_pasid"));
	show_flags(out, member(binding, "flags"));
	fputc('\n', out);
}

static void show_list(FILE *out, enum ctl_command command, struct json_object *list, bool is_first)
{
	const bool devices = command == CTL_DEVICES;
	size_t i;

	if (is_first)
		fputs(devices ? "  DEVICE      PID  COMMAND         ASID   PASIDS  TABLE/BITS\n"
			      : "   PASID KEEP               ROOT WIDTH GUEST FLAGS\n",
		      out);
	for (i = 0; i < json_object_array_length(list); i++)
		(devices ? show_device : show_pasid)(out, json_object_array_get_idx(list, i));
}

static void show_translation(FILE *out, struct json_object *result)
{
	fprintf(out, "0x%" PRIx64 " size 0x%" PRIx64 " gpa 0x%" PRIx64 " %s",
		number(result, "address"), number(result, "size"), number(result, "gpa"),
		text(result, "access"));
	if (member(result, "unset"))
		fprintf(out, ", %s not set yet", text(result, "unset"));
	fputc('\n', out);
}

void ctl_show(FILE *out, enum ctl_command command, struct json_object *result, bool is_first)
{
	struct json_object *list = list_of(command, result);

	if (list)
		show_list(out, command, list, is_first);
	if (command == CTL_TRANSLATE)
		show_translation(out, result);
	if (command == CTL_ALLOC)
		fprintf(out, "%s\n", text(result, "pasid"));
}

uint64_t ctl_rest_of(enum ctl_command command, struct json_object *result)
{
	struct json_object *list = list_of(command, result);
	size_t count = list ? json_object_array_length(list) : 0;

	if (!count || !json_object_get_boolean(member(result, "more")))
		return 0;
	return number(json_object_array_get_idx(list, count - 1),
		      command == CTL_DEVICES ? "device" : "pasid");
}
