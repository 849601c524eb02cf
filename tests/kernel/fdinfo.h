/* SPDX-License-Identifier: GPL-2.0 */
/* What /proc/self/fdinfo tells of a vhost file descriptor. */
#ifndef KERNEL_TEST_FDINFO_H
#define KERNEL_TEST_FDINFO_H

#include <stdbool.h>
#include <stdint.h>

#define FDINFO_REGIONS 8
#define FDINFO_SPACES 4

struct fdinfo_region {
	uint64_t gpa, size, hva;
};

/* An address space other than 0. */
struct fdinfo_space {
	uint32_t asid;
	unsigned int entries, limit;
	char queues[16]; /* the virtqueues in it, in words */
};

struct fdinfo {
	bool has_id;
	uint64_t id;
	bool has_iotlb;
	unsigned int entries, limit;
	bool has_fallbacks;
	unsigned int timeouts, refused, detached;
	bool has_mem_seq;
	uint64_t mem_seq;
	unsigned int nr_spaces; /* all of them, even beyond FDINFO_SPACES */
	struct fdinfo_space spaces[FDINFO_SPACES];
	unsigned int nr_regions; /* all of them, even beyond FDINFO_REGIONS */
	struct fdinfo_region regions[FDINFO_REGIONS];
	char tap[16]; /* interface that is the backend, "" without one */
};

void fdinfo_read(struct fdinfo *info, int fd);

/* Entries of the IOTLB. */
unsigned int fdinfo_entries(int fd);

/* Entries of the IOTLB of an address space, -1 if there is none. */
int fdinfo_entries_in(int fd, uint32_t asid);

/* The device's number, 0 without the patches. */
uint64_t fdinfo_id(int fd);

/* The module's parameter: the most entries that an IOTLB may have. */
unsigned int fdinfo_limit(void);

#endif /* KERNEL_TEST_FDINFO_H */
