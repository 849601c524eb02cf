// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <json-c/json.h>

#include "vtd_name.h"
#include "walk_decode.h"
#include "walk_record.h"
#include "walk_space.h"
#include "walk_view.h"

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	add(object, key, json_object_new_string(text));
}

/* Many readers of JSON keep numbers to 53 bits. */
static struct json_object *hex(uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return json_object_new_string(text);
}

static void add_access(struct json_object *object, const char *key, uint8_t access)
{
	static const char *const names[] = {"", "r", "w", "rw"};

	add_text(object, key, names[access & (VTD_READ | VTD_WRITE)]);
}

static void add_source(struct json_object *object, uint16_t source)
{
	char text[16];

	snprintf(text, sizeof(text), "%02x:%02x.%x", source >> 8, source >> 3 & 0x1f, source & 7);
	add_text(object, "source", text);
}

static struct json_object *step_of(const struct walk_record *record, size_t index)
{
	const struct walk_step *step = &record->steps[index];
	struct json_object *object = json_object_new_object();
	struct json_object *entry = json_object_new_array();
	struct json_object *meaning = json_object_new_array();
	struct walk_decoded decoded;
	size_t i;

	add_text(object, "table", vtd_table_name(step->table));
	add(object, "level", json_object_new_int(step->level));
	add(object, "gpa", hex(step->gpa));
	for (i = 0; i < step->count && !step->err; i++)
		json_object_array_add(entry, hex(step->words[i]));
	add(object, "entry", entry);
	walk_decode(record, index, &decoded);
	for (i = 0; i < decoded.count; i++)
		json_object_array_add(meaning, json_object_new_string(decoded.phrases[i]));
	add(object, "meaning", meaning);
	return object;
}

static struct json_object *fault_of(const struct vtd_walk *where)
{
	struct json_object *object;

	if (!where->fault)
		return NULL;
	object = json_object_new_object();
	add_text(object, "name", vtd_fault_name(where->fault));
	add_text(object, "text", vtd_fault_text(where->fault));
	add_text(object, "table", vtd_table_name(where->fault_table));
	add(object, "level", json_object_new_int(where->fault_level));
	return object;
}

static struct json_object *translation_of(const struct walk_record *record)
{
	const struct vtd_translation *found = &record->translation;
	struct json_object *object;

	if (record->where.fault)
		return NULL;
	object = json_object_new_object();
	add(object, "gpa", hex(found->gpa + (record->request.iova - found->iova)));
	add(object, "level", json_object_new_int(found->level));
	add_access(object, "access", found->perm);
	add(object, "range_iova", hex(found->iova));
	add(object, "range_gpa", hex(found->gpa));
	add(object, "range_size", hex(found->size));
	return object;
}

static struct json_object *bound_of(const struct walk_record *record)
{
	const struct sva_binding *binding = &record->space->binding;
	struct json_object *object;

	if (record->space->kind != WALK_SPACE_BOUND)
		return NULL;
	object = json_object_new_object();
	add(object, "root", hex(binding->root));
	add(object, "width", json_object_new_int(binding->width));
	add(object, "second_level", record->parent.levels ? hex(record->parent.table) : NULL);
	return object;
}

static struct json_object *attached_of(const struct walk_space *space)
{
	struct json_object *object;

	if (space->kind != WALK_SPACE_ATTACHED)
		return NULL;
	object = json_object_new_object();
	add(object, "base", hex(space->table.base));
	add(object, "bits", json_object_new_int(space->table.bits));
	return object;
}

void walk_view_json(FILE *out, const struct walk_record *record)
{
	struct json_object *object = json_object_new_object();
	struct json_object *steps = json_object_new_array();
	size_t i;

	add(object, "iova", hex(record->request.iova));
	add_source(object, record->request.source_id);
	add(object, "pasid",
	    record->request.pasid == VTD_NO_PASID ? NULL
						  : json_object_new_int64(record->request.pasid));
	add_access(object, "access", record->request.access);
	add(object, "bound", bound_of(record));
	add(object, "attached", attached_of(record->space));
	for (i = 0; i < record->count; i++)
		json_object_array_add(steps, step_of(record, i));
	add(object, "steps", steps);
	add(object, "fault", fault_of(&record->where));
	add(object, "translation", translation_of(record));
	fprintf(out, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}
