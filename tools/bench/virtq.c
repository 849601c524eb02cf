// SPDX-License-Identifier: GPL-2.0
#include "virtq.h"

#include <endian.h>
#include <stddef.h>

void virtq_init(struct virtq *q, void *desc, void *avail, void *used)
{
	*q = (struct virtq){.desc = desc, .avail = avail, .used = used, .chain = 1};
}

static struct vring_desc *table_entry(const struct virtq_table *t, uint16_t nth)
{
	return nth < t->first ? &t->part[0][nth] : &t->part[1][nth - t->first];
}

/* In the descriptor table, a buffer's descriptors follow each other. */
static struct vring_desc *descriptor(const struct virtq *q, uint16_t slot, uint16_t nth)
{
	if (q->tables)
		return table_entry(&q->tables[slot], nth);
	return &q->desc[slot * q->chain + nth];
}

static void write_chain(struct virtq *q, uint16_t slot, uint64_t iova, uint32_t length,
			uint16_t flags)
{
	uint16_t first = q->tables ? 0 : slot * q->chain;
	uint32_t start = 0, end;

	for (uint16_t i = 0; i < q->chain; i++, start = end) {
		bool is_last = i + 1 == q->chain;

		end = is_last ? length : (uint64_t)length * (i + 1) / q->chain;
		*descriptor(q, slot, i) = (struct vring_desc){
			.addr = htole64(iova + start),
			.len = htole32(end - start),
			.flags = htole16(flags | (is_last ? 0 : VRING_DESC_F_NEXT)),
			.next = htole16(is_last ? 0 : first + i + 1),
		};
	}
}

void virtq_add(struct virtq *q, uint16_t slot, uint64_t iova, uint32_t length, uint16_t flags)
{
	uint16_t head = q->tables ? slot : slot * q->chain;

	write_chain(q, slot, iova, length, flags);
	if (q->tables)
		q->desc[head] = (struct vring_desc){
			.addr = htole64(q->tables[slot].iova),
			.len = htole32(q->chain * sizeof(struct vring_desc)),
			.flags = htole16(VRING_DESC_F_INDIRECT),
		};
	q->avail->ring[q->next_avail % VIRTQ_SIZE] = htole16(head);
	q->next_avail++;
}

/* VIRTIO_RING_F_EVENT_IDX: the driver's field is behind the available ring. */
static __virtio16 *used_event(const struct virtq *q)
{
	return &q->avail->ring[VIRTQ_SIZE];
}

/* The device's is behind the used ring. */
static const __virtio16 *avail_event(const struct virtq *q)
{
	return (const __virtio16 *)&q->used->ring[VIRTQ_SIZE];
}

static bool wants_kick(const struct virtq *q, uint16_t from, uint16_t to)
{
	uint16_t word;

	if (q->has_events) {
		word = __atomic_load_n(avail_event(q), __ATOMIC_RELAXED);
		return vring_need_event(le16toh(word), to, from);
	}
	word = __atomic_load_n(&q->used->flags, __ATOMIC_RELAXED);
	return !(le16toh(word) & VRING_USED_F_NO_NOTIFY);
}

bool virtq_publish(struct virtq *q)
{
	uint16_t from = q->published;

	/* The device must not see the index before what it covers. */
	__atomic_store_n(&q->avail->idx, htole16(q->next_avail), __ATOMIC_RELEASE);
	q->published = q->next_avail;
	/*
	 * The device asks for kicks, then looks at the index once more; we move
	 * the index, then look whether it asks. A store that is overtaken by
	 * the load after it would let both sides go to sleep.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return wants_kick(q, from, q->next_avail);
}

bool virtq_wants_kick(const struct virtq *q)
{
	return wants_kick(q, q->published, q->published + 1);
}

bool virtq_has_used(const struct virtq *q)
{
	/* Acquire: the element, and the buffer, are read after the index. */
	return le16toh(__atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE)) != q->next_used;
}

bool virtq_take(struct virtq *q, uint32_t *slot, uint32_t *length)
{
	const struct vring_used_elem *element;
	uint32_t head, heads = q->tables ? 1 : q->chain;

	if (!virtq_has_used(q))
		return false;
	element = &q->used->ring[q->next_used % VIRTQ_SIZE];
	head = le32toh(element->id);
	*slot = head % heads ? VIRTQ_NO_SLOT : head / heads;
	*length = le32toh(element->len);
	q->next_used++;
	return true;
}

bool virtq_rearm(struct virtq *q)
{
	/* Without the feature, the device calls for each buffer. */
	if (!q->has_events)
		return false;
	__atomic_store_n(used_event(q), htole16(q->next_used), __ATOMIC_RELAXED);
	/* As above, with the sides changed. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return virtq_has_used(q);
}
