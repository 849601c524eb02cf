/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is to be written to vhost devices is gathered, and goes out in one
 * message for each device: the locks of a device are taken once, and not for
 * each of its virtqueues.
 */
#ifndef IOTLB_ANSWER_BATCH_H
#define IOTLB_ANSWER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vhost_msg.h"

struct answer;
struct iotlb_record;

/**
 * struct answer_target - a device, as a batch sees it
 * @fd:		vhost fd
 * @has_v3:	it takes messages of version 3
 * @has_asid:	it has address spaces, and these say which one is meant; without,
 *		all that it has is asid 0
 * @has_access_fail: it takes VHOST_IOTLB_ACCESS_FAIL
 * @next:	target of the same batch
 * @first:	its operations in the batch, in order
 * @last:	the last of them
 *
 * Belongs to the caller, who sets @fd and what it has. The rest, zero at first, is the
 * batch's.
 */
struct answer_target {
	int fd;
	bool has_v3;
	bool has_asid;
	bool has_access_fail;
	struct answer_target *next;
	struct answer_slot *first;
	struct answer_slot *last;
};

#define ANSWER_BATCH_MAX 512

/**
 * struct answer_slot - an operation in a batch
 * @next:	operation for the same target
 * @op:		the operation
 */
struct answer_slot {
	struct answer_slot *next;
	struct vhost_iotlb_op op;
};

/**
 * struct answer_batch - operations for many devices
 * @write:	write(2)
 * @answered:	told of each UPDATE what has become of it: 0, -ESTALE if vhost
 *		lets the virtqueue miss again because the answer may be out of
 *		date, -ENXIO if no virtqueue is in that address space any more, or
 *		another negative errno; the miss was then handed back
 * @arg:	passed to @answered
 * @dropped_err: how the first INVALIDATE that was refused was refused, 0 if none
 *		was; for the caller to set to 0. A device without an IOTLB has
 *		nothing to drop, and refuses nothing.
 * @targets:	devices with operations
 * @last:	the last of them
 * @count:	operations
 * @slots:	the operations
 * @msg:	of them, those of one device; with a header
 */
struct answer_batch {
	ssize_t (*write)(int fd, const void *data, size_t size);
	void (*answered)(void *arg, struct answer_target *target, const struct vhost_iotlb_op *op,
			 int err);
	void *arg;
	int dropped_err;
	struct answer_target *targets;
	struct answer_target *last;
	size_t count;
	struct answer_slot slots[ANSWER_BATCH_MAX];
	union {
		struct vhost_msg_v3 msg;
		char room[sizeof(struct vhost_msg_v3) +
			  ANSWER_BATCH_MAX * sizeof(struct vhost_iotlb_op)];
	};
};

/* Make an empty batch; @answered and @arg as in the struct. */
void answer_batch_init(struct answer_batch *batch,
		       void (*answered)(void *arg, struct answer_target *target,
					const struct vhost_iotlb_op *op, int err),
		       void *arg);

/*
 * All of these add an operation, and flush the batch before if it is full. They
 * are applied in this order, for each device.
 */

/* The translation that @miss waits for. */
void answer_batch_update(struct answer_batch *batch, struct answer_target *target,
			 const struct iotlb_record *miss, const struct answer *answer);

/* Let somebody else answer @miss, and others there: whoever reads the vhost fd. */
void answer_batch_hand_back(struct answer_batch *batch, struct answer_target *target,
			    const struct iotlb_record *miss);

/* Drop what an INVALIDATE says, which may be nothing that this device could have;
 * or another operation that concerns no single miss.
 */
void answer_batch_add(struct answer_batch *batch, struct answer_target *target,
		      const struct vhost_iotlb_op *op);

/* Drop all translations, of all address spaces. */
void answer_batch_invalidate_all(struct answer_batch *batch, struct answer_target *target);

/* Have the virtqueue miss again that waits with @miss, and others there. */
void answer_batch_retry(struct answer_batch *batch, struct answer_target *target,
			const struct iotlb_record *miss);

/* Have all virtqueues that wait miss again, in whichever address space they are. */
void answer_batch_retry_all(struct answer_batch *batch, struct answer_target *target);

/* Write them, and have the batch empty. */
void answer_batch_flush(struct answer_batch *batch);

#endif /* IOTLB_ANSWER_BATCH_H */
