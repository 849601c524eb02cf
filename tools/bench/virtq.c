// SPDX-License-Identifier: GPL-2.0
#include "virtq.h"

#include <endian.h>

void virtq_init(struct virtq *q, void *desc, void *avail, void *used)
{
	*q = (struct virtq){.desc = desc, .avail = avail, .used = used};
}

void virtq_add(struct virtq *q, uint16_t head, uint64_t iova, uint32_t length, uint16_t flags)
{
	q->desc[head] = (struct vring_desc){
		.addr = htole64(iova),
		.len = htole32(length),
		.flags = htole16(flags),
	};
	q->avail->ring[q->next_avail % VIRTQ_SIZE] = htole16(head);
	q->next_avail++;
}

bool virtq_publish(struct virtq *q)
{
	uint16_t flags;

	/* The device must not see the index before what it covers. */
	__atomic_store_n(&q->avail->idx, htole16(q->next_avail), __ATOMIC_RELEASE);
	/*
	 * The device clears NO_NOTIFY, then looks at the index once more; we
	 * move the index, then look at NO_NOTIFY. A store that is overtaken by
	 * the load after it would let both sides go to sleep.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flags = __atomic_load_n(&q->used->flags, __ATOMIC_RELAXED);
	return !(le16toh(flags) & VRING_USED_F_NO_NOTIFY);
}

bool virtq_has_used(const struct virtq *q)
{
	/* Acquire: the element, and the buffer, are read after the index. */
	return le16toh(__atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE)) != q->next_used;
}

bool virtq_take(struct virtq *q, uint32_t *head, uint32_t *length)
{
	const struct vring_used_elem *element;

	if (!virtq_has_used(q))
		return false;
	element = &q->used->ring[q->next_used % VIRTQ_SIZE];
	*head = le32toh(element->id);
	*length = le32toh(element->len);
	q->next_used++;
	return true;
}
