// SPDX-License-Identifier: GPL-2.0
/*
 * Walks the tables of a guest for each translation that its QEMU writes to vhost,
 * at that moment, in QEMU's own context, and compares. QEMU has just walked them
 * itself, so they are in memory; and the packet that wants the translation is
 * under way, so the guest does not change it.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "vhost.h"
#include "vtd_walk.h"

#include "equality.h"

#define PAGE_4K 4096

/* BPF_PROG() makes functions with a parameter that not all of them use. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

/* Set before the programs are attached. */
__u32 qemu;
__u64 device;
__u32 pasid;
__u16 source_id;
struct vtd_unit unit;

/* The regions are those of the device's memory table of this number. */
__u64 umem_seq;
__u32 nregions;
struct equality_region regions[EQUALITY_REGIONS];

/* The last miss of each virtqueue: there is one at a time. */
struct equality_miss misses[EQUALITY_VQS];

struct equality_result result;

/* Global functions: verified once, not once for each caller. */

/* Where it is in QEMU's address space, 0 if it is no guest memory */
__noinline __u64 hva_of(__u64 gpa)
{
	__u32 i;

	for (i = 0; i < EQUALITY_REGIONS && i < nregions; i++)
		if (gpa >= regions[i].gpa && gpa <= regions[i].last)
			return regions[i].hva + (gpa - regions[i].gpa);
	return 0;
}

/* For vtd_walk() */
static __always_inline int read_guest(void *memory, enum vtd_table table, int level, __u64 gpa,
				      void *to, __u32 size)
{
	const __u64 hva = hva_of(gpa);

	(void)memory;
	(void)table;
	(void)level;
	return hva ? bpf_probe_read_user(to, size, (const void *)hva) : -1;
}

/* A function of its own: the walk takes most of the stack that there is. */
static __noinline int walk(struct equality_answer *answer)
{
	struct vtd_request request = {
		.iova = answer->iova,
		.pasid = pasid,
		.source_id = source_id,
		.access = answer->access,
	};
	struct vtd_translation found;
	struct vtd_walk where;

	answer->fault = vtd_walk(&unit, &request, read_guest, NULL, &found, &where);
	if (answer->fault)
		return answer->fault;
	answer->found_perm = found.perm;
	answer->found_size = found.size;
	answer->found_hva = hva_of(found.gpa + (answer->iova - found.iova));
	return 0;
}

static __always_inline int is_equal(const struct equality_answer *answer)
{
	return answer->hva == answer->found_hva &&
	       (answer->perm & answer->found_perm) == answer->found_perm &&
	       (answer->size == answer->found_size || answer->size == PAGE_4K);
}

/* What the miss wants that this answers; reading if there was none */
static __always_inline __u32 wanted(__u64 iova, __u64 size)
{
	__u32 i;

	for (i = 0; i < EQUALITY_VQS; i++)
		if (misses[i].access && misses[i].iova - iova < size)
			return misses[i].access;
	return VTD_READ;
}

static __always_inline void keep(const struct equality_answer *answer)
{
	const __u64 number = __sync_fetch_and_add(&result.different, 1);

	if (number < EQUALITY_KEPT)
		result.kept[number] = *answer;
}

SEC("tp_btf/vhost_iotlb_miss")
int BPF_PROG(note_miss, struct vhost_virtqueue *vq, __u64 iova, __u64 len, __u32 access, __u32 area,
	     int verdict)
{
	struct equality_miss *miss;

	if (!vq || vq->dev->id != device)
		return 0;
	miss = &misses[vq->index & (EQUALITY_VQS - 1)];
	miss->iova = iova;
	miss->access = access;
	return 0;
}

SEC("tp_btf/vhost_iotlb_update")
int BPF_PROG(compare, struct vhost_dev *dev, __u64 iova, __u64 size, __u64 uaddr, __u32 perm,
	     int ret)
{
	struct equality_answer answer = {.iova = iova, .size = size, .hva = uaddr, .perm = perm};

	if (!dev || dev->id != device || bpf_get_current_pid_tgid() >> 32 != qemu)
		return 0;
	if (dev->umem_seq != umem_seq) {
		__sync_fetch_and_add(&result.elsewhere, 1);
		return 0;
	}
	answer.access = wanted(iova, size);
	if (walk(&answer) || !is_equal(&answer)) {
		keep(&answer);
		return 0;
	}
	__sync_fetch_and_add(&result.equal, 1);
	if (answer.size < answer.found_size)
		__sync_fetch_and_add(&result.clipped, 1);
	if (answer.perm != answer.found_perm)
		__sync_fetch_and_add(&result.wider, 1);
	return 0;
}
