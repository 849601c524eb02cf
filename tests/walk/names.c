// SPDX-License-Identifier: GPL-2.0
#include "names.h"

const char *const fault_names[VTD_NR_FAULTS] = {
	[VTD_OK] = "ok",
	[VTD_FAULT_READ] = "read",
	[VTD_FAULT_MODE] = "mode",
	[VTD_FAULT_ROOT_PRESENT] = "root-present",
	[VTD_FAULT_ROOT_RESERVED] = "root-reserved",
	[VTD_FAULT_CONTEXT_PRESENT] = "context-present",
	[VTD_FAULT_CONTEXT_RESERVED] = "context-reserved",
	[VTD_FAULT_CONTEXT_TYPE] = "context-type",
	[VTD_FAULT_PASID_REQUEST] = "pasid-request",
	[VTD_FAULT_DIRECTORY_PRESENT] = "directory-present",
	[VTD_FAULT_DIRECTORY_RESERVED] = "directory-reserved",
	[VTD_FAULT_PASID_PRESENT] = "pasid-present",
	[VTD_FAULT_PASID_RESERVED] = "pasid-reserved",
	[VTD_FAULT_PASID_TYPE] = "pasid-type",
	[VTD_FAULT_WIDTH] = "width",
	[VTD_FAULT_PRESENT] = "present",
	[VTD_FAULT_RESERVED] = "reserved",
	[VTD_FAULT_PERMISSION] = "permission",
	[VTD_FAULT_NESTED_READ] = "nested-read",
	[VTD_FAULT_NESTED_WIDTH] = "nested-width",
	[VTD_FAULT_NESTED_PRESENT] = "nested-present",
	[VTD_FAULT_NESTED_RESERVED] = "nested-reserved",
	[VTD_FAULT_NESTED_PERMISSION] = "nested-permission",
};

const char *const table_names[VTD_NR_TABLES] = {
	[VTD_TABLE_ROOT] = "root",
	[VTD_TABLE_CONTEXT] = "context",
	[VTD_TABLE_SCALABLE_CONTEXT] = "scalable-context",
	[VTD_TABLE_PASID_DIRECTORY] = "pasid-directory",
	[VTD_TABLE_PASID] = "pasid",
	[VTD_TABLE_SECOND_LEVEL] = "second-level",
	[VTD_TABLE_FIRST_LEVEL] = "first-level",
};

const char *const path_names[NR_PATHS] = {
	[PATH_UNKNOWN] = "-",
	[PATH_LEGACY_SECOND] = "legacy",
	[PATH_LEGACY_PASS_THROUGH] = "legacy-pass-through",
	[PATH_FIRST] = "first",
	[PATH_SECOND] = "second",
	[PATH_NESTED] = "nested",
	[PATH_PASS_THROUGH] = "pass-through",
};
