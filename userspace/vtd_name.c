// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "vtd_name.h"

static const struct {
	const char *name;
	const char *text;
} faults[VTD_NR_FAULTS] = {
	[VTD_OK] = {"ok", "there is a translation"},
	[VTD_FAULT_READ] = {"read", "a table is not in the guest's memory"},
	[VTD_FAULT_MODE] = {"mode", "the translation table mode is reserved"},
	[VTD_FAULT_ROOT_PRESENT] = {"root-present", "the root entry is not present"},
	[VTD_FAULT_ROOT_RESERVED] = {"root-reserved", "the root entry has reserved bits set"},
	[VTD_FAULT_CONTEXT_PRESENT] = {"context-present", "the context entry is not present"},
	[VTD_FAULT_CONTEXT_RESERVED] = {"context-reserved",
					"the context entry has reserved bits set"},
	[VTD_FAULT_CONTEXT_TYPE] = {"context-type",
				    "the context entry's type or width is not supported"},
	[VTD_FAULT_PASID_REQUEST] = {"pasid-request",
				     "PASIDs are not enabled, or the PASID is too large"},
	[VTD_FAULT_DIRECTORY_PRESENT] = {"directory-present",
					 "the PASID directory entry is not present"},
	[VTD_FAULT_DIRECTORY_RESERVED] = {"directory-reserved",
					  "the PASID directory entry has reserved bits set"},
	[VTD_FAULT_PASID_PRESENT] = {"pasid-present", "the PASID table entry is not present"},
	[VTD_FAULT_PASID_RESERVED] = {"pasid-reserved",
				      "the PASID table entry has reserved bits set"},
	[VTD_FAULT_PASID_TYPE] = {"pasid-type", "what the PASID table entry says is not supported"},
	[VTD_FAULT_WIDTH] = {"width", "the IOVA is beyond the address width"},
	[VTD_FAULT_PRESENT] = {"present", "the paging entry is not present"},
	[VTD_FAULT_RESERVED] = {"reserved", "the paging entry has reserved bits set"},
	[VTD_FAULT_PERMISSION] = {"permission", "the paging entry does not allow the access"},
	[VTD_FAULT_ACCESSED_DIRTY] = {"accessed-dirty",
				      "the paging entry's accessed or dirty flag is not set"},
	[VTD_FAULT_NESTED_READ] = {"nested-read",
				   "a second-level table is not in the guest's memory"},
	[VTD_FAULT_NESTED_WIDTH] = {"nested-width",
				    "an address is beyond the width of the second level"},
	[VTD_FAULT_NESTED_PRESENT] = {"nested-present", "the second-level entry is not present"},
	[VTD_FAULT_NESTED_RESERVED] = {"nested-reserved",
				       "the second-level entry has reserved bits set"},
	[VTD_FAULT_NESTED_PERMISSION] = {"nested-permission",
					 "the second-level entry does not allow the access"},
	[VTD_FAULT_NESTED_WRITE] = {"nested-write",
				    "the second level does not allow to set the entry's flags"},
};

static const char *const tables[VTD_NR_TABLES] = {
	[VTD_TABLE_ROOT] = "root",
	[VTD_TABLE_CONTEXT] = "context",
	[VTD_TABLE_SCALABLE_CONTEXT] = "scalable-context",
	[VTD_TABLE_PASID_DIRECTORY] = "pasid-directory",
	[VTD_TABLE_PASID] = "pasid",
	[VTD_TABLE_SECOND_LEVEL] = "second-level",
	[VTD_TABLE_FIRST_LEVEL] = "first-level",
};

const char *vtd_fault_name(enum vtd_fault fault)
{
	return (unsigned int)fault < VTD_NR_FAULTS ? faults[fault].name : "unknown";
}

const char *vtd_fault_text(enum vtd_fault fault)
{
	return (unsigned int)fault < VTD_NR_FAULTS ? faults[fault].text : "unknown fault";
}

const char *vtd_table_name(enum vtd_table table)
{
	return (unsigned int)table < VTD_NR_TABLES ? tables[table] : "unknown";
}
