/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Members of JSON objects that anybody may have written. The first error is
 * kept, with where it was; what is got after an error is 0 or empty, so that a
 * reader needs to look for errors only at the end and where it loops.
 */
#ifndef IOTLB_JSON_GET_H
#define IOTLB_JSON_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/**
 * struct json_reader - the state of reading
 * @error:	what is wrong, "" if nothing
 * @size:	of @error
 * @place:	what is being read, for messages: "maps[3]"
 */
struct json_reader {
	char *error;
	size_t size;
	char place[64];
};

bool json_good(const struct json_reader *reader);

/* Says what is wrong with a member, unless there is an error already. */
void json_bad(struct json_reader *reader, const char *name, const char *must);

/* Whole number within bounds. */
uint64_t json_get_count(struct json_reader *reader, struct json_object *object, const char *name,
			uint64_t min, uint64_t max);

/* The same of an element of an array. */
uint64_t json_get_element(struct json_reader *reader, struct json_object *array, size_t index,
			  const char *name, uint64_t max);

bool json_get_bool(struct json_reader *reader, struct json_object *object, const char *name);

/* One of a NULL-terminated list: its place there, 0 after an error. */
int json_get_word(struct json_reader *reader, struct json_object *object, const char *name,
		  const char *const *words);

/* An array of them, none twice: a bit for each place in the list. */
uint32_t json_get_words(struct json_reader *reader, struct json_object *object, const char *name,
			const char *const *words);

/* An error if there is a member that is not in the NULL-terminated list. */
void json_only(struct json_reader *reader, struct json_object *object, const char *const *names);

/* Printable text of less than @size bytes; null is "". */
void json_get_text(struct json_reader *reader, struct json_object *object, const char *name,
		   char *text, size_t size);

/* NULL after an error. */
struct json_object *json_get_object(struct json_reader *reader, struct json_object *object,
				    const char *name);

/* Of at most @max elements, their number in @count; NULL, and none, after an error. */
struct json_object *json_get_array(struct json_reader *reader, struct json_object *object,
				   const char *name, size_t max, size_t *count);

/* Is there such a member, and is it not null? */
bool json_has(struct json_object *object, const char *name);

#endif /* IOTLB_JSON_GET_H */
