/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Formats of the tables of Intel VT-d that lie in memory: "Intel Virtualization
 * Technology for Directed I/O, Architecture Specification" (D51397), revision
 * 4.1. Sections are those of that revision; it calls the second level
 * "second-stage", and so on.
 *
 * Bits are numbered from 0 for each 64 bit word. Not listed is what this
 * project has no use for, for example caching attributes.
 */
#ifndef VTD_H
#define VTD_H

#include <linux/types.h>

#define VTD_BIT(n) (1ULL << (n))
/* Bits from @low to @high, both included. */
#define VTD_BITS(high, low) (~0ULL >> (63 - (high)) & ~0ULL << (low))

/* Every table begins at a page; entries say where in these bits. */
#define VTD_TABLE_ADDRESS VTD_BITS(63, 12)

/*
 * RTADDR_REG, 11.4.5. Bits from the host address width on need not exist in
 * hardware: they are no fault, but taken to be zero.
 */
#define VTD_ROOT_MODE VTD_BITS(11, 10)
#define VTD_ROOT_MODE_LEGACY 0ULL
#define VTD_ROOT_MODE_SCALABLE VTD_BIT(10)

/*
 * Root entry, 9.1: 16 bytes, one for each bus. In scalable mode, 9.2, each half
 * has this format; the first is for devfn 0 to 127. In legacy mode, the second
 * half is reserved.
 */
#define VTD_ROOT_SIZE 16
#define VTD_ROOT_PRESENT VTD_BIT(0)
#define VTD_ROOT_RESERVED VTD_BITS(11, 1)

/* Context entry, 9.3: 16 bytes, one for each devfn. */
#define VTD_CONTEXT_SIZE 16
#define VTD_CONTEXT_PRESENT VTD_BIT(0)
#define VTD_CONTEXT_TYPE VTD_BITS(3, 2)
#define VTD_CONTEXT_TYPE_UNTRANSLATED (0ULL << 2)
#define VTD_CONTEXT_TYPE_DEVICE_TLB (1ULL << 2)
#define VTD_CONTEXT_TYPE_PASS_THROUGH (2ULL << 2)
#define VTD_CONTEXT_TYPE_RESERVED (3ULL << 2)
#define VTD_CONTEXT_RESERVED_0 VTD_BITS(11, 4)
#define VTD_CONTEXT_WIDTH_1 VTD_BITS(2, 0) /* see VTD_LEVELS() */
#define VTD_CONTEXT_RESERVED_1 (VTD_BIT(7) | VTD_BITS(63, 24))

/* Address widths, as entries encode them: 1 is 39 bits, 2 is 48, 3 is 57. */
#define VTD_WIDTHS 0xe /* those of SAGAW that are not reserved */
#define VTD_LEVELS(width) ((width) + 2)
#define VTD_LEVELS_BITS(levels) (12 + 9 * (levels))

/* Scalable-mode context entry, 9.4: 32 bytes, one for each devfn of the half. */
#define VTD_SCALABLE_CONTEXT_SIZE 32
#define VTD_SCALABLE_CONTEXT_PRESENT VTD_BIT(0)
#define VTD_SCALABLE_CONTEXT_PASID VTD_BIT(3) /* PASIDE: requests with PASID */
#define VTD_SCALABLE_CONTEXT_RESERVED_0 VTD_BITS(8, 5)
#define VTD_SCALABLE_CONTEXT_DIRECTORY_SIZE VTD_BITS(11, 9) /* PDTS */
#define VTD_SCALABLE_CONTEXT_RID_PASID_1 VTD_BITS(19, 0)
#define VTD_SCALABLE_CONTEXT_RID_PRIVILEGE_1 VTD_BIT(20)
#define VTD_SCALABLE_CONTEXT_RESERVED_1 VTD_BITS(63, 21)

/* PASID directory entry, 9.5: one for 64 PASIDs; 1 << (PDTS + 7) of them. */
#define VTD_DIRECTORY_SIZE 8
#define VTD_DIRECTORY_PRESENT VTD_BIT(0)
#define VTD_DIRECTORY_RESERVED VTD_BITS(11, 2)
#define VTD_DIRECTORY_PASIDS_SHIFT 6
#define VTD_DIRECTORY_MIN_SHIFT 7

/*
 * PASID table entry, 9.6: 64 bytes, of which only the first three words are in
 * use. Fields that older revisions have there (memory types, execute requests)
 * are not regarded as reserved.
 */
#define VTD_PASID_SIZE 64
#define VTD_PASID_USED_SIZE 24
#define VTD_PASID_PRESENT VTD_BIT(0)
#define VTD_PASID_WIDTH_SHIFT 2	      /* AW, 3 bits, of the second level */
#define VTD_PASID_TYPE VTD_BITS(8, 6) /* PGTT */
#define VTD_PASID_TYPE_FIRST (1ULL << 6)
#define VTD_PASID_TYPE_SECOND (2ULL << 6)
#define VTD_PASID_TYPE_NESTED (3ULL << 6)
#define VTD_PASID_TYPE_PASS_THROUGH (4ULL << 6)
#define VTD_PASID_RESERVED_0 VTD_BITS(11, 10)
#define VTD_PASID_RESERVED_1 (VTD_BITS(22, 16) | VTD_BITS(31, 27))
#define VTD_PASID_SUPERVISOR_2 VTD_BIT(0)	/* SRE: privileged requests */
#define VTD_PASID_FIRST_LEVELS_2 VTD_BITS(3, 2) /* FLPM */
#define VTD_PASID_FIRST_4_LEVELS_2 (0ULL << 2)
#define VTD_PASID_FIRST_5_LEVELS_2 (1ULL << 2)
#define VTD_PASID_WRITE_PROTECT_2 VTD_BIT(4) /* WPE */
#define VTD_PASID_NO_EXECUTE_2 VTD_BIT(5)    /* NXE: bit 63 of entries has a meaning */
#define VTD_PASID_RESERVED_2 VTD_BITS(11, 8)

/*
 * Paging entries, first level 9.7 and second level 9.8. An entry of level 2 or
 * 3 with VTD_PAGE_LARGE maps a page of 2M or 1G, otherwise leads to the next
 * table, as those of level 4 and 5 do. Addresses take bits 51:12; those of
 * them from the host address width on are reserved.
 */
#define VTD_ENTRY_SIZE 8
#define VTD_LINE_SIZE 64 /* what processors read at once */
#define VTD_PAGE_ADDRESS VTD_BITS(51, 12)
#define VTD_PAGE_LARGE VTD_BIT(7) /* reserved at levels 4 and 5, free at 1 */

/*
 * Second level: bits 10:2 (but for VTD_PAGE_LARGE), 61:52 and 63 are ignored.
 * Bit 62, once TM of units with device-TLBs, is reserved. Bit 11 is SNP where an
 * entry maps a page, which is accepted whether or not the unit has snoop control,
 * and reserved where it leads to a table. Large pages have their address from bit
 * 21 or 30 on, and below it, down to bit 12, reserved.
 */
#define VTD_SECOND_READ VTD_BIT(0)
#define VTD_SECOND_WRITE VTD_BIT(1)
#define VTD_SECOND_SNOOP VTD_BIT(11)
#define VTD_SECOND_RESERVED VTD_BIT(62)

/*
 * First level: as the page tables of x86-64 in long mode. Bits 62:52, 11:8 and
 * 4:3 mean nothing to a translation, nor does bit 6 of what leads to a table. Bit
 * 12 of large pages is PAT; reserved is what lies between it and the address.
 */
#define VTD_FIRST_PRESENT VTD_BIT(0)
#define VTD_FIRST_WRITE VTD_BIT(1)
#define VTD_FIRST_USER VTD_BIT(2)
#define VTD_FIRST_ACCESSED VTD_BIT(5)
#define VTD_FIRST_DIRTY VTD_BIT(6)
#define VTD_FIRST_PAT_LARGE VTD_BIT(12)
#define VTD_FIRST_NO_EXECUTE VTD_BIT(63) /* reserved unless VTD_PASID_NO_EXECUTE_2 */

#endif /* VTD_H */
