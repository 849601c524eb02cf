// SPDX-License-Identifier: GPL-2.0
/*
 * The page walk as BPF, over memory of its own: whether the verifier takes it,
 * at what cost, and whether it finds what user space finds.
 */
#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_helpers.h>

#include "vtd_walk.h"

char LICENSE[] SEC("license") = "GPL";

#define MEMORY_SIZE (1 << 18)

__u64 memory[MEMORY_SIZE / sizeof(__u64)];
struct vtd_unit unit;
struct vtd_request request;
struct vtd_translation translation;
struct vtd_walk where;

static __always_inline int read_memory(void *unused, enum vtd_table table, int level, __u64 gpa,
				       void *to, __u32 size)
{
	__u64 *words = to;
	__u32 i, first;

	(void)unused;
	(void)table;
	(void)level;
	if (gpa > MEMORY_SIZE - size)
		return -EFAULT;
	first = gpa / sizeof(__u64);
	for (i = 0; i < size / sizeof(__u64); i++)
		words[i] = memory[(first + i) % (MEMORY_SIZE / sizeof(__u64))];
	return 0;
}

SEC("syscall")
int walk(void *ctx)
{
	struct vtd_translation found;
	struct vtd_walk end;

	(void)ctx;
	if (!vtd_walk(&unit, &request, read_memory, 0, &found, &end))
		translation = found;
	where = end;
	return 0;
}

/* In place of the kernel's function that reads guest memory. */
static __always_inline int read_kernel(void *unused, enum vtd_table table, int level, __u64 gpa,
				       void *to, __u32 size)
{
	(void)unused;
	(void)table;
	(void)level;
	return bpf_probe_read_kernel(to, size, (const void *)gpa);
}

SEC("syscall")
int walk_helper(void *ctx)
{
	struct vtd_translation found;
	struct vtd_walk end;

	(void)ctx;
	if (!vtd_walk(&unit, &request, read_kernel, 0, &found, &end))
		translation = found;
	where = end;
	return 0;
}
