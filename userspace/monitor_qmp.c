// SPDX-License-Identifier: GPL-2.0
/*
 * QMP: an object of JSON a line (QEMU, docs/interop/qmp-spec). A reply has the
 * id of its command; events come in between.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "monitor.h"
#include "monitor_protocol.h"

/* Greetings and events have few levels. */
#define DEPTH_MAX 16

static ssize_t fail(struct monitor_message *message, const char *why)
{
	message->why = why;
	return -EPROTO;
}

/* Of a command, monitor_ask() has let nothing pass that needs more. */
static size_t put_string(char *to, const char *text)
{
	size_t length = 0;

	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			to[length++] = '\\';
		to[length++] = *text;
	}
	return length;
}

static size_t qmp_put(char *to, const char *command, unsigned int id)
{
	size_t length;

	if (!command)
		return snprintf(to, MONITOR_SEND_MAX,
				"{\"execute\": \"qmp_capabilities\", \"id\": %u}\n", id);
	length = snprintf(to, MONITOR_SEND_MAX,
			  "{\"execute\": \"human-monitor-command\", \"id\": %u, "
			  "\"arguments\": {\"command-line\": \"",
			  id);
	length += put_string(to + length, command);
	return length + snprintf(to + length, MONITOR_SEND_MAX - length, "\"}}\n");
}

_Static_assert(2 * MONITOR_COMMAND_MAX + 128 <= MONITOR_SEND_MAX, "each command has room");

static ssize_t take_event(struct json_object *name, struct monitor_message *message)
{
	if (!json_object_is_type(name, json_type_string))
		return fail(message, "it tells of an event without a name");
	message->text =
		monitor_copy_text(json_object_get_string(name), json_object_get_string_len(name));
	if (!message->text)
		return fail(message, "it tells of an event with a strange name");
	message->kind = MONITOR_EVENT;
	return 0;
}

static bool has_id(struct json_object *object, unsigned int id)
{
	struct json_object *value;

	return json_object_object_get_ex(object, "id", &value) &&
	       json_object_is_type(value, json_type_int) && json_object_get_int64(value) == id;
}

static ssize_t take_answer(struct json_object *object, const struct monitor_awaited *awaited,
			   struct monitor_message *message)
{
	struct json_object *value;

	if (awaited->what == MONITOR_AWAITS_NOTHING || !has_id(object, awaited->id))
		return fail(message, "it answers what it was not asked");
	if (!json_object_object_get_ex(object, "return", &value))
		return fail(message, "it refuses a command");
	if (awaited->what == MONITOR_AWAITS_REPLY) {
		if (!json_object_is_type(value, json_type_string))
			return fail(message, "its reply is no text");
		message->text = monitor_copy_text(json_object_get_string(value),
						  json_object_get_string_len(value));
		if (!message->text)
			return fail(message, "its reply is no text");
	}
	message->kind = MONITOR_EXPECTED;
	return 0;
}

static ssize_t take_object(struct json_object *object, const struct monitor_awaited *awaited,
			   struct monitor_message *message)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object))
		return fail(message, "what it says is no object of JSON");
	if (awaited->what == MONITOR_AWAITS_GREETING) {
		if (!json_object_object_get_ex(object, "QMP", &value))
			return fail(message, "what listens there is no QMP of QEMU");
		message->kind = MONITOR_EXPECTED;
		return 0;
	}
	if (json_object_object_get_ex(object, "event", &value))
		return take_event(value, message);
	return take_answer(object, awaited, message);
}

static ssize_t take_line(const char *line, size_t size, const struct monitor_awaited *awaited,
			 struct monitor_message *message)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *object;
	ssize_t err;

	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	/* The NUL that ends the text ends a number, too. */
	object = json_tokener_parse_ex(tokener, line, (int)size);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		err = fail(message, "what it says is no JSON");
	else
		err = take_object(object, awaited, message);
	json_object_put(object);
	json_tokener_free(tokener);
	return err;
}

static ssize_t qmp_take(const char *data, size_t size, const struct monitor_awaited *awaited,
			struct monitor_message *message)
{
	const char *end = memchr(data, '\n', size);
	size_t length;
	ssize_t err;

	if (awaited->what == MONITOR_AWAITS_GREETING && size && data[0] == 'Q')
		return fail(message, "this is the human monitor; give it with --monitor");
	if (awaited->what == MONITOR_AWAITS_GREETING && size && data[0] != '{')
		return fail(message, "what listens there is no QMP of QEMU");
	if (!end)
		return 0;
	length = end - data;
	while (length && (data[length - 1] == '\r' || data[length - 1] == ' '))
		length--;
	if (length) {
		err = take_line(data, length, awaited, message);
		if (err)
			return err;
	}
	return end + 1 - data;
}

const struct monitor_protocol monitor_qmp = {
	.name = "QMP",
	.option = "--qmp",
	.says_hello = true,
	.put = qmp_put,
	.take = qmp_take,
};
