// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <arpa/inet.h>
#include <string.h>
#include <linux/if_ether.h>

struct frame {
	struct ethhdr ethernet;
	uint32_t tag;
	uint32_t size; /* of the whole */
	uint8_t pattern[];
} __attribute__((packed));

void frame_fill_size(void *frame, size_t size, uint32_t tag)
{
	struct frame f = {
		.ethernet.h_dest = {2, 0, 0, 0, 0, 1},
		.ethernet.h_source = {2, 0, 0, 0, 0, 2},
		.ethernet.h_proto = htons(FRAME_ETHERTYPE),
		.tag = tag,
		.size = size,
	};
	uint8_t *bytes = frame;

	memcpy(bytes, &f, sizeof(f));
	for (size_t i = sizeof(f); i < size; i++)
		bytes[i] = tag * 31 + i * 7;
}

void frame_fill(void *frame, uint32_t tag)
{
	frame_fill_size(frame, FRAME_SIZE, tag);
}

void frame_put(void *buffer, uint32_t tag)
{
	memset(buffer, 0, FRAME_HEADER);
	frame_fill((uint8_t *)buffer + FRAME_HEADER, tag);
}

int64_t frame_tag(const void *frame, size_t size)
{
	uint8_t expected[FRAME_MAX];
	struct frame f;

	if (size < sizeof(f) || size > sizeof(expected))
		return -1;
	memcpy(&f, frame, sizeof(f));
	frame_fill_size(expected, size, f.tag);
	return memcmp(frame, expected, size) ? -1 : (int64_t)f.tag;
}
