// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "answer_batch.h"
#include "iotlb_record.h"
#include "vhost_msg.h"

void answer_batch_init(struct answer_batch *batch,
		       void (*answered)(void *arg, struct answer_target *target,
					const struct vhost_iotlb_op *op, int err),
		       void *arg)
{
	batch->write = write;
	batch->answered = answered;
	batch->arg = arg;
	batch->dropped_err = 0;
	batch->targets = NULL;
	batch->count = 0;
}

static void append(struct answer_batch *batch, struct answer_target *target,
		   const struct vhost_iotlb_op *op)
{
	struct answer_slot *slot;

	if (batch->count == ANSWER_BATCH_MAX)
		answer_batch_flush(batch);

	slot = &batch->slots[batch->count++];
	slot->next = NULL;
	slot->op = *op;
	if (target->first) {
		target->last->next = slot;
	} else {
		target->first = slot;
		target->next = NULL;
		if (batch->targets)
			batch->last->next = target;
		else
			batch->targets = target;
		batch->last = target;
	}
	target->last = slot;
}

void answer_batch_update(struct answer_batch *batch, struct answer_target *target,
			 const struct iotlb_record *miss, const struct answer *answer)
{
	bool token = miss->flags & IOTLB_RECORD_F_TOKEN;

	append(batch, target,
	       &(struct vhost_iotlb_op){
		       .type = VHOST_IOTLB_UPDATE,
		       .iova = answer->iova,
		       .size = answer->last - answer->iova + 1,
		       .uaddr = answer->hva,
		       .perm = answer->perm,
		       .asid = miss->asid,
		       .flags = token ? VHOST_IOTLB_OP_F_TOKEN : 0,
		       .token = token ? miss->token : 0,
	       });
}

/* Those that wait for this address */
static void append_waiting(struct answer_batch *batch, struct answer_target *target,
			   const struct iotlb_record *miss, uint8_t type)
{
	append(batch, target,
	       &(struct vhost_iotlb_op){
		       .type = type,
		       .iova = miss->iova,
		       .size = 1,
		       .asid = miss->asid,
	       });
}

void answer_batch_hand_back(struct answer_batch *batch, struct answer_target *target,
			    const struct iotlb_record *miss)
{
	append_waiting(batch, target, miss, VHOST_IOTLB_MISS);
}

void answer_batch_retry(struct answer_batch *batch, struct answer_target *target,
			const struct iotlb_record *miss)
{
	append_waiting(batch, target, miss, VHOST_IOTLB_RETRY);
}

void answer_batch_add(struct answer_batch *batch, struct answer_target *target,
		      const struct vhost_iotlb_op *op)
{
	struct vhost_iotlb_op said = *op;

	if (!target->has_asid) {
		/* Nothing can be in an address space that there is not. */
		if (said.asid)
			return;
		said.flags &= ~VHOST_IOTLB_OP_F_ALL_ASIDS;
	}
	append(batch, target, &said);
}

void answer_batch_invalidate_all(struct answer_batch *batch, struct answer_target *target)
{
	answer_batch_add(batch, target,
			 &(struct vhost_iotlb_op){
				 .type = VHOST_IOTLB_INVALIDATE,
				 .flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
			 });
}

void answer_batch_retry_all(struct answer_batch *batch, struct answer_target *target)
{
	answer_batch_add(batch, target,
			 &(struct vhost_iotlb_op){
				 .type = VHOST_IOTLB_RETRY,
				 .flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
			 });
}

static void tell(struct answer_batch *batch, struct answer_target *target,
		 const struct vhost_iotlb_op *op, int err)
{
	if (op->type == VHOST_IOTLB_UPDATE)
		batch->answered(batch->arg, target, op, err);
	if (op->type == VHOST_IOTLB_INVALIDATE && err != -ENODEV && !batch->dropped_err)
		batch->dropped_err = err;
}

/* How many of the first @count operations were applied, or a negative errno. */
static ssize_t write_msg(struct answer_batch *batch, int fd, size_t count)
{
	const size_t header = sizeof(batch->msg);
	const size_t each = sizeof(batch->msg.ops[0]);
	ssize_t written;

	batch->msg.type = VHOST_IOTLB_MSG_V3;
	batch->msg.num = count;
	do {
		written = batch->write(fd, &batch->msg, header + count * each);
	} while (written < 0 && errno == EINTR);

	if (written < 0)
		return -errno;
	if ((size_t)written < header + each || (size_t)written > header + count * each)
		return -EIO;
	return (written - header) / each;
}

/* A virtqueue must not wait for what will not come, so what cannot be answered
 * is handed back. Returns whether that is still to be written.
 */
static bool hand_back_instead(struct vhost_iotlb_op *op, int err)
{
	/* vhost lets it miss anew; or there is nothing that could miss. */
	if (op->type != VHOST_IOTLB_UPDATE || err == -ESTALE || err == -ENXIO || err == -ENODEV)
		return false;
	*op = (struct vhost_iotlb_op){
		.type = VHOST_IOTLB_MISS,
		.iova = op->iova,
		.size = op->size,
		.asid = op->asid,
	};
	return true;
}

/**
 * write_some() - write operations of one device as far as that goes
 * @batch:	with the operations in its message
 * @target:	the device
 * @count:	operations, one at least
 *
 * Return: how many operations are done with, whether they were applied or not;
 * 0 if the first one has been replaced.
 */
static size_t write_some(struct answer_batch *batch, struct answer_target *target, size_t count)
{
	struct vhost_iotlb_op *ops = batch->msg.ops;
	ssize_t applied;
	size_t i;

	if (count > VHOST_IOTLB_MAX_OPS)
		count = VHOST_IOTLB_MAX_OPS;
	applied = write_msg(batch, target->fd, count);
	/* Another one than the first may be to blame. */
	if (applied < 0 && count > 1 && applied != -ESTALE && applied != -ENXIO &&
	    applied != -ENODEV)
		applied = write_msg(batch, target->fd, 1);

	if (applied < 0) {
		tell(batch, target, &ops[0], applied);
		return !hand_back_instead(&ops[0], applied);
	}
	for (i = 0; i < (size_t)applied; i++)
		tell(batch, target, &ops[i], 0);
	return applied;
}

static void write_v3(struct answer_batch *batch, struct answer_target *target)
{
	struct vhost_iotlb_op *ops = batch->msg.ops;
	const struct answer_slot *slot;
	size_t count = 0, done;

	for (slot = target->first; slot; slot = slot->next)
		ops[count++] = slot->op;

	while (count) {
		done = write_some(batch, target, count);
		count -= done;
		if (count && done)
			memmove(ops, ops + done, count * sizeof(*ops));
	}
}

static void write_v2(struct answer_batch *batch, struct answer_target *target)
{
	const struct answer_slot *slot;

	for (slot = target->first; slot; slot = slot->next)
		tell(batch, target, &slot->op, vhost_msg_v2_apply(target->fd, &slot->op));
}

void answer_batch_flush(struct answer_batch *batch)
{
	struct answer_target *target, *next;

	for (target = batch->targets; target; target = next) {
		next = target->next;
		if (target->has_v3)
			write_v3(batch, target);
		else
			write_v2(batch, target);
		target->first = NULL;
	}
	batch->targets = NULL;
	batch->count = 0;
}
