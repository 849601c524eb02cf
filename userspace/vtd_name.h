/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_VTD_NAME_H
#define IOTLB_VTD_NAME_H

#include "vtd_types.h"

/* Short and stable, for programs: "context-present"; "unknown" if it is none. */
const char *vtd_fault_name(enum vtd_fault fault);
const char *vtd_table_name(enum vtd_table table);

/* For people: "the context entry is not present". */
const char *vtd_fault_text(enum vtd_fault fault);

#endif /* IOTLB_VTD_NAME_H */
