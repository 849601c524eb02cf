// SPDX-License-Identifier: GPL-2.0
/* Messages of type V3: all or nothing if something is malformed, in order. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/virtio_config.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "module.h"

/* A page of which nothing is said. */
#define WAITED FIRST_PAGE

static unsigned int entries(const struct device *d)
{
	return fdinfo_entries(d->fd);
}

/* A virtqueue of a running device waits for WAITED. */
static struct device *open_waiting(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	device_send(d, WAITED, 1);
	if (device_read_miss(d, &msg))
		bail_out("no miss");
	return d;
}

/* Nothing has come of a message. */
static bool is_untouched(struct device *d, unsigned int before)
{
	device_flush(d);
	EXPECT(entries(d) == before, "%u entries after %u", entries(d), before);
	EXPECT(device_used(d, TX) == 0, "a virtqueue goes on");
	EXPECT(!device_has_message(d), "a virtqueue tried again");
	return true;
}

static bool is_sent(struct device *d, unsigned int page, uint32_t tag)
{
	int64_t out;

	frame_put(device_page(d, page), tag);
	out = device_transmit(d, device_iova(page));
	EXPECT(out == tag, "frame %lld came out of page %u", (long long)out, page);
	return true;
}

static bool has_feature(const char *path, uint64_t more)
{
	const uint64_t bits =
		1ULL << VHOST_BACKEND_F_IOTLB_MSG_V3 | 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 | more;
	uint64_t features, unknown = 1ULL << 63 | bits;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		bail_out_errno("cannot open %s", path);
	/* It has no owner. */
	EXPECT(!ioctl(fd, VHOST_GET_BACKEND_FEATURES, &features), "errno %d", errno);
	EXPECT(features == bits, "features 0x%llx", (unsigned long long)features);
	EXPECT(!ioctl(fd, VHOST_SET_BACKEND_FEATURES, &features), "errno %d", errno);
	EXPECT(ioctl(fd, VHOST_SET_BACKEND_FEATURES, &unknown) && errno == EOPNOTSUPP,
	       "unknown features are accepted");
	close(fd);
	return true;
}

static bool feature(void)
{
	EXPECT(module_load("vhost_vsock"), "cannot load vhost_vsock");
	PART(has_feature(VHOST_NET, 1ULL << VHOST_BACKEND_F_IOTLB_ASID |
					    1ULL << VHOST_BACKEND_F_IOTLB_ACCESS_FAIL));
	return has_feature(VHOST_VSOCK, 0);
}

/* All kinds of operations in one message, which nobody had to ask for. */
static bool mixed(void)
{
	struct device *d = device_open_running();
	unsigned int before = entries(d);
	struct batch b;

	batch_init(&b);
	batch_add_map(&b, d, FIRST_PAGE, VHOST_ACCESS_RW);
	batch_add_map(&b, d, FIRST_PAGE + 1, VHOST_ACCESS_RO);
	batch_add(&b, VHOST_IOTLB_RETRY, 0, 0);
	batch_add_map(&b, d, FIRST_PAGE + 2, VHOST_ACCESS_WO);
	batch_add(&b, VHOST_IOTLB_MISS, device_iova(FIRST_PAGE), PAGE);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(FIRST_PAGE + 2), PAGE);
	EXPECT(batch_write(d, &b) == (int)b.num, "not all applied");
	EXPECT(entries(d) == before + 2, "%u entries after %u", entries(d), before);
	PART(is_sent(d, FIRST_PAGE, 2));
	return is_sent(d, FIRST_PAGE + 1, 3);
}

static bool in_order(void)
{
	struct device *d = device_open_running();
	unsigned int before = entries(d);
	struct vhost_iotlb_msg msg;
	struct batch b;

	batch_init(&b);
	batch_add_update(&b, device_iova(FIRST_PAGE), PAGE, device_page(d, FIRST_PAGE + 1),
			 VHOST_ACCESS_RW);
	batch_add_update(&b, device_iova(FIRST_PAGE), PAGE, device_page(d, FIRST_PAGE + 2),
			 VHOST_ACCESS_RW);
	batch_add_map(&b, d, FIRST_PAGE + 3, VHOST_ACCESS_RW);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(FIRST_PAGE + 3), PAGE);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(FIRST_PAGE + 4), PAGE);
	batch_add_map(&b, d, FIRST_PAGE + 4, VHOST_ACCESS_RW);
	EXPECT(batch_write(d, &b) == (int)b.num, "not all applied");
	EXPECT(entries(d) == before + 2, "%u entries after %u", entries(d), before);

	frame_put(device_page(d, FIRST_PAGE + 1), 4);
	frame_put(device_page(d, FIRST_PAGE + 2), 5);
	EXPECT(device_transmit(d, device_iova(FIRST_PAGE)) == 5, "the last UPDATE does not count");
	PART(is_sent(d, FIRST_PAGE + 4, 6));
	device_send(d, FIRST_PAGE + 3, 7);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(msg.iova == device_iova(FIRST_PAGE + 3), "a miss of 0x%llx",
	       (unsigned long long)msg.iova);
	return true;
}

static bool numbers(void)
{
	struct device *d = device_open_running();
	unsigned int before = entries(d);
	struct batch b;

	batch_init(&b);
	EXPECT(batch_write(d, &b) == 0, "0 operations");
	for (unsigned int i = 0; i < VHOST_IOTLB_MAX_OPS; i++)
		batch_add_update(&b, 0x700000000ULL + 2 * i * PAGE, PAGE, d->memory,
				 VHOST_ACCESS_RW);
	EXPECT(batch_write(d, &b) == VHOST_IOTLB_MAX_OPS, "256 operations");
	EXPECT(entries(d) == before + VHOST_IOTLB_MAX_OPS, "%u entries after %u", entries(d),
	       before);

	/* One more, and all others are good. */
	batch_add_map(&b, d, FIRST_PAGE, VHOST_ACCESS_RW);
	EXPECT(batch_write(d, &b) == -E2BIG, "257 operations");
	EXPECT(entries(d) == before + VHOST_IOTLB_MAX_OPS, "%u entries", entries(d));
	return true;
}

/* A number that is not that of the operations which follow. */
static bool lengths(void)
{
	static const struct {
		unsigned int num;
		size_t size;
		int error;
	} bad[] = {
		{0, 3, EINVAL},	  {0, 4, EINVAL},   {0, 7, EINVAL},   {0, 9, EINVAL},
		{0, 48, EINVAL},  {1, 8, EINVAL},   {1, 47, EINVAL},  {1, 49, EINVAL},
		{1, 88, EINVAL},  {2, 48, EINVAL},  {2, 87, EINVAL},  {3, 88, EINVAL},
		{257, 8, E2BIG},  {257, 48, E2BIG}, {-1U, 48, E2BIG}, {-1U, 8, E2BIG},
		{256, 8, EINVAL},
	};
	struct device *d = open_waiting();
	unsigned int before = entries(d);
	struct batch b;

	batch_init(&b);
	for (unsigned int i = 0; i < 3; i++)
		batch_add_map(&b, d, WAITED + i, VHOST_ACCESS_RW);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		b.num = bad[i].num;
		EXPECT(write(d->fd, &b, bad[i].size) == -1 && errno == bad[i].error,
		       "errno %d for %zu bytes of %u operations", errno, bad[i].size, bad[i].num);
		PART(is_untouched(d, before));
	}
	return true;
}

/* One operation that is bad, in all places among good ones, and alone. */
static bool is_refused(struct device *d, const struct vhost_iotlb_op *op, int error,
		       const char *what)
{
	unsigned int before = entries(d);
	struct batch b;
	int ret;

	for (unsigned int place = 0; place < 3; place++) {
		batch_init(&b);
		for (unsigned int i = 0; i < 3; i++)
			batch_add_map(&b, d, WAITED + i, VHOST_ACCESS_RW);
		b.ops[place] = *op;
		ret = batch_write(d, &b);
		EXPECT(ret == -error, "%s in place %u: %d, not %d", what, place, ret, -error);
		PART(is_untouched(d, before));
	}
	ret = batch_write_op(d, op);
	EXPECT(ret == -error, "%s alone: %d, not %d", what, ret, -error);
	return is_untouched(d, before);
}

#define OP(...)                                                                                    \
	{                                                                                          \
#__VA_ARGS__,                                                                      \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

/* A good one of each kind, which something is added to. */
#define GOOD_UPDATE                                                                                \
	.type = VHOST_IOTLB_UPDATE, .iova = 0x1000, .size = 0x1000, .uaddr = 0x10000, .perm = 3
#define GOOD_INVALIDATE .type = VHOST_IOTLB_INVALIDATE, .iova = 0x1000, .size = 0x1000
#define GOOD_MISS .type = VHOST_IOTLB_MISS, .iova = 0x1000, .size = 0x1000
#define GOOD_RETRY .type = VHOST_IOTLB_RETRY, .iova = 0x1000, .size = 0x1000

struct named_op {
	const char *name;
	struct vhost_iotlb_op op;
};

/* The last of two values for a member counts. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

static const struct named_op malformed[] = {
	OP(GOOD_UPDATE, .type = 0),
	OP(GOOD_RETRY, .type = 0),
	OP(GOOD_RETRY, .type = VHOST_IOTLB_ACCESS_FAIL),
	OP(GOOD_RETRY, .type = VHOST_IOTLB_BATCH_BEGIN),
	OP(GOOD_RETRY, .type = VHOST_IOTLB_BATCH_END),
	OP(GOOD_RETRY, .type = 8),
	OP(GOOD_RETRY, .type = 255),
	OP(GOOD_UPDATE, .flags = VHOST_IOTLB_OP_F_ALL_ASIDS),
	OP(GOOD_UPDATE, .flags = 0x8000),
	OP(GOOD_UPDATE, .flags = 3),
	OP(GOOD_UPDATE, .flags = 4),
	OP(GOOD_UPDATE, .flags = VHOST_IOTLB_OP_F_ALL_ASIDS, .asid = 1),
	OP(GOOD_UPDATE, .perm = 0),
	OP(GOOD_UPDATE, .perm = 4),
	OP(GOOD_UPDATE, .perm = 7),
	OP(GOOD_UPDATE, .perm = 255),
	OP(GOOD_UPDATE, .size = 0),
	OP(GOOD_UPDATE, .iova = 0, .size = 0),
	OP(GOOD_UPDATE, .iova = -0x1000ULL, .size = 0x1001),
	OP(GOOD_UPDATE, .iova = 2, .size = -1ULL),
	OP(GOOD_UPDATE, .iova = -1ULL, .size = 2),
	OP(GOOD_UPDATE, .token = 1),
	OP(GOOD_UPDATE, .flags = VHOST_IOTLB_OP_F_TOKEN, .token = 1000000),
	OP(GOOD_UPDATE, .flags = VHOST_IOTLB_OP_F_TOKEN, .token = -1ULL),
#define RANGE(good)                                                                                \
	OP(good, .flags = 4), OP(good, .flags = VHOST_IOTLB_OP_F_TOKEN),                           \
		OP(good, .flags = VHOST_IOTLB_OP_F_ALL_ASIDS, .asid = 1), OP(good, .perm = 1),     \
		OP(good, .uaddr = 1), OP(good, .token = 1),                                        \
		OP(good, .flags = VHOST_IOTLB_OP_F_TOKEN, .token = 1), OP(good, .size = 0),        \
		OP(good, .iova = 1, .size = 0), OP(good, .iova = -1ULL, .size = 0),                \
		OP(good, .iova = -0x1000ULL, .size = 0x1001), OP(good, .iova = 2, .size = -1ULL)
	RANGE(GOOD_INVALIDATE),
	RANGE(GOOD_MISS),
	RANGE(GOOD_RETRY),
};

static const struct named_op no_memory[] = {
	OP(GOOD_UPDATE, .uaddr = 0xffff888000000000ULL),
	OP(GOOD_UPDATE, .uaddr = -0x1000ULL),
	OP(GOOD_UPDATE, .uaddr = -0x1000ULL, .size = 0x2000),
	OP(GOOD_UPDATE, .uaddr = 0x7fffffffe000ULL, .size = 0x1000000000000ULL),
	OP(GOOD_UPDATE, .size = 1ULL << 63),
};

static const struct named_op allowed[] = {
	OP(GOOD_UPDATE),
	OP(GOOD_UPDATE, .perm = VHOST_ACCESS_RO),
	OP(GOOD_UPDATE, .perm = VHOST_ACCESS_WO),
	OP(GOOD_UPDATE, .iova = 0, .size = 1),
	OP(GOOD_UPDATE, .iova = -0x1000ULL, .size = 0x1000),
	OP(GOOD_UPDATE, .iova = -1ULL, .size = 1),
	OP(GOOD_UPDATE, .iova = 0x12345, .size = 0x54321, .uaddr = 0x11111),
	/* The range is an address of user space, no matter what is there. */
	OP(GOOD_UPDATE, .uaddr = 0),
	OP(GOOD_INVALIDATE),
	OP(GOOD_INVALIDATE, .iova = 0, .size = -1ULL),
	OP(GOOD_INVALIDATE, .iova = 1, .size = -1ULL),
	OP(GOOD_INVALIDATE, .iova = -1ULL, .size = 1),
	OP(GOOD_MISS),
	OP(GOOD_MISS, .iova = 0, .size = 0),
	OP(GOOD_MISS, .iova = 1, .size = -1ULL),
	OP(GOOD_RETRY),
	OP(GOOD_RETRY, .iova = 0, .size = 0),
	OP(GOOD_RETRY, .iova = -1ULL, .size = 1),
	/* The last one: nothing is left. */
	OP(GOOD_INVALIDATE, .iova = 0, .size = 0),
};

#pragma GCC diagnostic pop

#define NR(list) (sizeof(list) / sizeof(*list))

static bool malformed_refused(void)
{
	struct device *d = open_waiting();

	for (size_t i = 0; i < NR(malformed); i++)
		PART(is_refused(d, &malformed[i].op, EINVAL, malformed[i].name));
	return true;
}

static bool no_memory_refused(void)
{
	struct device *d = open_waiting();

	for (size_t i = 0; i < NR(no_memory); i++)
		PART(is_refused(d, &no_memory[i].op, EFAULT, no_memory[i].name));
	return true;
}

static bool limits_allowed(void)
{
	struct device *d = device_open_running();

	for (size_t i = 0; i < NR(allowed); i++) {
		int error = batch_write_op(d, &allowed[i].op);

		EXPECT(!error, "%s: %d", allowed[i].name, error);
	}
	EXPECT(entries(d) == 0, "%u entries after all were dropped", entries(d));
	return true;
}

/* Malformed or not is said first, even if there is no IOTLB. */
static bool without_iotlb(void)
{
	const struct vhost_iotlb_op *update = &allowed[0].op;
	struct device *d = device_open_without_iotlb();
	struct batch b;

	batch_init(&b);
	EXPECT(batch_write(d, &b) == 0, "0 operations");
	for (size_t i = 0; i < NR(allowed); i++) {
		int error = batch_write_op(d, &allowed[i].op);

		EXPECT(error == -ENODEV, "%s: %d", allowed[i].name, error);
	}
	EXPECT(batch_write_op(d, &malformed[0].op) == -EINVAL, "no error");

	/* Other messages say EFAULT, as ever. */
	EXPECT(device_map(d, FIRST_PAGE, VHOST_ACCESS_RW) == -EFAULT, "no error");
	EXPECT(device_invalidate(d, 0, 0) == -EFAULT, "no error");
	EXPECT(device_invalidate(d, PAGE, 0) == -EFAULT, "no error");

	/* Nor has a device that nobody owns. */
	device_close(d);
	d->fd = open(VHOST_NET, O_RDWR | O_CLOEXEC);
	EXPECT(batch_write_op(d, update) == -ENODEV, "no error");
	close(d->fd);
	d->fd = -1;
	return true;
}

/* The message lies anywhere, in pieces, and not all of it may be there. */
static bool places(void)
{
	uint8_t *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct device *d = device_open_running();
	unsigned int before = entries(d);
	struct iovec pieces[3];
	const size_t size = batch_size(3);
	struct batch b;

	if (pages == MAP_FAILED || mprotect(pages + PAGE, PAGE, PROT_NONE))
		bail_out_errno("no memory");
	batch_init(&b);
	for (unsigned int i = 0; i < 3; i++)
		batch_add_map(&b, d, FIRST_PAGE + i, VHOST_ACCESS_RW);

	for (unsigned int i = 1; i < 8; i++) {
		memcpy(pages + i, &b, size);
		EXPECT(write(d->fd, pages + i, size) == (ssize_t)size, "at offset %u: errno %d", i,
		       errno);
	}
	EXPECT(entries(d) == before + 3, "%u entries after %u", entries(d), before);
	EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE), 3 * PAGE), "refused");

	/* The end of the last operation is on the page that is not there. */
	memcpy(pages + PAGE - size + 1, &b, size - 1);
	EXPECT(write(d->fd, pages + PAGE - size + 1, size) == -1 && errno == EFAULT, "errno %d",
	       errno);
	EXPECT(entries(d) == before, "%u entries after %u", entries(d), before);

	pieces[0] = (struct iovec){&b, 5};
	pieces[1] = (struct iovec){(uint8_t *)&b + 5, 50};
	pieces[2] = (struct iovec){(uint8_t *)&b + 55, size - 55};
	EXPECT(writev(d->fd, pieces, 3) == (ssize_t)size, "in pieces: errno %d", errno);
	EXPECT(entries(d) == before + 3, "%u entries after %u", entries(d), before);
	munmap(pages, 2 * PAGE);
	return true;
}

/* Both virtqueues wait, and are answered in the middle of a large message. */
static bool wakes(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;
	struct batch b;

	device_offer(d, RX, device_iova(FIRST_PAGE + 1), PAGE);
	device_inject(d, 8);
	device_send(d, FIRST_PAGE, 9);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(device_has_message(d), "no second miss");

	batch_init(&b);
	while (b.num < VHOST_IOTLB_MAX_OPS) {
		if (b.num == 100)
			batch_add_map(&b, d, FIRST_PAGE, VHOST_ACCESS_RO);
		else if (b.num == 200)
			batch_add_map(&b, d, FIRST_PAGE + 1, VHOST_ACCESS_WO);
		else
			batch_add_update(&b, 0x700000000ULL + b.num * PAGE, PAGE, d->memory,
					 VHOST_ACCESS_RW);
	}
	EXPECT(batch_write(d, &b) == VHOST_IOTLB_MAX_OPS, "not all applied");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "TX was not woken");
	EXPECT(device_used(d, RX) == 1, "RX was not woken");
	EXPECT(device_wait_frame(d) == 9, "another frame came out");
	EXPECT(frame_tag((uint8_t *)device_page(d, FIRST_PAGE + 1) + FRAME_HEADER, FRAME_SIZE) == 8,
	       "another frame was received");
	EXPECT(!device_has_message(d), "a miss that was answered can be read");
	return true;
}

/* One that is mapped without the permission, or is gone again, wakes nobody. */
static bool wakes_not(void)
{
	struct device *d = open_waiting();
	struct vhost_iotlb_msg msg;
	struct batch b;

	batch_init(&b);
	batch_add_map(&b, d, WAITED - 1, VHOST_ACCESS_RW);
	batch_add_map(&b, d, WAITED, VHOST_ACCESS_WO);
	batch_add_map(&b, d, WAITED + 1, VHOST_ACCESS_RW);
	EXPECT(batch_write(d, &b) == 3, "not all applied");
	device_flush(d);
	EXPECT(device_used(d, TX) == 0, "access that was not granted");
	EXPECT(!device_has_message(d), "woken without the permission");

	/* It may try, and misses again. */
	batch_init(&b);
	batch_add_map(&b, d, WAITED, VHOST_ACCESS_RW);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(WAITED), 1);
	EXPECT(batch_write(d, &b) == 2, "not all applied");
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 0, "sent without a translation");
	EXPECT(!device_read_miss(d, &msg), "no miss");
	EXPECT(!device_map(d, WAITED, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	return true;
}

/* What comes before an answer that is too late is applied, the rest is not. */
static bool short_count(void)
{
	struct device *d = device_open_running();
	unsigned int before = entries(d);
	struct vhost_iotlb_op *late;
	struct batch b, rest;
	int ret;

	for (unsigned int place = 0; place < 4; place++) {
		batch_init(&b);
		for (unsigned int i = 0; i < 4; i++)
			late = batch_add_map(&b, d, FIRST_PAGE + i, VHOST_ACCESS_RW);
		late = &b.ops[place];
		/* From before all that has happened to the device. */
		late->flags = VHOST_IOTLB_OP_F_TOKEN;
		late->token = 0;

		ret = batch_write(d, &b);
		EXPECT(ret == (place ? (int)place : -ESTALE), "%d with place %u stale", ret, place);
		EXPECT(entries(d) == before + place, "%u entries after %u", entries(d), before);

		batch_init(&rest);
		while (place + rest.num < b.num) {
			rest.ops[rest.num] = b.ops[place + rest.num];
			rest.num++;
		}
		EXPECT(batch_write(d, &rest) == -ESTALE, "the rest is not refused");
		EXPECT(entries(d) == before + place, "%u entries after %u", entries(d), before);

		/* Without the one, it is good. */
		rest.ops[0].flags = 0;
		EXPECT(batch_write(d, &rest) == (int)rest.num, "the rest is refused");
		EXPECT(entries(d) == before + 4, "%u entries after %u", entries(d), before);
		EXPECT(!batch_invalidate(d, device_iova(FIRST_PAGE), 4 * PAGE), "refused");
	}
	return true;
}

/* What was applied before a stop wakes as well. */
static bool short_count_wakes(void)
{
	struct device *d = open_waiting();
	struct vhost_iotlb_op *late;
	struct batch b;

	batch_init(&b);
	batch_add_map(&b, d, WAITED, VHOST_ACCESS_RO);
	late = batch_add_map(&b, d, WAITED + 1, VHOST_ACCESS_RO);
	late->flags = VHOST_IOTLB_OP_F_TOKEN;
	EXPECT(batch_write(d, &b) == 1, "the second one was applied");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	return true;
}

/* What comes after it, or is it, does not. */
static bool short_count_wakes_not(void)
{
	struct device *d = open_waiting();
	struct vhost_iotlb_op *late;
	struct batch b;

	for (unsigned int place = 1; place < 3; place++) {
		batch_init(&b);
		for (unsigned int i = 1; i < 4; i++)
			batch_add_map(&b, d, WAITED + i, VHOST_ACCESS_RO);
		batch_add_map(&b, d, WAITED, VHOST_ACCESS_RO);
		b.ops[2] = b.ops[3];
		late = &b.ops[place];
		late->flags = VHOST_IOTLB_OP_F_TOKEN;
		EXPECT(batch_write(d, &b) == (int)place, "the stale one was applied");
		device_flush(d);
		EXPECT(device_used(d, TX) == 0, "sent by what was not applied");
		EXPECT(!device_has_message(d), "a virtqueue tried again");
	}
	return true;
}

/* A read yields one operation, and needs the room that a V1 message takes. */
static bool read_misses(void)
{
	struct device *d = device_open_running();
	uint8_t buffer[sizeof(struct vhost_msg)];
	struct vhost_iotlb_op op;

	batch_accept(d);
	device_send(d, FIRST_PAGE, 10);
	EXPECT(read(d->fd, buffer, sizeof(buffer) - 1) == 0, "read into a small buffer");
	memset(buffer, 0xee, sizeof(buffer));
	EXPECT(read(d->fd, buffer, sizeof(buffer)) == (ssize_t)batch_size(1), "another size");
	EXPECT(buffer[batch_size(1)] == 0xee, "more was written");
	device_kick_and_flush(d, TX);
	EXPECT(!batch_read_miss(d, &op), "no message of type V3");
	EXPECT(op.iova == device_iova(FIRST_PAGE) && op.size == FRAME_BUFFER, "0x%llx, %llu bytes",
	       op.iova, op.size);
	EXPECT(op.perm == VHOST_ACCESS_RO, "asks for %u", op.perm);
	EXPECT(op.flags == VHOST_IOTLB_OP_F_TOKEN, "flags 0x%x", op.flags);
	EXPECT(!op.uaddr && !op.asid, "what means nothing is not zero");
	EXPECT(batch_read_miss(d, &op) == -EAGAIN, "a second message");

	/* Any type of message answers. */
	EXPECT(!device_map_v1(d, FIRST_PAGE, VHOST_ACCESS_RO), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");

	device_offer(d, RX, device_iova(FIRST_PAGE + 1) + 5, 1500);
	device_inject(d, 11);
	device_flush(d);
	EXPECT(!batch_read_miss(d, &op), "no message of type V3");
	EXPECT(op.iova == device_iova(FIRST_PAGE + 1) + 5 && op.size == 1500, "0x%llx, %llu bytes",
	       op.iova, op.size);
	EXPECT(op.perm == VHOST_ACCESS_WO, "asks for %u", op.perm);
	EXPECT(!device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RW), "refused");
	device_flush(d);
	EXPECT(device_used(d, RX) == 1, "the virtqueue was not woken");
	return true;
}

/* The device's file is that of an owner who knows nothing of V3. */
static bool read_misses_v2(void)
{
	struct device *d = device_open_running();
	struct vhost_iotlb_msg msg;

	EXPECT(!batch_invalidate(d, device_iova(FIRST_PAGE), PAGE), "refused");
	device_send(d, FIRST_PAGE, 12);
	EXPECT(!device_read_miss(d, &msg), "no message of type V2");
	EXPECT(batch_map(d, FIRST_PAGE, VHOST_ACCESS_RO, 0) == -ESTALE, "not refused");
	device_flush(d);
	EXPECT(!device_read_miss(d, &msg), "no message of type V2");
	return true;
}

/* Writes a message of type V1 or V2 with nonsense where it means nothing. */
static int write_old(const struct device *d, int version, const struct vhost_iotlb_msg *iotlb)
{
	struct vhost_msg_v2 v2 = {.type = VHOST_IOTLB_MSG_V2, .asid = 0xdeadbeef, .iotlb = *iotlb};
	struct vhost_msg v1;
	ssize_t size = sizeof(v2);
	const void *msg = &v2;

	memset(&v1, 0xa5, sizeof(v1));
	v1.type = VHOST_IOTLB_MSG;
	v1.iotlb = *iotlb;
	if (version == 1) {
		msg = &v1;
		size = sizeof(v1);
	}
	return write(d->fd, msg, size) == size ? 0 : -errno;
}

static bool old_invalidate(int version)
{
	struct device *d = device_open_running();
	unsigned int before = entries(d);
	struct vhost_iotlb_msg msg = {.type = VHOST_IOTLB_INVALIDATE};

	/* What an INVALIDATE has no use for. */
	msg.uaddr = 0xffff888000000000ULL;
	msg.perm = 0x77;

	EXPECT(!device_update(d, 0x700000000ULL, 8 * PAGE, d->memory, VHOST_ACCESS_RW), "refused");
	EXPECT(!device_update(d, 0 - 8 * PAGE, 8 * PAGE, d->memory, VHOST_ACCESS_RW), "refused");

	/* No bytes, but not from the first address on: nothing. */
	msg.iova = 0x700000000ULL + PAGE;
	EXPECT(!write_old(d, version, &msg), "refused");
	EXPECT(entries(d) == before + 2, "%u entries after %u", entries(d), before);

	/* Beyond the last address: up to there. */
	msg.iova = 0x700000000ULL + 8 * PAGE;
	msg.size = -1ULL;
	EXPECT(!write_old(d, version, &msg), "refused");
	EXPECT(entries(d) == before + 1, "%u entries after %u", entries(d), before);

	msg.iova = 0x700000000ULL;
	msg.size = 8 * PAGE;
	EXPECT(!write_old(d, version, &msg), "refused");
	EXPECT(entries(d) == before, "%u entries after %u", entries(d), before);

	/* All. */
	msg.iova = 0;
	msg.size = 0;
	EXPECT(!write_old(d, version, &msg), "refused");
	EXPECT(entries(d) == 0, "%u entries", entries(d));
	return true;
}

/* Only INVALIDATE, UPDATE and ACCESS_FAIL, and one error for all that is wrong. */
static bool old_errors(int version)
{
	static const int types[] = {0, VHOST_IOTLB_MISS, VHOST_IOTLB_RETRY, 255};
	struct device *d = open_waiting();
	unsigned int before = entries(d);
	struct vhost_iotlb_msg msg = {
		.iova = device_iova(WAITED),
		.size = PAGE,
		.uaddr = (uintptr_t)device_page(d, WAITED),
		.perm = VHOST_ACCESS_RW,
	};

	for (size_t i = 0; i < NR(types); i++) {
		msg.type = types[i];
		EXPECT(write_old(d, version, &msg) == -EFAULT, "type %d", types[i]);
		PART(is_untouched(d, before));
	}
	msg.type = VHOST_IOTLB_UPDATE;
	msg.uaddr = 0xffff888000000000ULL;
	EXPECT(write_old(d, version, &msg) == -EFAULT, "the kernel's memory");
	msg.uaddr = (uintptr_t)device_page(d, WAITED);
	msg.size = 0;
	EXPECT(write_old(d, version, &msg) == -EINVAL, "no bytes");
	msg.iova = -PAGE;
	msg.size = 2 * PAGE;
	EXPECT(write_old(d, version, &msg) == -EFAULT, "beyond the last address");
	PART(is_untouched(d, before));

	msg.iova = device_iova(WAITED);
	msg.size = PAGE;
	msg.perm = 0xff;
	EXPECT(!write_old(d, version, &msg), "refused");
	device_flush(d);
	EXPECT(device_used(d, TX) == 1, "the virtqueue was not woken");
	return true;
}

static bool old_invalidates(void)
{
	PART(old_invalidate(1));
	return old_invalidate(2);
}

static bool old_refusals(void)
{
	PART(old_errors(1));
	return old_errors(2);
}

static bool unknown_types(void)
{
	static const unsigned int types[] = {0, 4, 0x103, 0x80000003, -1U};
	struct device *d = open_waiting();
	unsigned int before = entries(d);
	struct batch b;

	batch_init(&b);
	batch_add_map(&b, d, WAITED, VHOST_ACCESS_RW);
	for (size_t i = 0; i < NR(types); i++) {
		b.type = types[i];
		EXPECT(batch_write(d, &b) == -EINVAL, "type 0x%x", types[i]);
		PART(is_untouched(d, before));
	}
	return true;
}

static bool vsock(void)
{
	struct device *d = device_open_vsock();
	struct vhost_iotlb_op op;
	uint64_t cid = 4712;
	struct batch b;
	int run = 1;

	batch_accept(d);
	if (ioctl(d->fd, VHOST_VSOCK_SET_GUEST_CID, &cid))
		bail_out_errno("VHOST_VSOCK_SET_GUEST_CID failed");
	EXPECT(ioctl(d->fd, VHOST_VSOCK_SET_RUNNING, &run), "runs without rings");
	EXPECT(!batch_read_miss(d, &op), "no message of type V3");
	EXPECT(op.perm == VHOST_ACCESS_WO, "asks for %u", op.perm);

	batch_init(&b);
	for (unsigned int page = 0; page < RING_PAGES; page++) {
		struct vhost_iotlb_op *update = batch_add_map(&b, d, page, VHOST_ACCESS_RW);

		update->flags = VHOST_IOTLB_OP_F_TOKEN;
		update->token = op.token;
	}
	EXPECT(batch_write(d, &b) == RING_PAGES, "not all applied");
	EXPECT(entries(d) == RING_PAGES, "%u entries", entries(d));
	EXPECT(!ioctl(d->fd, VHOST_VSOCK_SET_RUNNING, &run), "errno %d", errno);
	return true;
}

static const struct check list[] = {
	{"a feature bit of net and vsock, for everybody", feature, STOCK_LACKS},
	{"all kinds of operations in one message", mixed, STOCK_LACKS},
	{"operations are applied in order", in_order, STOCK_LACKS},
	{"0 and 256 operations, not 257", numbers, STOCK_LACKS},
	{"the length has to match", lengths, STOCK_LACKS},
	{"one that is malformed: EINVAL, and none is applied", malformed_refused, STOCK_LACKS},
	{"one of no user memory: EFAULT, and none is applied", no_memory_refused, STOCK_LACKS},
	{"all that is allowed at the limits", limits_allowed, STOCK_LACKS},
	{"no IOTLB: ENODEV, and EFAULT for messages of other types", without_iotlb, STOCK_LACKS},
	{"messages at odd addresses, in pieces, not all there", places, STOCK_LACKS},
	{"operations in the middle wake both virtqueues", wakes, STOCK_LACKS},
	{"operations that do not answer wake nobody", wakes_not, STOCK_LACKS},
	{"a short count ends before the first that is stale", short_count, STOCK_LACKS},
	{"what comes before a stale one wakes", short_count_wakes, STOCK_LACKS},
	{"neither it nor what comes after it wakes", short_count_wakes_not, STOCK_LACKS},
	{"misses are read as V3 if that is acked", read_misses, STOCK_LACKS},
	{"misses are read as V2 if it is not", read_misses_v2, STOCK_LACKS},
	{"V1 and V2: INVALIDATE of nothing, of everything, beyond the end", old_invalidates,
	 STOCK_LACKS},
	{"V1 and V2: all errors as ever, and what means nothing is ignored", old_refusals,
	 STOCK_PASSES},
	{"other types of messages: EINVAL", unknown_types, STOCK_LACKS},
	{"vhost-vsock takes and gives messages of type V3", vsock, STOCK_LACKS},
};

CHECK_GROUP(batch, list);
