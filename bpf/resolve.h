/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Resolves misses in the kernel: walks the guest's IOMMU tables and says at
 * once where an address leads, so that the virtqueue need not stop.
 *
 * The tables are in the guest's memory, and only what is resident can be read
 * here. Whatever cannot be resolved, for that or another reason, is left to the
 * loader, who can sleep, and knows how to complain. So are mappings that are
 * larger than a page: as these serve many misses, the loader puts them into the
 * IOTLB.
 *
 * This is run for each packet, so it keeps no time and no record, and counts
 * where it has to look anyway.
 */
#ifndef BPF_RESOLVE_H
#define BPF_RESOLVE_H

#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "deliver.h"
#include "vhost.h"
#include "vtd_walk.h"

/* Not in the first kernels with the hook. */
extern int bpf_vhost_guest_read(struct vhost_iotlb_miss_ctx *miss, __u64 gpa, void *dst,
				__u32 dst__sz) __ksym __weak;
extern int bpf_vhost_guest_read_u64(struct vhost_iotlb_miss_ctx *miss, __u64 gpa,
				    __u64 *dst) __ksym __weak;
extern int bpf_vhost_guest_set_u64(struct vhost_iotlb_miss_ctx *miss, __u64 gpa, __u64 old,
				   __u64 bits) __ksym __weak;
extern int bpf_vhost_iotlb_map(struct vhost_iotlb_miss_ctx *miss, __u64 iova, __u64 gpa, __u64 size,
			       __u32 perm) __ksym __weak;

#define RESOLVE_PAGE_SIZE 4096

/* Times that flags are set which the guest clears before they are seen */
#define RESOLVE_TRIES 2

/* What a walk has come to */
enum resolved {
	RESOLVED_NO, /* the loader has to do it */
	RESOLVED_YES,
	RESOLVED_FLAGS, /* accessed or dirty flags have to be set first */
};

/* For vtd_walk(). Sizes are constant there; one word has a function of its own. */
static __always_inline int resolve_read(void *miss, enum vtd_table table, int level, __u64 gpa,
					void *to, __u32 size)
{
	(void)table;
	(void)level;
	if (size == sizeof(__u64))
		return bpf_vhost_guest_read_u64(miss, gpa, to);
	return bpf_vhost_guest_read(miss, gpa, to, size);
}

/* For vtd_walk_set() */
static __always_inline int resolve_set(void *miss, __u64 gpa, __u64 old, __u64 bits)
{
	return bpf_vhost_guest_set_u64(miss, gpa, old, bits);
}

/* Is the neighbour of the page wanted, too? */
static __always_inline bool resolve_spans_pages(const struct vhost_iotlb_miss_ctx *miss)
{
	return miss->iova % RESOLVE_PAGE_SIZE + miss->len > RESOLVE_PAGE_SIZE;
}

/* The address space that the virtqueue is in: a PASID, or 0. */
static __always_inline __u32 resolve_asid(const struct vhost_iotlb_miss_ctx *miss)
{
	return bpf_core_field_exists(miss->asid) ? miss->asid : 0;
}

/* The walk has found it: say so, or leave it to the loader. */
static __always_inline enum resolved resolve_map(struct vhost_iotlb_miss_ctx *miss,
						 struct resolver_device *device,
						 const struct vtd_translation *found)
{
	if (found->level != 1) {
		__sync_fetch_and_add(&device->large, 1);
		return RESOLVED_NO;
	}
	if (bpf_vhost_iotlb_map(miss, found->iova, found->gpa, found->size, found->perm)) {
		__sync_fetch_and_add(&device->faults, 1);
		return RESOLVED_NO;
	}
	__sync_fetch_and_add(&device->resolved, 1);
	return RESOLVED_YES;
}

/* Not the last word if flags can be set. */
static __always_inline enum resolved resolve_fault(struct resolver_device *device,
						   enum vtd_fault fault)
{
	if (fault == VTD_FAULT_ACCESSED_DIRTY && bpf_ksym_exists(bpf_vhost_guest_set_u64))
		return RESOLVED_FLAGS;
	__sync_fetch_and_add(&device->faults, 1);
	return RESOLVED_NO;
}

/* That was the last word. */
static __always_inline bool resolve_end(struct resolver_device *device, enum resolved resolved)
{
	if (resolved == RESOLVED_FLAGS)
		__sync_fetch_and_add(&device->faults, 1);
	return resolved == RESOLVED_YES;
}

/* What is asked for. Whoever is called gets @pasid, as it is dear to look for. */
static __always_inline struct vtd_request resolve_request(const struct vhost_iotlb_miss_ctx *miss,
							  const struct resolver_device *device,
							  __u32 pasid)
{
	return (struct vtd_request){
		.iova = miss->iova,
		.pasid = pasid,
		.source_id = device->source_id,
		.access = miss->access,
		.merge = resolve_spans_pages(miss),
	};
}

/*
 * The walk. A function of its own: it takes most of the stack that there is, and
 * whoever is called when it is over needs some too.
 */
static __noinline enum resolved resolve_walk(struct vhost_iotlb_miss_ctx *miss,
					     struct resolver_device *device, __u32 pasid)
{
	const struct vtd_request request = resolve_request(miss, device, pasid);
	struct vtd_translation found;
	enum vtd_fault fault;

	fault = vtd_walk(&device->unit, &request, resolve_read, miss, &found, NULL);
	if (fault)
		return resolve_fault(device, fault);
	return resolve_map(miss, device, &found);
}

/* Sets the flags that a walk has to, or sees whether it could. Return: a fault. */
static __noinline int resolve_set_flags(struct vhost_iotlb_miss_ctx *miss,
					const struct resolver_device *device, __u32 pasid,
					bool is_trial)
{
	const struct vtd_request request = resolve_request(miss, device, pasid);

	if (!bpf_ksym_exists(bpf_vhost_guest_set_u64))
		return VTD_FAULT_ACCESSED_DIRTY;
	return vtd_walk_set(&device->unit, &request, resolve_read, resolve_set, is_trial, miss,
			    NULL);
}

/* The walk has found flags missing: set them, and walk again. */
static __noinline bool resolve_with_flags(struct vhost_iotlb_miss_ctx *miss,
					  struct resolver_device *device, __u32 pasid)
{
	enum resolved resolved = RESOLVED_FLAGS;
	int i;

	for (i = 0; i < RESOLVE_TRIES && resolved == RESOLVED_FLAGS; i++) {
		if (resolve_set_flags(miss, device, pasid, true))
			break;
		resolve_set_flags(miss, device, pasid, false);
		resolved = resolve_walk(miss, device, pasid);
	}
	return resolve_end(device, resolved);
}

/**
 * resolve() - translate a miss here and now
 * @miss:	the miss
 * @device:	of the device
 * @pasid:	of its requests, or VTD_NO_PASID
 *
 * Return: true if that is done, false if the loader has to do it.
 */
static __always_inline bool resolve(struct vhost_iotlb_miss_ctx *miss,
				    struct resolver_device *device, __u32 pasid)
{
	enum resolved resolved = resolve_walk(miss, device, pasid);

	if (resolved != RESOLVED_FLAGS)
		return resolved;
	return resolve_with_flags(miss, device, pasid);
}

#endif /* BPF_RESOLVE_H */
