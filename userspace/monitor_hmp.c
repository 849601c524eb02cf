// SPDX-License-Identifier: GPL-2.0
/*
 * The human monitor, as people use it: QEMU prompts, echoes the command letter
 * by letter, with escape sequences in between, and prints lines. A reply ends
 * where the next prompt stands at the end of all that has come. Should a part of
 * a reply look so, the echo of the next command tells.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"
#include "monitor_protocol.h"

#define PROMPT "\n(qemu) "
#define PROMPT_LENGTH (sizeof(PROMPT) - 1)

static const char greeting[] = "QEMU ";

static size_t hmp_put(char *to, const char *command, unsigned int id)
{
	(void)id;
	return snprintf(to, MONITOR_SEND_MAX, "%s\n", command ? command : "");
}

static bool ends_with_prompt(const char *data, size_t size)
{
	return size >= PROMPT_LENGTH && !memcmp(data + size - PROMPT_LENGTH, PROMPT, PROMPT_LENGTH);
}

static ssize_t fail(struct monitor_message *message, const char *why)
{
	message->why = why;
	return -EPROTO;
}

static ssize_t take_greeting(const char *data, size_t size, struct monitor_message *message)
{
	const size_t known = size < sizeof(greeting) - 1 ? size : sizeof(greeting) - 1;

	if (size && data[0] == '{')
		return fail(message, "this is a QMP socket; give it with --qmp");
	if (memcmp(data, greeting, known))
		return fail(message, "what listens there is no monitor of QEMU");
	if (!ends_with_prompt(data, size))
		return 0;
	message->kind = MONITOR_EXPECTED;
	return size;
}

/* Is this the echo of the command? Its end is what stands there in the end; what
 * is before it was overwritten.
 */
static bool is_echo(const char *line, size_t size, const char *command)
{
	static const char clear[] = "\033[K";
	const size_t length = strlen(command);

	if (size && line[size - 1] == '\r')
		size--;
	if (size >= sizeof(clear) - 1 && !memcmp(line + size - (sizeof(clear) - 1), clear, 3))
		size -= sizeof(clear) - 1;
	return size >= length && !memcmp(line + size - length, command, length);
}

static ssize_t take_reply(const char *data, size_t size, const char *command,
			  struct monitor_message *message)
{
	const char *text = memchr(data, '\n', size), *end;

	if (!text || !ends_with_prompt(data, size))
		return 0;
	text++;
	if (!is_echo(data, text - 1 - data, command))
		return fail(message, "it does not repeat the command that it was given");
	/* The \n of the prompt ends the last line, or the echo. */
	end = data + size - PROMPT_LENGTH + 1;
	message->text = monitor_copy_text(text, end - text);
	if (!message->text)
		return fail(message, "its reply is no text");
	message->kind = MONITOR_EXPECTED;
	return size;
}

static ssize_t hmp_take(const char *data, size_t size, const struct monitor_awaited *awaited,
			struct monitor_message *message)
{
	switch (awaited->what) {
	case MONITOR_AWAITS_GREETING:
		return take_greeting(data, size, message);
	case MONITOR_AWAITS_REPLY:
		return take_reply(data, size, awaited->command, message);
	default:
		/* Whatever QEMU has to say to the person who sits there */
		return size;
	}
}

const struct monitor_protocol monitor_hmp = {
	.name = "the human monitor",
	.option = "--monitor",
	.put = hmp_put,
	.take = hmp_take,
};
