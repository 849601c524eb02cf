/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is in a packet of the tests: its number, and bytes that follow from it and
 * from their place, so that a packet from a wrong page is seen.
 */
#ifndef GUEST_PAYLOAD_H
#define GUEST_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PAYLOAD_MIN sizeof(uint32_t)

/* Packet number @n, of PAYLOAD_MIN bytes or more. */
static inline void payload_fill(uint8_t *packet, size_t size, uint32_t n)
{
	size_t i;

	memcpy(packet, &n, sizeof(n));
	for (i = sizeof(n); i < size; i++)
		packet[i] = (uint8_t)(n * 31 + i);
}

static inline int payload_is_intact(const uint8_t *packet, size_t size, uint32_t n)
{
	size_t i;

	for (i = sizeof(n); i < size; i++)
		if (packet[i] != (uint8_t)(n * 31 + i))
			return 0;
	return 1;
}

/**
 * struct payload_tally - what has come of packets 0 to @count - 1
 * @count:	how many there are
 * @seen:	of each, whether it has come
 * @received:	different ones
 * @again:	that had come before
 * @strange:	that are none of them, or not as they were
 */
struct payload_tally {
	uint32_t count;
	uint8_t *seen;
	uint32_t received;
	uint32_t again;
	uint32_t strange;
};

static inline void payload_count(struct payload_tally *tally, const uint8_t *packet, size_t size)
{
	uint32_t n = tally->count;

	if (size >= sizeof(n))
		memcpy(&n, packet, sizeof(n));
	if (n >= tally->count || !payload_is_intact(packet, size, n)) {
		tally->strange++;
		return;
	}
	if (tally->seen[n])
		tally->again++;
	else
		tally->received++;
	tally->seen[n] = 1;
}

#endif /* GUEST_PAYLOAD_H */
