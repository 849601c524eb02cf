/* SPDX-License-Identifier: GPL-2.0 */
/* The device: /dev/vhost-net, a tap behind it, and messages to its IOTLB. */
#ifndef RACE_NIC_H
#define RACE_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/tap.h"
#include "space.h"
#include "vhost_msg_v3.h"

/* In one message */
#define MAX_OPS VHOST_IOTLB_MAX_OPS

/**
 * struct nic - the device
 * @space:	what it sees
 * @fd:		vhost
 * @tap:	behind it
 * @kick:	eventfds
 * @call:	eventfds
 * @has_tokens:	messages of version 3 are used, with tokens
 */
struct nic {
	struct space *space;
	int fd;
	struct tap tap;
	int kick[NR_QUEUES];
	int call[NR_QUEUES];
	bool has_tokens;
};

/* Does vhost have messages of version 3? */
bool nic_can_have_tokens(void);

/* Make a device that does not run. */
void nic_open(struct nic *n, struct space *s, bool has_tokens);
void nic_close(struct nic *n);

/* Let a virtqueue run: its rings are as the tables say. */
void nic_start(const struct nic *n, int queue);
void nic_stop(const struct nic *n, int queue);
void nic_kick(const struct nic *n, int queue);

/* Take a device that does not run from its owner, and set it up again. */
void nic_reset(const struct nic *n);

/* Set it up again, with an IOTLB, after it had none for a moment. */
void nic_drop_iotlb(const struct nic *n);

/* An empty IOTLB instead of the one that is there. */
void nic_replace_iotlb(const struct nic *n);

/* The memory table says what space->bank says. */
void nic_set_memory(const struct nic *n);

void nic_invalidate(const struct nic *n, uint64_t iova, uint64_t size);

/* Return: 0 or a negative errno. */
int nic_update(const struct nic *n, const struct vhost_iotlb_op *op);

/**
 * nic_write_ops() - write a message of version 3
 *
 * Return: how many operations were applied, or a negative errno.
 */
int nic_write_ops(const struct nic *n, const struct vhost_iotlb_op *ops, unsigned int count);

/**
 * nic_read_miss() - read a message without waiting
 *
 * Return: false if there is none.
 */
bool nic_read_miss(const struct nic *n, struct vhost_iotlb_op *miss);

/* What vhost says of the device: lines that begin with #. */
void nic_dump(const struct nic *n);

#endif /* RACE_NIC_H */
