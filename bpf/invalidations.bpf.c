// SPDX-License-Identifier: GPL-2.0
/*
 * Counts invalidations by how much they are about: that tells how a guest's
 * kernel takes its mappings back.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "iotlb_invalidations.h"
#include "vhost.h"

/* A tracepoint has the arguments that it has. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IOTLB_INVALIDATIONS_DEVICES);
	__type(key, __u64);
	__type(value, struct iotlb_invalidations);
} invalidations SEC(".maps");

/* Of devices that found no room. */
__u64 lost;

static struct iotlb_invalidations *of_device(__u64 dev)
{
	const struct iotlb_invalidations none = {};
	struct iotlb_invalidations *found = bpf_map_lookup_elem(&invalidations, &dev);

	if (found)
		return found;
	bpf_map_update_elem(&invalidations, &dev, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&invalidations, &dev);
}

/* No two at once for a device: vhost holds its mutex. */
SEC("tp_btf/vhost_iotlb_invalidate")
int BPF_PROG(count_invalidate, const struct vhost_dev *dev, __u64 iova, __u64 size)
{
	struct iotlb_invalidations *of;

	/* It never is, but the verifier cannot know. */
	if (!dev)
		return 0;
	of = of_device(dev->id);
	if (!of)
		__sync_fetch_and_add(&lost, 1);
	else if (size && size <= IOTLB_INVALIDATION_PAGE)
		of->page++;
	else if (size && size < IOTLB_INVALIDATION_ALL)
		of->range++;
	else
		of->all++;
	return 0;
}
