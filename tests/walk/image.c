// SPDX-License-Identifier: GPL-2.0
#include "image.h"

#include <string.h>

#define WIDTH_LEAST 32
#define WIDTHS 21 /* up to 52 bits */

void image_read(const uint8_t *bytes, size_t size, struct vtd_unit *unit,
		struct vtd_request *request, struct guest *guest)
{
	struct image_head head = {0};
	struct image_word word;

	memcpy(&head, bytes, size < sizeof(head) ? size : sizeof(head));
	*unit = (struct vtd_unit){
		.root = head.root,
		.address_width = WIDTH_LEAST + head.address_width % WIDTHS,
		.sagaw = head.sagaw,
		.large_pages = head.large_pages,
		.flags = head.flags,
	};
	*request = (struct vtd_request){
		.iova = head.iova,
		.pasid = head.pasid,
		.source_id = head.source_id,
		.access = 1 + head.access % 3,
		.merge = head.merge & 1,
	};

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

size_t image_write(uint8_t *bytes, const struct vtd_unit *unit, const struct vtd_request *request,
		   const struct guest *guest, const struct reference *result)
{
	const struct image_head head = {
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
	};
	size_t size = sizeof(head);

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
