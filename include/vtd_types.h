/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes into a page walk of Intel VT-d and what comes out of it; the walk
 * itself is vtd_walk() in vtd_walk.h. Fault reasons are those of section 7.1.3
 * of the specification that vtd.h names.
 */
#ifndef VTD_TYPES_H
#define VTD_TYPES_H

#include <linux/types.h>

/* What is read, for whoever wants to explain the walk. */
enum vtd_table {
	VTD_TABLE_ROOT,		    /* 16 bytes */
	VTD_TABLE_CONTEXT,	    /* 16 bytes, legacy mode */
	VTD_TABLE_SCALABLE_CONTEXT, /* 32 bytes */
	VTD_TABLE_PASID_DIRECTORY,  /* 8 bytes */
	VTD_TABLE_PASID,	    /* the first 24 bytes of 64 */
	VTD_TABLE_SECOND_LEVEL,	    /* 8 bytes, or a line of 64 */
	VTD_TABLE_FIRST_LEVEL,	    /* 8 bytes, or a line of 64 */
	VTD_NR_TABLES,
};

/*
 * Why there is no translation. In brackets the fault reasons of hardware,
 * hexadecimal: first those of legacy mode, then those of scalable mode.
 */
enum vtd_fault {
	VTD_OK = 0,
	VTD_FAULT_READ,		      /* a table cannot be read [7 8 9; 38 40 50 58 70 73 78] */
	VTD_FAULT_MODE,		      /* translation table mode is reserved [30] */
	VTD_FAULT_ROOT_PRESENT,	      /* root entry is not present [1; 39] */
	VTD_FAULT_ROOT_RESERVED,      /* reserved bits of it are set [a; 3a] */
	VTD_FAULT_CONTEXT_PRESENT,    /* context entry is not present [2; 41] */
	VTD_FAULT_CONTEXT_RESERVED,   /* reserved bits of it are set [b; 42] */
	VTD_FAULT_CONTEXT_TYPE,	      /* translation type or address width is not supported [3] */
	VTD_FAULT_PASID_REQUEST,      /* PASID where there is none, or too large [31; 45 46 48] */
	VTD_FAULT_DIRECTORY_PRESENT,  /* PASID directory entry is not present [51] */
	VTD_FAULT_DIRECTORY_RESERVED, /* reserved bits of it are set [52] */
	VTD_FAULT_PASID_PRESENT,      /* PASID table entry is not present [59] */
	VTD_FAULT_PASID_RESERVED,     /* reserved bits of it are set [5a] */
	VTD_FAULT_PASID_TYPE,	      /* type, width, levels, privilege not supported [5b 5d] */
	VTD_FAULT_WIDTH,	      /* IOVA is too wide or not canonical [4; 80 83 84] */
	VTD_FAULT_PRESENT,	      /* paging entry is not present [5 6; 71 79] */
	VTD_FAULT_RESERVED,	      /* paging entry has reserved bits set [c; 72 7a] */
	VTD_FAULT_PERMISSION,	      /* paging entries do not allow it [5 6; 81 85 86 79] */
	VTD_FAULT_ACCESSED_DIRTY,     /* these flags of an entry are not set [70 90] */
	/* The second level, on the way to a first-level entry or to the page. */
	VTD_FAULT_NESTED_READ,	     /* as VTD_FAULT_READ [78] */
	VTD_FAULT_NESTED_WIDTH,	     /* GPA is beyond the width of the second level [74 84] */
	VTD_FAULT_NESTED_PRESENT,    /* as VTD_FAULT_PRESENT [75 76 79] */
	VTD_FAULT_NESTED_RESERVED,   /* as VTD_FAULT_RESERVED [7a] */
	VTD_FAULT_NESTED_PERMISSION, /* as VTD_FAULT_PERMISSION [75 76 79] */
	VTD_FAULT_NESTED_WRITE,	     /* flags of an entry may not be set [77] */
	VTD_NR_FAULTS,
};

/* Permissions and wanted access; as VHOST_ACCESS_RO and _WO. */
#define VTD_READ 1
#define VTD_WRITE 2

/**
 * typedef vtd_read_fn - reads guest memory
 * @memory:	what was given to vtd_walk()
 * @table:	what is read, @level its level: 0 above the page tables
 * @gpa:	guest-physical address, a multiple of 8
 * @to:		where to put it
 * @size:	bytes, 8 to 64, a multiple of 8; never across a page of 4K
 *
 * Return: 0, or a negative errno if that is no guest memory, or cannot be had now.
 */
typedef int (*vtd_read_fn)(void *memory, enum vtd_table table, int level, __u64 gpa, void *to,
			   __u32 size);

/**
 * typedef vtd_set_fn - sets bits of a word of guest memory
 * @memory:	what was given to vtd_walk_set()
 * @gpa:	guest-physical address of the word, a multiple of 8
 * @old:	what it must hold
 * @bits:	to be set besides
 *
 * Does so atomically. Return: 0; or a negative errno if it has not, for example
 * because the guest has written something else there.
 */
typedef int (*vtd_set_fn)(void *memory, __u64 gpa, __u64 old, __u64 bits);

/**
 * struct vtd_unit - an IOMMU as the guest has set it up, and what it can do
 * @root:	RTADDR_REG as the guest wrote it
 * @address_width: bits of a guest-physical address, 32 to 52
 * @sagaw:	widths of the second level, as CAP_REG.SAGAW: bit 1 is 39 bits
 *		and 3 levels, bit 2 is 48 and 4, bit 3 is 57 and 5
 * @large_pages: of the second level, as CAP_REG.SLLPS: bit 0 is 2M, bit 1 is 1G
 * @flags:	VTD_UNIT_*
 */
struct vtd_unit {
	__u64 root;
	__u8 address_width;
	__u8 sagaw;
	__u8 large_pages;
	__u8 flags;
};

#define VTD_UNIT_PASS_THROUGH 1 /* ECAP_REG.PT */
#define VTD_UNIT_FIRST_1G 2	/* CAP_REG.FL1GP */
#define VTD_UNIT_FIRST_5 4	/* CAP_REG.FL5LP */
#define VTD_UNIT_NESTED 8	/* ECAP_REG.NEST */

#define VTD_NO_PASID 0xffffffffU

/* PASIDs have 20 bits. */
#define VTD_PASID_BITS 20

/* Where the walk of a request with a PASID begins, if not at the root table */
enum vtd_space_kind {
	VTD_SPACE_NONE,	     /* nowhere: there is no translation */
	VTD_SPACE_DIRECTORY, /* at a PASID directory */
	VTD_SPACE_FIRST,     /* at a first level, nested in a second level */
};

/**
 * struct vtd_space - what translates requests with a PASID, see vtd_space.h
 * @word:	VTD_SPACE_DIRECTORY: of the scalable-mode context entry, the first
 *		word's address and size of the directory. VTD_SPACE_FIRST: of the
 *		entry of the PASID table, the third word.
 * @kind:	enum vtd_space_kind
 * @reserved:	zero
 */
struct vtd_space {
	__u64 word;
	__u32 kind;
	__u32 reserved;
};

/**
 * struct vtd_parent - a second level in which a first level is nested
 * @table:	of its highest level
 * @levels:	of tables; 0 if there is none, so that guest-physical addresses
 *		are what they seem
 */
struct vtd_parent {
	__u64 table;
	__u8 levels;
};

/**
 * struct vtd_request - what a device asks for
 * @iova:	address
 * @pasid:	or VTD_NO_PASID
 * @source_id:	bus << 8 | devfn
 * @access:	VTD_READ, VTD_WRITE or both
 * @merge:	look at the neighbours of an entry of level 1, see vtd_walk()
 */
struct vtd_request {
	__u64 iova;
	__u32 pasid;
	__u16 source_id;
	__u8 access;
	__u8 merge;
};

/**
 * struct vtd_translation - the answer
 * @iova:	start of a range that the IOVA of the request lies in
 * @gpa:	what @iova is mapped to
 * @size:	bytes, contiguous on both sides
 * @perm:	VTD_READ, VTD_WRITE: all that the tables allow
 * @level:	of the entry that maps the page: 1 is 4K, 2 is 2M, 3 is 1G; of
 *		both levels' entries the smaller; 0 is pass-through
 */
struct vtd_translation {
	__u64 iova;
	__u64 gpa;
	__u64 size;
	__u8 perm;
	__u8 level;
};

/**
 * struct vtd_walk - where a walk ended
 * @fault:	VTD_OK, or why; the rest is only valid in the latter case
 * @fault_level: of the entry that @fault is about, or that could not be read;
 *		0 above the page tables
 * @fault_table: the table of that entry
 *
 * VTD_FAULT_MODE, and VTD_FAULT_PASID_REQUEST in legacy mode, are about
 * VTD_TABLE_ROOT. VTD_FAULT_PASID_REQUEST otherwise is about the context entry,
 * VTD_FAULT_WIDTH about the context or PASID table entry that gives the width,
 * at level 0. A VTD_FAULT_NESTED_* is about an entry of the second level, but
 * for VTD_FAULT_NESTED_WIDTH: there it is the one that has the GPA in it, of
 * the first level or of the PASID table; and VTD_FAULT_NESTED_WRITE, which is
 * about the first-level entry whose flags are to be set.
 */
struct vtd_walk {
	enum vtd_fault fault;
	__u8 fault_level;
	enum vtd_table fault_table;
};

#endif /* VTD_TYPES_H */
