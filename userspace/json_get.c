// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json_get.h"
#include "parse.h"

bool json_good(const struct json_reader *reader)
{
	return !reader->error[0];
}

void json_bad(struct json_reader *reader, const char *name, const char *must)
{
	if (json_good(reader))
		snprintf(reader->error, reader->size, "%s%s\"%s\" %s", reader->place,
			 reader->place[0] ? ": " : "", name, must);
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (object)
		json_object_object_get_ex(object, name, &value);
	return value;
}

bool json_has(struct json_object *object, const char *name)
{
	return member(object, name);
}

static uint64_t count_of(struct json_reader *reader, struct json_object *value, const char *name,
			 uint64_t min, uint64_t max)
{
	char must[80];
	uint64_t count;

	if (!json_good(reader))
		return 0;
	if (json_object_is_type(value, json_type_int) && json_object_get_int64(value) >= 0) {
		count = json_object_get_uint64(value);
		if (count >= min && count <= max)
			return count;
	}
	snprintf(must, sizeof(must), "must be a whole number from %" PRIu64 " to %" PRIu64, min,
		 max);
	json_bad(reader, name, must);
	return 0;
}

uint64_t json_get_count(struct json_reader *reader, struct json_object *object, const char *name,
			uint64_t min, uint64_t max)
{
	return count_of(reader, member(object, name), name, min, max);
}

uint64_t json_get_element(struct json_reader *reader, struct json_object *array, size_t index,
			  const char *name, uint64_t max)
{
	struct json_object *value = NULL;

	/* Beyond the end there is nothing, which is no number. */
	if (json_object_is_type(array, json_type_array))
		value = json_object_array_get_idx(array, index);
	return count_of(reader, value, name, 0, max);
}

bool json_get_bool(struct json_reader *reader, struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	if (!json_object_is_type(value, json_type_boolean))
		json_bad(reader, name, "must be true or false");
	return json_good(reader) && json_object_get_boolean(value);
}

/* Its place in the list, or -1 after an error that lists it. */
static int word_of(struct json_reader *reader, struct json_object *value, const char *name,
		   const char *const *words)
{
	char must[160] = "must be one of";
	size_t used = strlen(must);
	int place = -1, i;

	/* A NUL within would end it too early. */
	if (json_object_is_type(value, json_type_string) &&
	    strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value))
		place = parse_word(json_object_get_string(value), words);
	if (place >= 0)
		return place;
	for (i = 0; words[i] && used < sizeof(must); i++)
		used += snprintf(must + used, sizeof(must) - used, "%s %s", i ? "," : "", words[i]);
	json_bad(reader, name, must);
	return -1;
}

int json_get_word(struct json_reader *reader, struct json_object *object, const char *name,
		  const char *const *words)
{
	int place = json_good(reader) ? word_of(reader, member(object, name), name, words) : 0;

	return place < 0 ? 0 : place;
}

uint32_t json_get_words(struct json_reader *reader, struct json_object *object, const char *name,
			const char *const *words)
{
	struct json_object *array;
	uint32_t found = 0;
	size_t count, i;
	int place;

	array = json_get_array(reader, object, name, 32, &count);
	for (i = 0; i < count; i++) {
		place = word_of(reader, json_object_array_get_idx(array, i), name, words);
		if (place < 0)
			return 0;
		if (found & 1U << place)
			json_bad(reader, name, "has a word twice");
		found |= 1U << place;
	}
	return found;
}

void json_only(struct json_reader *reader, struct json_object *object, const char *const *names)
{
	struct json_object_iterator at = json_object_iter_begin(object);
	struct json_object_iterator end = json_object_iter_end(object);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		if (parse_word(json_object_iter_peek_name(&at), names) < 0)
			json_bad(reader, json_object_iter_peek_name(&at), "is not known here");
}

static bool printable(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

void json_get_text(struct json_reader *reader, struct json_object *object, const char *name,
		   char *text, size_t size)
{
	struct json_object *value = member(object, name);
	size_t length;

	text[0] = '\0';
	if (!json_good(reader) || !value)
		return;
	if (!json_object_is_type(value, json_type_string)) {
		json_bad(reader, name, "must be a string or null");
		return;
	}
	length = json_object_get_string_len(value);
	if (length >= size)
		json_bad(reader, name, "is too long a string");
	else if (!printable(json_object_get_string(value), length))
		json_bad(reader, name, "must be printable ASCII");
	else
		memcpy(text, json_object_get_string(value), length + 1);
}

struct json_object *json_get_object(struct json_reader *reader, struct json_object *object,
				    const char *name)
{
	struct json_object *value = member(object, name);

	if (json_good(reader) && !json_object_is_type(value, json_type_object))
		json_bad(reader, name, "must be an object");
	return json_good(reader) ? value : NULL;
}

struct json_object *json_get_array(struct json_reader *reader, struct json_object *object,
				   const char *name, size_t max, size_t *count)
{
	struct json_object *value = member(object, name);
	char must[80];

	*count = 0;
	if (!json_good(reader))
		return NULL;
	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) > max) {
		snprintf(must, sizeof(must), "must be an array of at most %zu elements", max);
		json_bad(reader, name, must);
		return NULL;
	}
	*count = json_object_array_length(value);
	return value;
}
