/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared virtual addressing: which PASIDs a vhost device has, and by which page
 * tables of its guest they are translated. The four parts are those of the 2019
 * series "vfio: support Shared Virtual Addressing"; the structs that are named
 * here are those of <linux/iommu.h> in Linux 5.12, and of <linux/iommufd.h>,
 * which has come in their place.
 *
 * Nothing is written or read here. What has to be dropped from the device IOTLBs
 * is emitted as vhost operations, in their order; as soon as the caller has
 * written them, what the call was about has happened.
 *
 * PASIDs are one space for all devices, as the series has it, so that a number
 * is never taken for one of another guest. Each device has a quota. All memory is
 * bounded by SVA_MAX_PASIDS.
 *
 * Everything belongs to the client that has made it, until the client goes, or
 * is kept. What is kept belongs to the device, and every client may use it.
 */
#ifndef IOTLB_SVA_H
#define IOTLB_SVA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sva_error.h"
#include "vhost_msg.h"

struct memory_table;
struct sva;

/* PASIDs have 20 bits. 0 are the requests without PASID, and never allocated. */
#define SVA_PASID_BITS 20
#define SVA_PASID_LAST ((1U << SVA_PASID_BITS) - 1)

/* Allocated at a time, by all devices */
#define SVA_MAX_PASIDS 65536

#define SVA_QUOTA_DEFAULT 1024

/* Client of what is kept; no client has this number. */
#define SVA_KEPT 0

/**
 * typedef sva_emit_fn - something is to be written to a device
 * @arg:	as of struct sva_options
 * @device:	its id
 * @op:		VHOST_IOTLB_INVALIDATE, or VHOST_IOTLB_RETRY where there may be a
 *		translation now
 */
typedef void (*sva_emit_fn)(void *arg, uint64_t device, const struct vhost_iotlb_op *op);

/**
 * typedef sva_changed_fn - sva_find() finds something else from now on
 * @arg:	as of struct sva_options
 * @device:	id of the device
 * @pasid:	the PASID; 0 for all that nothing is bound to
 *
 * Called before what follows from it is emitted.
 */
typedef void (*sva_changed_fn)(void *arg, uint64_t device, uint32_t pasid);

/**
 * struct sva_options - how to begin
 * @quota:	PASIDs that a device may have
 * @emit:	takes what is to be written
 * @changed:	may be NULL
 * @arg:	passed to both
 */
struct sva_options {
	uint32_t quota;
	sva_emit_fn emit;
	sva_changed_fn changed;
	void *arg;
};

/**
 * struct sva_caller - for whom, and about what
 * @client:	who wants it, not SVA_KEPT
 * @device:	id of the device; it is there
 * @memory:	of its guest
 * @has_iommu:	so has the guest, and the device may be behind its second level: what
 *		a process has for guest-physical is not yet
 */
struct sva_caller {
	uint64_t client;
	uint64_t device;
	const struct memory_table *memory;
	bool has_iommu;
};

/**
 * struct sva_table - a PASID table of the guest: struct iommu_pasid_table_config,
 * of which only the translating kind is worth attaching
 * @base:	GPA of the PASID directory (base_ptr)
 * @bits:	of the PASIDs that it is for (pasid_bits), 13 to 20
 */
struct sva_table {
	uint64_t base;
	uint8_t bits;
};

/* struct iommu_gpasid_bind_data_vtd::flags, IOMMU_SVA_VTD_GPASID_*, and enum
 * iommu_hwpt_vtd_s1_flags, which has kept SRE, EAFE and WPE.
 */
#define SVA_BIND_SRE (1U << 0)	/* privileged requests */
#define SVA_BIND_EAFE (1U << 1) /* extended accessed flag */
#define SVA_BIND_PCD (1U << 2)	/* memory types, up to CD */
#define SVA_BIND_PWT (1U << 3)
#define SVA_BIND_EMTE (1U << 4)
#define SVA_BIND_CD (1U << 5)
#define SVA_BIND_WPE (1U << 6) /* privileged requests respect read-only pages */
#define SVA_BIND_KNOWN ((1U << 7) - 1)
#define SVA_BIND_SUPPORTED (SVA_BIND_SRE | SVA_BIND_WPE)

/**
 * struct sva_binding - a page table of the guest: struct iommu_gpasid_bind_data,
 * struct iommu_hwpt_vtd_s1
 * @root:	GPA of its first table (gpgd, pgtbl_addr), before the second level if
 *		there is one
 * @width:	of addresses (addr_width): 48 or 57
 * @flags:	SVA_BIND_SUPPORTED
 * @has_guest_pasid: the next is valid (IOMMU_SVA_GPASID_VAL)
 * @guest_pasid: what the guest calls it (gpasid); only kept for who asks
 */
struct sva_binding {
	uint64_t root;
	uint8_t width;
	uint32_t flags;
	bool has_guest_pasid;
	uint32_t guest_pasid;
};

/* enum iommu_inv_granularity */
enum sva_granularity {
	SVA_DOMAIN,  /* all PASIDs of the device, and requests without */
	SVA_PASID,   /* a PASID, or 0 for requests without */
	SVA_ADDRESS, /* a range of addresses of that, or without a PASID, of all */
};

/* IOMMU_CACHE_INV_TYPE_* */
#define SVA_CACHE_IOTLB (1U << 0)
#define SVA_CACHE_DEV_IOTLB (1U << 1)
#define SVA_CACHE_PASID (1U << 2)
#define SVA_CACHE_KNOWN ((1U << 3) - 1)

/**
 * struct sva_invalidation - what the guest has changed: struct
 * iommu_cache_invalidate_info, struct iommu_hwpt_vtd_s1_invalidate
 * @caches:	SVA_CACHE_*; vhost has one that holds what comes out of all
 * @granularity: of what
 * @has_pasid:	the next is valid (IOMMU_INV_ADDR_FLAGS_PASID)
 * @pasid:	the PASID, or 0
 * @address:	SVA_ADDRESS: the first one
 * @granule:	size of a page (granule_size)
 * @count:	how many of them (nb_granules)
 * @leaf:	only entries that map pages have changed (IOMMU_INV_ADDR_FLAGS_LEAF,
 *		IOMMU_VTD_INV_FLAGS_LEAF). vhost keeps no others, so this spares
 *		nothing.
 */
struct sva_invalidation {
	uint32_t caches;
	enum sva_granularity granularity;
	bool has_pasid;
	uint32_t pasid;
	uint64_t address;
	uint64_t granule;
	uint64_t count;
	bool leaf;
};

/* NULL if there is no memory for it. */
struct sva *sva_open(const struct sva_options *options);

/* Nothing is emitted, and nothing told. NULL is fine. */
void sva_close(struct sva *sva);

/*
 * A call that is refused has changed nothing and emitted nothing.
 */

/**
 * sva_attach() - the guest says by a PASID table what is bound
 * @sva:	all there is
 * @caller:	who, and which device
 * @table:	the table
 * @keep:	it stays when the client goes
 *
 * While it is attached, nothing can be bound, and any PASID of its bits can be
 * invalidated: the guest gives them out.
 */
enum sva_error sva_attach(struct sva *sva, const struct sva_caller *caller,
			  const struct sva_table *table, bool keep);

/* No longer, and nothing that it said is left in the device IOTLB. */
enum sva_error sva_detach(struct sva *sva, const struct sva_caller *caller);

/**
 * sva_alloc() - a PASID for a device (VFIO_IOMMU_PASID_REQUEST)
 * @sva:	all there is
 * @caller:	who, and which device
 * @min:	not less
 * @max:	not more
 * @keep:	it stays when the client goes, with what is bound to it
 * @pasid:	set on success; one that was freed is not given out again soon
 */
enum sva_error sva_alloc(struct sva *sva, const struct sva_caller *caller, uint32_t min,
			 uint32_t max, bool keep, uint32_t *pasid);

/* What is bound to it is unbound before. */
enum sva_error sva_free(struct sva *sva, const struct sva_caller *caller, uint32_t pasid);

/* Translate a PASID by a page table; IOMMU_HWPT_ALLOC with a parent, and attach. */
enum sva_error sva_bind(struct sva *sva, const struct sva_caller *caller, uint32_t pasid,
			const struct sva_binding *binding);

/* No longer, and nothing of it is left in the device IOTLB. */
enum sva_error sva_unbind(struct sva *sva, const struct sva_caller *caller, uint32_t pasid);

/* Drop from the device IOTLB what the guest has changed; IOMMU_HWPT_INVALIDATE. */
enum sva_error sva_invalidate(struct sva *sva, const struct sva_caller *caller,
			      const struct sva_invalidation *invalidation);

/* All that is its own, and not kept, is detached and freed. */
void sva_client_gone(struct sva *sva, uint64_t client);

/**
 * sva_forget_gone() - forget all that belongs to devices that are not there
 * @sva:	all there is
 * @is_there:	is this device there?
 * @arg:	passed to it
 *
 * Ids of devices are never used again, so this may be done at any time. Nothing
 * is emitted.
 */
void sva_forget_gone(struct sva *sva, bool (*is_there)(void *arg, uint64_t device), void *arg);

/**
 * struct sva_pasid_info - a PASID
 * @pasid:	its number
 * @client:	whose it is, or SVA_KEPT
 * @is_bound:	a page table is bound to it
 * @binding:	which
 */
struct sva_pasid_info {
	uint32_t pasid;
	uint64_t client;
	bool is_bound;
	struct sva_binding binding;
};

/**
 * sva_next() - a device's PASIDs in ascending order
 * @sva:	all there is
 * @device:	id of the device
 * @after:	look beyond this PASID
 * @info:	filled in
 *
 * Return: false if there is none.
 */
bool sva_next(const struct sva *sva, uint64_t device, uint32_t after, struct sva_pasid_info *info);

/**
 * struct sva_space - what translates the requests that have a PASID
 * @pasid:	the PASID
 * @binding:	the page table that is bound to it, or NULL
 * @table:	otherwise, the PASID table in which it may be
 *
 * Points into what may change with each call.
 */
struct sva_space {
	uint32_t pasid;
	const struct sva_binding *binding;
	const struct sva_table *table;
};

/* Fills in @space for a PASID of the caller's device. */
enum sva_error sva_space_of(const struct sva *sva, const struct sva_caller *caller, uint32_t pasid,
			    struct sva_space *space);

/**
 * sva_find() - what translates a request, whoever may use it
 * @sva:	all there is
 * @device:	id of the device
 * @pasid:	of the request
 * @space:	filled in; with neither binding nor table, there is no translation
 *
 * Return: false if nobody manages the PASIDs of the device here. Then it is for the
 * tables of the guest's IOMMU to say.
 */
bool sva_find(const struct sva *sva, uint64_t device, uint32_t pasid, struct sva_space *space);

/* May this client use the PASID of a device, or any PASID of it? If nobody manages
 * them here, they are the guest's, and everybody may.
 */
bool sva_is_usable(const struct sva *sva, uint64_t client, uint64_t device, uint32_t pasid);
bool sva_has_usable(const struct sva *sva, uint64_t client, uint64_t device);

/* What is bound to a PASID of the device, or NULL. */
const struct sva_binding *sva_binding_of(const struct sva *sva, uint64_t device, uint32_t pasid);

/* The table that is attached to the device, or NULL. */
const struct sva_table *sva_table_of(const struct sva *sva, uint64_t device);

/* How many PASIDs a device has; 0 if nothing is known of it. */
size_t sva_count_of(const struct sva *sva, uint64_t device);

#endif /* IOTLB_SVA_H */
