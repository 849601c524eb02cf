// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bpf/deliver.h"
#include "clock.h"
#include "device.h"
#include "device_index.h"
#include "guest.h"
#include "iotlb_record.h"
#include "miss_hook.h"
#include "roster.h"
#include "translator.h"

/* A device that cannot be found or taken is looked for again after this. */
#define IGNORE_NS (10 * NS_PER_SECOND)

/* All processes are looked at once in this time, whatever guests do. */
#define SCAN_NS (100 * NS_PER_MS)

/* What a message is about, see log_subject(). */
enum matter {
	MATTER_TAKE = 1,
	MATTER_COMES,
	MATTER_GOES,
	MATTER_MEMORY,
	MATTER_RESOLVE,
};

static bool may_say(struct roster *roster, uint64_t dev, uint64_t detail, enum matter matter)
{
	return log_limit_allows(&roster->limit, log_subject(dev, detail, matter), clock_now_ns());
}

/* Misses that waited for too long */

static void set_timeouts(struct served_device *device, uint64_t timeouts)
{
	/* The next owner begins with 0. */
	if (timeouts < device->timeouts_before)
		device->timeouts_before = 0;
	device->timeouts = timeouts;
}

static bool is_late(const struct served_device *device)
{
	return device->timeouts != device->timeouts_before;
}

bool roster_has_timeouts(const struct roster *roster)
{
	const struct served_device *device = NULL;

	while ((device = served_next(&roster->devices, device)))
		if (is_late(device))
			return true;
	return roster->gone_late;
}

void roster_forget_timeouts(struct roster *roster)
{
	struct served_device *device = NULL;

	while ((device = served_next(&roster->devices, device)))
		device->timeouts_before = device->timeouts;
	roster->gone_late = false;
}

/* Memory tables */

static void table_changed(struct roster *roster, struct served_device *device, bool keeps)
{
	device->mem_changes++;
	/* Answers by the old table may be in the IOTLB. Without an IOTLB this
	 * fails, and is not needed.
	 */
	if (!keeps)
		answer_batch_invalidate_all(roster->batch, &device->target);
	if (roster->guest)
		guest_doubt(roster->guest);
	/* There may be answers now to what has been handed back. */
	answer_batch_retry_all(roster->batch, &device->target);
}

void roster_refresh(struct roster *roster, struct served_device *device)
{
	struct memory_table fresh = {};
	struct vhost_device now = {};
	bool keeps;
	int err;

	device->news_count = miss_hook_news_count(roster->hook);
	miss_hook_seen(roster->hook, device->info.dev, IOTLB_RECORD_MEMORY);
	miss_hook_seen(roster->hook, device->info.dev, IOTLB_RECORD_REPLACED);
	/* Our duplicate is the same file, so its fdinfo is the same too. */
	err = vhost_device_read(getpid(), device->target.fd, &now, &fresh);
	device->is_read = !err;
	if (err) {
		/* What we know may be wrong by now, so it must not be used. */
		memory_table_clear(&fresh);
		if (may_say(roster, device->info.dev, err, MATTER_MEMORY))
			log_warn(DEVICE_FORMAT
				 ": cannot read its memory table: %s; its misses wait",
				 DEVICE_ARGS(device), strerror(-err));
	} else {
		device->mem_seq = now.mem_seq;
		set_timeouts(device, now.timeouts);
		if (roster->guest && device->iotlb_gen != now.iotlb_gen) {
			device->iotlb_gen = now.iotlb_gen;
			guest_restarted(roster->guest, device);
		}
	}

	keeps = memory_table_keeps(&fresh, &device->mem);
	if (!keeps || !memory_table_keeps(&device->mem, &fresh))
		table_changed(roster, device, keeps);
	memory_table_move(&device->mem, &fresh);
}

/* vhost tells of a memory table before its owner goes on. That a driver has started the
 * device anew is only told when it misses, and only matters where guests are followed.
 */
static bool may_have_news(const struct roster *roster, const struct served_device *device)
{
	return roster->guest || !device->is_read ||
	       device->news_count != miss_hook_news_count(roster->hook);
}

void roster_catch_up(struct roster *roster, struct served_device *device)
{
	if (may_have_news(roster, device))
		roster_refresh(roster, device);
}

void roster_refresh_all(struct roster *roster)
{
	struct served_device *device = NULL;

	while ((device = served_next(&roster->devices, device)))
		roster_refresh(roster, device);
}

/* Taking devices */

static void say_mode(struct roster *roster, const struct served_device *device)
{
	if (device->info.tokens && !roster->said.tokens) {
		roster->said.tokens = true;
		log_info("answers carry tokens: an invalidation is never overtaken");
	}
	if (!device->info.tokens) {
		roster->without_tokens++;
		if (roster->said.no_tokens)
			return;
		roster->said.no_tokens = true;
		log_warn(DEVICE_FORMAT
			 ": its vhost cannot refuse answers that an invalidation has overtaken, "
			 "nor take back misses that have no answer; load the present patched "
			 "modules",
			 DEVICE_ARGS(device));
	}
}

static int watch(struct roster *roster, const struct served_device *device)
{
	struct epoll_event wanted = {
		.events = EPOLLIN,
		.data.u64 = device->info.dev | SERVER_EVENT,
	};

	return epoll_ctl(roster->epoll_fd, EPOLL_CTL_ADD, device->pidfd, &wanted) ? -errno : 0;
}

/* Which of its owner's devices it is. Older ones may have gone; no two that are
 * there are taken for one.
 */
static size_t find_index(const struct roster *roster, const struct vhost_device *found)
{
	const struct translator *translator = roster->translator;
	const struct served_device *device = NULL;
	size_t last, index;

	if (!translator->ops->told_apart)
		return 0;
	last = translator->ops->told_apart(translator) - 1;
	index = device_index(found->pid, found->id, last);
	while ((device = served_next(&roster->devices, device)))
		if (device->info.pid == found->pid && device->info.dev < found->id &&
		    index <= device->index)
			index = device->index + 1;
	return index < last ? index : last;
}

/* The device is served: how? Its misses come to us where the kernel has not been
 * told enough.
 */
static void resolve(struct roster *roster, const struct served_device *device)
{
	struct resolver_device known;
	int err;

	if (roster->guest)
		guest_ask(roster->guest);
	if (roster->guest || !roster->resolve)
		return;
	roster->translator->ops->resolver(roster->translator, device->index, &known);
	err = miss_hook_resolve(roster->hook, device->info.dev, &known);
	if (err && may_say(roster, device->info.dev, err, MATTER_RESOLVE))
		log_warn(DEVICE_FORMAT ": cannot have the kernel resolve its misses: %s; iotlbd "
				       "answers them",
			 DEVICE_ARGS(device), strerror(-err));
}

static int take(struct roster *roster, const struct vhost_device *found,
		struct served_device **taken)
{
	struct served_device *device;
	int err;

	err = served_take(found, &device);
	if (err)
		return err;
	err = watch(roster, device);
	/* First the hook must tell of changes, then the table may be read. */
	if (!err)
		err = miss_hook_serve(roster->hook, found->id);
	if (err) {
		served_release(device);
		return err;
	}
	device->unanswered = (struct rate){
		.max = roster->max_unanswered,
		.period_ns = NS_PER_SECOND,
	};
	device->index = find_index(roster, found);
	device->info.iommu = roster->guest ? IOMMU_UNKNOWN : IOMMU_NOT_FOLLOWED;
	device_table_add(&roster->devices, &device->link);
	/* Its memory is news, so what waits there misses again, also what nobody
	 * knows any more.
	 */
	roster_refresh(roster, device);
	resolve(roster, device);
	device->timeouts_before = device->timeouts;
	say_mode(roster, device);
	*taken = device;
	return 0;
}

static bool is_full(struct roster *roster)
{
	if (roster->devices.count < DELIVER_MAX_DEVICES)
		return false;
	if (!roster->said.full)
		log_warn("%d devices are served, and there can be no more; others are left to "
			 "their owners",
			 DELIVER_MAX_DEVICES);
	roster->said.full = true;
	return true;
}

static int try_take(struct roster *roster, const struct vhost_device *found,
		    struct served_device **taken)
{
	int err;

	if (is_full(roster))
		return -E2BIG;
	err = take(roster, found, taken);
	if (!err || err == -ESRCH || err == -EBADF || err == -ESTALE)
		return err;
	if (may_say(roster, found->id, err, MATTER_TAKE))
		log_warn("cannot take device %" PRIu64
			 " from pid %d (%s), fd %d: %s; its owner serves it",
			 found->id, found->pid, found->comm, found->fd, strerror(-err));
	return err;
}

/* Both sides keep it in mind: the hook, so that it tells no more of the device;
 * and we, for what it has told already.
 */
static void ignore(struct roster *roster, uint64_t dev, uint64_t until_ns)
{
	strangers_ignore(&roster->strangers, dev, until_ns);
	miss_hook_ignore(roster->hook, dev, until_ns);
}

/* For vhost_device_for_each() */
static int take_wanted(const struct vhost_device *found, void *arg)
{
	struct roster *roster = arg;
	struct served_device *device;

	if (!found->has_id || found->pid == getpid() ||
	    !strangers_want(&roster->strangers, found->id) || try_take(roster, found, &device))
		return 0;

	strangers_ignore(&roster->strangers, found->id, 0);
	if (may_say(roster, found->id, 0, MATTER_COMES))
		log_info("serving " DEVICE_FORMAT, DEVICE_ARGS(device));
	return !roster->strangers.wanted;
}

static void look_everywhere(struct roster *roster)
{
	size_t i;

	if (!roster->pids.count)
		vhost_device_for_each(0, take_wanted, roster);
	for (i = 0; i < roster->pids.count; i++)
		if (roster->pids.entries[i].pidfd >= 0)
			vhost_device_for_each(roster->pids.entries[i].pid, take_wanted, roster);
}

void roster_scan(struct roster *roster)
{
	struct strangers *strangers = &roster->strangers;
	uint64_t now = clock_now_ns();
	size_t slot = 0;

	if (!strangers->wanted || !rate_take(&roster->scans, now))
		return;
	look_everywhere(roster);
	/* One may be on its way from one process to another. */
	while (strangers->wanted)
		ignore(roster, strangers_next_wanted(strangers, &slot), now + IGNORE_NS);
}

int64_t roster_scan_wait_ns(const struct roster *roster)
{
	if (!roster->strangers.wanted)
		return -1;
	return rate_wait_ns(&roster->scans, clock_now_ns());
}

struct served_device *roster_meet(struct roster *roster, const struct iotlb_record *miss)
{
	struct strangers *strangers = &roster->strangers;
	uint64_t now = clock_now_ns();

	if (!miss->dev || strangers_know(strangers, miss->dev, now))
		return NULL;
	if (is_full(roster)) {
		ignore(roster, miss->dev, now + IGNORE_NS);
		return NULL;
	}

	strangers_add(strangers, miss->dev);
	/* Most often it is the process in which the miss has happened. */
	if (miss->tgid && pid_list_includes(&roster->pids, miss->tgid))
		vhost_device_for_each(miss->tgid, take_wanted, roster);
	if (strangers_want(strangers, miss->dev)) {
		/* Until the scan, which may have to wait, it is heard. */
		miss_hook_ignore(roster->hook, miss->dev, now + SCAN_NS);
		roster_scan(roster);
	}
	return served_find(&roster->devices, miss->dev);
}

/* Devices that go */

static void give_back(struct roster *roster, struct served_device *device, const char *why)
{
	struct device_stats *gone;

	if (may_say(roster, device->info.dev, 0, MATTER_GOES))
		log_info("no longer serving " DEVICE_FORMAT ": %s", DEVICE_ARGS(device), why);

	/* The last that there is to know, while the device is there. */
	roster_refresh(roster, device);
	roster->gone_late |= is_late(device);

	gone = &roster->gone[roster->gone_count++ % ROSTER_GONE_MAX];
	*gone = device->info;
	gone->gone = true;
	miss_hook_count_device(roster->hook, device->info.dev, &gone->stats);

	device_table_remove(&roster->devices, &device->link);
	miss_hook_unserve(roster->hook, device->info.dev);
	/* Another process may have it now: what we have not answered is missed
	 * again, is read from the fd, and tells us of the device if it lives on.
	 */
	answer_batch_retry_all(roster->batch, &device->target);
	answer_batch_flush(roster->batch);
	served_release(device);
}

void roster_check(struct roster *roster)
{
	struct served_device *device, *next;

	for (device = served_next(&roster->devices, NULL); device; device = next) {
		next = served_next(&roster->devices, device);
		if (served_has_owner(device))
			roster_refresh(roster, device);
		else
			give_back(roster, device, "its owner has closed it");
	}
}

void roster_process_gone(struct roster *roster, uint64_t event)
{
	struct served_device *device;

	event &= ~SERVER_EVENT;
	if (event & PID_LIST_EVENT) {
		pid_list_gone(&roster->pids, event & ~PID_LIST_EVENT);
		return;
	}
	device = served_find(&roster->devices, event);
	if (device)
		give_back(roster, device, "its owner has ended");
}

/* The start, and the end */

static int take_found(const struct vhost_device *found, void *arg)
{
	struct roster *roster = arg;
	struct served_device *device;

	/* One without an IOTLB may get one; then its first miss tells. */
	if (!found->has_id || !found->has_iotlb || found->pid == getpid() ||
	    served_find(&roster->devices, found->id))
		return 0;
	if (!try_take(roster, found, &device))
		log_debug("serving " DEVICE_FORMAT, DEVICE_ARGS(device));
	return 0;
}

int roster_open(struct roster *roster, const struct server_options *options,
		struct answer_batch *batch)
{
	size_t i;
	int err;

	roster->hook = options->hook;
	roster->translator = options->translator;
	roster->resolve = options->resolve;
	roster->guest = options->guest;
	if (roster->guest)
		guest_serve(roster->guest, roster->hook, &roster->devices, roster->resolve);
	roster->batch = batch;
	roster->epoll_fd = options->epoll_fd;
	roster->max_unanswered = options->max_unanswered;
	roster->scans = (struct rate){.max = 1, .period_ns = SCAN_NS};
	roster->limit.burst = 20;
	roster->limit.per_second = 5;

	err = pid_list_open(&roster->pids, options->pids, options->pid_count, options->epoll_fd,
			    SERVER_EVENT);
	if (err)
		return err;
	if (!roster->pids.count)
		vhost_device_for_each(0, take_found, roster);
	for (i = 0; i < roster->pids.count; i++)
		vhost_device_for_each(roster->pids.entries[i].pid, take_found, roster);
	return 0;
}

void roster_close(struct roster *roster)
{
	struct served_device *device;

	while ((device = served_next(&roster->devices, NULL))) {
		device_table_remove(&roster->devices, &device->link);
		served_release(device);
	}
	pid_list_close(&roster->pids);
	log_limit_tell(&roster->limit);
}
