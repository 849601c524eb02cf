/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page walk in the kernel: a vhost device whose memory is that of a guest
 * of tests/walk, and a BPF program that is asked when the device misses.
 */
#ifndef WALK_KERNEL_WALK_H
#define WALK_KERNEL_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/deliver.h"
#include "guest.h"
#include "in_kernel.h"

/* What the device sends from a page, at most. */
#define KERNEL_WALK_DATA 64

/**
 * struct kernel_walk - what came of a miss
 * @result:	of the walk
 * @resolved, @large, @faults: what iotlbd's program has counted, doing it again
 * @is_sent:	the program has resolved the miss; otherwise it was put on the fd
 * @data:	what the device then read and sent, from the address on
 * @size:	of this
 */
struct kernel_walk {
	struct in_kernel_result result;
	unsigned int resolved, large, faults;
	bool is_sent;
	uint8_t data[KERNEL_WALK_DATA];
	size_t size;
};

/* Make the device, load the program. Bails out if it cannot. */
void kernel_walk_open(void);
void kernel_walk_close(void);

/* How much the verifier had to look at. */
unsigned int kernel_walk_verified(void);

/* Does the device have something there that is not a miss? */
bool kernel_walk_is_taken(uint64_t iova);

/*
 * The device's memory: each page is a region, or, if they lie beside each
 * other, all are one.
 */
void kernel_walk_set_memory(const struct guest *guest, bool is_one);

/* Bytes that a miss at @iova wants: they do not leave the page. */
size_t kernel_walk_size(uint64_t iova);

/*
 * Have the device miss, for reading, and see what comes of it. The second walk,
 * that of iotlbd's program, is for what the device wants and not for
 * @request->access. Return: NULL, or what is wrong.
 */
const char *kernel_walk_run(const struct vtd_unit *unit, const struct vtd_request *request,
			    struct kernel_walk *walk);

#endif /* WALK_KERNEL_WALK_H */
