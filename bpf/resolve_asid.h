/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Resolves misses of virtqueues that are in an address space of their own: its
 * number is a PASID. What translates that is either said by the loader, in the map
 * "spaces", or it stands in the tables of the guest's IOMMU.
 */
#ifndef BPF_RESOLVE_ASID_H
#define BPF_RESOLVE_ASID_H

#include "resolve.h"
#include "vtd_space.h"

/*
 * What the loader has said of PASIDs; for all others of a device it is what stands
 * at PASID 0. See miss_hook_set_space() for who writes here, and when.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DELIVER_MAX_SPACES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct deliver_space);
	__type(value, struct vtd_space);
} spaces SEC(".maps");

static __always_inline const struct vtd_space *space_of(__u64 dev, __u32 pasid)
{
	struct deliver_space key = {.dev = dev, .pasid = pasid};
	const struct vtd_space *space = bpf_map_lookup_elem(&spaces, &key);

	if (space)
		return space;
	key.pasid = 0;
	return bpf_map_lookup_elem(&spaces, &key);
}

/*
 * The second level in which what was bound is nested. The guest may change it with
 * its tables, so it is looked for each time, as hardware does whose context cache is
 * empty. A function of its own: as resolve_walk().
 */
static __noinline bool find_parent(struct vhost_iotlb_miss_ctx *miss,
				   const struct resolver_device *device, struct vtd_parent *parent)
{
	struct vtd_walk where;

	if (!parent)
		return false;
	return !vtd_parent_find(&device->unit, device->source_id, resolve_read, miss, parent,
				&where);
}

/* As resolve_walk(), where the walk begins at @space. */
static __noinline enum resolved resolve_walk_from(struct vhost_iotlb_miss_ctx *miss,
						  struct resolver_device *device, __u32 pasid,
						  const struct vtd_space *space,
						  const struct vtd_parent *parent)
{
	const struct vtd_request request = resolve_request(miss, device, pasid);
	struct vtd_translation found;
	enum vtd_fault fault;

	if (!space || !parent)
		return RESOLVED_NO;
	fault = vtd_space_walk(&device->unit, &request, space, parent, resolve_read, miss, &found,
			       NULL);
	if (fault)
		return resolve_fault(device, fault);
	return resolve_map(miss, device, &found);
}

/* As resolve_set_flags(), the same way. */
static __noinline int resolve_set_flags_from(struct vhost_iotlb_miss_ctx *miss,
					     const struct resolver_device *device,
					     const struct vtd_space *space,
					     const struct vtd_parent *parent, bool is_trial)
{
	const struct vtd_request request = resolve_request(miss, device, resolve_asid(miss));

	if (!space || !parent || !bpf_ksym_exists(bpf_vhost_guest_set_u64))
		return VTD_FAULT_ACCESSED_DIRTY;
	return vtd_space_set(&device->unit, &request, space, parent, resolve_read, resolve_set,
			     is_trial, miss, NULL);
}

/* As resolve(), the same way. */
static __always_inline bool resolve_from(struct vhost_iotlb_miss_ctx *miss,
					 struct resolver_device *device, __u32 pasid,
					 const struct vtd_space *space,
					 const struct vtd_parent *parent)
{
	enum resolved resolved = resolve_walk_from(miss, device, pasid, space, parent);
	int i;

	if (resolved != RESOLVED_FLAGS)
		return resolved;
	for (i = 0; i < RESOLVE_TRIES && resolved == RESOLVED_FLAGS; i++) {
		if (resolve_set_flags_from(miss, device, space, parent, true))
			break;
		resolve_set_flags_from(miss, device, space, parent, false);
		resolved = resolve_walk_from(miss, device, pasid, space, parent);
	}
	return resolve_end(device, resolved);
}

/* A miss of a virtqueue whose PASID is @pasid, not 0, of device @dev. */
static __noinline bool resolve_with_pasid(struct vhost_iotlb_miss_ctx *miss,
					  struct resolver_device *device, __u64 dev, __u32 pasid)
{
	struct vtd_parent parent = {};
	const struct vtd_space *space;

	/* What a PASID cannot be, could be taken for another. */
	if (pasid >> VTD_PASID_BITS)
		return false;
	space = space_of(dev, pasid);
	if (!space)
		return resolve(miss, device, pasid);
	if (space->kind == VTD_SPACE_NONE)
		return false;
	if (space->kind == VTD_SPACE_FIRST && !find_parent(miss, device, &parent)) {
		__sync_fetch_and_add(&device->faults, 1);
		return false;
	}
	return resolve_from(miss, device, pasid, space, &parent);
}

#endif /* BPF_RESOLVE_ASID_H */
