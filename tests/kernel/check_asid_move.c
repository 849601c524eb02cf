// SPDX-License-Identifier: GPL-2.0
/*
 * Virtqueues that are moved between address spaces: nothing of the one that
 * they were in is left, and what makes no sense is refused.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/virtio_config.h>

#include "asid.h"
#include "batch.h"
#include "check.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "module.h"
#include "process.h"

#define PAGE_A FIRST_PAGE
#define PAGE_B (FIRST_PAGE + 1)

/* Where TX finds another ring. */
#define OTHER_RING (FIRST_PAGE + 8)

#define QUEUED 1

#define EVERYTHING 0, 0

static unsigned int nr_spaces(const struct device *d)
{
	struct fdinfo info;

	fdinfo_read(&info, d->fd);
	return info.nr_spaces;
}

static uint64_t backend_features(const char *path)
{
	int fd = device_open_bare(path, 1ULL << VIRTIO_F_VERSION_1);
	uint64_t features = 0;

	if (ioctl(fd, VHOST_GET_BACKEND_FEATURES, &features))
		bail_out_errno("VHOST_GET_BACKEND_FEATURES failed");
	close(fd);
	return features;
}

static bool offered(void)
{
	FEATURE(backend_features(VHOST_NET) >> VHOST_BACKEND_F_IOTLB_ASID & 1, "by vhost-net");
	return true;
}

static bool offered_by_net_only(void)
{
	struct device *d = device_open_vsock();

	EXPECT(!(backend_features(VHOST_VSOCK) >> VHOST_BACKEND_F_IOTLB_ASID & 1),
	       "by vhost-vsock");
	EXPECT(asid_accept(d, true) == -EOPNOTSUPP, "vhost-vsock agrees to it");
	EXPECT(asid_move(d, 0, 1) == -EOPNOTSUPP, "vhost-vsock does it");
	return true;
}

static int set_backend_features(const struct device *d, uint64_t features)
{
	return ioctl(d->fd, VHOST_SET_BACKEND_FEATURES, &features) ? -errno : 0;
}

#define ASID (1ULL << VHOST_BACKEND_F_IOTLB_ASID)
#define V2 (1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2)
#define V3 (1ULL << VHOST_BACKEND_F_IOTLB_MSG_V3)

static bool agreed_on(void)
{
	struct device *d = device_open();

	EXPECT(asid_move(d, TX, 1) == -EOPNOTSUPP, "before that was agreed on");
	EXPECT(set_backend_features(d, ASID) == -EINVAL, "without messages for it");
	EXPECT(!set_backend_features(d, ASID | V3), "with V3");
	EXPECT(!set_backend_features(d, 0), "nothing is in use");
	EXPECT(asid_move(d, TX, 1) == -EOPNOTSUPP, "after that was taken back");
	EXPECT(!set_backend_features(d, ASID | V2), "with V2");
	EXPECT(!asid_move(d, TX, 0), "refused");
	EXPECT(!set_backend_features(d, V2), "0 is no other");
	EXPECT(!set_backend_features(d, ASID | V2), "with V2");
	EXPECT(!asid_move(d, TX, 1), "refused");
	EXPECT(set_backend_features(d, V2 | V3) == -EBUSY, "taken back in use");
	EXPECT(!set_backend_features(d, ASID | V2 | V3), "with more");
	EXPECT(!asid_move(d, TX, 2), "refused");
	EXPECT(!asid_move(d, TX, 0), "refused");
	EXPECT(!set_backend_features(d, V2 | V3), "0 is no other");
	return true;
}

static bool not_its_owner(void)
{
	struct device *d = device_open();

	EXPECT(!asid_accept(d, true), "refused");
	EXPECT(!ioctl(d->fd, VHOST_RESET_OWNER, NULL), "errno %d", errno);
	EXPECT(asid_move(d, TX, 1) == -EPERM, "without an owner");
	return true;
}

static bool bad_arguments(void)
{
	struct device *d = asid_open();
	struct vhost_vring_state state = {.num = 1};

	EXPECT(asid_move(d, NR_QUEUES, 1) == -ENOBUFS, "a virtqueue that there is not");
	EXPECT(asid_move(d, UINT32_MAX, 1) == -ENOBUFS, "a virtqueue that there is not");
	EXPECT(ioctl(d->fd, VHOST_SET_VRING_ASID, NULL) == -1 && errno == EFAULT, "errno %d",
	       errno);
	EXPECT(ioctl(d->fd, _IOW(VHOST_VIRTIO, 0x17, uint32_t), &state) == -1 && errno == ENOTTY,
	       "errno %d", errno);
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 0, "moved");
	EXPECT(!asid_move(d, TX, UINT32_MAX), "the last");
	EXPECT(fdinfo_entries_in(d->fd, UINT32_MAX) == 0, "not moved");

	d = device_open_without_iotlb();
	EXPECT(!asid_accept(d, true), "refused");
	EXPECT(asid_move(d, TX, 1) == -ENODEV, "without an IOTLB");
	EXPECT(asid_move(d, TX, 0) == -ENODEV, "without an IOTLB");
	return true;
}

static bool running(void)
{
	struct device *d = asid_open_running();

	EXPECT(!asid_map(d, ASID_TX, ASID_BUFFER, PAGE_A), "refused");
	EXPECT(asid_move(d, TX, ASID_OTHER) == -EBUSY, "it runs");
	EXPECT(asid_move(d, TX, ASID_TX) == -EBUSY, "it runs");
	EXPECT(nr_spaces(d) == 2, "%u address spaces", nr_spaces(d));
	asid_send(d, PAGE_A, 1);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	EXPECT(!device_stop_queue(d, TX), "cannot stop");
	EXPECT(!asid_move(d, TX, ASID_OTHER), "refused");
	return true;
}

/* One that nobody is in any more is gone; one that another is in stays. */
static bool come_and_go(void)
{
	struct device *d = asid_open();

	EXPECT(nr_spaces(d) == 2, "%u address spaces", nr_spaces(d));
	asid_map_ring(d, TX, ASID_TX);
	EXPECT(!asid_move(d, TX, ASID_TX), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 3, "%d entries after no move",
	       fdinfo_entries_in(d->fd, ASID_TX));
	EXPECT(!asid_move(d, RX, ASID_TX), "refused");
	EXPECT(nr_spaces(d) == 1, "%u address spaces", nr_spaces(d));
	EXPECT(asid_map(d, ASID_RX, ASID_BUFFER, PAGE_A) == -ENXIO, "not refused");
	EXPECT(!asid_move(d, TX, 0), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 3, "%d entries",
	       fdinfo_entries_in(d->fd, ASID_TX));
	EXPECT(!asid_move(d, RX, ASID_RX), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == -1, "still there");
	EXPECT(!asid_move(d, RX, ASID_TX), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 0, "what was there before is there");
	/* The first one always is. */
	EXPECT(!asid_move(d, TX, 5), "refused");
	EXPECT(!asid_map(d, 0, ASID_BUFFER, PAGE_A), "refused");
	EXPECT(!asid_move(d, TX, 0), "refused");
	EXPECT(fdinfo_entries(d->fd) == 1, "%u entries", fdinfo_entries(d->fd));
	return true;
}

/* The whole ring of TX, elsewhere, as another process might have it. */
static void copy_ring(struct device *d)
{
	for (int part = 0; part < NR_PARTS; part++) {
		void *from = device_page(d, device_ring_page(TX, part));

		memcpy(device_page(d, OTHER_RING + part), from, PAGE);
		memset(from, 0, PAGE);
	}
}

/* Have the functions for @d see it. */
static void see_ring(struct device *d, unsigned int page)
{
	d->queues[TX].desc = device_page(d, page + DESC);
	d->queues[TX].avail = device_page(d, page + AVAIL);
	d->queues[TX].used = device_page(d, page + USED);
}

/* TX has been in one, and knows its ring; now it is in another one. */
static bool moved(void)
{
	struct device *d = asid_open_running();
	const struct vring_used *old;
	struct vhost_iotlb_op miss;

	EXPECT(!asid_map(d, ASID_TX, ASID_BUFFER, PAGE_A), "refused");
	asid_send(d, PAGE_A, 1);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");

	EXPECT(!device_stop_queue(d, TX), "cannot stop");
	EXPECT(!asid_move(d, TX, ASID_OTHER), "refused");
	copy_ring(d);
	see_ring(d, OTHER_RING);
	EXPECT(device_start_queue(d, TX) == -EFAULT, "started without a ring");
	EXPECT(!batch_read_miss(d, &miss), "no miss");
	EXPECT(miss.asid == ASID_OTHER && miss.iova == ASID_RINGS + USED * PAGE, "0x%llx in 0x%x",
	       miss.iova, miss.asid);
	for (int part = 0; part < NR_PARTS; part++)
		EXPECT(!asid_map_by(d, ASID_OTHER, ASID_RINGS + part * PAGE, OTHER_RING + part,
				    miss.token),
		       "refused");
	EXPECT(!device_start_queue(d, TX), "cannot start");
	frame_put(device_page(d, PAGE_A), 666);
	asid_send(d, PAGE_B, 2);
	EXPECT(!batch_read_miss(d, &miss), "no miss of a buffer that was mapped elsewhere");
	EXPECT(miss.asid == ASID_OTHER && miss.iova == ASID_BUFFER, "0x%llx in 0x%x", miss.iova,
	       miss.asid);
	EXPECT(!asid_map_by(d, ASID_OTHER, ASID_BUFFER, PAGE_B, miss.token), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 2, "another frame came out");
	EXPECT(device_used(d, TX) == 2, "%u sent", device_used(d, TX));
	old = device_page(d, device_ring_page(TX, USED));
	EXPECT(!old->idx, "the old ring was used");
	return true;
}

/* The same with a ring that a program has resolved. */
static bool moved_resolved(void)
{
	struct device *d = asid_open_running();
	struct hook *h = hook_open(QUEUED);
	struct hook_answer *ring;

	ring = hook_resolve(h, ASID_RINGS, 3 * PAGE, device_ring_page(TX, DESC) * PAGE,
			    VHOST_ACCESS_RW);
	hook_resolve(h, ASID_BUFFER, PAGE, PAGE_A * PAGE, VHOST_ACCESS_RW);
	EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
	asid_send(d, PAGE_A, 1);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	EXPECT(ring->calls > 0, "not asked");

	EXPECT(!device_stop_queue(d, TX), "cannot stop");
	EXPECT(!asid_move(d, TX, ASID_OTHER), "refused");
	copy_ring(d);
	see_ring(d, OTHER_RING);
	ring->gpa = OTHER_RING * PAGE;
	ring->calls = 0;
	EXPECT(!device_start_queue(d, TX), "cannot start");
	asid_send(d, PAGE_A, 2);
	EXPECT(device_wait_frame(d) == 2, "another frame came out");
	EXPECT(ring->calls > 0, "not asked again");
	EXPECT(device_used(d, TX) == 2, "%u sent", device_used(d, TX));
	return true;
}

/* A device whose TX has asked for its buffer, and is then moved. */
static struct device *open_left(struct vhost_iotlb_op *miss, uint32_t asid)
{
	struct device *d = asid_open_running();

	asid_send(d, PAGE_A, 1);
	if (batch_read_miss(d, miss))
		bail_out("no miss");
	if (device_stop_queue(d, TX) || asid_move(d, TX, asid))
		bail_out("cannot move");
	return d;
}

/* Whoever still answers is told, and nothing comes of it. */
static bool late_answer(void)
{
	struct vhost_iotlb_op miss, again;
	struct device *d = open_left(&miss, ASID_OTHER);

	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_B, miss.token) == -ENXIO, "accepted");
	EXPECT(asid_map(d, ASID_TX, ASID_BUFFER, PAGE_B) == -ENXIO, "accepted");
	EXPECT(asid_map_v2(d, ASID_TX, ASID_BUFFER, PAGE_B) == -ENXIO, "accepted");
	EXPECT(fdinfo_entries_in(d->fd, ASID_OTHER) == 0, "mapped here");
	EXPECT(batch_read_miss(d, &again) == -EAGAIN, "a miss");

	/* Neither if it is there again, or asks again. */
	EXPECT(!asid_move(d, TX, ASID_TX), "refused");
	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_B, miss.token) == -ESTALE, "accepted");
	asid_map_ring(d, TX, ASID_TX);
	EXPECT(!device_start_queue(d, TX), "cannot start");
	device_kick_and_flush(d, TX);
	EXPECT(!batch_read_miss(d, &again), "no miss");
	EXPECT(again.asid == ASID_TX && again.iova == ASID_BUFFER, "0x%llx in 0x%x", again.iova,
	       again.asid);
	EXPECT(again.token > miss.token, "token %llu after %llu", again.token, miss.token);
	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_B, miss.token) == -ESTALE, "accepted");
	device_flush(d);
	EXPECT(!batch_read_miss(d, &again), "no miss");
	EXPECT(!asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_A, again.token), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	return true;
}

/* It lands where it belongs if somebody else is there. */
static bool late_answer_for_another(void)
{
	struct vhost_iotlb_op miss;
	struct device *d = open_left(&miss, ASID_RX);

	EXPECT(!device_stop_queue(d, RX), "cannot stop");
	EXPECT(!asid_move(d, RX, ASID_TX), "refused");
	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_B, miss.token) == -ESTALE,
	       "it was gone meanwhile");
	EXPECT(!asid_move(d, TX, ASID_TX), "refused");
	EXPECT(!asid_map(d, ASID_TX, ASID_BUFFER, PAGE_B), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 1, "not mapped");
	EXPECT(nr_spaces(d) == 1, "%u address spaces", nr_spaces(d));
	return true;
}

/* Tokens of one that comes again and again are never those of a former one. */
static bool tokens_go_on(void)
{
	struct vhost_iotlb_op miss;
	struct device *d = open_left(&miss, ASID_OTHER);

	for (int i = 0; i < 300; i++) {
		EXPECT(!asid_move(d, TX, ASID_TX), "refused");
		EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_A, miss.token) == -ESTALE,
		       "accepted in round %d", i);
		EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_A, miss.token + i + 2) == -EINVAL,
		       "from the future in round %d", i);
		EXPECT(!asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_A, miss.token + i + 1),
		       "refused in round %d", i);
		EXPECT(!asid_move(d, TX, i % 2 ? 0 : ASID_OTHER), "refused");
	}
	return true;
}

/* A miss that a program took, or that nobody has read yet, goes with the move. */
static bool miss_goes(void)
{
	for (int taken = 0; taken < 2; taken++) {
		struct hook *h = taken ? hook_open(QUEUED) : NULL;
		struct device *d = asid_open_running();
		struct vhost_iotlb_op miss;

		asid_send(d, PAGE_A, 1);
		EXPECT(!device_stop_queue(d, TX), "cannot stop");
		/* A start that fails for its ring is a miss, too. */
		EXPECT(!asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, EVERYTHING), "refused");
		EXPECT(device_start_queue(d, TX) == -EFAULT, "started without a ring");
		EXPECT(device_has_message(d) == !taken, "taken %d", taken);
		EXPECT(!asid_move(d, TX, ASID_OTHER), "refused");
		EXPECT(batch_read_miss(d, &miss) == -EAGAIN, "a miss");
		EXPECT(!asid_write_all(d, VHOST_IOTLB_MISS, EVERYTHING), "refused");
		EXPECT(!asid_write_all(d, VHOST_IOTLB_RETRY, EVERYTHING), "refused");
		if (taken)
			hook_detach(h);
		device_flush(d);
		EXPECT(batch_read_miss(d, &miss) == -EAGAIN, "a miss");
		device_close(d);
	}
	return true;
}

/* An IOTLB in place of another, as when the owner sets the features anew. */
static bool replaced(void)
{
	struct device *d = asid_open_running();
	struct vhost_iotlb_op miss, again;

	asid_send(d, PAGE_A, 1);
	EXPECT(!batch_read_miss(d, &miss), "no miss");
	EXPECT(!device_set_features(d, true), "refused");
	EXPECT(nr_spaces(d) == 2, "%u address spaces", nr_spaces(d));
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 0, "not empty");
	EXPECT(fdinfo_entries_in(d->fd, ASID_RX) == 0, "not empty");
	EXPECT(asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_A, miss.token) == -ESTALE, "accepted");
	device_flush(d);
	EXPECT(!batch_read_miss(d, &again), "no miss");
	EXPECT(again.asid == ASID_TX && again.iova == ASID_RINGS, "0x%llx in 0x%x", again.iova,
	       again.asid);
	for (int part = 0; part < NR_PARTS; part++)
		EXPECT(!asid_map_by(d, ASID_TX, ASID_RINGS + part * PAGE,
				    device_ring_page(TX, part), again.token),
		       "refused");
	device_kick_and_flush(d, TX);
	EXPECT(!batch_read_miss(d, &again), "no miss");
	EXPECT(!asid_map_by(d, ASID_TX, ASID_BUFFER, PAGE_A, again.token), "refused");
	device_flush(d);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	return true;
}

static bool off_and_on(void)
{
	struct device *d = asid_open_running();

	EXPECT(!device_set_features(d, false), "refused");
	EXPECT(nr_spaces(d) == 0, "%u address spaces", nr_spaces(d));
	EXPECT(!device_set_features(d, true), "refused");
	EXPECT(nr_spaces(d) == 0, "%u address spaces", nr_spaces(d));
	EXPECT(asid_map(d, ASID_TX, ASID_BUFFER, PAGE_A) == -ENXIO, "not refused");
	EXPECT(!set_backend_features(d, V2), "nothing is in use");
	/* As any other device. */
	EXPECT(!device_stop_queue(d, TX) && !device_stop_queue(d, RX), "cannot stop");
	device_set_rings(d, true);
	device_run(d);
	EXPECT(!device_map(d, PAGE_A, VHOST_ACCESS_RW), "refused");
	device_send(d, PAGE_A, 1);
	EXPECT(device_wait_frame(d) == 1, "another frame came out");
	return true;
}

static bool owner_reset(void)
{
	struct device *d = asid_open_running();
	struct vhost_iotlb_op miss;

	asid_send(d, PAGE_A, 1);
	EXPECT(!ioctl(d->fd, VHOST_RESET_OWNER, NULL), "errno %d", errno);
	EXPECT(nr_spaces(d) == 0, "%u address spaces", nr_spaces(d));
	EXPECT(batch_read_miss(d, &miss) < 0, "a miss of a former owner");
	EXPECT(!ioctl(d->fd, VHOST_SET_OWNER, NULL), "errno %d", errno);
	EXPECT(!device_set_features(d, true), "refused");
	EXPECT(asid_move(d, TX, 1) == -EOPNOTSUPP, "what its former owner has agreed on");
	EXPECT(!asid_accept(d, true), "refused");
	EXPECT(!asid_move(d, TX, ASID_TX), "refused");
	EXPECT(fdinfo_entries_in(d->fd, ASID_TX) == 0, "not empty");
	return true;
}

/* What nobody frees but the kernel, when the fd goes, and with it the module. */
static void hold(void)
{
	struct device *d = asid_open_running();

	asid_map(d, ASID_TX, ASID_BUFFER, PAGE_A);
	asid_send(d, PAGE_A, 1);
	asid_map(d, ASID_RX, ASID_BUFFER, PAGE_B);
	asid_write(d, ASID_TX, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE);
	asid_send(d, PAGE_A, 2);
}

static bool owner_killed(void)
{
	for (int i = 0; i < 10; i++) {
		struct process p;

		process_start(&p, hold);
		process_kill(&p);
	}
	EXPECT(module_references("vhost_net") == 0, "%d references",
	       module_references("vhost_net"));
	return true;
}

/* Far more than there are virtqueues, and never more at once. */
static bool many(void)
{
	struct device *d = asid_open();

	for (uint32_t i = 1; i <= 3000; i++) {
		const uint32_t asid = i * 2654435761U | 1;

		EXPECT(!asid_move(d, i % 2, asid), "refused in round %u", i);
		for (int page = 0; page < 8; page++)
			EXPECT(!asid_map(d, asid, page * PAGE, PAGE_A), "refused in round %u", i);
		EXPECT(fdinfo_entries_in(d->fd, asid) == 8, "%d entries in round %u",
		       fdinfo_entries_in(d->fd, asid), i);
		EXPECT(nr_spaces(d) == 2, "%u address spaces in round %u", nr_spaces(d), i);
	}
	return true;
}

static const struct check list[] = {
	{"vhost-net offers address spaces", offered, STOCK_FAILS},
	{"vhost-vsock does not", offered_by_net_only, STOCK_LACKS},
	{"they are for who has agreed on them, and as long", agreed_on, STOCK_LACKS},
	{"and is the owner", not_its_owner, STOCK_LACKS},
	{"bad arguments", bad_arguments, STOCK_LACKS},
	{"not while it runs", running, STOCK_LACKS},
	{"they come and go with their virtqueues", come_and_go, STOCK_LACKS},
	{"who is moved knows nothing of before", moved, STOCK_LACKS},
	{"neither what a program has resolved", moved_resolved, STOCK_LACKS},
	{"answers to who was moved", late_answer, STOCK_LACKS},
	{"with somebody else there", late_answer_for_another, STOCK_LACKS},
	{"tokens of a former one are never good", tokens_go_on, STOCK_LACKS},
	{"a miss does not move", miss_goes, STOCK_LACKS},
	{"another IOTLB: all stay, and are empty", replaced, STOCK_LACKS},
	{"no IOTLB: all are in the first", off_and_on, STOCK_LACKS},
	{"a reset of the owner, too", owner_reset, STOCK_LACKS},
	{"nothing is left of who is killed", owner_killed, STOCK_LACKS},
	{"3000, but not at once", many, STOCK_LACKS},
};

CHECK_GROUP(asid_move, list);
