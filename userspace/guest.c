// SPDX-License-Identifier: GPL-2.0
/*
 * A question is three commands: what devices there are, what NICs are connected
 * to, and the registers of the IOMMU. If it is only to be seen whether anything
 * is different, the last will do.
 *
 *	UNKNOWN --asked--> answer --> OFF   TES is 0: misses go to QEMU
 *	   ^                    \
 *	   |                     +--> ON    misses are served, until the epoch ends
 *	   +---- another epoch, or a NIC that cannot be told ----+
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/deliver.h"
#include "clock.h"
#include "device.h"
#include "guest.h"
#include "log.h"
#include "miss_hook.h"
#include "monitor.h"
#include "qemu_info.h"
#include "rate.h"
#include "served.h"

/* A guest can have a device start as often as it likes; QEMU has other things to
 * do than to answer.
 */
#define ASKS_PER_SECOND 10

/* A QEMU that does not answer is stopped, or talks to somebody else. */
#define PATIENCE_NS (10 * NS_PER_SECOND)

/* A monitor closes before its process ends, and then that is all there is to say. */
#define END_NS NS_PER_SECOND

/* What a message is about, see log_subject(). */
enum matter {
	MATTER_ON = 1,
	MATTER_OFF,
	MATTER_NO_NIC,
	MATTER_RESOLVE,
	MATTER_ROOT_BUS,
	MATTER_ANSWER,
	MATTER_SILENT,
};

/**
 * struct guest - one of them
 * @monitor:	of its QEMU
 * @path:	of that
 * @pid:	the QEMU
 * @hook:	which is told whose misses are wanted
 * @devices:	that are served
 * @resolve:	have the kernel resolve what it can
 * @info:	what QEMU has said last of its devices
 * @has_info:	it has
 * @registers:	what it has said last of the IOMMU
 * @asking:	a question is under way
 * @soon:	there has to be another one
 * @late:	the same, but not more often than once a second
 * @asks:	bounds questions
 * @doubts:	the same, of the latter kind
 * @asked:	how many there were
 * @answered:	how many had a good answer
 * @useless:	it is of no use to ask this guest
 * @ended_ns:	when QEMU has closed the monitor, 0 if it has not
 * @said_end:	the log has that
 * @limit:	keeps the log short
 */
struct guest {
	struct monitor *monitor;
	const char *path;
	pid_t pid;
	struct miss_hook *hook;
	const struct device_table *devices;
	bool resolve;
	struct qemu_info info;
	bool has_info;
	struct qemu_registers registers;
	bool asking;
	bool soon;
	bool late;
	struct rate asks;
	struct rate doubts;
	uint64_t asked;
	uint64_t answered;
	bool useless;
	uint64_t ended_ns;
	bool said_end;
	struct log_limit limit;
};

static bool may_say(struct guest *guest, uint64_t dev, uint64_t detail, enum matter matter)
{
	return log_limit_allows(&guest->limit, log_subject(dev, detail, matter), clock_now_ns());
}

/* Devices */

static void forget(struct guest *guest, struct served_device *device, enum iommu_state state)
{
	device->info.iommu = state;
	miss_hook_forget(guest->hook, device->info.dev, device->iotlb_gen);
}

static void have_resolved(struct guest *guest, struct served_device *device)
{
	const struct resolver_device known = {
		.unit = device->view.unit,
		.pasid = device->view.pasid,
		.source_id = device->view.source_id,
		.epoch = device->epoch,
	};
	int err;

	if (!guest->resolve)
		return;
	err = miss_hook_resolve(guest->hook, device->info.dev, &known);
	if (err && may_say(guest, device->info.dev, err, MATTER_RESOLVE))
		log_warn(DEVICE_FORMAT ": cannot have the kernel resolve its misses: %s; iotlbd "
				       "answers them",
			 DEVICE_ARGS(device), strerror(-err));
}

static void know(struct guest *guest, struct served_device *device, const struct qemu_nic *nic)
{
	const struct iommu_view view = {
		.unit = qemu_unit(&guest->registers),
		.pasid = VTD_NO_PASID,
		.source_id = nic->source_id,
	};
	const bool same = iommu_view_same(&view, &device->view);

	if (same && device->info.iommu == IOMMU_ON && device->epoch == device->asked_epoch)
		return;
	/* No walk and no answer goes by the old one from here on. */
	if (!same)
		miss_hook_forget(guest->hook, device->info.dev, device->iotlb_gen);
	device->view = view;
	device->epoch = device->asked_epoch;
	device->info.iommu = IOMMU_ON;
	miss_hook_know(guest->hook, device->info.dev, device->epoch);
	have_resolved(guest, device);

	if (may_say(guest, device->info.dev, view.unit.root + device->epoch, MATTER_ON))
		log_info(DEVICE_FORMAT ": is %02x:%02x.%x of a guest whose IOMMU is on, with "
				       "tables at 0x%" PRIx64,
			 DEVICE_ARGS(device), nic->source_id >> 8, nic->source_id >> 3 & 0x1f,
			 nic->source_id & 7, (uint64_t)view.unit.root);
	if (nic->on_root_bus && may_say(guest, device->info.dev, 0, MATTER_ROOT_BUS))
		log_warn(DEVICE_FORMAT ": is on the root bus of its guest, where QEMU gives it no "
				       "ATS and may keep to itself what the guest has "
				       "invalidated; put the NIC behind a pcie-root-port, with "
				       "ats=on",
			 DEVICE_ARGS(device));
}

/* Is it the NIC of this device? One that QEMU does not tell the tap of, or a
 * device that the kernel does not, is only found if there is no choice.
 */
static const struct qemu_nic *find_nic(const struct guest *guest, const struct vhost_device *found)
{
	const struct qemu_nic *nic = qemu_find_nic(&guest->info, found->tap);

	if (nic)
		return nic;
	nic = qemu_only_nic(&guest->info);
	if (!nic || (*found->tap && *nic->tap) || strcmp(found->path, "/dev/vhost-net"))
		return NULL;
	return nic;
}

static const char *unfit(const struct qemu_nic *nic)
{
	if (!nic)
		return "which NIC of the guest it is, cannot be told";
	if (!nic->iommu_platform)
		return "its NIC has no iommu_platform=on";
	if (!nic->on_express || !nic->has_source)
		return "its NIC is not on a PCI Express bus, so that requests are not in its "
		       "own name; put it behind a pcie-root-port";
	return NULL;
}

static void settle_on(struct guest *guest, struct served_device *device)
{
	const struct qemu_nic *nic;
	struct vhost_device found;
	const char *why;

	if (vhost_device_read(getpid(), device->target.fd, &found, NULL)) {
		forget(guest, device, IOMMU_UNKNOWN);
		return;
	}
	nic = find_nic(guest, &found);
	why = unfit(nic);
	if (!why) {
		know(guest, device, nic);
		return;
	}
	forget(guest, device, IOMMU_UNKNOWN);
	if (may_say(guest, device->info.dev, nic ? nic->source_id : 1 << 16, MATTER_NO_NIC))
		log_warn(DEVICE_FORMAT " (tap %s): %s; QEMU serves it", DEVICE_ARGS(device),
			 *found.tap ? found.tap : "unknown", why);
}

static bool is_asked(const struct served_device *device)
{
	return device->asked && device->asked_epoch == device->iotlb_gen;
}

static void settle(struct guest *guest, struct served_device *device)
{
	bool was_off;

	if (!is_asked(device)) {
		guest_ask(guest);
		return;
	}
	if (qemu_translates(&guest->registers)) {
		settle_on(guest, device);
		return;
	}
	was_off = device->info.iommu == IOMMU_OFF;
	forget(guest, device, IOMMU_OFF);
	if (!was_off && may_say(guest, device->info.dev, device->asked_epoch, MATTER_OFF))
		log_info(DEVICE_FORMAT ": its guest has not switched its IOMMU on; QEMU serves it",
			 DEVICE_ARGS(device));
}

bool guest_knows(const struct served_device *device)
{
	return device->info.iommu == IOMMU_ON && device->epoch == device->iotlb_gen;
}

void guest_restarted(struct guest *guest, struct served_device *device)
{
	if (device->info.iommu == IOMMU_ON)
		device->info.iommu = IOMMU_UNKNOWN;
	miss_hook_pause(guest->hook, device->info.dev, device->iotlb_gen);
	guest_ask(guest);
}

/* Answers */

/* What is under way will have no answer. */
static void note_end(struct guest *guest)
{
	if (guest->ended_ns || !*monitor_why(guest->monitor))
		return;
	guest->ended_ns = clock_now_ns();
}

static void finish(struct guest *guest, bool good)
{
	struct served_device *device = NULL;

	guest->asking = false;
	if (!good) {
		note_end(guest);
		return;
	}
	guest->answered++;
	while ((device = served_next(guest->devices, device)))
		settle(guest, device);
}

/* What cannot be understood is not believed. But the next answer may be better. */
static void bad_answer(struct guest *guest, const char *what)
{
	struct served_device *device = NULL;

	if (may_say(guest, 0, 0, MATTER_ANSWER))
		log_warn("the monitor %s of pid %d says nothing of use about %s; QEMU serves the "
			 "misses",
			 guest->path, guest->pid, what);
	guest->has_info = false;
	while ((device = served_next(guest->devices, device)))
		forget(guest, device, IOMMU_UNKNOWN);
	finish(guest, false);
	guest_doubt(guest);
}

static void has_registers(void *arg, const char *text)
{
	struct guest *guest = arg;

	if (!text)
		finish(guest, false);
	else if (qemu_read_registers(&guest->registers, &guest->info.iommu, text))
		bad_answer(guest, "the registers of the IOMMU");
	else
		finish(guest, true);
}

static void ask_registers(struct guest *guest)
{
	char command[QEMU_COMMAND_MAX];

	qemu_registers_command(&guest->info.iommu, command);
	if (monitor_ask(guest->monitor, command, has_registers, guest))
		finish(guest, false);
}

static void has_network(void *arg, const char *text)
{
	struct guest *guest = arg;
	struct qemu_nic *nic;
	size_t i;

	if (!text) {
		finish(guest, false);
		return;
	}
	qemu_read_network(&guest->info, text);
	for (i = 0; i < guest->info.nic_count; i++) {
		nic = &guest->info.nics[i];
		if (nic->tap_fd >= 0)
			tap_read(guest->pid, nic->tap_fd, nic->tap);
	}
	guest->has_info = true;
	ask_registers(guest);
}

static void refuse(struct guest *guest)
{
	const struct qemu_info *info = &guest->info;

	guest->useless = true;
	log_error("QEMU, pid %d, has %s%s, so its guest has no tables that can be walked; start "
		  "it with -device intel-iommu,device-iotlb=on,caching-mode=off, and with "
		  "iommu_platform=on,ats=on on a NIC behind a pcie-root-port",
		  guest->pid, *info->other_iommu ? info->other_iommu : "no IOMMU",
		  *info->other_iommu ? " and no intel-iommu" : "");
}

static void has_tree(void *arg, const char *text)
{
	struct guest *guest = arg;

	if (!text) {
		finish(guest, false);
		return;
	}
	if (qemu_read_tree(&guest->info, text)) {
		bad_answer(guest, "its devices");
		return;
	}
	if (!guest->info.iommu.present) {
		refuse(guest);
		finish(guest, false);
		return;
	}
	if (monitor_ask(guest->monitor, QEMU_NETWORK_COMMAND, has_network, guest))
		finish(guest, false);
}

/* Questions */

/* Returns whether all are known or have their IOMMU off. */
static bool begin_devices(struct guest *guest)
{
	struct served_device *device = NULL;
	bool settled = true;

	while ((device = served_next(guest->devices, device))) {
		/* What is invalidated from here on, is told anew. */
		miss_hook_seen(guest->hook, device->info.dev, IOTLB_RECORD_FLUSHED);
		device->asked = true;
		device->asked_epoch = device->iotlb_gen;
		settled &= guest_knows(device);
	}
	return settled;
}

static void begin(struct guest *guest)
{
	const bool settled = begin_devices(guest);
	const bool all = guest->soon || !guest->has_info || !settled;

	guest->soon = guest->late = false;
	guest->asking = true;
	guest->asked++;
	if (!all)
		ask_registers(guest);
	else if (monitor_ask(guest->monitor, QEMU_TREE_COMMAND, has_tree, guest))
		finish(guest, false);
}

void guest_ask(struct guest *guest)
{
	guest->soon = true;
}

void guest_doubt(struct guest *guest)
{
	guest->late = true;
}

static void say_silent(struct guest *guest, uint64_t now)
{
	uint64_t since = monitor_waits_since_ns(guest->monitor);

	if (!since || now < since + PATIENCE_NS || !may_say(guest, 0, since, MATTER_SILENT))
		return;
	log_warn("QEMU, pid %d, has not answered on its monitor %s for %llu s; what is not known "
		 "of its guest, it serves by itself; is it stopped, or does somebody else use this "
		 "monitor?",
		 guest->pid, guest->path, PATIENCE_NS / NS_PER_SECOND);
}

static void say_end(struct guest *guest, uint64_t now)
{
	if (guest->said_end || now < guest->ended_ns + END_NS)
		return;
	guest->said_end = true;
	log_warn("the monitor %s of pid %d is of no use any more: %s; its devices are served until "
		 "their drivers start them anew, then by QEMU; start iotlbd again",
		 guest->path, guest->pid, monitor_why(guest->monitor));
}

void guest_poll(struct guest *guest)
{
	uint64_t now;

	if (!guest->soon && !guest->late && !guest->asking && !guest->ended_ns)
		return;
	now = clock_now_ns();
	if (guest->ended_ns) {
		say_end(guest, now);
		return;
	}
	say_silent(guest, now);
	if (guest->asking)
		return;
	if ((guest->soon && rate_take(&guest->asks, now)) ||
	    (guest->late && rate_take(&guest->doubts, now)))
		begin(guest);
}

static int64_t until(uint64_t then, uint64_t now)
{
	return then > now ? (int64_t)(then - now) : 0;
}

int64_t guest_wait_ns(const struct guest *guest)
{
	uint64_t now = clock_now_ns(), since;

	if (guest->ended_ns)
		return guest->said_end ? -1 : until(guest->ended_ns + END_NS, now);
	if (guest->asking) {
		since = monitor_waits_since_ns(guest->monitor);
		return since && now < since + PATIENCE_NS ? until(since + PATIENCE_NS, now) : -1;
	}
	if (guest->soon)
		return (int64_t)rate_wait_ns(&guest->asks, now);
	if (guest->late)
		return (int64_t)rate_wait_ns(&guest->doubts, now);
	return -1;
}

/* The monitor */

static void heard(void *arg, const char *event)
{
	struct guest *guest = arg;

	log_debug("QEMU, pid %d: %s", guest->pid, event);
	if (!strcmp(event, "RESET"))
		guest_ask(guest);
}

bool guest_read(struct guest *guest)
{
	if (guest->useless)
		return false;
	if (!monitor_read(guest->monitor) || guest->said_end)
		return !guest->useless;
	note_end(guest);
	if (guest->answered)
		return true;
	guest->said_end = true;
	log_error("cannot ask QEMU, pid %d, on its monitor %s: %s", guest->pid, guest->path,
		  monitor_why(guest->monitor));
	return false;
}

bool guest_is_new(const struct guest *guest)
{
	return !guest->answered && !guest->ended_ns;
}

bool guest_has_ended(const struct guest *guest)
{
	return guest->ended_ns;
}

uint64_t guest_asked(const struct guest *guest)
{
	return guest->asked;
}

int guest_fd(const struct guest *guest)
{
	return monitor_fd(guest->monitor);
}

/* The whole */

static int check_peer(pid_t peer, pid_t pid, const char *path)
{
	if (peer == pid)
		return 0;
	if (peer)
		log_error("the monitor %s belongs to pid %d, not to pid %d, which -p names", path,
			  peer, pid);
	else
		log_error("the monitor %s belongs to a process that cannot be seen from here, not "
			  "to pid %d",
			  path, pid);
	return -EPERM;
}

int guest_connect(struct guest **guest, const struct monitor_protocol *protocol, const char *path,
		  pid_t pid)
{
	struct guest *fresh;
	pid_t peer;
	int fd, err;

	fd = monitor_connect(path, &peer);
	if (fd < 0)
		return fd;
	err = check_peer(peer, pid, path);
	if (err) {
		close(fd);
		return err;
	}
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh) {
		close(fd);
		return -ENOMEM;
	}
	fresh->path = path;
	fresh->pid = pid;
	fresh->asks = (struct rate){.max = ASKS_PER_SECOND, .period_ns = NS_PER_SECOND};
	fresh->doubts = (struct rate){.max = 1, .period_ns = NS_PER_SECOND};
	fresh->limit.burst = 20;
	fresh->limit.per_second = 5;
	err = monitor_open(&fresh->monitor, protocol, fd, heard, fresh);
	if (err) {
		free(fresh);
		return err;
	}
	*guest = fresh;
	return 0;
}

void guest_serve(struct guest *guest, struct miss_hook *hook, const struct device_table *devices,
		 bool resolve)
{
	guest->hook = hook;
	guest->devices = devices;
	guest->resolve = resolve;
	guest_ask(guest);
}

void guest_close(struct guest *guest)
{
	if (!guest)
		return;
	monitor_close(guest->monitor);
	log_limit_tell(&guest->limit);
	free(guest);
}
