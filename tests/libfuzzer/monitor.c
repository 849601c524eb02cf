// SPDX-License-Identifier: GPL-2.0
/*
 * What comes from the socket of a QEMU's monitor. The first byte says which kind
 * of monitor it is, and what is awaited; the rest is what QEMU says, perhaps in
 * several messages.
 */
#include "monitor.h"
#include "monitor_protocol.h"
#include "number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct monitor_message *message, ssize_t taken,
		  const struct monitor_awaited *awaited)
{
	if (taken < 0) {
		CHECK(message->why && *message->why);
		CHECK(!message->text);
		return;
	}
	if (!taken)
		CHECK(message->kind == MONITOR_NOISE && !message->text);
	if (message->text)
		CHECK(!strchr(message->text, '\r'));
	if (message->kind == MONITOR_EVENT)
		CHECK(message->text && awaited->what != MONITOR_AWAITS_GREETING);
	if (message->kind == MONITOR_EXPECTED) {
		CHECK(awaited->what != MONITOR_AWAITS_NOTHING);
		CHECK(!message->text == (awaited->what != MONITOR_AWAITS_REPLY));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct monitor_protocol *protocol;
	struct monitor_awaited awaited = {.command = "xp", .id = 2};
	char *text, *next;
	ssize_t taken;

	if (!size)
		return 0;
	protocol = data[0] & 1 ? &monitor_hmp : &monitor_qmp;
	awaited.what = data[0] >> 1 & 3;
	size--;
	/* Whatever is read beyond its end, is found. */
	text = malloc(size + !size);
	CHECK(text);
	memcpy(text, data + 1, size);
	for (next = text; size; next += taken, size -= taken) {
		struct monitor_message message = {};

		taken = protocol->take(next, size, &awaited, &message);
		check(&message, taken, &awaited);
		CHECK(taken <= (ssize_t)size);
		if (message.kind == MONITOR_EXPECTED)
			awaited.what = MONITOR_AWAITS_REPLY;
		free(message.text);
		if (taken <= 0)
			break;
	}
	free(text);
	return 0;
}
