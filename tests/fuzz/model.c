// SPDX-License-Identifier: GPL-2.0
#include "model.h"

#include <errno.h>
#include <string.h>
#include <linux/vhost.h>

#include "vhost_msg_v3.h"

/* Put other mappings in the place of those from @from to before @to. */
static void replace(struct model *m, size_t from, size_t to, const struct mapping *by, size_t nr)
{
	struct mapping_list *list = &m->list;

	memmove(list->at + from + nr, list->at + to, (list->nr - to) * sizeof(*list->at));
	memcpy(list->at + from, by, nr * sizeof(*by));
	list->nr += nr - (to - from);
	if (m->peak < list->nr)
		m->peak = list->nr;
}

/* The first mapping that ends at @iova or later. */
static size_t find_place(const struct mapping_list *list, uint64_t iova)
{
	size_t i = 0;

	while (i < list->nr && list->at[i].last < iova)
		i++;
	return i;
}

void model_unmap(struct model *m, uint64_t start, uint64_t last)
{
	const size_t from = find_place(&m->list, start);
	struct mapping rest[2] = {0};
	size_t to = from, nr = 0;

	for (; to < m->list.nr && m->list.at[to].start <= last; to++) {
		const struct mapping *old = &m->list.at[to];

		if (old->start < start)
			rest[nr++] = (struct mapping){old->start, start - 1, old->addr, old->perm};
		if (old->last > last)
			rest[nr++] =
				(struct mapping){last + 1, old->last,
						 old->addr + (last + 1 - old->start), old->perm};
	}
	replace(m, from, to, rest, nr);
	m->has_newest = false;
}

void model_map(struct model *m, uint64_t start, uint64_t last, uint64_t addr, uint32_t perm)
{
	const struct mapping mapping = {start, last, addr, perm};
	size_t place;

	model_unmap(m, start, last);
	place = find_place(&m->list, start);
	replace(m, place, place, &mapping, 1);
	m->has_newest = true;
	m->newest = start;
}

static void remember(struct model *m, uint64_t start, uint64_t last)
{
	m->now++;
	m->history[m->now % MODEL_HISTORY] = (struct invalidation){start, last};
}

void model_invalidate(struct model *m, uint64_t start, uint64_t last)
{
	model_unmap(m, start, last);
	remember(m, start, last);
}

void model_invalidate_whole(struct model *m, uint64_t start, uint64_t last)
{
	uint64_t first = start, end = last;

	for (size_t i = 0; i < m->list.nr; i++) {
		const struct mapping *it = &m->list.at[i];

		if (it->last < start || it->start > last)
			continue;
		if (it->start < first)
			first = it->start;
		if (it->last > end)
			end = it->last;
	}
	model_invalidate(m, first, end);
}

bool model_is_stale(const struct model *m, uint64_t token, uint64_t start, uint64_t last)
{
	if (m->now - token > MODEL_HISTORY)
		return true;
	for (uint64_t then = token + 1; then <= m->now; then++) {
		const struct invalidation *it = &m->history[then % MODEL_HISTORY];

		if (it->start <= last && it->last >= start)
			return true;
	}
	return false;
}

void model_init(struct model *m)
{
	m->asid = 0;
	m->other = NULL;
	m->has_asid = false;
	m->has_iotlb = false;
	m->can_fail = false;
	m->list.nr = 0;
	m->peak = 0;
	m->has_newest = false;
	m->now = 0;
}

void model_replace_iotlb(struct model *m, bool has_iotlb)
{
	m->has_iotlb = has_iotlb;
	m->list.nr = 0;
	m->has_newest = false;
	remember(m, 0, UINT64_MAX);
}

void model_replace_memory(struct model *m)
{
	remember(m, 0, UINT64_MAX);
}

static struct outcome refuse(unsigned int why)
{
	return (struct outcome){.refused = why};
}

static bool wraps(uint64_t start, uint64_t size)
{
	return size > UINT64_MAX - start + (start > 0);
}

static bool is_user_range(uint64_t addr, uint64_t size)
{
	return addr <= MODEL_USER_END && size <= MODEL_USER_END - addr;
}

static struct model *find_space(struct model *m, uint32_t asid)
{
	while (m && m->asid != asid)
		m = m->other;
	return m;
}

static bool is_permission(uint8_t perm)
{
	return perm >= VHOST_ACCESS_RO && perm <= VHOST_ACCESS_RW;
}

/*
 * Versions 1 and 2. A malformed message is EINVAL, all else is EFAULT. Of the
 * permission nothing is checked, and the address as far as it may be accessed.
 * An INVALIDATE is for all of each mapping that it reaches.
 */
static struct outcome write_one(struct model *first, const uint8_t *bytes, size_t readable)
{
	const size_t header = 8;
	struct vhost_iotlb_msg op;
	struct model *m = first;
	uint32_t head[2];
	uint64_t last;

	if (readable < header + sizeof(op))
		return refuse(REFUSE_EINVAL);
	memcpy(head, bytes, sizeof(head));
	if (head[0] == VHOST_IOTLB_MSG_V2 && first->has_asid)
		m = find_space(first, head[1]);
	memcpy(&op, bytes + header, sizeof(op));
	last = op.iova + op.size - 1;

	switch (op.type) {
	case VHOST_IOTLB_UPDATE:
		if (!op.size)
			return refuse(REFUSE_EINVAL);
		if (!first->has_iotlb || wraps(op.iova, op.size) || wraps(op.uaddr, op.size))
			return refuse(REFUSE_EFAULT);
		if ((op.perm & VHOST_ACCESS_RW) && !is_user_range(op.uaddr, op.size))
			return refuse(REFUSE_EFAULT);
		if (!m)
			return refuse(REFUSE_ENXIO);
		model_map(m, op.iova, last, op.uaddr, op.perm);
		break;
	case VHOST_IOTLB_ACCESS_FAIL:
		if (!first->has_iotlb || !first->can_fail || !is_permission(op.perm))
			return refuse(REFUSE_EFAULT);
		break;
	case VHOST_IOTLB_INVALIDATE:
		if (!first->has_iotlb)
			return refuse(REFUSE_EFAULT);
		if (!m || (!op.size && op.iova))
			break;
		if (!op.size || wraps(op.iova, op.size))
			last = UINT64_MAX;
		model_invalidate_whole(m, op.iova, last);
		break;
	default:
		return refuse(REFUSE_EFAULT);
	}
	return (struct outcome){.result = sizeof(struct vhost_msg_v2)};
}

static bool may_be_all(const struct vhost_iotlb_op *op)
{
	return op->type != VHOST_IOTLB_UPDATE;
}

static bool has_good_range(const struct vhost_iotlb_op *op)
{
	if (!op->size)
		return may_be_all(op) && !op->iova;
	return !wraps(op->iova, op->size);
}

static bool has_token(const struct vhost_iotlb_op *op)
{
	return op->flags & VHOST_IOTLB_OP_F_TOKEN;
}

/* Of what answers a miss. */
static unsigned int faults_of_answer(struct model *first, const struct vhost_iotlb_op *op)
{
	const struct model *m = find_space(first, op->asid);

	if (!is_permission(op->perm))
		return REFUSE_EINVAL;
	if (has_token(op) ? m && op->token > m->now : op->token != 0)
		return REFUSE_EINVAL;
	return 0;
}

static unsigned int faults_of_fail(struct model *first, const struct vhost_iotlb_op *op)
{
	unsigned int faults = faults_of_answer(first, op);

	if (op->uaddr)
		faults |= REFUSE_EINVAL;
	if (op->flags & ~VHOST_IOTLB_OP_F_TOKEN &&
	    (op->flags != VHOST_IOTLB_OP_F_ALL_ASIDS || op->asid))
		faults |= REFUSE_EINVAL;
	if (!first->can_fail)
		faults |= REFUSE_EOPNOTSUPP;
	return faults;
}

static unsigned int faults_of_update(struct model *first, const struct vhost_iotlb_op *op)
{
	unsigned int faults = faults_of_answer(first, op);

	if (op->flags & ~VHOST_IOTLB_OP_F_TOKEN)
		faults |= REFUSE_EINVAL;
	if (!is_user_range(op->uaddr, op->size))
		faults |= REFUSE_EFAULT;
	return faults;
}

static unsigned int faults_of_op(struct model *m, const struct vhost_iotlb_op *op)
{
	unsigned int faults = 0;

	if (!has_good_range(op))
		faults |= REFUSE_EINVAL;
	switch (op->type) {
	case VHOST_IOTLB_UPDATE:
		return faults | faults_of_update(m, op);
	case VHOST_IOTLB_ACCESS_FAIL:
		return faults | faults_of_fail(m, op);
	case VHOST_IOTLB_INVALIDATE:
	case VHOST_IOTLB_MISS:
	case VHOST_IOTLB_RETRY:
		if (op->perm || op->token || op->uaddr)
			faults |= REFUSE_EINVAL;
		if (op->flags & ~VHOST_IOTLB_OP_F_ALL_ASIDS || (op->flags && op->asid))
			faults |= REFUSE_EINVAL;
		return faults;
	default:
		return REFUSE_EINVAL;
	}
}

/* Returns why it could not be applied, or 0. */
static unsigned int apply(struct model *first, const struct vhost_iotlb_op *op)
{
	uint64_t last = op->size ? op->iova + op->size - 1 : UINT64_MAX;
	struct model *m;

	if (op->type == VHOST_IOTLB_INVALIDATE)
		for (m = first; m; m = m->other)
			if (m->asid == op->asid || op->flags & VHOST_IOTLB_OP_F_ALL_ASIDS)
				model_invalidate(m, op->iova, last);
	m = find_space(first, op->asid);
	if (m && has_token(op) && model_is_stale(m, op->token, op->iova, last))
		return REFUSE_ESTALE;
	if (op->type != VHOST_IOTLB_UPDATE)
		return 0;
	if (!m)
		return REFUSE_ENXIO;
	model_map(m, op->iova, last, op->uaddr, op->perm);
	return 0;
}

static struct outcome write_many(struct model *m, const uint8_t *bytes, size_t length,
				 size_t readable)
{
	unsigned int faults = 0, applied = 0, why = 0;
	struct vhost_iotlb_op op;
	struct vhost_msg_v3 head;

	if (length < sizeof(head))
		return refuse(REFUSE_EINVAL);
	if (readable < sizeof(head))
		return refuse(REFUSE_EINVAL | REFUSE_EFAULT);
	memcpy(&head, bytes, sizeof(head));
	if (head.num > VHOST_IOTLB_MAX_OPS)
		faults |= REFUSE_E2BIG;
	if (length != sizeof(head) + head.num * sizeof(op))
		faults |= REFUSE_EINVAL;
	if (faults)
		return refuse(faults);

	if (readable < length)
		return refuse(REFUSE_EFAULT | REFUSE_EINVAL);
	for (unsigned int i = 0; i < head.num; i++) {
		memcpy(&op, bytes + sizeof(head) + i * sizeof(op), sizeof(op));
		faults |= faults_of_op(m, &op);
	}
	if (!m->has_iotlb && (faults || head.num))
		faults |= REFUSE_ENODEV;
	if (faults)
		return refuse(faults);

	for (; applied < head.num; applied++) {
		memcpy(&op, bytes + sizeof(head) + applied * sizeof(op), sizeof(op));
		why = apply(m, &op);
		if (why)
			break;
	}
	if (why && !applied)
		return refuse(why);
	return (struct outcome){.result = sizeof(head) + applied * sizeof(op)};
}

struct outcome model_write(struct model *m, const void *bytes, size_t length, size_t readable)
{
	uint32_t version;

	for (struct model *it = m; it; it = it->other)
		it->has_newest = false;
	if (readable < sizeof(version))
		return refuse(REFUSE_EINVAL);
	memcpy(&version, bytes, sizeof(version));
	switch (version) {
	case VHOST_IOTLB_MSG:
	case VHOST_IOTLB_MSG_V2:
		return write_one(m, bytes, readable);
	case VHOST_IOTLB_MSG_V3:
		return write_many(m, bytes, length, readable);
	default:
		return refuse(REFUSE_EINVAL);
	}
}

bool outcome_is(const struct outcome *expected, ssize_t result)
{
	switch (result) {
	case -EINVAL:
		return expected->refused & REFUSE_EINVAL;
	case -E2BIG:
		return expected->refused & REFUSE_E2BIG;
	case -EFAULT:
		return expected->refused & REFUSE_EFAULT;
	case -ENODEV:
		return expected->refused & REFUSE_ENODEV;
	case -ESTALE:
		return expected->refused & REFUSE_ESTALE;
	case -ENXIO:
		return expected->refused & REFUSE_ENXIO;
	case -EOPNOTSUPP:
		return expected->refused & REFUSE_EOPNOTSUPP;
	default:
		return !expected->refused && result == expected->result;
	}
}

const struct mapping *mapping_find(const struct mapping_list *list, uint64_t iova)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->at[i].start <= iova && list->at[i].last >= iova)
			return &list->at[i];
	return NULL;
}

bool mapping_is_part(const struct mapping_list *part, const struct mapping_list *whole)
{
	size_t w = 0;

	for (size_t i = 0; i < part->nr; i++) {
		const struct mapping *p = &part->at[i], *q;

		while (w < whole->nr && whole->at[w].last < p->start)
			w++;
		if (w == whole->nr)
			return false;
		q = &whole->at[w];
		if (p->start < q->start || p->last > q->last || p->perm != q->perm ||
		    p->addr != q->addr + (p->start - q->start))
			return false;
	}
	return true;
}

bool mapping_equal(const struct mapping_list *a, const struct mapping_list *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = 0; i < a->nr; i++) {
		const struct mapping *p = &a->at[i], *q = &b->at[i];

		if (p->start != q->start || p->last != q->last || p->addr != q->addr ||
		    p->perm != q->perm)
			return false;
	}
	return true;
}
