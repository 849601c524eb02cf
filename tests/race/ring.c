// SPDX-License-Identifier: GPL-2.0
#include "ring.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <linux/virtio_ring.h>

#define NO_HEAD UINT32_MAX

_Static_assert(IN_FLIGHT *VARIANTS * 2 == RING_SIZE, "each buffer has its own descriptors");

static uint32_t head_of(uint64_t number, uint64_t avail_epoch)
{
	return (number % IN_FLIGHT) * VARIANTS * 2 + (avail_epoch % VARIANTS) * 2;
}

static const struct entry *entry_of(const struct ring *r, int part)
{
	return &r->space->entries[ring_page(r->queue, part)];
}

static void write_descriptors(const struct ring *r, struct vring_desc *table, uint64_t epoch,
			      uint64_t number)
{
	const struct buffer *b = &r->buffers[number % IN_FLIGHT];
	uint16_t flags = r->queue == RX ? VRING_DESC_F_WRITE : 0;
	bool has_two = b->length[1];

	for (unsigned int variant = 0; variant < VARIANTS; variant++) {
		uint32_t head = head_of(number, variant);

		table[head] = (struct vring_desc){
			.addr = b->iova[0],
			.len = b->length[0],
			.flags = flags | (has_two ? VRING_DESC_F_NEXT : 0),
			.next = head + 1,
		};
		table[head + 1] = (struct vring_desc){
			.addr = b->iova[1],
			.len = b->length[1] + epoch % PADS,
			.flags = flags,
		};
	}
}

static void write_avail(struct vring_avail *avail, uint64_t epoch, uint64_t number)
{
	avail->ring[number % RING_SIZE] = head_of(number, epoch);
}

static void begin_desc(struct ring *r, void *copy, uint64_t epoch)
{
	for (uint64_t n = r->taken; n < r->published; n++)
		write_descriptors(r, copy, epoch, n);
}

static void begin_avail(struct ring *r, struct vring_avail *avail, uint64_t epoch)
{
	avail->flags = 0;
	for (uint64_t n = r->taken; n < r->published; n++)
		write_avail(avail, epoch, n);
	avail->idx = r->published;
}

static void begin_used(struct ring *r, struct vring_used *used)
{
	used->flags = 0;
	/* Not more than is there: the device writes it with the next element. */
	used->idx = r->taken;
	for (unsigned int i = 0; i < RING_SIZE; i++)
		used->ring[i].id = NO_HEAD;
}

void ring_begin(struct ring *r, int part)
{
	unsigned int page = ring_page(r->queue, part);
	const struct entry *e = entry_of(r, part);
	void *copy = space_copy(r->space, page, e->now);

	pthread_mutex_lock(&r->mutex);
	switch (part) {
	case DESC:
		begin_desc(r, copy, e->epoch);
		break;
	case AVAIL:
		begin_avail(r, copy, e->epoch);
		break;
	case USED:
		begin_used(r, copy);
		break;
	}
	r->live[part][0] = r->live[part][1];
	r->epochs[part][0] = r->epochs[part][1];
	r->live[part][1] = copy;
	r->epochs[part][1] = e->epoch;
	pthread_mutex_unlock(&r->mutex);
}

void ring_init(struct ring *r, struct space *s, int queue)
{
	*r = (struct ring){.space = s, .queue = queue};
	pthread_mutex_init(&r->mutex, NULL);
	for (int part = 0; part < NR_PARTS; part++) {
		ring_begin(r, part);
		r->live[part][0] = NULL;
	}
}

/* The element of buffer @number, if it is in this copy. */
static bool find_used(const struct vring_used *used, uint64_t number, struct used *found)
{
	const struct vring_used_elem *element = &used->ring[number % RING_SIZE];
	uint16_t idx = __atomic_load_n(&used->idx, __ATOMIC_ACQUIRE);

	if ((int16_t)(idx - (uint16_t)number) <= 0 || element->id == NO_HEAD)
		return false;
	*found = (struct used){.is_there = true, .head = element->id, .length = element->len};
	return true;
}

/*
 * It was poisoned after its death, so that everything else was written then.
 * The index does not matter any more.
 */
static bool find_late(const struct vring_used *dead, uint64_t number, struct used *found)
{
	const struct vring_used_elem *element = &dead->ring[number % RING_SIZE];

	if (element->id / (VARIANTS * 2) != number % IN_FLIGHT)
		return false;
	*found = (struct used){
		.is_there = true,
		.is_late = true,
		.head = element->id,
		.length = element->len,
	};
	return true;
}

static void save_used(struct ring *r, const struct vring_used *used)
{
	for (uint64_t n = r->taken; n < r->published; n++)
		if (!r->saved[n % RING_SIZE].is_there)
			find_used(used, n, &r->saved[n % RING_SIZE]);
}

void ring_end(struct ring *r, int part)
{
	pthread_mutex_lock(&r->mutex);
	if (part == USED) {
		save_used(r, r->live[USED][0]);
		r->dead = r->live[USED][0];
		poison(r->dead, USED_SIZE);
	}
	r->live[part][0] = NULL;
	pthread_mutex_unlock(&r->mutex);
}

static bool find(struct ring *r, uint64_t number, struct used *found)
{
	struct used *saved = &r->saved[number % RING_SIZE];

	if (saved->is_there) {
		*found = *saved;
		return true;
	}
	for (int i = 0; i < 2; i++)
		if (r->live[USED][i] && find_used(r->live[USED][i], number, found))
			return true;
	return r->dead && find_late(r->dead, number, found);
}

void ring_restart(struct ring *r)
{
	struct vring_used *used;
	struct used found;
	uint64_t n;

	pthread_mutex_lock(&r->mutex);
	used = r->live[USED][1];
	for (n = r->taken; n < r->published && find(r, n, &found);)
		n++;
	used->idx = n;
	pthread_mutex_unlock(&r->mutex);
}

bool ring_has_room(const struct ring *r)
{
	return r->published - r->taken < IN_FLIGHT;
}

/* The element is the device's to write from here on. */
static void clear_used(struct ring *r, uint64_t number)
{
	r->saved[number % RING_SIZE].is_there = false;
	for (int i = 0; i < 2; i++) {
		struct vring_used *used = r->live[USED][i];

		if (used)
			used->ring[number % RING_SIZE].id = NO_HEAD;
	}
}

void ring_publish(struct ring *r, const struct buffer *b, struct ring_ended *ended)
{
	uint64_t number = r->published;

	pthread_mutex_lock(&r->mutex);
	clear_used(r, number);
	r->buffers[number % IN_FLIGHT] = *b;
	for (int i = 0; i < 2; i++) {
		if (r->live[DESC][i])
			write_descriptors(r, r->live[DESC][i], r->epochs[DESC][i], number);
		if (r->live[AVAIL][i])
			write_avail(r->live[AVAIL][i], r->epochs[AVAIL][i], number);
	}
	r->published++;

	/* What has ended by now, the device must not use for this buffer. */
	ended->desc = get(&entry_of(r, DESC)->ended);
	ended->avail = get(&entry_of(r, AVAIL)->ended);
	for (int i = 0; i < 2; i++) {
		struct vring_avail *avail = r->live[AVAIL][i];

		if (avail)
			__atomic_store_n(&avail->idx, r->published, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&r->mutex);
}

bool ring_take(struct ring *r, struct used *used)
{
	bool is_there;

	pthread_mutex_lock(&r->mutex);
	is_there = r->taken < r->published && find(r, r->taken, used);
	if (is_there)
		r->taken++;
	pthread_mutex_unlock(&r->mutex);
	return is_there;
}

/* Some epoch from @ended to the newest has this remainder. */
static bool may_be(const struct entry *e, uint64_t ended, uint64_t remainder, uint64_t divisor)
{
	uint64_t newest = get(&e->epoch);

	for (uint64_t epoch = ended; epoch <= newest; epoch++)
		if (epoch % divisor == remainder)
			return true;
	return false;
}

bool ring_head_is_good(const struct ring *r, uint64_t number, uint32_t head, uint64_t ended)
{
	uint32_t variant = head % (VARIANTS * 2) / 2;

	return head == head_of(number, variant) &&
	       may_be(entry_of(r, AVAIL), ended, variant, VARIANTS);
}

bool ring_pad_is_good(const struct ring *r, uint32_t pad, uint64_t ended)
{
	return may_be(entry_of(r, DESC), ended, pad, PADS);
}

void ring_dump(struct ring *r)
{
	pthread_mutex_lock(&r->mutex);
	printf("# queue %d: %" PRIu64 " buffers made available, %" PRIu64 " taken back\n", r->queue,
	       r->published, r->taken);
	for (int i = 0; i < 2; i++) {
		const struct vring_avail *avail = r->live[AVAIL][i];
		const struct vring_used *used = r->live[USED][i];

		if (avail)
			printf("#   available ring of epoch %" PRIu64 ": index %u\n",
			       r->epochs[AVAIL][i], avail->idx);
		if (used)
			printf("#   used ring of epoch %" PRIu64 ": index %u, flags %u\n",
			       r->epochs[USED][i], used->idx, used->flags);
	}
	for (uint64_t n = r->taken; n < r->published; n++) {
		const struct buffer *b = &r->buffers[n % IN_FLIGHT];

		printf("#   buffer %" PRIu64 ": iova 0x%" PRIx64 " + %u, 0x%" PRIx64 " + %u\n", n,
		       b->iova[0], b->length[0], b->iova[1], b->length[1]);
	}
	pthread_mutex_unlock(&r->mutex);
}
