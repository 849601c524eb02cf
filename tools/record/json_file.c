// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_file.h"

static int read_all(FILE *in, size_t max, char **text, size_t *size)
{
	size_t room = 0, got;
	char *more;

	*text = NULL;
	*size = 0;
	do {
		if (*size == room) {
			room += 1 << 20;
			more = realloc(*text, room);
			if (!more)
				return -ENOMEM;
			*text = more;
		}
		got = fread(*text + *size, 1, room - *size, in);
		*size += got;
		if (*size > max)
			return -EFBIG;
	} while (got);
	return ferror(in) ? -(errno ?: EIO) : 0;
}

static struct json_object *parse(const char *text, size_t length, int depth, char *error,
				 size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(depth);
	struct json_object *object;
	size_t end;

	if (!tokener) {
		snprintf(error, size, "%s", strerror(ENOMEM));
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, (int)length);
	end = json_tokener_get_parse_end(tokener);
	while (end < length && strchr(" \t\r\n", text[end]) && text[end])
		end++;
	if (json_tokener_get_error(tokener) != json_tokener_success || end < length) {
		snprintf(error, size, "byte %zu: no JSON object, or more than one: %s", end,
			 json_tokener_error_desc(json_tokener_get_error(tokener)));
		json_object_put(object);
		object = NULL;
	} else if (!json_object_is_type(object, json_type_object)) {
		snprintf(error, size, "byte 0: this is no JSON object");
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

int json_file_read(FILE *in, size_t max, int depth, struct json_object **object, char *error,
		   size_t size)
{
	size_t length;
	char *text;
	int err;

	*object = NULL;
	err = read_all(in, max, &text, &length);
	if (err) {
		snprintf(error, size, "%s", strerror(-err));
	} else {
		*object = parse(text, length, depth, error, size);
		err = *object ? 0 : -EINVAL;
	}
	free(text);
	return err;
}
