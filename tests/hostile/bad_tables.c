// SPDX-License-Identifier: GPL-2.0
/*
 * Tables that are bad: for each, the reference of tests/walk says what must come
 * of it. Then they are good again, and the packet that had to wait gets through.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bad_entry.h"
#include "hostile.h"

static unsigned int cases, waited, elsewhere, complaints;

/* Where a packet from @iova must come from, or -1. */
static int expected_page(const struct inmate *in, uint64_t iova)
{
	struct vtd_request request = in->prison.request;
	struct reference found;

	request.iova = iova;
	prison_expect(&in->prison, &request, &found);
	return found.fault ? -1 : guest_find(&in->prison.guest, found.gpa);
}

static bool complain(const char *what, const char *about, uint64_t gpa, uint64_t value)
{
	if (complaints++ < 10)
		printf("# %s, at 0x%" PRIx64 ": 0x%" PRIx64 ": %s\n", about, gpa, value, what);
	return false;
}

/* Has what must come, or not, come? */
static const char *look(struct inmate *in, uint64_t iova, int page, enum inmate_end *end)
{
	*end = inmate_wait(in, iova);
	if (*end == INMATE_STUCK)
		return "nothing happens";
	if ((*end == INMATE_DONE) != (page >= 0))
		return page < 0 ? "a packet comes" : "no packet comes";
	return page >= 0 && !inmate_sent_from(in, page, iova) ? "the packet is another" : NULL;
}

/* What has waited must get through, and what comes after it without the owner. */
static const char *recover(struct inmate *in, uint64_t iova, enum inmate_end end)
{
	unsigned int answers;

	if (end == INMATE_WAITS && !inmate_send(in, iova))
		return "it does not recover";
	inmate_invalidate(in);
	answers = in->answers;
	if (!inmate_send(in, inmate_address(in)))
		return "it cannot go on";
	return in->answers == answers ? NULL : "it goes on because its owner helps";
}

static bool check_entry(struct inmate *in, uint64_t gpa, uint64_t bad)
{
	const uint64_t good = prison_read(&in->prison, gpa), iova = inmate_address(in);
	enum inmate_end end;
	const char *wrong;
	int page;

	cases++;
	prison_write(&in->prison, gpa, bad);
	page = expected_page(in, iova);
	inmate_offer(in, TX, iova);
	wrong = look(in, iova, page, &end);
	prison_write(&in->prison, gpa, good);
	if (wrong)
		complain(wrong, "entry", gpa, bad);
	waited += page < 0;
	elsewhere += page >= 0 && page != in->prison.data;

	wrong = recover(in, iova, end);
	return wrong ? complain(wrong, "good entry", gpa, good) : true;
}

static bool check_entries(struct inmate *in)
{
	uint64_t list[BAD_ENTRIES];

	for (unsigned int i = 0; i < in->prison.good.nr; i++) {
		const struct reference_step *step = &in->prison.good.step[i];

		for (unsigned int word = 0; word < step->words; word++) {
			const uint64_t gpa = step->gpa + 8 * word;
			const unsigned int nr =
				bad_entries(&in->prison, gpa, prison_read(&in->prison, gpa), list);

			for (unsigned int bad = 0; bad < nr; bad++)
				if (!check_entry(in, gpa, list[bad]))
					return false;
		}
	}
	return true;
}

/* Is all that is read of the page, to send from @iova, in this part of it? */
static bool is_enough(const struct inmate *in, int page, uint64_t first, uint64_t size,
		      uint64_t iova)
{
	const struct prison *p = &in->prison;
	const uint64_t from = iova % GUEST_PAGE;

	for (unsigned int i = 0; i < p->good.nr; i++) {
		const uint64_t at = p->good.step[i].gpa % GUEST_PAGE;

		if (guest_find(&p->guest, p->good.step[i].gpa) == page &&
		    (at < first || at + 8 * p->good.step[i].words > first + size))
			return false;
	}
	return page != p->data || (from >= first && from + INMATE_DATA <= first + size);
}

/* Only a part of the page is memory. */
static bool check_part(struct inmate *in, int page, uint64_t first, uint64_t size)
{
	const uint64_t iova = inmate_address(in);
	enum inmate_end end;
	const char *wrong;
	int from = -1;

	cases++;
	prison_set_memory(&in->prison, in->device, page, first, size);
	if (is_enough(in, page, first, size, iova))
		from = in->prison.data;
	/* It does not know of this. */
	in->is_mute = true;
	inmate_offer(in, TX, iova);
	wrong = look(in, iova, from, &end);
	in->is_mute = false;
	prison_set_memory(&in->prison, in->device, -1, 0, 0);
	if (wrong)
		complain(wrong, "part of a page", in->prison.guest.gpa[page] + first, size);
	waited += from < 0;

	wrong = recover(in, iova, end);
	return wrong ? complain(wrong, "whole page", in->prison.guest.gpa[page], 0) : true;
}

/* An entry that is needed, of @size bytes at @at, is no memory, or a part of it. */
static bool check_step(struct inmate *in, int page, uint64_t at, uint64_t size)
{
	return check_part(in, page, 0, 0) && check_part(in, page, 0, at) &&
	       check_part(in, page, 0, at + size - 4) &&
	       check_part(in, page, at + 8, GUEST_PAGE - at - 8) &&
	       check_part(in, page, at & ~63ULL, 64);
}

/* The same for the packet: each part is of the next packet's @size bytes. */
static bool check_data(struct inmate *in)
{
	static const struct {
		int first, size;
	} parts[] = {
		{0, INMATE_DATA}, {0, INMATE_DATA - 8}, {0, INMATE_DATA / 2},
		{0, 8},		  {8, INMATE_DATA - 8}, {INMATE_DATA / 2, INMATE_DATA / 2},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const uint64_t at = in->prison.request.iova + in->addresses * INMATE_DATA;

		if (!check_part(in, in->prison.data, at % GUEST_PAGE + parts[i].first,
				parts[i].size))
			return false;
	}
	return true;
}

/* A buffer that begins on a page and ends on the next; one of them is no memory. */
static bool check_crossing(struct inmate *in, uint64_t iova)
{
	enum inmate_end end;
	const char *wrong;

	cases++;
	inmate_offer(in, TX, iova);
	wrong = look(in, iova, -1, &end);
	if (wrong)
		complain(wrong, "buffer on two pages", iova, 0);
	waited++;
	wrong = recover(in, iova, INMATE_DONE);
	return wrong ? complain(wrong, "buffer on one page", iova, 0) : true;
}

static bool check_memory(struct inmate *in)
{
	const struct prison *p = &in->prison;

	for (unsigned int i = 0; i < p->good.nr; i++) {
		const struct reference_step *step = &p->good.step[i];

		if (!check_step(in, guest_find(&p->guest, step->gpa), step->gpa % GUEST_PAGE,
				8ULL * step->words))
			return false;
	}
	return check_data(in) && check_crossing(in, p->request.iova - INMATE_DATA / 2) &&
	       check_crossing(in, p->request.iova + GUEST_PAGE - INMATE_DATA / 2);
}

void check_bad_tables(struct inmate *in)
{
	bool good = check_entries(in) && !complaints;

	printf("# %u bad entries, %u made the device wait, %u lead elsewhere\n", cases, waited,
	       elsewhere);
	print_result(good && waited > cases / 2 && elsewhere, "entries that are bad");

	cases = waited = 0;
	good = check_memory(in) && !complaints;
	printf("# %u parts of pages, %u made the device wait\n", cases, waited);
	print_result(good && waited > cases / 2 && waited < cases, "pages that are no memory");
	print_result(prison_is_intact(&in->prison), "beyond the guest's memory, all is as it was");
}
