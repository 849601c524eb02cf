/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What changes the device but by messages. All return false if what happens is
 * not what should.
 */
#ifndef FUZZ_CHANGE_H
#define FUZZ_CHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/virtio_config.h>

#define WITH_IOTLB (1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM)
#define WITHOUT_IOTLB (1ULL << VIRTIO_F_VERSION_1)

/* @features: one of these */
bool change_features(uint64_t features);

bool change_owner(void);
bool change_no_owner(void);

/* A memory table, or one that must be refused. */
bool change_memory(bool good);

/* Are misses to be read as messages of the third version? */
bool change_backend(bool v3);

/* Address spaces, too. */
bool change_backend_asid(void);

#endif /* FUZZ_CHANGE_H */
