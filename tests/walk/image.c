// SPDX-License-Identifier: GPL-2.0
#include "image.h"

#include <string.h>

#include "vtd.h"

#define WIDTH_LEAST 32
#define WIDTHS 21 /* up to 52 bits */

/* With a PASID, as whoever uses these has */
static void read_start(const struct image_head *head, struct image *image)
{
	image->space = (struct vtd_space){
		.kind = head->start % 3,
		.word = head->root,
	};
	image->request.pasid = head->pasid & ((1U << VTD_PASID_BITS) - 1);
	if (image->space.kind == VTD_SPACE_DIRECTORY)
		image->space.word &= VTD_TABLE_ADDRESS | VTD_SCALABLE_CONTEXT_DIRECTORY_SIZE;
	image->parent = (struct vtd_parent){
		.table = head->second & VTD_TABLE_ADDRESS,
		.levels = head->levels % 4 ? 2 + head->levels % 4 : 0,
	};
	image->walk.space = &image->space;
	image->walk.parent = &image->parent;
}

void image_read(const uint8_t *bytes, size_t size, struct image *image)
{
	struct guest *guest = &image->guest;
	struct image_head head = {0};
	struct image_word word;

	memcpy(&head, bytes, size < sizeof(head) ? size : sizeof(head));
	image->walk = (struct walk_case){
		.unit = &image->unit,
		.request = &image->request,
		.guest = guest,
		.can_set = head.can_set & 1,
	};
	image->unit = (struct vtd_unit){
		.root = head.root,
		.address_width = WIDTH_LEAST + head.address_width % WIDTHS,
		.sagaw = head.sagaw,
		.large_pages = head.large_pages,
		.flags = head.flags,
	};
	image->request = (struct vtd_request){
		.iova = head.iova,
		.pasid = head.pasid,
		.source_id = head.source_id,
		.access = 1 + head.access % 3,
		.merge = head.merge & 1,
	};
	if (head.start % 3)
		read_start(&head, image);

	guest_clear(guest);
	for (size_t at = sizeof(head); at + sizeof(word) <= size; at += sizeof(word)) {
		int page;

		memcpy(&word, bytes + at, sizeof(word));
		page = guest_find(guest, word.gpa);
		if (page < 0) {
			page = guest_add(guest, word.gpa);
			if (page < 0)
				continue;
			memset(guest->page[page], 0, GUEST_PAGE);
		}
		guest->page[page][word.gpa % GUEST_PAGE / 8] = word.value;
	}
}

static size_t write_word(uint8_t *bytes, const struct guest *guest, uint64_t gpa)
{
	struct image_word word = {.gpa = gpa};

	if (!guest_read(guest, gpa, &word.value, 1))
		return 0;
	memcpy(bytes, &word, sizeof(word));
	return sizeof(word);
}

size_t image_write(uint8_t *bytes, const struct walk_case *walk, const struct reference *result)
{
	const struct vtd_request *request = walk->request;
	const struct guest *guest = walk->guest;
	const struct vtd_unit *unit = walk->unit;
	struct image_head head = {
		.root = unit->root,
		.iova = request->iova,
		.pasid = request->pasid,
		.source_id = request->source_id,
		.access = request->access - 1,
		.merge = request->merge,
		.address_width = unit->address_width - WIDTH_LEAST,
		.sagaw = unit->sagaw,
		.large_pages = unit->large_pages,
		.flags = unit->flags,
		.can_set = walk->can_set,
	};
	size_t size = sizeof(head);

	if (walk->space) {
		head.start = walk->space->kind;
		head.root = walk->space->word;
		head.second = walk->parent->table;
		head.levels = walk->parent->levels ? walk->parent->levels - 2 : 0;
	}
	memcpy(bytes, &head, sizeof(head));
	for (unsigned int i = 0; i < result->nr; i++) {
		const struct reference_step *step = &result->step[i];
		uint64_t gpa = step->gpa;
		unsigned int words = step->words;

		/* With what it could be merged with. */
		if (step->level == 1 && request->merge) {
			gpa -= gpa % 64;
			words = 8;
		}
		for (unsigned int word = 0; word < words; word++)
			size += write_word(bytes + size, guest, gpa + 8 * word);
	}
	return size;
}
