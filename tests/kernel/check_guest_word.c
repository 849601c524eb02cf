// SPDX-License-Identifier: GPL-2.0
/* The BPF program reads the guest's memory by the word. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "device.h"
#include "frame.h"
#include "guest.h"
#include "hook.h"
#include "resolve.h"

#define BASE 0x100000ULL
#define SIZE (NR_TABLES * PAGE)

/* Guest memory that begins @from bytes after BASE, as it does for the owner. */
static bool set_region(const struct device *d, unsigned int from, uint64_t size)
{
	struct vhost_memory_region region = {
		.guest_phys_addr = BASE + from,
		.memory_size = size,
		.userspace_addr = (uintptr_t)device_page(d, TABLE_PAGE) + from,
	};

	EXPECT(!device_set_regions(d, &region, 1), "refused");
	return true;
}

static bool values(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);

	for (uint64_t at = 0; at < SIZE; at += at % PAGE < 64 ? 8 : PAGE / 8 - 8)
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE) + at, 0, from + at));
	/* What it is now. */
	for (unsigned int i = 0; i < 64; i++) {
		*(uint64_t *)from = 1ULL << i;
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), 0, &(uint64_t){1ULL << i}));
	}
	return true;
}

/* Whether the region is known from before or not, and whether there is one. */
static bool unaligned(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);

	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int offset = 1; offset < 8; offset++) {
			PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE) + offset, -EINVAL, NULL));
			PART(guest_reads_word(d, h, page_gpa(NR_PAGES) - offset, -EINVAL, NULL));
			PART(guest_reads_word(d, h, page_gpa(NR_PAGES) + offset, -EINVAL, NULL));
			PART(guest_reads_word(d, h, -(uint64_t)offset, -EINVAL, NULL));
		}
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE) + 8, 0, from + 8));
	}
	return true;
}

static bool destination(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);

	for (unsigned int offset = 0; offset < 8; offset++) {
		uint64_t gpa = page_gpa(TABLE_PAGE) + 8 * offset;

		PART(guest_reads_word_to(d, h, gpa, offset, 0, from + 8 * offset));
		PART(guest_reads_word_to(d, h, gpa + 1, offset, -EINVAL, NULL));
		PART(guest_reads_word_to(d, h, page_gpa(NR_PAGES), offset, -EFAULT, NULL));
	}
	return true;
}

/* The words at both ends of a region, and those that cross them. */
static bool has_ends(struct device *d, struct hook *h, unsigned int from, uint64_t size)
{
	uint8_t *memory = device_page(d, TABLE_PAGE);
	uint64_t first = (from + 7) / 8 * 8, end = (from + size) / 8 * 8;

	/* They are the first that are read, and come after others. */
	for (unsigned int i = 0; i < 2; i++) {
		PART(set_region(d, from, size));
		PART(guest_reads_word(d, h, BASE + (i ? end - 8 : first), 0,
				      memory + (i ? end - 8 : first)));
		for (unsigned int j = 0; j < 2; j++) {
			PART(guest_reads_word(d, h, BASE + first - 8, -EFAULT, NULL));
			PART(guest_reads_word(d, h, BASE + end, -EFAULT, NULL));
			PART(guest_reads_word(d, h, BASE + end - 8, 0, memory + end - 8));
			PART(guest_reads_word(d, h, BASE + first, 0, memory + first));
		}
		PART(set_region(d, from, size));
		PART(guest_reads_word(d, h, BASE + (i ? end : first - 8), -EFAULT, NULL));
		PART(guest_reads_word(d, h, BASE + (i ? first - 8 : end), -EFAULT, NULL));
	}
	return true;
}

static bool ends(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);

	PART(has_ends(d, h, 0, 8));
	PART(has_ends(d, h, 0, 16));
	PART(has_ends(d, h, 0, PAGE));
	return has_ends(d, h, PAGE, SIZE - PAGE);
}

static bool odd_end(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);

	for (unsigned int less = 1; less < 8; less++) {
		PART(has_ends(d, h, 0, PAGE - less));
		PART(has_ends(d, h, 0, 16 - less));
	}
	return true;
}

static bool odd_start(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);

	for (unsigned int from = 1; from < 8; from++) {
		PART(has_ends(d, h, from, PAGE));
		PART(has_ends(d, h, from, PAGE - from));
	}
	return true;
}

/* No word is in it, and it is not taken for another that was read before. */
static bool small(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);
	struct vhost_memory_region regions[] = {
		{BASE, 0, (uintptr_t)from, 0},
		{BASE + PAGE, PAGE, (uintptr_t)from + PAGE, 0},
		/* Two that are a word together. */
		{BASE + 2 * PAGE, 4, (uintptr_t)from, 0},
		{BASE + 2 * PAGE + 4, 4, (uintptr_t)from + 4, 0},
		/* That has eight bytes, but no word. */
		{BASE + 3 * PAGE + 4, 8, (uintptr_t)from + 4, 0},
	};

	for (unsigned int size = 1; size <= 8; size++) {
		int error = size < 8 ? -EFAULT : 0;

		regions[0].memory_size = size;
		EXPECT(!device_set_regions(d, regions, 5), "refused");
		for (unsigned int i = 0; i < 2; i++) {
			PART(guest_reads_word(d, h, BASE, error, from));
			PART(guest_reads_word(d, h, BASE - 8, -EFAULT, NULL));
			PART(guest_reads_word(d, h, BASE + 8, -EFAULT, NULL));
			PART(guest_reads_word(d, h, BASE + PAGE, 0, from + PAGE));
			PART(guest_reads_word(d, h, BASE + 2 * PAGE, -EFAULT, NULL));
			PART(guest_reads_word(d, h, BASE + 3 * PAGE, -EFAULT, NULL));
			PART(guest_reads_word(d, h, BASE + 3 * PAGE + 8, -EFAULT, NULL));
			PART(guest_reads_word(d, h, BASE + 2 * PAGE - 8, 0, from + 2 * PAGE - 8));
		}
	}
	return true;
}

/* That there is no word before its end must not be taken for all addresses. */
static bool small_at_zero(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	struct vhost_memory_region region = {
		.userspace_addr = (uintptr_t)device_page(d, TABLE_PAGE),
	};

	for (unsigned int size = 1; size < 8; size++) {
		region.memory_size = size;
		EXPECT(!device_set_regions(d, &region, 1), "refused");
		for (unsigned int i = 0; i < 2; i++) {
			PART(guest_reads_word(d, h, 0, -EFAULT, NULL));
			PART(guest_reads_word(d, h, 8, -EFAULT, NULL));
			PART(guest_reads_word(d, h, PAGE, -EFAULT, NULL));
		}
	}
	return true;
}

/* Around it there is the first one. */
static bool last_address(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);
	struct vhost_memory_region regions[] = {
		{-PAGE, PAGE, (uintptr_t)from, 0},
		{0, PAGE, (uintptr_t)from + PAGE, 0},
	};

	PART(guest_reads_word(d, h, -8ULL, -EFAULT, NULL));
	PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), 0, from));
	PART(guest_reads_word(d, h, -8ULL, -EFAULT, NULL));

	for (unsigned int nr = 1; nr <= 2; nr++) {
		EXPECT(!device_set_regions(d, regions, nr), "refused");
		for (unsigned int i = 0; i < 2; i++) {
			PART(guest_reads_word(d, h, -8ULL, 0, from + PAGE - 8));
			PART(guest_reads_word(d, h, -1ULL, -EINVAL, NULL));
			PART(guest_reads_word(d, h, 0, nr == 2 ? 0 : -EFAULT, from + PAGE));
			PART(guest_reads_word(d, h, -PAGE, 0, from));
			PART(guest_reads_word(d, h, -PAGE - 8, -EFAULT, NULL));
		}
	}

	/* The last word is not all there. */
	for (unsigned int less = 1; less < 8; less++) {
		regions[0].memory_size = PAGE - less;
		EXPECT(!device_set_regions(d, regions, 2), "refused");
		for (unsigned int i = 0; i < 2; i++) {
			PART(guest_reads_word(d, h, -8ULL, -EFAULT, NULL));
			PART(guest_reads_word(d, h, -16ULL, 0, from + PAGE - 16));
		}
	}
	return true;
}

static bool unaligned_region(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);

	for (unsigned int offset = 1; offset < 8; offset++) {
		struct vhost_memory_region regions[] = {
			{BASE, PAGE, (uintptr_t)from + offset, 0},
			{BASE + PAGE, PAGE, (uintptr_t)from + PAGE, 0},
		};

		EXPECT(!device_set_regions(d, regions, 2), "refused");
		for (unsigned int i = 0; i < 2; i++) {
			PART(guest_reads_word(d, h, BASE, -EFAULT, NULL));
			PART(guest_reads_word(d, h, BASE + 8 - offset, -EINVAL, NULL));
			PART(guest_reads_word(d, h, BASE + PAGE, 0, from + PAGE));
		}
	}
	return true;
}

static bool not_there(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *page = device_page(d, TABLE_PAGE);

	for (unsigned int i = 0; i < 2; i++) {
		memset(page, 1, PAGE);
		if (i)
			PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), 0, page));
		if (madvise(page, PAGE, MADV_DONTNEED))
			bail_out_errno("MADV_DONTNEED");
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), -EFAULT, NULL));
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE + 1) - 8, -EFAULT, NULL));
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE + 1), 0, page + PAGE));
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), -EFAULT, NULL));
		EXPECT(!device_set_memory_table(d), "refused");
	}

	memset(page, 2, PAGE);
	PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), 0, page));
	if (mprotect(page, PAGE, PROT_NONE))
		bail_out_errno("mprotect");
	PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), -EFAULT, NULL));
	if (munmap(page, PAGE))
		bail_out_errno("munmap");
	PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), -EFAULT, NULL));
	EXPECT(!device_set_memory_table(d), "refused");
	return guest_reads_word(d, h, page_gpa(TABLE_PAGE), -EFAULT, NULL);
}

static bool in_ioctl(void)
{
	struct device *d = device_open();
	struct hook *h = hook_open(HOOK_PASS);
	struct hook_record record;

	guest_fill(d);
	for (unsigned int i = 0; i < 2; i++) {
		hook_set_read_word(h, page_gpa(TABLE_PAGE) + 8 * i, 0);
		EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
		EXPECT(!hook_take(h, &record), "no record");
		EXPECT(record.tgid == (unsigned int)getpid(), "in process %u", record.tgid);
		PART(guest_has_read(h, 2 * i, 0, (uint8_t *)device_page(d, TABLE_PAGE) + 8 * i));
		hook_set_read_word(h, page_gpa(NR_PAGES), 0);
		EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
		PART(guest_has_read(h, 2 * i + 1, -EFAULT, NULL));
		EXPECT(!hook_take(h, &record), "no record");
	}
	return true;
}

static bool in_kthread(void)
{
	const struct device_shape shape = {.kthread = true};
	struct device *d = device_open_shaped(&shape);
	struct hook *h = hook_open(HOOK_PASS);
	struct hook_record record;

	device_run(d);
	guest_fill(d);
	device_send(d, FIRST_PAGE, 1);
	for (unsigned int i = 0; i < 2; i++) {
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE), 0, device_page(d, TABLE_PAGE)));
		EXPECT(!hook_take(h, &record), "no record");
		EXPECT(record.tgid != (unsigned int)getpid(), "a thread of ours");
		PART(guest_reads_word(d, h, page_gpa(NR_PAGES), -EFAULT, NULL));
		PART(guest_reads_word(d, h, page_gpa(TABLE_PAGE) + 4, -EINVAL, NULL));
	}
	return true;
}

/* It reads, and answers. */
static bool then_resolves(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	uint64_t calls;

	guest_fill(d);
	resolve_pages(h, FIRST_PAGE, 1, FIRST_PAGE + 1, VHOST_ACCESS_RO);
	for (unsigned int i = 0; i < 4; i++) {
		bool good = i % 2 == 0;

		calls = hook_read(h)->calls;
		hook_set_read_word(h, page_gpa(good ? TABLE_PAGE : NR_PAGES), 0);
		PART(is_sent(d, FIRST_PAGE, FIRST_PAGE + 1, i));
		PART(guest_has_read(h, calls, good ? 0 : -EFAULT, device_page(d, TABLE_PAGE)));
	}
	return true;
}

static const struct check list[] = {
	{"values", values, STOCK_LACKS},
	{"addresses that are no multiple of 8", unaligned, STOCK_LACKS},
	{"to any address", destination, STOCK_LACKS},
	{"the first and the last word of a region", ends, STOCK_LACKS},
	{"a region that ends within a word", odd_end, STOCK_LACKS},
	{"a region that begins within a word", odd_start, STOCK_LACKS},
	{"regions that are smaller than a word", small, STOCK_LACKS},
	{"the same at address 0", small_at_zero, STOCK_LACKS},
	{"the last word of all", last_address, STOCK_LACKS},
	{"not from a region that is not aligned", unaligned_region, STOCK_LACKS},
	{"a page that is not there, or may not be read", not_there, STOCK_LACKS},
	{"in the ioctl that starts a virtqueue", in_ioctl, STOCK_LACKS},
	{"in a kernel thread", in_kthread, STOCK_LACKS},
	{"what is read, and then an answer", then_resolves, STOCK_LACKS},
};

CHECK_GROUP(guest_word, list);
