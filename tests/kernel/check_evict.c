// SPDX-License-Identifier: GPL-2.0
/*
 * An IOTLB that is full. Good for every limit from 4 on (the module parameter
 * max_iotlb_entries); more happens with a small one.
 */
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "trace.h"

#define MORE 13 /* entries beyond the limit */
#define PACKETS 61
#define PAGES 17

/* Addresses of which only the mappings matter. */
static uint64_t iova_of(unsigned int entry)
{
	return 0x700000000ULL + entry * 2 * PAGE;
}

static int add(const struct device *d, unsigned int entry)
{
	return device_update(d, iova_of(entry), PAGE, d->memory, VHOST_ACCESS_WO);
}

static unsigned int entries(const struct device *d)
{
	struct fdinfo info;

	fdinfo_read(&info, d->fd);
	return info.entries;
}

static bool oldest_goes(void)
{
	struct device *d = device_open();
	unsigned int limit = fdinfo_limit();
	unsigned long long dev = fdinfo_id(d->fd);
	int last = -1;

	for (unsigned int i = 0; i < limit; i++)
		EXPECT(!add(d, i), "entry %u is refused", i);
	EXPECT(entries(d) == limit, "%u entries", entries(d));

	trace_open();
	for (unsigned int i = 0; i < MORE; i++) {
		EXPECT(!add(d, limit + i), "entry %u is refused", limit + i);
		EXPECT(entries(d) == limit, "%u entries", entries(d));
	}
	EXPECT(trace_count("evict", "dev=%llu", dev) == MORE, "%u evictions",
	       trace_count("evict", "dev=%llu", dev));
	for (unsigned int i = 0; i < MORE; i++) {
		int place = trace_place("evict", "dev=%llu iova=0x%llx size=0x1000 perm=w", dev,
					(unsigned long long)iova_of(i));

		EXPECT(place > last, "entry %u was not next to go", i);
		last = place;
	}
	return true;
}

/* What an UPDATE replaces makes the room that it needs. */
static bool replacing(void)
{
	struct device *d = device_open();
	unsigned int limit = fdinfo_limit();

	for (unsigned int i = 0; i < limit; i++)
		EXPECT(!add(d, i), "entry %u is refused", i);
	trace_open();
	for (unsigned int i = 0; i < limit && i < MORE; i++)
		EXPECT(!add(d, i), "entry %u is refused", i);
	EXPECT(trace_count("evict", " ") == 0, "%u evictions", trace_count("evict", " "));
	EXPECT(entries(d) == limit, "%u entries", entries(d));

	/* Those are the newest now. */
	EXPECT(!add(d, limit), "refused");
	EXPECT(trace_count("evict", "iova=0x%llx",
			   (unsigned long long)iova_of(limit > MORE ? MORE : 0)) == 1,
	       "not the oldest went");
	return true;
}

/* The rings take one entry, so that four are enough for everything. */
static int map_rings(const struct device *d)
{
	return device_update(d, device_iova(0), RING_PAGES * PAGE, d->memory, VHOST_ACCESS_RW);
}

static bool answer_misses(struct device *d, unsigned int sent)
{
	const unsigned int limit = fdinfo_limit();
	struct vhost_iotlb_msg msg;
	int answers = 0;

	while (device_used(d, TX) < sent) {
		EXPECT(answers++ < 10, "no progress");
		EXPECT(!device_read_miss(d, &msg), "stuck without a miss");
		if (msg.iova < device_iova(RING_PAGES))
			EXPECT(!map_rings(d), "refused");
		else
			EXPECT(!device_update(d, msg.iova, PAGE, d->memory, VHOST_ACCESS_RO),
			       "refused");
		device_flush(d);
		EXPECT(entries(d) <= limit, "%u entries", entries(d));
	}
	return true;
}

static bool traffic(void)
{
	struct device *d = device_open();

	EXPECT(!map_rings(d), "refused");
	EXPECT(!device_start_queue(d, TX), "cannot start");
	device_flush(d);
	trace_open();
	for (unsigned int i = 0; i < PACKETS; i++) {
		device_send(d, FIRST_PAGE + i % PAGES, i);
		PART(answer_misses(d, i + 1));
	}
	if (fdinfo_limit() <= PAGES)
		EXPECT(trace_count("evict", "iova=0x%llx size=0x6000 perm=rw",
				   (unsigned long long)device_iova(0)) > 0,
		       "the rings were never evicted");
	else
		EXPECT(trace_count("evict", " ") == 0, "evictions");
	return true;
}

static const struct check list[] = {
	{"never above the limit, the oldest goes", oldest_goes, STOCK_LACKS},
	{"an UPDATE that replaces evicts nothing", replacing, STOCK_LACKS},
	{"all packets go out, whatever is evicted", traffic, STOCK_LACKS},
};

CHECK_GROUP(evict, list);
