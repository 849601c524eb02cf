// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "check_options.h"
#include "clock.h"
#include "device.h"
#include "facts.h"
#include "gather_qemu.h"
#include "guest_memory.h"
#include "log.h"
#include "memory_table.h"
#include "monitor.h"
#include "qemu_info.h"
#include "vtd_walk.h"

/* QEMU's main loop may have more urgent things to do. */
#define PATIENCE_MS 10000

/**
 * struct inquiry - what QEMU has said so far
 * @info:	IOMMU and NICs
 * @registers:	of the IOMMU
 * @outstanding: questions without answer
 * @err:	an answer makes no sense
 */
struct inquiry {
	struct qemu_info info;
	struct qemu_registers registers;
	int outstanding;
	int err;
};

static void take_registers(void *arg, const char *text)
{
	struct inquiry *inquiry = arg;

	inquiry->outstanding--;
	if (text)
		inquiry->err = qemu_read_registers(&inquiry->registers, &inquiry->info.iommu, text);
}

static void take_network(void *arg, const char *text)
{
	struct inquiry *inquiry = arg;

	inquiry->outstanding--;
	if (text)
		qemu_read_network(&inquiry->info, text);
}

static void take_tree(void *arg, const char *text)
{
	struct inquiry *inquiry = arg;

	inquiry->outstanding--;
	if (text)
		inquiry->err = qemu_read_tree(&inquiry->info, text);
}

/* Until there is nothing more to be answered. */
static int converse(struct monitor *monitor, struct inquiry *inquiry)
{
	struct pollfd readable = {.fd = monitor_fd(monitor), .events = POLLIN};
	const uint64_t end = clock_now_ns() + PATIENCE_MS * 1000000ULL;
	int err;

	while (inquiry->outstanding && !inquiry->err) {
		if (clock_now_ns() >= end)
			return -ETIMEDOUT;
		poll(&readable, 1, PATIENCE_MS / 10);
		err = monitor_read(monitor);
		if (err)
			return err;
	}
	return inquiry->err;
}

static int ask(struct monitor *monitor, struct inquiry *inquiry, const char *command,
	       monitor_reply_fn reply)
{
	int err = monitor_ask(monitor, command, reply, inquiry);

	if (!err)
		inquiry->outstanding++;
	return err;
}

static int ask_all(struct monitor *monitor, struct inquiry *inquiry)
{
	char command[QEMU_COMMAND_MAX];
	int err;

	err = ask(monitor, inquiry, QEMU_TREE_COMMAND, take_tree);
	if (!err)
		err = converse(monitor, inquiry);
	if (!err)
		err = ask(monitor, inquiry, QEMU_NETWORK_COMMAND, take_network);
	if (!err && inquiry->info.iommu.present) {
		qemu_registers_command(&inquiry->info.iommu, command);
		err = ask(monitor, inquiry, command, take_registers);
	}
	return err ? err : converse(monitor, inquiry);
}

static int inquire(struct inquiry *inquiry, const struct check_options *options)
{
	const char *path = options->qmp ? options->qmp : options->monitor;
	struct monitor *monitor;
	pid_t peer;
	int err, fd;

	fd = monitor_connect(path, &peer);
	if (fd < 0)
		return fd;
	err = monitor_open(&monitor, options->qmp ? &monitor_qmp : &monitor_hmp, fd, NULL, NULL);
	if (err)
		return err;
	if (peer && peer != options->pid) {
		log_error("%s is a socket of process %d, not of %d", path, peer, options->pid);
		err = -EINVAL;
	} else {
		err = ask_all(monitor, inquiry);
		if (err == -ETIMEDOUT)
			log_error("QEMU does not answer at %s; has another client the socket, or "
				  "is QEMU stopped?",
				  path);
		else if (err)
			log_error("cannot ask QEMU at %s: %s", path,
				  monitor_why(monitor)[0] ? monitor_why(monitor) : strerror(-err));
	}
	monitor_close(monitor);
	return err;
}

static int read_guest(void *memory, enum vtd_table table, int level, __u64 gpa, void *to,
		      __u32 size)
{
	(void)table;
	(void)level;
	return guest_memory_read(memory, gpa, to, size);
}

/**
 * struct search - for the guest's memory
 * @table:	of the first device that has one
 */
struct search {
	struct memory_table table;
};

static int find_memory(const struct vhost_device *device, void *arg)
{
	struct search *search = arg;
	struct vhost_device again;

	return !vhost_device_read(device->pid, device->fd, &again, &search->table) &&
	       search->table.count;
}

/* Pass-through says that no table counts; of any other domain, no matter which. */
static enum check_domain domain_of(const struct vtd_unit *unit, struct guest_memory *memory,
				   uint16_t source)
{
	const struct vtd_request request = {
		.pasid = VTD_NO_PASID,
		.source_id = source,
		.access = VTD_READ,
	};
	struct vtd_translation found;
	struct vtd_walk where;

	if (!vtd_walk(unit, &request, read_guest, memory, &found, &where))
		return found.level ? CHECK_DOMAIN_TRANSLATED : CHECK_DOMAIN_PASS_THROUGH;
	switch (where.fault) {
	case VTD_FAULT_PRESENT:
	case VTD_FAULT_PERMISSION:
		return CHECK_DOMAIN_TRANSLATED;
	default:
		return CHECK_DOMAIN_UNKNOWN;
	}
}

static bool has_vhost(const struct check_facts *facts, const char *tap)
{
	size_t i;

	for (i = 0; i < facts->device_count; i++)
		if (tap[0] && !strcmp(facts->devices[i].tap, tap))
			return true;
	return false;
}

static void add_nic(struct check_facts *facts, const struct qemu_nic *qemu)
{
	struct check_nic *nic = &facts->nics[facts->nic_count++];

	snprintf(nic->name, sizeof(nic->name), "NIC %s%s%02x:%02x.%x",
		 qemu->id[0] ? qemu->id : qemu->netdev, qemu->id[0] || qemu->netdev[0] ? ", " : "",
		 qemu->source_id >> 8, qemu->source_id >> 3 & 0x1f, qemu->source_id & 7);
	nic->has_source = qemu->has_source;
	nic->source = qemu->source_id;
	nic->iommu_platform = qemu->iommu_platform;
	nic->ats = qemu->ats;
	nic->root_bus = qemu->on_root_bus;
	snprintf(nic->tap, sizeof(nic->tap), "%s", qemu->tap);
	if (!nic->tap[0] && qemu->tap_fd >= 0)
		tap_read(facts->pid, qemu->tap_fd, nic->tap);
}

int gather_qemu(struct check_facts *facts, const struct check_options *options)
{
	static struct inquiry inquiry;
	size_t i;
	int err;

	if (!options->qmp && !options->monitor)
		return 0;
	err = inquire(&inquiry, options);
	if (err)
		return err;
	facts->has_monitor = true;
	facts->has_iommu = inquiry.info.iommu.present;
	snprintf(facts->other_iommu, sizeof(facts->other_iommu), "%s", inquiry.info.other_iommu);
	facts->device_iotlb = inquiry.info.iommu.device_iotlb;
	facts->translating = facts->has_iommu && qemu_translates(&inquiry.registers);
	for (i = 0; i < inquiry.info.nic_count && i < CHECK_MAX_NICS; i++)
		add_nic(facts, &inquiry.info.nics[i]);
	if (facts->has_iommu)
		facts->unit = qemu_unit(&inquiry.registers);
	return 0;
}

static void find_domain(const struct check_facts *facts, struct guest_memory *memory,
			struct check_nic *nic)
{
	if (facts->translating && memory->table->count && nic->has_source && nic->iommu_platform)
		nic->domain = domain_of(&facts->unit, memory, nic->source);
}

void gather_nics(struct check_facts *facts)
{
	struct search search = {};
	struct guest_memory memory = {
		.pid = facts->pid,
		.pidfd = -1,
		.table = &search.table,
	};
	size_t i;

	vhost_device_for_each(facts->pid, find_memory, &search);
	for (i = 0; i < facts->nic_count; i++) {
		facts->nics[i].has_vhost = has_vhost(facts, facts->nics[i].tap);
		find_domain(facts, &memory, &facts->nics[i]);
	}
	memory_table_clear(&search.table);
}
