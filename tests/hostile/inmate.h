/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device whose buffers lie where the tables of a prison say, and its owner,
 * who answers misses as QEMU does: if there is a translation.
 */
#ifndef HOSTILE_INMATE_H
#define HOSTILE_INMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prison.h"

/* Bytes of a buffer, not counting headers. */
#define INMATE_DATA 64

/* What has become of a buffer. */
enum inmate_end {
	INMATE_DONE,  /* it was used; what was sent is known */
	INMATE_WAITS, /* the device waits for a translation that there is not */
	INMATE_STUCK, /* nobody has said anything */
};

/**
 * struct inmate - a device
 * @prison:	its memory
 * @device:	the device
 * @sent:	what the device has sent last
 * @answers:	of the owner
 * @is_mute:	the owner answers nothing
 * @addresses:	that were in use: each buffer has another
 * @offered:	by virtqueue: the device has not given it back
 */
struct inmate {
	struct prison prison;
	struct device *device;
	uint64_t sent[INMATE_DATA / 8];
	unsigned int answers;
	unsigned int addresses;
	bool is_mute;
	bool offered[NR_QUEUES];
};

void inmate_open(struct inmate *in, enum deep_kind kind, unsigned int levels);

/* An address that the device has not missed last. */
uint64_t inmate_address(struct inmate *in);

/* Have a buffer there, in place of what the device has not yet used; kick. */
void inmate_offer(struct inmate *in, int queue, uint64_t iova);

/* Have a packet come for the device. */
void inmate_feed(const struct inmate *in);

/* Wait for what becomes of the buffer of TX, in which nothing is translated but by tables. */
enum inmate_end inmate_wait(struct inmate *in, uint64_t iova);

/* Forget all translations, but not of the rings. */
void inmate_invalidate(const struct inmate *in);

/* Send a packet that must get through, by whoever. */
bool inmate_send(struct inmate *in, uint64_t iova);

/* Send packets until one gets through without the owner: whoever serves is there. */
bool inmate_settle(struct inmate *in);

/* Is what was sent from there what is there? */
bool inmate_sent_from(const struct inmate *in, int page, uint64_t iova);

#endif /* HOSTILE_INMATE_H */
