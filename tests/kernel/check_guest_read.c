// SPDX-License-Identifier: GPL-2.0
/* The BPF program reads the guest's memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/userfaultfd.h>

#include "check.h"
#include "device.h"
#include "guest.h"
#include "hook.h"
#include "resolve.h"

static bool reads_page(struct device *d, struct hook *h, unsigned int page, int error)
{
	return guest_reads(d, h, page_gpa(page), 64, error, device_page(d, page));
}

static bool sizes(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);

	for (unsigned int size = 0; size <= HOOK_READ_MAX; size++) {
		bool good = size && size <= 64 && size % 8 == 0;

		PART(guest_reads(d, h, page_gpa(TABLE_PAGE) + 8, size, good ? 0 : -EINVAL,
				 (uint8_t *)device_page(d, TABLE_PAGE) + 8));
	}
	return true;
}

static bool alignment(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);

	for (unsigned int offset = 0; offset < 24; offset++)
		PART(guest_reads(d, h, page_gpa(TABLE_PAGE) + offset, 16, offset % 8 ? -EINVAL : 0,
				 (uint8_t *)device_page(d, TABLE_PAGE) + offset));
	/* Pages do not matter. */
	return guest_reads(d, h, page_gpa(TABLE_PAGE + 1) - 8, 64, 0,
			   (uint8_t *)device_page(d, TABLE_PAGE + 1) - 8);
}

/* Where it is read to need not be aligned. */
static bool destination(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	const void *from = device_page(d, TABLE_PAGE);

	for (unsigned int offset = 0; offset < 8; offset++) {
		for (unsigned int size = 8; size <= 64; size += 8)
			PART(guest_reads_to(d, h, page_gpa(TABLE_PAGE), size, offset, 0, from));
		PART(guest_reads_to(d, h, page_gpa(NR_PAGES), 16, offset, -EFAULT, NULL));
		PART(guest_reads_to(d, h, page_gpa(TABLE_PAGE), 12, offset, -EINVAL, NULL));
	}
	return true;
}

#define BASE 0x100000ULL
#define SIZE (NR_TABLES * PAGE)

static bool bounds(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);
	struct vhost_memory_region region = {BASE, SIZE, (uintptr_t)from, 0};

	/* And before it. */
	memset(device_page(d, TABLE_PAGE - 1), 1, PAGE);
	EXPECT(!device_set_regions(d, &region, 1), "refused");
	PART(guest_reads(d, h, BASE, 8, 0, from));
	PART(guest_reads(d, h, BASE, 64, 0, from));
	PART(guest_reads(d, h, BASE + SIZE - 8, 8, 0, from + SIZE - 8));
	PART(guest_reads(d, h, BASE + SIZE - 64, 64, 0, from + SIZE - 64));

	PART(guest_reads(d, h, BASE - 8, 8, -EFAULT, NULL));
	PART(guest_reads(d, h, BASE - 8, 16, -EFAULT, NULL));
	PART(guest_reads(d, h, BASE + SIZE, 8, -EFAULT, NULL));
	PART(guest_reads(d, h, BASE + SIZE - 8, 16, -EFAULT, NULL));
	PART(guest_reads(d, h, BASE + SIZE - 56, 64, -EFAULT, NULL));
	PART(guest_reads(d, h, 0, 8, -EFAULT, NULL));
	PART(guest_reads(d, h, -8ULL, 8, -EFAULT, NULL));
	PART(guest_reads(d, h, -8ULL, 64, -EFAULT, NULL));
	return guest_reads(d, h, (uintptr_t)from, 8, -EFAULT, NULL);
}

/* That meet for the guest, and even for the owner. */
static bool across_regions(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint8_t *from = device_page(d, TABLE_PAGE);
	struct vhost_memory_region regions[] = {
		{BASE, PAGE, (uintptr_t)from, 0},
		{BASE + PAGE, PAGE, (uintptr_t)from + PAGE, 0},
	};

	EXPECT(!device_set_regions(d, regions, 2), "refused");
	PART(guest_reads(d, h, BASE + PAGE - 64, 64, 0, from + PAGE - 64));
	PART(guest_reads(d, h, BASE + PAGE, 64, 0, from + PAGE));
	return guest_reads(d, h, BASE + PAGE - 8, 16, -EFAULT, NULL);
}

/* The owner has the memory where entries cannot be read at once. */
static bool unaligned_region(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	struct vhost_memory_region region = {
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)device_page(d, TABLE_PAGE) + 4,
	};

	EXPECT(!device_set_regions(d, &region, 1), "refused");
	return guest_reads(d, h, 0, 8, -EFAULT, NULL);
}

static bool other_memory(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	struct vhost_memory_region region = {
		.memory_size = 2 * PAGE,
		.userspace_addr = (uintptr_t)device_page(d, TABLE_PAGE),
	};

	EXPECT(!device_set_regions(d, &region, 1), "refused");
	PART(guest_reads(d, h, PAGE, 64, 0, device_page(d, TABLE_PAGE + 1)));
	region.userspace_addr += PAGE;
	EXPECT(!device_set_regions(d, &region, 1), "refused");
	PART(guest_reads(d, h, PAGE, 64, 0, device_page(d, TABLE_PAGE + 2)));
	region.guest_phys_addr = PAGE;
	EXPECT(!device_set_regions(d, &region, 1), "refused");
	PART(guest_reads(d, h, PAGE, 64, 0, device_page(d, TABLE_PAGE + 1)));
	EXPECT(!device_set_regions(d, NULL, 0), "refused");
	return guest_reads(d, h, PAGE, 64, -EFAULT, NULL);
}

static bool not_there(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	void *page = device_page(d, TABLE_PAGE);

	PART(reads_page(d, h, TABLE_PAGE, 0));
	if (madvise(page, PAGE, MADV_DONTNEED))
		bail_out_errno("MADV_DONTNEED");
	PART(reads_page(d, h, TABLE_PAGE, -EFAULT));
	/* Nor has it come by that. */
	PART(reads_page(d, h, TABLE_PAGE, -EFAULT));
	memset(page, 1, PAGE);
	PART(reads_page(d, h, TABLE_PAGE, 0));

	/* From a page that is there to one that is not. */
	if (madvise((uint8_t *)page + PAGE, PAGE, MADV_DONTNEED))
		bail_out_errno("MADV_DONTNEED");
	return guest_reads(d, h, page_gpa(TABLE_PAGE + 1) - 8, 64, -EFAULT, NULL);
}

static bool file_not_mapped(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	void *page = device_page(d, TABLE_PAGE);
	int fd = memfd_create("memory", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, PAGE) ||
	    mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		bail_out_errno("no memory");
	close(fd);
	memset(page, 2, PAGE);
	PART(reads_page(d, h, TABLE_PAGE, 0));
	if (madvise(page, PAGE, MADV_DONTNEED))
		bail_out_errno("MADV_DONTNEED");
	PART(reads_page(d, h, TABLE_PAGE, -EFAULT));
	EXPECT(*(uint8_t *)page == 2, "the page is lost");
	return reads_page(d, h, TABLE_PAGE, 0);
}

static bool protected(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	void *page = device_page(d, TABLE_PAGE);

	if (mprotect(page, PAGE, PROT_NONE))
		bail_out_errno("mprotect");
	PART(reads_page(d, h, TABLE_PAGE, -EFAULT));
	if (mprotect(page, PAGE, PROT_READ))
		bail_out_errno("mprotect");
	PART(reads_page(d, h, TABLE_PAGE, 0));
	if (munmap(page, PAGE))
		bail_out_errno("munmap");
	return reads_page(d, h, TABLE_PAGE, -EFAULT);
}

/* A page that never comes: who waits for it hangs. */
static bool withheld(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {
		.range = {(uintptr_t)device_page(d, TABLE_PAGE), PAGE},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	bool good;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range) ||
	    madvise(device_page(d, TABLE_PAGE), PAGE, MADV_DONTNEED))
		bail_out_errno("userfaultfd");
	good = reads_page(d, h, TABLE_PAGE, -EFAULT);
	close(fd);
	return good;
}

/* Not a worker, but who starts the virtqueue. */
static bool in_ioctl(void)
{
	struct device *d = device_open();
	struct hook *h = hook_open(HOOK_PASS);
	const struct hook_read *r = hook_read(h);
	struct hook_record record;

	guest_fill(d);
	hook_set_read(h, page_gpa(TABLE_PAGE), 64);
	EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
	EXPECT(!hook_take(h, &record), "no record");
	EXPECT(record.tgid == (unsigned int)getpid(), "in process %u", record.tgid);
	EXPECT(r->calls == 1 && !r->returned, "%llu calls, error %d", r->calls, r->returned);
	EXPECT(!memcmp(r->bytes, device_page(d, TABLE_PAGE), 64), "other bytes");
	return true;
}

static bool in_kthread(void)
{
	const struct device_shape shape = {.kthread = true};
	struct device *d = device_open_shaped(&shape);
	struct hook *h = hook_open(HOOK_PASS);

	device_run(d);
	guest_fill(d);
	device_send(d, FIRST_PAGE, 1);
	PART(reads_page(d, h, TABLE_PAGE, 0));
	return guest_reads(d, h, page_gpa(NR_PAGES), 8, -EFAULT, NULL);
}

/* It reads, and answers. */
static bool then_resolves(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	const struct hook_read *r = hook_read(h);

	hook_set_read(h, page_gpa(TABLE_PAGE), 8);
	resolve_pages(h, FIRST_PAGE, 1, FIRST_PAGE, VHOST_ACCESS_RO);
	device_kick_and_flush(d, TX);
	EXPECT(!r->returned, "error %d", r->returned);
	EXPECT(device_used(d, TX) == 1, "%u used", device_used(d, TX));
	EXPECT(device_wait_frame(d) == 1, "another frame came out");

	/* From another region than the answer is in. */
	hook_set_read(h, page_gpa(NR_PAGES), 8);
	PART(is_sent(d, FIRST_PAGE, FIRST_PAGE, 2));
	EXPECT(r->returned == -EFAULT, "error %d", r->returned);
	return true;
}

static const struct check list[] = {
	{"sizes", sizes, STOCK_LACKS},
	{"addresses that are no multiple of 8", alignment, STOCK_LACKS},
	{"to any address", destination, STOCK_LACKS},
	{"bounds of the memory table", bounds, STOCK_LACKS},
	{"not across regions", across_regions, STOCK_LACKS},
	{"not from a region that is not aligned", unaligned_region, STOCK_LACKS},
	{"by the memory table of that time", other_memory, STOCK_LACKS},
	{"a page that is not there", not_there, STOCK_LACKS},
	{"a page of a file that is not mapped", file_not_mapped, STOCK_LACKS},
	{"a page that may not be read", protected, STOCK_LACKS},
	{"a page that is withheld", withheld, STOCK_LACKS},
	{"in the ioctl that starts a virtqueue", in_ioctl, STOCK_LACKS},
	{"in a kernel thread", in_kthread, STOCK_LACKS},
	{"what is read, and then an answer", then_resolves, STOCK_LACKS},
};

CHECK_GROUP(guest_read, list);
