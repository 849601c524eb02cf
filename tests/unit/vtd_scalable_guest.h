/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of scalable mode, for the tests of the page walk. */
#ifndef VTD_SCALABLE_GUEST_H
#define VTD_SCALABLE_GUEST_H

#include "vtd_guest.h"

#define DIRECTORY 0x3000ULL
#define PASID_TABLE 0x4000ULL
#define FIRST_TABLE 0x5000ULL
#define SECOND_TABLE 0x6000ULL

#define PGTT(type) ((uint64_t)(type) << 6)
#define AW(levels) ((uint64_t)((levels)-2) << 2)
#define FLPM(levels) ((uint64_t)((levels)-4) << 2)

/* Flags of first-level entries */
#define P 1ULL
#define RW 2ULL
#define US 4ULL
#define AD 0x60ULL /* accessed and dirty */
#define PS 0x80ULL

/* RID_PASID is 5. */
static uint64_t *scalable_context, *pasid_entry;

static inline void use_type(int type)
{
	guest_init(1 << 10);
	*at(ROOT_TABLE) = CONTEXT_TABLE | 1;
	scalable_context = at(CONTEXT_TABLE + 8 * 32);
	scalable_context[0] = DIRECTORY | 1;
	scalable_context[1] = 5;
	*at(DIRECTORY) = PASID_TABLE | 1;
	pasid_entry = at(PASID_TABLE + 5 * 64);
	pasid_entry[0] = SECOND_TABLE | PGTT(type) | AW(4) | 1;
	pasid_entry[1] = 1;
	pasid_entry[2] = FIRST_TABLE;
}

#endif /* VTD_SCALABLE_GUEST_H */
