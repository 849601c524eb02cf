/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device whose virtqueues are in address spaces of their own. In all of them
 * the rings are at ASID_RINGS, and buffers at ASID_BUFFER: only the address
 * space tells whose they are.
 */
#ifndef KERNEL_TEST_ASID_H
#define KERNEL_TEST_ASID_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "vhost_msg_v3.h"

/* Where the virtqueues are; whatever loses a bit of it shows. */
#define ASID_RX 0x80000007U
#define ASID_TX 7U

/* Nothing is there. */
#define ASID_OTHER 0x70007U

#define ASID_RINGS 0x500000000ULL
#define ASID_BUFFER 0x600000000ULL

/* Set backend features; @v3: misses are to be read as messages of type V3. */
int asid_accept(const struct device *d, bool v3);

/* VHOST_SET_VRING_ASID. Return: 0 or a negative errno, as of all functions here. */
int asid_move(const struct device *d, unsigned int queue, uint32_t asid);

/* An operation without data, in a message of type V3. */
int asid_write(const struct device *d, uint32_t asid, int type, uint64_t iova, uint64_t size);

/* The same for all address spaces. */
int asid_write_all(const struct device *d, int type, uint64_t iova, uint64_t size);

/* Map a page. */
int asid_map(const struct device *d, uint32_t asid, uint64_t iova, unsigned int page);
int asid_map_by(const struct device *d, uint32_t asid, uint64_t iova, unsigned int page,
		uint64_t token);

/* The same in a message of type V2. */
int asid_map_v2(const struct device *d, uint32_t asid, uint64_t iova, unsigned int page);

/* A device with misses of type V3 that does not run. */
struct device *asid_open(void);

/* Map the ring of a virtqueue. */
void asid_map_ring(const struct device *d, unsigned int queue, uint32_t asid);

/* The same with both virtqueues running: all is mapped but ASID_BUFFER. */
struct device *asid_open_running(void);

/* Have the device send what is at ASID_BUFFER, after putting a frame on @page. */
void asid_send(struct device *d, unsigned int page, uint32_t tag);

/* Have it receive a frame at ASID_BUFFER. */
void asid_receive(struct device *d, uint32_t tag);

/* The tag of the frame that it has received on @page, or -1. */
int64_t asid_received(const struct device *d, unsigned int page);

#endif /* KERNEL_TEST_ASID_H */
