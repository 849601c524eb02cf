/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RECORD_JSON_FILE_H
#define RECORD_JSON_FILE_H

#include <stddef.h>
#include <stdio.h>

#include <json-c/json.h>

/**
 * json_file_read() - read a file that holds one JSON object, strictly
 * @in:		the file
 * @max:	bytes that it may have
 * @depth:	objects and arrays within each other
 * @object:	what it holds; to be put
 * @error:	what is wrong with it
 * @size:	of @error
 *
 * Return: 0; -EINVAL, -EFBIG, -ENOMEM, or what reading has failed with.
 */
int json_file_read(FILE *in, size_t max, int depth, struct json_object **object, char *error,
		   size_t size);

#endif /* RECORD_JSON_FILE_H */
