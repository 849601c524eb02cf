/* SPDX-License-Identifier: GPL-2.0 */
/* The BPF program that is asked about misses, and what it writes down. */
#ifndef KERNEL_TEST_HOOK_H
#define KERNEL_TEST_HOOK_H

/* Also read by hook.bpf.c, which has no C library. */
#include <linux/types.h>

struct hook_record {
	__u64 dev;
	__u64 iova;
	__u64 len;
	__u64 token;
	__u32 vq;
	__u32 access;
	__u32 tgid;
	__u32 asid;
};

/* Verdicts. */
#define HOOK_PASS 0
#define HOOK_QUEUED 1
#define HOOK_RESOLVED 2

/* What the program answers to misses in a range, by bpf_vhost_iotlb_map(). */
struct hook_answer {
	__u64 first; /* the range, bytes; not in use if it has none */
	__u64 length;
	__u64 iova; /* what it says of it */
	__u64 gpa;
	__u64 size;
	__u64 piece;	/* a power of two: say no more at once than these bytes; 0: all */
	__u32 backward; /* the pieces are in the opposite order at @gpa */
	__u32 perm;
	__s32 verdict;	/* in place of the hook's */
	__s32 refused;	/* verdict if the kernel refuses what the program says */
	__s32 returned; /* by bpf_vhost_iotlb_map(), the last time */
	__u32 reserved;
	__u64 calls;
};

#define HOOK_ANSWERS 8
#define HOOK_READ_MAX 128
#define HOOK_PIECE_MIN 4096 /* the kernel takes no less: these begin earlier */
#define HOOK_READ_FILL 0xa5 /* what is there before */

/* What the program reads at each miss, by bpf_vhost_guest_read() or _u64(). */
struct hook_read {
	__u64 gpa;
	__u32 size;	/* HOOK_READ_MAX at most */
	__s32 returned; /* the last time */
	__u64 calls;	/* how often it has read */
	__u32 enabled;
	__u32 offset; /* into the bytes, 7 at most */
	__u32 word;   /* by bpf_vhost_guest_read_u64() */
	__u32 reserved;
	__u8 bytes[HOOK_READ_MAX + 8];
};

/* What the program sets at each miss, after it has read: bpf_vhost_guest_set_u64(). */
struct hook_set {
	__u64 gpa;
	__u64 old;
	__u64 bits;
	__u32 rounds;	/* how often at each miss; 0: do not */
	__u32 step;	/* bytes from one round to the next */
	__u32 reads;	/* first read what is there, in place of old */
	__s32 returned; /* the last time */
	__u64 done;	/* how often it was set */
	__u64 fresh;	/* and how often where not all of it was */
	__u64 changed;	/* and how often not, because of a change */
	__u64 failed;	/* and how often for another reason */
};

#ifndef __bpf__

#include <stdbool.h>
#include <stdint.h>

struct hook;

/* The struct_ops of hook.bpf.c. */
enum hook_kind {
	HOOK_GOOD,
	HOOK_SLEEPS,	   /* its program may sleep */
	HOOK_EMPTY,	   /* it has no program */
	HOOK_WITHOUT_LINK, /* it is attached without a BPF link */
	HOOK_MAPS_OTHER,   /* it says where something is that is not the miss */
	HOOK_READS_OTHER,  /* it reads by something that is not the miss */
	HOOK_READS_BEYOND, /* it reads more than it has room for */
	HOOK_READS_WORD_OTHER,
	HOOK_READS_WORD_BEYOND,
	HOOK_SETS_OTHER,   /* it sets bits by something that is not the miss */
	HOOK_SLEEPS_READS, /* it may sleep, and reads */
	NR_HOOK_KINDS,
};

/**
 * hook_load() - load a struct_ops and its program
 * @kind:	which
 * @error:	0 or a negative errno
 *
 * Return: the hook, or NULL. The runner closes it after the check.
 */
struct hook *hook_load(enum hook_kind kind, int *error);

/* Return: 0 or a negative errno. */
int hook_attach(struct hook *h);

/* A good hook that is attached and answers @verdict. */
struct hook *hook_open(int verdict);

/* Close the link. */
void hook_detach(struct hook *h);

/* Detach, without closing, what the link holds. Return: 0 or -errno. */
int hook_detach_forced(struct hook *h);

/* Does the link hold nothing any more, and poll() say so? */
bool hook_is_detached(const struct hook *h);

/* Wait until it does. Return: false after LIMIT_MS. */
bool hook_wait_detached(const struct hook *h);
void hook_close(struct hook *h);
void hook_close_all(void);

void hook_set_verdict(struct hook *h, int verdict);

/*
 * Answer misses in @size bytes from @iova on: they are at @gpa on. The answer
 * can be changed while it lasts, which is as long as the hook.
 */
struct hook_answer *hook_resolve(struct hook *h, uint64_t iova, uint64_t size, uint64_t gpa,
				 unsigned int perm);

/* Do not answer these any more. */
void hook_forget(struct hook_answer *answer);

/* Read at the next misses. */
void hook_set_read(struct hook *h, uint64_t gpa, unsigned int size);

/* The same to an address that is so many bytes beyond a multiple of 8. */
void hook_set_read_at(struct hook *h, uint64_t gpa, unsigned int size, unsigned int offset);

/* The same with 8 bytes, by bpf_vhost_guest_read_u64(). */
void hook_set_read_word(struct hook *h, uint64_t gpa, unsigned int offset);

/* What came of it. */
const struct hook_read *hook_read(const struct hook *h);

/* What the hook sets at misses: to be filled in, rounds last. */
struct hook_set *hook_set(struct hook *h);

/*
 * Load a program that is not asked about misses, but attached to something
 * else, and reads the guest's memory. Return: 0 or a negative errno.
 */
int hook_load_tracing(void);

/* How often the program was asked. */
unsigned int hook_calls(const struct hook *h);

/* Take the oldest record. Return: 0, or -EAGAIN if there is none. */
int hook_take(struct hook *h, struct hook_record *record);

#endif /* __bpf__ */

#endif /* KERNEL_TEST_HOOK_H */
