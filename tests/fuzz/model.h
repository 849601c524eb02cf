/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the IOTLB of a device must hold and a write() must return, worked out
 * from what Documentation/virt/vhost_iotlb.rst says, in the most obvious way:
 * mappings are a sorted array, which is searched from its start.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More than any IOTLB here may ever hold. */
#define MODEL_MAX 16384

/* Invalidations that a token may be behind. */
#define MODEL_HISTORY 128

/* One beyond the last address that a process can have. */
#define MODEL_USER_END 0x7ffffffff000ULL

struct mapping {
	uint64_t start, last; /* I/O virtual addresses */
	uint64_t addr;	      /* what @start is mapped to */
	uint32_t perm;
};

struct mapping_list {
	size_t nr;
	struct mapping at[MODEL_MAX];
};

struct invalidation {
	uint64_t start, last;
};

/**
 * struct model - an address space of a device
 * @asid:	its number
 * @other:	another one, or NULL; for the rest, there is none
 * @has_asid:	messages of version 2 say which one is meant
 * @has_iotlb:	whether there is an IOTLB to write to
 * @can_fail:	the device takes VHOST_IOTLB_ACCESS_FAIL
 * @list:	its mappings, sorted; they do not overlap
 * @peak:	the most mappings that there were since this was last set, in between
 *		the operations of a message, too
 * @newest:	first address of what the last operation mapped, if @has_newest
 * @now:	what a token that is read now would be
 * @history:	the last invalidations; that which made @now what it is has the
 *		index @now % MODEL_HISTORY
 */
struct model {
	uint32_t asid;
	struct model *other;
	bool has_asid;
	bool has_iotlb;
	bool can_fail;
	struct mapping_list list;
	size_t peak;
	bool has_newest;
	uint64_t newest;
	uint64_t now;
	struct invalidation history[MODEL_HISTORY];
};

/* Why a write() is refused; more than one reason may be good. */
enum {
	REFUSE_EINVAL = 1 << 0,
	REFUSE_E2BIG = 1 << 1,
	REFUSE_EFAULT = 1 << 2,
	REFUSE_ENODEV = 1 << 3,
	REFUSE_ESTALE = 1 << 4,
	REFUSE_ENXIO = 1 << 5,
	REFUSE_EOPNOTSUPP = 1 << 6,
};

/**
 * struct outcome - how a write() ends
 * @refused:	REFUSE_*: with one of these, and nothing has changed
 * @result:	else: what it returns
 */
struct outcome {
	unsigned int refused;
	ssize_t result;
};

/* No IOTLB, no invalidation yet, and number 0. */
void model_init(struct model *m);

/* A new IOTLB, or none: all tokens so far are stale. */
void model_replace_iotlb(struct model *m, bool has_iotlb);

/* The memory table is another one: all tokens so far are stale. */
void model_replace_memory(struct model *m);

/**
 * model_write() - write to the vhost file descriptor
 * @m:		address space 0
 * @bytes:	the message
 * @length:	of what is written
 * @readable:	bytes of that at an address which can be read
 */
struct outcome model_write(struct model *m, const void *bytes, size_t length, size_t readable);

/* Does @result, or -errno, of a write() agree with @expected? */
bool outcome_is(const struct outcome *expected, ssize_t result);

/* Parts of the above, for tests. */
void model_map(struct model *m, uint64_t start, uint64_t last, uint64_t addr, uint32_t perm);
void model_unmap(struct model *m, uint64_t start, uint64_t last);
void model_invalidate(struct model *m, uint64_t start, uint64_t last);
void model_invalidate_whole(struct model *m, uint64_t start, uint64_t last);
bool model_is_stale(const struct model *m, uint64_t token, uint64_t start, uint64_t last);

/* The mapping of an address, or NULL. */
const struct mapping *mapping_find(const struct mapping_list *list, uint64_t iova);

/* Are all mappings of @part in @whole, with the same addresses and permissions? */
bool mapping_is_part(const struct mapping_list *part, const struct mapping_list *whole);

bool mapping_equal(const struct mapping_list *a, const struct mapping_list *b);

#endif /* FUZZ_MODEL_H */
