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
	__u32 reserved;
};

#ifndef __bpf__

#include <stdbool.h>

struct hook;

/* The struct_ops of hook.bpf.c. */
enum hook_kind {
	HOOK_GOOD,
	HOOK_SLEEPS,	   /* its program may sleep */
	HOOK_EMPTY,	   /* it has no program */
	HOOK_WITHOUT_LINK, /* it is attached without a BPF link */
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

/* How often the program was asked. */
unsigned int hook_calls(const struct hook *h);

/* Take the oldest record. Return: 0, or -EAGAIN if there is none. */
int hook_take(struct hook *h, struct hook_record *record);

#endif /* __bpf__ */

#endif /* KERNEL_TEST_HOOK_H */
