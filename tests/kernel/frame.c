// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <arpa/inet.h>
#include <string.h>
#include <linux/if_ether.h>

struct frame {
	struct ethhdr ethernet;
	uint32_t tag;
	uint8_t pattern[FRAME_SIZE - sizeof(struct ethhdr) - sizeof(uint32_t)];
} __attribute__((packed));

void frame_fill(void *frame, uint32_t tag)
{
	struct frame f = {
		.ethernet.h_dest = {2, 0, 0, 0, 0, 1},
		.ethernet.h_source = {2, 0, 0, 0, 0, 2},
		.ethernet.h_proto = htons(FRAME_ETHERTYPE),
		.tag = tag,
	};

	for (size_t i = 0; i < sizeof(f.pattern); i++)
		f.pattern[i] = tag * 31 + i * 7;
	memcpy(frame, &f, sizeof(f));
}

int64_t frame_tag(const void *frame, size_t size)
{
	uint8_t expected[FRAME_SIZE];
	struct frame f;

	if (size != sizeof(f))
		return -1;
	memcpy(&f, frame, sizeof(f));
	frame_fill(expected, f.tag);
	return memcmp(frame, expected, size) ? -1 : (int64_t)f.tag;
}
