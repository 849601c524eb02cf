/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A translator knows what IOVA means which guest-physical address. One is
 * chosen by name when the program starts.
 */
#ifndef IOTLB_TRANSLATOR_H
#define IOTLB_TRANSLATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_memory.h"
#include "iommu_view.h"
#include "mapping.h"
#include "vtd_types.h"

struct resolver_device;
struct sva_space;
struct trail;
struct translator;

/**
 * struct translator_args - what the command line says
 * @table_path:	--table, NULL if it is not there
 * @vtd_path:	--vtd, NULL if it is not there
 * @asks_qemu:	each lookup comes with a view of the IOMMU
 */
struct translator_args {
	const char *table_path;
	const char *vtd_path;
	bool asks_qemu;
};

/**
 * struct lookup - what a translator is asked
 * @dev:	the device
 * @index:	how many devices its owner had before it; counted no further than
 *		translator_ops::told_apart says
 * @iova:	the address
 * @access:	what the device wants to do there: VHOST_ACCESS_RO, _WO or _RW
 * @memory:	of its guest
 * @trail:	of the device, or NULL
 * @view:	what QEMU says of the guest's IOMMU, NULL if it was not asked
 * @space:	of the PASID of the request, for translator_pasid
 */
struct lookup {
	uint64_t dev;
	size_t index;
	uint64_t iova;
	uint32_t access;
	struct guest_memory memory;
	struct trail *trail;
	const struct iommu_view *view;
	const struct sva_space *space;
};

/**
 * struct finding - what it answers
 * @mapping:	the mapping around the address; with VTD_FAULT_ACCESSED_DIRTY, what it
 *		will be when the flags are set
 * @walk:	where a walk of the guest's tables has ended; its fault is VTD_OK
 *		if there was none
 */
struct finding {
	struct mapping mapping;
	struct vtd_walk walk;
};

/**
 * struct translator_ops - one way to translate
 * @name:	for the command line
 * @summary:	one line for the help
 * @reads_memory: it reads the guest's memory
 * @check:	are the arguments good for it? Says itself what is wrong; 0 or
 *		-EINVAL
 * @open:	gets ready, and says itself what is wrong; 0 or a negative
 *		errno; may be NULL
 * @translate:	finds the whole mapping around an address of a device; 0,
 *		-ENOENT if there is none, or another negative errno; whether it
 *		allows an access is for the caller to see
 * @told_apart:	how many devices of one process it knows apart: those after
 *		them are as the last of these. NULL: all devices are alike
 * @resolver:	what the kernel has to know to translate for a device by itself;
 *		NULL if it cannot
 * @close:	the end; may be NULL
 *
 * The result of @translate is all zero when it is called.
 */
struct translator_ops {
	const char *name;
	const char *summary;
	bool reads_memory;
	int (*check)(const struct translator_args *args);
	int (*open)(struct translator *translator, const struct translator_args *args);
	int (*translate)(struct translator *translator, const struct lookup *lookup,
			 struct finding *finding);
	size_t (*told_apart)(const struct translator *translator);
	void (*resolver)(const struct translator *translator, size_t index,
			 struct resolver_device *device);
	void (*close)(struct translator *translator);
};

/**
 * struct translator - a translator at work
 * @ops:	what it does
 * @state:	its own
 */
struct translator {
	const struct translator_ops *ops;
	void *state;
};

/* All of them, with NULL at the end; the first is the default. */
extern const struct translator_ops *const translators[];

extern const struct translator_ops translator_identity;
extern const struct translator_ops translator_table;
extern const struct translator_ops translator_vtd;

/* Not among them: for requests with a PASID */
extern const struct translator_ops translator_pasid;

/* The one of this name, NULL if there is none. */
const struct translator_ops *translator_by_name(const char *name);

/* For translator_ops::check: an option that another translator goes by; 0, or
 * -EINVAL after a message if it is there.
 */
int translator_refuse(const char *name, const char *option, const char *path);

/**
 * translator_walked() - what a walk of the guest's tables has come to
 * @lookup:	what was asked
 * @fault:	of the walk
 * @found:	by it, if there was none, or only flags are missing
 * @finding:	its mapping is filled in then
 *
 * Return: as translator_ops::translate.
 */
int translator_walked(const struct lookup *lookup, enum vtd_fault fault,
		      const struct vtd_translation *found, struct finding *finding);

#endif /* IOTLB_TRANSLATOR_H */
