// SPDX-License-Identifier: GPL-2.0
#include "resolve.h"

#include <errno.h>

#include "check.h"
#include "frame.h"

uint64_t page_gpa(unsigned int page)
{
	return page * PAGE;
}

struct hook_answer *resolve_pages(struct hook *h, unsigned int page, unsigned int nr,
				  unsigned int at, int perm)
{
	return hook_resolve(h, device_iova(page), nr * PAGE, page_gpa(at), perm);
}

struct device *resolve_open(struct hook **h)
{
	struct device *d = device_open_running();

	*h = hook_open(HOOK_PASS);
	return d;
}

bool nothing_to_read(const struct device *d)
{
	struct vhost_iotlb_msg msg;

	EXPECT(!device_has_message(d), "poll() sees a message");
	EXPECT(device_read_miss(d, &msg) == -EAGAIN, "a message of 0x%llx",
	       (unsigned long long)msg.iova);
	return true;
}

bool reads_miss(const struct device *d, uint64_t iova)
{
	struct vhost_iotlb_msg msg;

	EXPECT(device_has_message(d), "poll() sees nothing");
	EXPECT(!device_read_miss(d, &msg), "no message");
	EXPECT(msg.iova == iova, "a message of 0x%llx, not 0x%llx", (unsigned long long)msg.iova,
	       (unsigned long long)iova);
	return true;
}

bool is_asked(const struct hook *h, unsigned int calls)
{
	EXPECT(hook_calls(h) == calls, "asked %u times, not %u", hook_calls(h), calls);
	return true;
}

bool is_sent(struct device *d, unsigned int page, unsigned int at, uint32_t tag)
{
	int64_t out;

	frame_put(device_page(d, at), tag);
	out = device_transmit(d, device_iova(page));
	EXPECT(out == tag, "frame %lld came out, not %u", (long long)out, tag);
	return true;
}

bool goes_on(struct device *d, unsigned int page, unsigned int used)
{
	EXPECT(!device_map(d, page, VHOST_ACCESS_RW), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == used, "%u used, not %u", device_used(d, TX), used);
	return true;
}
