// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <string.h>

#include "check.h"
#include "resolve.h"

#define WORD 8

void guest_fill(const struct device *d)
{
	uint64_t *entry = device_page(d, TABLE_PAGE);

	/* And a page more: what is beyond the end is there. */
	for (unsigned int i = 0; i < (NR_TABLES + 1) * PAGE / sizeof(*entry); i++)
		entry[i] = 0x0123456789abcdefULL * (i + 1);
}

struct device *guest_open(struct hook **h)
{
	struct device *d = resolve_open(h);

	guest_fill(d);
	device_send(d, FIRST_PAGE, 1);
	if (hook_calls(*h) != 1)
		bail_out("the program is not asked");
	return d;
}

bool guest_has_read(const struct hook *h, uint64_t calls, int error, const void *from)
{
	const struct hook_read *r = hook_read(h);
	uint8_t expected[sizeof(r->bytes)];

	memset(expected, HOOK_READ_FILL, sizeof(expected));
	memset(expected + r->offset, 0, r->size);
	if (!error)
		memcpy(expected + r->offset, from, r->size);
	EXPECT(r->calls == calls + 1, "%llu calls", (unsigned long long)(r->calls - calls));
	EXPECT(r->returned == error, "error %d, not %d, of %u bytes at 0x%llx", r->returned, error,
	       r->size, (unsigned long long)r->gpa);
	EXPECT(!memcmp(r->bytes, expected, sizeof(expected)), "other bytes: %u at 0x%llx to +%u",
	       r->size, (unsigned long long)r->gpa, r->offset);
	return true;
}

static bool reads_now(struct device *d, struct hook *h, int error, const void *from)
{
	uint64_t calls = hook_read(h)->calls;

	device_kick_and_flush(d, TX);
	return guest_has_read(h, calls, error, from);
}

bool guest_reads_to(struct device *d, struct hook *h, uint64_t gpa, unsigned int size,
		    unsigned int offset, int error, const void *from)
{
	hook_set_read_at(h, gpa, size, offset);
	return reads_now(d, h, error, from);
}

bool guest_reads_word_to(struct device *d, struct hook *h, uint64_t gpa, unsigned int offset,
			 int error, const void *from)
{
	hook_set_read_word(h, gpa, offset);
	return reads_now(d, h, error, from);
}

bool guest_reads_word(struct device *d, struct hook *h, uint64_t gpa, int error, const void *from)
{
	return guest_reads_word_to(d, h, gpa, 0, error, from);
}

/* The second time, the region is known from the first one. */
bool guest_reads(struct device *d, struct hook *h, uint64_t gpa, unsigned int size, int error,
		 const void *from)
{
	if (size == WORD)
		PART(guest_reads_word(d, h, gpa, error, from));
	PART(guest_reads_to(d, h, gpa, size, 0, error, from));
	if (size == WORD)
		PART(guest_reads_word(d, h, gpa, error, from));
	return true;
}
