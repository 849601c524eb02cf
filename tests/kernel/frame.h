/* SPDX-License-Identifier: GPL-2.0 */
/* Ethernet frames that tell where they come from. */
#ifndef KERNEL_TEST_FRAME_H
#define KERNEL_TEST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_ETHERTYPE 0x88b5 /* for experiments (IEEE Std 802) */
#define FRAME_HEADER 12	       /* struct virtio_net_hdr_v1 before each frame */
#define FRAME_SIZE 200
#define FRAME_BUFFER (FRAME_HEADER + FRAME_SIZE)
#define FRAME_MAX 1500

/* Writes FRAME_SIZE bytes that differ from those of any other @tag. */
void frame_fill(void *frame, uint32_t tag);

/* The same with @size bytes, FRAME_MAX at most. */
void frame_fill_size(void *frame, size_t size, uint32_t tag);

/* frame_fill() with the header before it, FRAME_BUFFER bytes. */
void frame_put(void *buffer, uint32_t tag);

/* The tag of a frame that is as it was made, whatever its size, or -1. */
int64_t frame_tag(const void *frame, size_t size);

#endif /* KERNEL_TEST_FRAME_H */
