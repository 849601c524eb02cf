// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vtd.h"
#include "walk_decode.h"
#include "walk_record.h"
#include "walk_space.h"

/* Bits of entries that a walk makes no use of, but people do */
#define FAULTS_OFF VTD_BIT(1) /* FPD */
#define CONTEXT_DID VTD_BITS(23, 8)
#define SCALABLE_DEVICE_TLB VTD_BIT(2)	  /* DTE */
#define SCALABLE_PAGE_REQUESTS VTD_BIT(4) /* PRE */
#define PASID_DID VTD_BITS(15, 0)
#define SECOND_ACCESSED VTD_BIT(8)
#define SECOND_DIRTY VTD_BIT(9)

__attribute__((format(printf, 2, 3))) static void say(struct walk_decoded *to, const char *format,
						      ...)
{
	va_list args;

	if (to->count == WALK_MAX_PHRASES)
		return;
	va_start(args, format);
	vsnprintf(to->phrases[to->count++], WALK_PHRASE_MAX, format, args);
	va_end(args);
}

static void say_if(struct walk_decoded *to, uint64_t bits, const char *text)
{
	if (bits)
		say(to, "%s", text);
}

/* Of what is not present, no other bit has a meaning. */
static bool say_present(struct walk_decoded *to, uint64_t bit)
{
	say(to, bit ? "present" : "not present");
	return bit;
}

static void say_reserved(struct walk_decoded *to, size_t word, uint64_t bits)
{
	if (!bits)
		return;
	if (word)
		say(to, "reserved 0x%" PRIx64 " set in word %zu", bits, word);
	else
		say(to, "reserved 0x%" PRIx64 " set", bits);
}

static void say_table(struct walk_decoded *to, const char *what, uint64_t word)
{
	say(to, "%s at 0x%" PRIx64, what, (uint64_t)(word & VTD_TABLE_ADDRESS));
}

/* Address bits that there are not, in entries above the page tables */
static uint64_t beyond(const struct walk_record *record)
{
	return ~0ULL << record->unit->address_width;
}

static void decode_root(const struct walk_record *record, const struct walk_step *step,
			struct walk_decoded *to)
{
	bool scalable = (record->unit->root & VTD_ROOT_MODE) == VTD_ROOT_MODE_SCALABLE;
	size_t half = scalable && step->count > 1 && record->request.source_id & 0x80;
	uint64_t word = step->words[half];

	if (!say_present(to, word & VTD_ROOT_PRESENT))
		return;
	say_table(to, "context table", word);
	say_reserved(to, half, word & (VTD_ROOT_RESERVED | beyond(record)));
	if (!scalable && step->count > 1)
		say_reserved(to, 1, step->words[1]);
}

static const char *context_type(uint64_t word)
{
	switch (word & VTD_CONTEXT_TYPE) {
	case VTD_CONTEXT_TYPE_UNTRANSLATED:
		return "second level";
	case VTD_CONTEXT_TYPE_DEVICE_TLB:
		return "second level, with device TLB";
	case VTD_CONTEXT_TYPE_PASS_THROUGH:
		return "pass-through";
	default:
		return "type 3, which is reserved";
	}
}

static void say_width(const struct walk_record *record, struct walk_decoded *to, unsigned int width)
{
	if (!(VTD_WIDTHS >> width & 1))
		say(to, "width %u, which is reserved", width);
	else
		say(to, "%u bits%s", VTD_LEVELS_BITS(VTD_LEVELS(width)),
		    record->unit->sagaw >> width & 1 ? "" : ", not supported");
}

static void decode_context(const struct walk_record *record, const struct walk_step *step,
			   struct walk_decoded *to)
{
	uint64_t low = step->words[0], high = step->words[1];

	if (!say_present(to, low & VTD_CONTEXT_PRESENT))
		return;
	say(to, "%s", context_type(low));
	say_width(record, to, high & VTD_CONTEXT_WIDTH_1);
	if ((low & VTD_CONTEXT_TYPE) != VTD_CONTEXT_TYPE_PASS_THROUGH)
		say_table(to, "page table", low);
	say(to, "domain %u", (unsigned int)((high & CONTEXT_DID) >> 8));
	say_if(to, low & FAULTS_OFF, "faults are not reported");
	say_reserved(to, 0, low & (VTD_CONTEXT_RESERVED_0 | beyond(record)));
	say_reserved(to, 1, high & VTD_CONTEXT_RESERVED_1);
}

static void decode_scalable_context(const struct walk_record *record, const struct walk_step *step,
				    struct walk_decoded *to)
{
	uint64_t low = step->words[0], high = step->words[1];
	unsigned int size = (low & VTD_SCALABLE_CONTEXT_DIRECTORY_SIZE) >> 9;

	if (!say_present(to, low & VTD_SCALABLE_CONTEXT_PRESENT))
		return;
	say_table(to, "PASID directory", low);
	say(to, "PASIDs below 0x%x",
	    1U << (size + VTD_DIRECTORY_MIN_SHIFT + VTD_DIRECTORY_PASIDS_SHIFT));
	say(to, "PASID 0x%x for requests without",
	    (unsigned int)(high & VTD_SCALABLE_CONTEXT_RID_PASID_1));
	say_if(to, high & VTD_SCALABLE_CONTEXT_RID_PRIVILEGE_1, "these are privileged");
	say_if(to, low & VTD_SCALABLE_CONTEXT_PASID, "requests with PASID");
	say_if(to, low & SCALABLE_DEVICE_TLB, "device TLB");
	say_if(to, low & SCALABLE_PAGE_REQUESTS, "page requests");
	say_if(to, low & FAULTS_OFF, "faults are not reported");
	say_reserved(to, 0, low & (VTD_SCALABLE_CONTEXT_RESERVED_0 | beyond(record)));
	say_reserved(to, 1, high & VTD_SCALABLE_CONTEXT_RESERVED_1);
	if (step->count > 3) {
		say_reserved(to, 2, step->words[2]);
		say_reserved(to, 3, step->words[3]);
	}
}

static void decode_directory(const struct walk_record *record, const struct walk_step *step,
			     struct walk_decoded *to)
{
	uint64_t word = step->words[0];

	if (!say_present(to, word & VTD_DIRECTORY_PRESENT))
		return;
	say_table(to, "PASID table", word);
	say_if(to, word & FAULTS_OFF, "faults are not reported");
	say_reserved(to, 0, word & (VTD_DIRECTORY_RESERVED | beyond(record)));
}

static void say_first_level(const struct walk_record *record, struct walk_decoded *to,
			    uint64_t word)
{
	switch (word & VTD_PASID_FIRST_LEVELS_2) {
	case VTD_PASID_FIRST_4_LEVELS_2:
		say(to, "first level of 4");
		break;
	case VTD_PASID_FIRST_5_LEVELS_2:
		say(to, "first level of 5%s",
		    record->unit->flags & VTD_UNIT_FIRST_5 ? "" : ", not supported");
		break;
	default:
		say(to, "first level of a reserved number");
		break;
	}
	say_table(to, "its table", word);
	say(to, word & VTD_PASID_SUPERVISOR_2 ? "privileged requests" : "no privileged requests");
	say_if(to, word & VTD_PASID_WRITE_PROTECT_2, "write-protect");
	say_if(to, word & VTD_PASID_NO_EXECUTE_2, "no-execute");
}

static void decode_pasid(const struct walk_record *record, const struct walk_step *step,
			 struct walk_decoded *to)
{
	uint64_t type = step->words[0] & VTD_PASID_TYPE;
	bool second = type == VTD_PASID_TYPE_SECOND || type == VTD_PASID_TYPE_NESTED;
	bool first = type == VTD_PASID_TYPE_FIRST || type == VTD_PASID_TYPE_NESTED;
	uint64_t word = step->words[0];

	if (!say_present(to, word & VTD_PASID_PRESENT))
		return;
	if (type == VTD_PASID_TYPE_NESTED)
		say(to, "nested");
	else if (type == VTD_PASID_TYPE_PASS_THROUGH)
		say(to, "pass-through");
	else if (!first && !second)
		say(to, "type %u, which is reserved", (unsigned int)(type >> 6));
	if (second) {
		say(to, "second level");
		say_width(record, to, word >> VTD_PASID_WIDTH_SHIFT & 7);
		say_table(to, "its table", word);
	}
	if (first)
		say_first_level(record, to, step->words[2]);
	say(to, "domain %u", (unsigned int)(step->words[1] & PASID_DID));
	say_if(to, word & FAULTS_OFF, "faults are not reported");
	say_reserved(to, 0, word & (VTD_PASID_RESERVED_0 | (second ? beyond(record) : 0)));
	say_reserved(to, 1, step->words[1] & VTD_PASID_RESERVED_1);
	say_reserved(to, 2, step->words[2] & (VTD_PASID_RESERVED_2 | (first ? beyond(record) : 0)));
}

/* What is reserved of the address of a paging entry, in both levels */
static uint64_t address_reserved(const struct walk_record *record, uint64_t page_size, bool leaf)
{
	uint64_t unaligned = leaf ? (page_size - 1) & VTD_PAGE_ADDRESS : 0;

	return (VTD_PAGE_ADDRESS & beyond(record)) | unaligned;
}

static const char *size_name(int level)
{
	static const char *const names[] = {"?", "4K", "2M", "1G"};

	return level >= 1 && level <= 3 ? names[level] : names[0];
}

static void say_leads_to(struct walk_decoded *to, uint64_t word, int level, bool leaf,
			 bool supported)
{
	uint64_t size = 1ULL << (12 + 9 * (level - 1));

	if (!leaf)
		say(to, "table at 0x%" PRIx64, (uint64_t)(word & VTD_PAGE_ADDRESS));
	else
		say(to, "page of %s at 0x%" PRIx64 "%s", size_name(level),
		    (uint64_t)(word & VTD_PAGE_ADDRESS & ~(size - 1)),
		    supported ? "" : ", not supported");
}

static void decode_second(const struct walk_record *record, const struct walk_step *step,
			  struct walk_decoded *to)
{
	uint64_t word = step->words[0], reserved;
	bool leaf = step->level == 1 || (step->level <= 3 && word & VTD_PAGE_LARGE);
	bool supported = step->level == 1 || record->unit->large_pages >> (step->level - 2) & 1;

	if (!say_present(to, word & (VTD_SECOND_READ | VTD_SECOND_WRITE)))
		return;
	say_if(to, word & VTD_SECOND_READ, "read");
	say_if(to, word & VTD_SECOND_WRITE, "write");
	say_leads_to(to, word, step->level, leaf, supported);
	say_if(to, word & SECOND_ACCESSED, "accessed");
	say_if(to, word & SECOND_DIRTY, "dirty");

	reserved = address_reserved(record, 1ULL << (12 + 9 * (step->level - 1)), leaf) |
		   VTD_SECOND_RESERVED;
	if (!leaf)
		reserved |= VTD_SECOND_SNOOP;
	if (step->level > 3)
		reserved |= VTD_PAGE_LARGE;
	say_reserved(to, 0, word & reserved);
}

/* Does the PASID table entry of the walk give bit 63 of entries a meaning? */
static bool has_no_execute(const struct walk_record *record)
{
	size_t i;

	/* There is no entry of what is bound; it would have it. */
	if (record->space->kind == WALK_SPACE_BOUND)
		return true;
	for (i = 0; i < record->count; i++)
		if (record->steps[i].table == VTD_TABLE_PASID)
			return record->steps[i].words[2] & VTD_PASID_NO_EXECUTE_2;
	return false;
}

/* Of what cannot be written to, nobody wants to know. */
static void say_dirty(struct walk_decoded *to, uint64_t word)
{
	if (word & VTD_FIRST_DIRTY)
		say(to, "dirty");
	else if (word & VTD_FIRST_WRITE)
		say(to, "not dirty");
}

static void decode_first(const struct walk_record *record, const struct walk_step *step,
			 struct walk_decoded *to)
{
	uint64_t word = step->words[0], reserved;
	bool leaf = step->level == 1 || (step->level <= 3 && word & VTD_PAGE_LARGE);
	bool supported = step->level != 3 || record->unit->flags & VTD_UNIT_FIRST_1G;

	if (!say_present(to, word & VTD_FIRST_PRESENT))
		return;
	say(to, word & VTD_FIRST_WRITE ? "read and write" : "read only");
	say(to, word & VTD_FIRST_USER ? "user" : "supervisor");
	say_leads_to(to, word, step->level, leaf, supported);
	say(to, word & VTD_FIRST_ACCESSED ? "accessed" : "not accessed");
	if (leaf)
		say_dirty(to, word);

	reserved = address_reserved(record, 1ULL << (12 + 9 * (step->level - 1)), leaf);
	if (leaf && step->level > 1)
		reserved &= ~VTD_FIRST_PAT_LARGE;
	if (step->level > 3)
		reserved |= VTD_PAGE_LARGE;
	if (!has_no_execute(record))
		reserved |= VTD_FIRST_NO_EXECUTE;
	else
		say_if(to, word & VTD_FIRST_NO_EXECUTE, "no-execute");
	say_reserved(to, 0, word & reserved);
}

void walk_decode(const struct walk_record *record, size_t index, struct walk_decoded *decoded)
{
	const struct walk_step *step = &record->steps[index];

	decoded->count = 0;
	if (step->err) {
		say(decoded, "cannot be read: %s", strerror(-step->err));
		return;
	}
	switch (step->table) {
	case VTD_TABLE_ROOT:
		decode_root(record, step, decoded);
		break;
	case VTD_TABLE_CONTEXT:
		decode_context(record, step, decoded);
		break;
	case VTD_TABLE_SCALABLE_CONTEXT:
		decode_scalable_context(record, step, decoded);
		break;
	case VTD_TABLE_PASID_DIRECTORY:
		decode_directory(record, step, decoded);
		break;
	case VTD_TABLE_PASID:
		decode_pasid(record, step, decoded);
		break;
	case VTD_TABLE_SECOND_LEVEL:
		decode_second(record, step, decoded);
		break;
	case VTD_TABLE_FIRST_LEVEL:
		decode_first(record, step, decoded);
		break;
	case VTD_NR_TABLES:
		break;
	}
}
