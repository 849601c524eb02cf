// SPDX-License-Identifier: GPL-2.0
#include "generate.h"

#include <string.h>

#define R (1ULL << 0) /* second level */
#define W (1ULL << 1)
#define P (1ULL << 0) /* all others */
#define US (1ULL << 2)
#define PS (1ULL << 7)
#define XD (1ULL << 63)
#define ACCESSED (1ULL << 5)
#define DIRTY (1ULL << 6)

/* What hardware ignores, of tables and of pages. */
#define SECOND_TABLE_IGNORED 0xbff000000000077cULL
#define SECOND_PAGE_IGNORED 0xbff000000000077cULL
#define FIRST_IGNORED 0x7ff0000000000f18ULL

enum type { FIRST = 1, SECOND = 2, NESTED = 3, PASS_THROUGH = 4 };

static uint64_t ones(unsigned int count)
{
	return count > 63 ? ~0ULL : (1ULL << count) - 1;
}

static unsigned int page_shift(unsigned int level)
{
	return 3 + 9 * level;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Any address below 2^@width; small ones are as frequent as large ones. */
static uint64_t random_address(struct random *r, unsigned int width)
{
	return random_next(r) & ones(13 + random_below(r, width - 12));
}

static uint64_t random_frame(const struct scene *s, struct random *r, unsigned int shift)
{
	unsigned int width = s->unit.address_width;

	if (random_chance(r, 5))
		width = 52;
	/* The last ones, so that what goes on from there is beyond the width */
	if (random_chance(r, 20))
		return (1ULL << width) - ((1ULL + random_below(r, 8)) << shift);
	return random_address(r, width) & ~ones(shift);
}

static unsigned int pick(struct random *r, const struct range *range)
{
	return range->first + random_below(r, range->nr);
}

static uint64_t mutilated(const struct scene *s, struct random *r, uint64_t word)
{
	const unsigned int width = s->unit.address_width;

	switch (random_below(r, 10)) {
	case 0:
	case 1:
		return word ^ 1ULL << random_below(r, 64);
	case 2:
		return word ^ 1ULL << random_below(r, 12);
	case 3:
		return random_next(r);
	case 4:
		return 0;
	case 5: /* beyond the width, or the last bit that is within */
		return word | 1ULL << (width - random_below(r, 2));
	case 6: /* another table, maybe itself */
		return (word & ~(ones(52) & ~ones(12))) |
		       s->guest.gpa[random_below(r, s->guest.nr)];
	case 7: /* no memory */
		return (word & ones(12)) | random_frame(s, r, 12);
	case 8:
		return word ^ PS;
	default: /* less permission, or none */
		return word & ~(random_next(r) & (P | W | US));
	}
}

static uint64_t maybe_mutilated(const struct scene *s, struct random *r, uint64_t word)
{
	return random_chance(r, s->chaos) ? mutilated(s, r, word) : word;
}

/* Mostly all. */
static uint64_t second_permission(struct random *r)
{
	static const uint8_t list[] = {R, R, W, 0};
	const unsigned int x = random_below(r, 80);

	return x < sizeof(list) ? list[x] : R | W;
}

static uint64_t first_permission(struct random *r)
{
	static const uint8_t list[] = {P | US, P | US, P | US, P | W, P, 0};
	const unsigned int x = random_below(r, 80);

	return x < sizeof(list) ? list[x] : P | W | US;
}

/* Accessed and dirty: in most scenes nearly all entries have them, in others few. */
static uint64_t first_flags(const struct scene *s, struct random *r)
{
	return (random_chance(r, s->unset) ? 0 : ACCESSED) |
	       (random_chance(r, s->unset) ? 0 : DIRTY);
}

static bool is_large(struct random *r, unsigned int level)
{
	return (level == 2 || level == 3) && random_chance(r, 200);
}

static void fill_second(struct scene *s, struct random *r, unsigned int page, unsigned int level)
{
	uint64_t *entry = s->guest.page[page];

	for (unsigned int i = 0; i < GUEST_PAGE / 8; i++) {
		uint64_t word = second_permission(r);

		if (level == 1 && i && random_chance(r, 750)) {
			entry[i] = entry[i - 1] + GUEST_PAGE;
			continue;
		}
		if (level == 1)
			word |= random_frame(s, r, 12) | (random_next(r) & SECOND_PAGE_IGNORED);
		else if (is_large(r, level))
			word |= random_frame(s, r, page_shift(level)) | PS |
				(random_next(r) & SECOND_PAGE_IGNORED);
		else if (random_chance(r, 2))
			word |= random_frame(s, r, 12);
		else
			word |= s->guest.gpa[pick(r, &s->second[level - 1])] |
				(random_next(r) & SECOND_TABLE_IGNORED);
		entry[i] = maybe_mutilated(s, r, word);
	}
}

static void fill_first(struct scene *s, struct random *r, unsigned int page, unsigned int level)
{
	uint64_t *entry = s->guest.page[page];

	for (unsigned int i = 0; i < GUEST_PAGE / 8; i++) {
		uint64_t word = first_permission(r);

		if (level == 1 && i && random_chance(r, 750)) {
			entry[i] = entry[i - 1] + GUEST_PAGE;
			if (random_chance(r, s->unset))
				entry[i] ^= first_flags(s, r);
			continue;
		}
		word |= random_next(r) & FIRST_IGNORED;
		word |= first_flags(s, r);
		if (level == 1)
			word |= random_next(r) & PS;
		if (random_chance(r, 100))
			word |= XD;
		if (level == 1)
			word |= random_frame(s, r, 12);
		else if (is_large(r, level))
			word |= random_frame(s, r, page_shift(level)) | PS |
				(random_next(r) & 1ULL << 12);
		else if (random_chance(r, 3))
			word |= random_frame(s, r, 12);
		else
			word |= s->via[pick(r, &s->first[level - 1])];
		entry[i] = maybe_mutilated(s, r, word);
	}
}

static void fill_root(struct scene *s, struct random *r, unsigned int page)
{
	uint64_t *entry = s->guest.page[page];

	for (unsigned int i = 0; i < 512; i++) {
		uint64_t word = s->guest.gpa[pick(r, &s->context)] | P;

		if (!s->scalable && i % 2)
			word = 0;
		entry[i] = maybe_mutilated(s, r, word);
	}
}

/* The width, as an address width of the specification, with a few errors. */
static uint64_t random_width(const struct scene *s, struct random *r)
{
	return random_chance(r, 930) ? s->levels - 2 : random_below(r, 8);
}

static uint64_t second_root(const struct scene *s, struct random *r, unsigned int width)
{
	const unsigned int levels = width >= 1 && width <= 3 ? width + 2 : s->levels;

	return s->guest
		.gpa[random_chance(r, 900) ? s->second[levels].first : pick(r, &s->second[levels])];
}

static void fill_context(struct scene *s, struct random *r, unsigned int page)
{
	static const uint8_t types[] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3};
	uint64_t *entry = s->guest.page[page];

	for (unsigned int i = 0; i < 512; i += 2) {
		const unsigned int type = RANDOM_PICK(r, types);
		const unsigned int fpd = random_below(r, 2) << 1;
		unsigned int width = random_width(s, r);

		/* Pass-through wants the largest that there is. */
		if (type == 2 && random_chance(r, 700))
			width = s->unit.sagaw & 8 ? 3 : s->unit.sagaw & 4 ? 2 : 1;
		entry[i] = maybe_mutilated(s, r, second_root(s, r, width) | type << 2 | fpd | P);
		/* The domain, and what is ignored. */
		entry[i + 1] = maybe_mutilated(s, r, (random_next(r) & 0xffff78) | width);
	}
}

static void fill_scalable_context(struct scene *s, struct random *r, unsigned int page)
{
	uint64_t *entry = s->guest.page[page];

	for (unsigned int i = 0; i < 512; i += 4) {
		const unsigned int device_tlb = random_below(r, 2);
		const unsigned int requests =
			random_chance(r, 20) || (device_tlb && random_chance(r, 500));
		const uint64_t size =
			random_chance(r, 700) ? random_below(r, 3) : random_below(r, 8);
		uint64_t low = s->guest.gpa[pick(r, &s->directory)] | size << 9 | requests << 4 |
			       device_tlb << 2 | random_below(r, 2) << 1 | P;
		uint64_t high = random_address(r, 13 + random_below(r, 4)) & 0x1fff;

		if (random_chance(r, 950))
			low |= 1 << 3; /* requests with PASID */
		if (random_chance(r, 30))
			high = random_next(r) & 0xfffff;
		if (random_chance(r, 300))
			high |= 1 << 20; /* privileged */
		entry[i] = maybe_mutilated(s, r, low);
		entry[i + 1] = maybe_mutilated(s, r, high);
		entry[i + 2] = maybe_mutilated(s, r, 0);
		entry[i + 3] = maybe_mutilated(s, r, 0);
	}
}

static void fill_directory(struct scene *s, struct random *r, unsigned int page)
{
	for (unsigned int i = 0; i < 512; i++)
		s->guest.page[page][i] = maybe_mutilated(
			s, r, s->guest.gpa[pick(r, &s->pasid)] | random_below(r, 2) << 1 | P);
}

static void fill_pasid(struct scene *s, struct random *r, unsigned int page)
{
	uint64_t *entry = s->guest.page[page];

	for (unsigned int i = 0; i < 512; i += 8) {
		const uint64_t type = random_chance(r, 850) ? s->type : random_below(r, 8);
		const uint64_t width = random_width(s, r);
		const uint64_t mode =
			random_chance(r, 930) ? s->first_levels - 4 : random_below(r, 4);
		const unsigned int levels = mode == 1 ? 5 : 4;

		memset(entry + i, 0, 64);
		entry[i] = maybe_mutilated(s, r,
					   second_root(s, r, width) | type << 6 | width << 2 |
						   random_below(r, 2) << 1 | P);
		/* The domain; snooping and memory types, if they are supported. */
		entry[i + 1] = random_next(r) & 0xffff;
		if (random_chance(r, 100))
			entry[i + 1] |= random_next(r) & 0xffffffff07800000ULL;
		entry[i + 1] = maybe_mutilated(s, r, entry[i + 1]);
		entry[i + 2] = s->via[random_chance(r, 900) ? s->first[levels].first
							    : pick(r, &s->first[levels])];
		/* SRE, WPE, EAFE, ignored bits */
		entry[i + 2] |=
			mode << 2 | (random_next(r) & 0xf1) | (random_chance(r, 900) ? 1 : 0);
		entry[i + 2] = maybe_mutilated(s, r, entry[i + 2]);
		if (random_chance(r, s->chaos))
			entry[i + 3 + random_below(r, 5)] = random_next(r);
	}
}

/*
 * Have the second level map @from, a page of the intermediate addresses, to
 * the page at @to of memory. What leads there already is used.
 */
static void install(struct scene *s, struct random *r, uint64_t from, uint64_t to,
		    unsigned int leaf)
{
	unsigned int page = s->second[s->levels].first;

	for (unsigned int level = s->levels; level > leaf; level--) {
		uint64_t *entry = &s->guest.page[page][from >> page_shift(level) & 511];
		const struct range *next = &s->second[level - 1];
		int found = guest_find(&s->guest, *entry & ones(52) & ~ones(12));

		if (!(*entry & (R | W)) || *entry & PS || found < (int)next->first ||
		    found >= (int)(next->first + next->nr)) {
			found = pick(r, next);
			*entry = s->guest.gpa[found] | R | W;
		}
		page = found;
	}
	to &= ~ones(page_shift(leaf));
	s->guest.page[page][from >> page_shift(leaf) & 511] =
		maybe_mutilated(s, r, to | (leaf > 1 ? PS : 0) | second_permission(r));
}

/* Where the first level sees its tables: elsewhere, if the second translates. */
static void choose_via(struct scene *s, struct random *r, unsigned int *leaf)
{
	const unsigned int width = least(s->unit.address_width, page_shift(s->levels + 1));

	for (unsigned int i = 0; i < s->guest.nr; i++) {
		s->via[i] = s->guest.gpa[i];
		if (s->type != NESTED)
			continue;
		leaf[i] = 1;
		if (s->unit.large_pages & 1 && random_chance(r, 300))
			leaf[i] = 2;
		if (s->unit.large_pages & 2 && width > 32 && random_chance(r, 200))
			leaf[i] = 3;
		/* Large pages keep away from the others, which gather at low addresses. */
		s->via[i] = leaf[i] > 1 ? random_next(r) & ones(width) : random_address(r, width);
		s->via[i] &= ~ones(page_shift(leaf[i]));
		s->via[i] |= s->guest.gpa[i] & ones(page_shift(leaf[i]));
	}
}

static struct range add_pages(struct scene *s, struct random *r, unsigned int nr)
{
	const struct range range = {s->guest.nr, nr};

	while (s->guest.nr < range.first + nr) {
		const unsigned int width = random_chance(r, 997) ? s->unit.address_width : 53;
		uint64_t gpa = random_address(r, width);

		/* Some lie beside each other, as directories do that are larger than a page. */
		if (s->guest.nr && random_chance(r, 300))
			gpa = s->guest.gpa[s->guest.nr - 1] + GUEST_PAGE;
		guest_add(&s->guest, gpa);
	}
	return range;
}

static void choose_unit(struct scene *s, struct random *r, const struct wish *wish)
{
	static const uint8_t widths[] = {32, 36, 39, 39, 40, 42, 46, 46, 48, 48, 51, 52, 52};
	static const uint8_t types[] = {FIRST,	FIRST,	SECOND, SECOND,
					NESTED, NESTED, NESTED, PASS_THROUGH};
	struct vtd_unit *unit = &s->unit;

	memset(unit, 0, sizeof(*unit));
	s->levels = 3 + random_below(r, 3);
	s->first_levels = 4 + random_below(r, 2);
	s->type = RANDOM_PICK(r, types);
	s->scalable = random_chance(r, 600);
	if (wish->nested) {
		s->type = NESTED;
		s->scalable = true;
	}

	unit->address_width = RANDOM_PICK(r, widths);
	unit->sagaw = random_next(r) & random_next(r);
	if (random_chance(r, 970))
		unit->sagaw |= 1 << (s->levels - 2);
	unit->large_pages = random_chance(r, 700) ? 3 : random_below(r, 4);
	unit->flags = random_next(r);
	if (random_chance(r, 950))
		unit->flags = VTD_UNIT_PASS_THROUGH | VTD_UNIT_NESTED | VTD_UNIT_FIRST_5 |
			      (random_chance(r, 700) ? VTD_UNIT_FIRST_1G : 0);
}

static void fill_all(struct scene *s, struct random *r, const struct range *range,
		     void (*fill)(struct scene *s, struct random *r, unsigned int page))
{
	for (unsigned int i = 0; i < range->nr; i++)
		fill(s, r, range->first + i);
}

static void fill_levels(struct scene *s, struct random *r, const struct range *ranges,
			void (*fill)(struct scene *s, struct random *r, unsigned int page,
				     unsigned int level))
{
	for (unsigned int level = 1; level <= LEVELS; level++)
		for (unsigned int i = 0; i < ranges[level].nr; i++)
			fill(s, r, ranges[level].first + i, level);
}

void generate_scene(struct scene *s, struct random *r, const struct wish *wish)
{
	static const unsigned int chances[] = {0, 1, 5, 20, 60};
	static const unsigned int unset[] = {0, 5, 30, 200, 500};
	static const unsigned int second[LEVELS + 1] = {0, 9, 7, 5, 3, 2};
	static const unsigned int first[LEVELS + 1] = {0, 7, 5, 3, 2, 2};
	unsigned int leaf[GUEST_PAGES];

	choose_unit(s, r, wish);
	s->chaos = wish->chaos >= 0 ? (unsigned int)wish->chaos : RANDOM_PICK(r, chances);
	s->unset = RANDOM_PICK(r, unset);
	guest_clear(&s->guest);
	s->root = add_pages(s, r, 1);
	s->context = add_pages(s, r, 2);
	s->directory = add_pages(s, r, 3);
	s->pasid = add_pages(s, r, 3);
	for (unsigned int level = 1; level <= LEVELS; level++) {
		s->second[level] = add_pages(s, r, second[level]);
		s->first[level] = add_pages(s, r, first[level]);
	}

	s->unit.root = s->guest.gpa[s->root.first] | (s->scalable ? 1 << 10 : 0);
	if (random_chance(r, 40))
		s->unit.root = mutilated(s, r, s->unit.root);
	if (random_chance(r, 10))
		s->unit.root |= random_below(r, 4) << 10;
	/* Bits that hardware does not have, or does not look at */
	if (random_chance(r, 200))
		s->unit.root |= random_next(r) & ones(10);
	if (random_chance(r, 50))
		s->unit.root |= random_next(r) & ~ones(s->unit.address_width);

	choose_via(s, r, leaf);
	fill_all(s, r, &s->root, fill_root);
	fill_all(s, r, &s->context, s->scalable ? fill_scalable_context : fill_context);
	fill_levels(s, r, s->second, fill_second);
	if (s->scalable) {
		fill_all(s, r, &s->directory, fill_directory);
		fill_all(s, r, &s->pasid, fill_pasid);
		fill_levels(s, r, s->first, fill_first);
	}
	if (s->scalable && s->type == NESTED)
		for (unsigned int level = 1; level <= LEVELS; level++)
			for (unsigned int i = 0; i < s->first[level].nr; i++) {
				const unsigned int page = s->first[level].first + i;

				install(s, r, s->via[page], s->guest.gpa[page], leaf[page]);
			}
	memset(&s->last, 0, sizeof(s->last));
}

static uint64_t random_iova(struct scene *s, struct random *r)
{
	const bool first = s->scalable && s->type & FIRST;
	const unsigned int width = page_shift((first ? s->first_levels : s->levels) + 1);
	uint64_t iova = random_next(r) & ones(width);

	if (random_chance(r, 100))
		return s->last.iova + random_below(r, 64) * GUEST_PAGE - 32 * GUEST_PAGE;
	if (random_chance(r, 100) || (s->type == PASS_THROUGH && s->scalable))
		iova = random_address(r, least(64, s->unit.address_width + random_below(r, 2)));
	if (random_chance(r, 20))
		return random_next(r);
	if (random_chance(r, 30)) /* the last, or the first beyond */
		return (1ULL << (width - random_below(r, 2))) + GUEST_PAGE -
		       random_below(r, 4) * GUEST_PAGE;
	if (first && iova >> (width - 1))
		iova |= ~ones(width);
	return iova;
}

static uint32_t random_pasid(struct random *r)
{
	switch (random_below(r, 10)) {
	case 0:
	case 1:
	case 2:
	case 3:
		return VTD_NO_PASID;
	case 4:
		return random_next(r) & ones(random_chance(r, 300) ? 20 : 15);
	default:
		return random_next(r) & ones(13);
	}
}

void generate_request(struct scene *s, struct random *r, struct vtd_request *request)
{
	memset(request, 0, sizeof(*request));
	request->iova = random_iova(s, r);
	request->pasid = s->scalable || random_chance(r, 20) ? random_pasid(r) : VTD_NO_PASID;
	request->source_id = random_next(r);
	request->access = 1 + random_below(r, 3);
	request->merge = random_below(r, 2);
	s->last = *request;
}

/* A directory, as it is attached */
static void start_attached(const struct scene *s, struct random *r, struct start *start)
{
	const uint64_t size = random_chance(r, 700) ? random_below(r, 3) : random_below(r, 8);

	start->space.kind = VTD_SPACE_DIRECTORY;
	start->space.word = s->guest.gpa[pick(r, &s->directory)] | size << 9;
	if (random_chance(r, 5))
		start->space.word |= 1ULL << (s->unit.address_width + random_below(r, 12));
}

/* A page table, as it is bound */
static void start_bound(const struct scene *s, struct random *r, struct start *start)
{
	const unsigned int levels =
		random_chance(r, 930) ? s->first_levels : 4 + random_below(r, 2);
	uint64_t word =
		s->via[random_chance(r, 900) ? s->first[levels].first : pick(r, &s->first[levels])];

	word |= (levels - 4) << 2 | (random_next(r) & 0xb1);
	if (random_chance(r, 5))
		word ^= 1ULL << random_below(r, 64);
	start->space.kind = VTD_SPACE_FIRST;
	start->space.word = word;
	if (s->type != NESTED)
		return;
	start->parent.levels = random_chance(r, 950) ? s->levels : 3 + random_below(r, 3);
	start->parent.table = s->guest.gpa[s->second[start->parent.levels].first];
	if (random_chance(r, 10))
		start->parent.table = random_frame(s, r, 12);
	if (random_chance(r, 10))
		start->parent.table = s->guest.gpa[random_below(r, s->guest.nr)];
	if (random_chance(r, 5))
		start->parent.table |= 1ULL << (s->unit.address_width + random_below(r, 12));
}

void generate_start(const struct scene *s, struct random *r, const struct vtd_request *request,
		    struct start *start)
{
	const unsigned int which = random_below(r, 3);

	memset(start, 0, sizeof(*start));
	start->can_set = random_below(r, 2);
	if (!s->scalable || request->pasid == VTD_NO_PASID || !which)
		return;
	start->has_space = true;
	if (which == 1)
		start_attached(s, r, start);
	else
		start_bound(s, r, start);
}
