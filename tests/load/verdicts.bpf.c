// SPDX-License-Identifier: GPL-2.0
/* Counts what another BPF program, the one that takes misses, returns. */
#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_helpers.h>

#include "vhost.h"

char LICENSE[] SEC("license") = "GPL";

__u64 passed, queued, refused, others;

/* Where the result is depends on the arguments, of which the kernel is not sure. */
SEC("fexit")
int count_verdict(void *ctx)
{
	__u64 *count = &others, result = 0;
	int verdict;

	bpf_get_func_ret(ctx, &result);
	verdict = result;
	if (verdict == VHOST_IOTLB_MISS_PASS)
		count = &passed;
	else if (verdict == VHOST_IOTLB_MISS_QUEUED)
		count = &queued;
	else if (verdict == -ENOSPC)
		count = &refused;
	__sync_fetch_and_add(count, 1);
	return 0;
}
