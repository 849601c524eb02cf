// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "facts.h"
#include "rules.h"
#include "top/rates.h"

/* Fewer lookups of buffers say nothing about a guest. */
#define ENOUGH 20

/* Below this share of buffers, misses are what limits. */
#define GOOD_HIT_RATE 0.9

#define OPTIONS_OF_IOMMU "-device intel-iommu,device-iotlb=on,intremap=off,caching-mode=off"
#define OPTIONS_OF_NIC "iommu_platform=on,ats=on,disable-legacy=on"

static struct finding *conclude(struct findings *findings, enum finding_kind kind, const char *name,
				const char *subject)
{
	struct finding *finding = &findings->list[findings->count];

	/* The last place is written again and again. */
	if (findings->count < FINDINGS_MAX - 1)
		findings->count++;
	*finding = (struct finding){.kind = kind, .name = name};
	snprintf(finding->subject, sizeof(finding->subject), "%s", subject);
	return finding;
}

#define SAY(place, ...) snprintf(place, sizeof(place), __VA_ARGS__)

static void check_monitor(const struct check_facts *facts, struct findings *findings)
{
	struct finding *finding;

	if (facts->has_monitor)
		return;
	finding = conclude(findings, FINDING_NOTE, "not-asked", "QEMU");
	SAY(finding->what, "QEMU was not asked how the guest is made");
	SAY(finding->advice,
	    "give --qmp SOCKET, where QEMU has -qmp unix:SOCKET,server=on,wait=off");
}

static void check_iommu(const struct check_facts *facts, struct findings *findings)
{
	struct finding *finding;

	if (!facts->has_monitor)
		return;
	if (!facts->has_iommu) {
		finding = conclude(findings, FINDING_PROBLEM, "no-iommu", "QEMU");
		SAY(finding->what,
		    "the guest has no IOMMU, so vhost translates nothing by its IOTLB");
		SAY(finding->evidence, "there is no intel-iommu in \"info qtree\"");
		SAY(finding->advice, "if it is to have one: " OPTIONS_OF_IOMMU
				     " before all other devices, and NICs with " OPTIONS_OF_NIC);
		return;
	}
	if (facts->translating)
		return;
	finding = conclude(findings, FINDING_PROBLEM, "iommu-off", "the guest");
	SAY(finding->what, "the guest has not switched its IOMMU on");
	SAY(finding->evidence, "GSTS_REG.TES is 0");
	SAY(finding->advice, "intel_iommu=on on the command line of the guest's kernel");
}

static void check_nic_options(const struct check_facts *facts, const struct check_nic *nic,
			      struct findings *findings)
{
	struct finding *finding;

	if (!nic->has_vhost) {
		finding = conclude(findings, FINDING_PROBLEM, "no-vhost", nic->name);
		SAY(finding->what, "QEMU itself moves the packets of this NIC");
		SAY(finding->evidence, "no vhost device of process %d has its tap, %s, for backend",
		    facts->pid, nic->tap[0] ? nic->tap : "which has no name");
		SAY(finding->advice,
		    "-netdev tap,vhost=on; if that is there, has the guest started "
		    "the NIC?");
	}
	if (!nic->iommu_platform) {
		finding = conclude(findings, FINDING_PROBLEM, "no-iommu-platform", nic->name);
		SAY(finding->what, "this NIC goes past the guest's IOMMU");
		SAY(finding->evidence, "its option iommu_platform is off");
		SAY(finding->advice, "-device virtio-net-pci,...," OPTIONS_OF_NIC);
		return;
	}
	if (!nic->ats) {
		finding = conclude(findings, FINDING_PROBLEM, "no-ats", nic->name);
		SAY(finding->what, "vhost may not hear what the guest invalidates");
		SAY(finding->evidence, "the option ats of this NIC is off");
		SAY(finding->advice, "ats=on, behind a pcie-root-port");
	} else if (nic->root_bus) {
		finding = conclude(findings, FINDING_PROBLEM, "root-bus", nic->name);
		SAY(finding->what, "vhost may not hear what the guest invalidates");
		SAY(finding->evidence,
		    "this NIC is on the root bus, where ats=on is without effect");
		SAY(finding->advice, "-device pcie-root-port,id=port0,chassis=1 and bus=port0 for "
				     "the NIC");
	} else if (!facts->device_iotlb) {
		finding = conclude(findings, FINDING_PROBLEM, "no-device-iotlb", nic->name);
		SAY(finding->what, "vhost may not hear what the guest invalidates");
		SAY(finding->evidence,
		    "the option device-iotlb of intel-iommu is off, so ats=on of "
		    "this NIC is of no use");
		SAY(finding->advice, OPTIONS_OF_IOMMU);
	}
}

static void check_nics(const struct check_facts *facts, struct findings *findings)
{
	const struct check_nic *nic;
	struct finding *finding;
	size_t i;

	if (!facts->has_iommu)
		return;
	for (i = 0; i < facts->nic_count; i++) {
		nic = &facts->nics[i];
		check_nic_options(facts, nic, findings);
		if (nic->domain != CHECK_DOMAIN_PASS_THROUGH)
			continue;
		finding = conclude(findings, FINDING_NOTE, "pass-through", nic->name);
		SAY(finding->what, "the guest lets this NIC reach all of its memory: few misses, "
				   "no protection");
		SAY(finding->evidence, "its context entry says pass-through");
		SAY(finding->advice,
		    "for protection: iommu=nopt on the command line of the guest's "
		    "kernel");
	}
	if (facts->nic_count)
		return;
	finding = conclude(findings, FINDING_PROBLEM, "no-nic", "QEMU");
	SAY(finding->what, "the guest has no virtio NIC");
	SAY(finding->evidence, "there is no virtio-net-pci in \"info qtree\"");
	SAY(finding->advice, "-device virtio-net-pci,...," OPTIONS_OF_NIC);
}

static uint64_t count(const struct check_device *device, enum iotlb_counter which)
{
	return device->counters.count[which];
}

/* Every buffer once: a hit that comes after an answered miss is none of its own. */
static uint64_t buffers(const struct check_device *device)
{
	return count(device, IOTLB_HIT_BUFFER) + count(device, IOTLB_RESOLVED_BUFFER);
}

static uint64_t in_user_space(const struct check_device *device)
{
	return count(device, IOTLB_MISS) - count(device, IOTLB_RESOLVED);
}

/* Who maps for each packet, and how it takes that back. */
static void check_maps(const struct check_device *device, const char *name,
		       struct findings *findings)
{
	const uint64_t page = device->invalidations.page, all = device->invalidations.all;
	struct finding *finding;

	if (page >= buffers(device) / 2) {
		finding = conclude(findings, FINDING_NOTE, "strict", name);
		SAY(finding->what, "the guest maps for each packet, and invalidates after each");
		SAY(finding->evidence, "%" PRIu64 " invalidations of a page, %" PRIu64 " buffers",
		    page, buffers(device));
		SAY(finding->advice, "less protection, but fewer invalidations: iommu.strict=0 on "
				     "the command line of the guest's kernel; hardly any misses: "
				     "DPDK with 2M or 1G pages, or iommu=pt");
	} else if (all && count(device, IOTLB_MISS_BUFFER) >= buffers(device) / 10) {
		finding = conclude(findings, FINDING_NOTE, "lazy", name);
		SAY(finding->what,
		    "the guest maps for each packet, and invalidates all at once now "
		    "and then");
		SAY(finding->evidence,
		    "%" PRIu64 " invalidations of everything, %" PRIu64 " misses of %" PRIu64
		    " buffers",
		    all, count(device, IOTLB_MISS_BUFFER), buffers(device));
	}
}

static void check_misses(const struct check_facts *facts, const struct check_device *device,
			 const char *name, struct findings *findings)
{
	double rate = counters_buffer_hit_rate(&device->counters);
	uint64_t slow = in_user_space(device);
	struct finding *finding;

	if (rate >= GOOD_HIT_RATE) {
		finding = conclude(findings, FINDING_GOOD, "hits", name);
		SAY(finding->what, "buffers are found in the IOTLB");
		SAY(finding->evidence, "true hit rate %.1f %%, %" PRIu64 " buffers", 100 * rate,
		    buffers(device));
		return;
	}
	if (slow < buffers(device) / 10) {
		finding = conclude(findings, FINDING_GOOD, "resolved", name);
		SAY(finding->what, "misses are resolved in the kernel");
		SAY(finding->evidence, "%" PRIu64 " of %" PRIu64 " misses, %" PRIu64 " buffers",
		    count(device, IOTLB_RESOLVED), count(device, IOTLB_MISS), buffers(device));
		return;
	}
	finding = conclude(findings, FINDING_PROBLEM, "misses", name);
	SAY(finding->what, "packets wait for user space to translate their addresses");
	SAY(finding->evidence,
	    "%" PRIu64 " misses for %" PRIu64 " buffers, true hit rate %.1f %%; %" PRIu64
	    " of them read from the vhost fd",
	    slow, buffers(device), 100 * rate, count(device, IOTLB_MISS_FD));
	SAY(finding->advice, "let the kernel resolve them: iotlbd -p %d --qmp SOCKET", facts->pid);
}

static void check_evictions(const struct check_device *device, const char *name,
			    struct findings *findings)
{
	struct finding *finding;

	if (count(device, IOTLB_EVICT) < ENOUGH ||
	    count(device, IOTLB_EVICT) < count(device, IOTLB_UPDATE) / 2)
		return;
	finding = conclude(findings, FINDING_PROBLEM, "thrashing", name);
	SAY(finding->what, "the IOTLB is too small for what the guest uses");
	SAY(finding->evidence,
	    "%" PRIu64 " evictions, %" PRIu64 " updates, %" PRIu64 " of %" PRIu64 " entries taken",
	    count(device, IOTLB_EVICT), count(device, IOTLB_UPDATE), device->entries,
	    device->limit);
	SAY(finding->advice, "larger pages in the guest, or a higher limit: \"options vhost "
			     "max_iotlb_entries=N\" in /etc/modprobe.d, and load vhost anew");
}

static void check_needless(const struct check_device *device, const char *name,
			   struct findings *findings)
{
	uint64_t invalidations = device->invalidations.page + device->invalidations.range;
	uint64_t useful = count(device, IOTLB_UPDATE) + count(device, IOTLB_RESOLVED);
	struct finding *finding;

	if (invalidations < ENOUGH || invalidations / 2 < useful)
		return;
	finding = conclude(findings, FINDING_NOTE, "needless", name);
	SAY(finding->what, "most invalidations are about what is not in the IOTLB");
	SAY(finding->evidence, "%" PRIu64 " invalidations, %" PRIu64 " translations made",
	    invalidations, useful);
	SAY(finding->advice, "another device in the same IOMMU group, or one that does its own "
			     "mapping, may be the cause");
}

static void check_trouble(const struct check_device *device, const char *name,
			  struct findings *findings)
{
	struct finding *finding;

	if (!count(device, IOTLB_FALLBACK_TIMEOUT))
		return;
	finding = conclude(findings, FINDING_PROBLEM, "timeouts", name);
	SAY(finding->what, "who takes the misses does not answer them in time");
	SAY(finding->evidence, "%" PRIu64 " of them went to the vhost fd after all",
	    count(device, IOTLB_FALLBACK_TIMEOUT));
	SAY(finding->advice, "look at the messages of iotlbd, and whether it gets CPU time");
}

/* A process of the guest whose tables nobody knows, or which has not mapped what it
 * has offered: its virtqueue stops, and the rest of the device goes on.
 */
static void check_space(const struct check_facts *facts, const struct check_space *space,
			const char *device, struct findings *findings)
{
	const uint64_t answers =
		space->counters.count[IOTLB_UPDATE] + space->counters.count[IOTLB_RESOLVED];
	const uint64_t refused = space->counters.count[IOTLB_FALLBACK_REFUSED];
	const uint64_t misses = space->counters.count[IOTLB_MISS];
	struct finding *finding;
	char name[96];

	SAY(name, "%s, PASID %" PRIu32, device, space->pasid);
	if (misses && !answers && !space->counters.count[IOTLB_HIT_BUFFER]) {
		finding = conclude(findings, FINDING_PROBLEM, "pasid-waits", name);
		SAY(finding->what, "virtqueues wait for translations that nobody gives");
		SAY(finding->evidence,
		    "%" PRIu64 " misses, %" PRIu64 " of them handed back, no answer", misses,
		    refused);
		SAY(finding->advice,
		    "bind the tables of its process: iotlbctl bind; if they are, see where they "
		    "end: iotlb-walk --control SOCKET --pasid %" PRIu32 " ADDRESS",
		    space->pasid);
	} else if (!space->entries && !counters_sum(&space->counters, COUNTERS_LOOKUPS)) {
		finding = conclude(findings, FINDING_NOTE, "pasid-silent", name);
		SAY(finding->what, "nothing was looked up, and nothing is known: its virtqueues "
				   "are idle, or have been waiting for long");
		SAY(finding->evidence, "0 of %" PRIu64 " entries taken, no lookup in %.1f s",
		    space->limit, facts->seconds);
		SAY(finding->advice, "if it should be in use, is anything bound to it? iotlbctl "
				     "pasids DEVICE tells");
	}
}

static void check_traffic(const struct check_facts *facts, const struct check_device *device,
			  const char *name, struct findings *findings)
{
	struct finding *finding;
	size_t i;

	check_trouble(device, name, findings);
	for (i = 0; i < device->space_count; i++)
		check_space(facts, &device->spaces[i], name, findings);
	check_evictions(device, name, findings);
	check_needless(device, name, findings);
	if (buffers(device) >= ENOUGH) {
		check_maps(device, name, findings);
		check_misses(facts, device, name, findings);
		return;
	}
	finding = conclude(findings, FINDING_NOTE, "idle", name);
	SAY(finding->what, "too little traffic to say more");
	SAY(finding->evidence, "%" PRIu64 " buffers in %.1f s", buffers(device), facts->seconds);
	SAY(finding->advice, "have the guest send or receive, and look for longer (--duration)");
}

static void check_device(const struct check_facts *facts, const struct check_device *device,
			 struct findings *findings)
{
	struct finding *finding;
	char name[64];

	SAY(name, "vhost device %" PRIu64 "%s%s", device->id, device->tap[0] ? ", " : "",
	    device->tap);
	if (device->has_iotlb) {
		check_traffic(facts, device, name, findings);
		return;
	}
	finding = conclude(findings, FINDING_NOTE, "no-iotlb", name);
	SAY(finding->what, "nothing is translated by an IOTLB here");
	SAY(finding->evidence, "the guest's driver has not negotiated VIRTIO_F_ACCESS_PLATFORM");
	SAY(finding->advice, "has the guest a driver for it? Is iommu_platform=on?");
}

static void check_devices(const struct check_facts *facts, struct findings *findings)
{
	struct finding *finding;
	size_t i;

	if (!facts->device_count) {
		finding = conclude(findings, FINDING_PROBLEM, "no-vhost-device", "QEMU");
		SAY(finding->what, "no vhost device, so nothing is to be seen");
		SAY(finding->evidence, "process %d has no /dev/vhost-net open", facts->pid);
		SAY(finding->advice,
		    "-netdev tap,vhost=on, and that modprobe vhost_net has worked");
		return;
	}
	if (!facts->patched) {
		finding = conclude(findings, FINDING_PROBLEM, "not-watched", "vhost");
		SAY(finding->what, "what the IOTLB does cannot be seen");
		SAY(finding->evidence, "the loaded module vhost has no tracepoints of it");
		SAY(finding->advice, "load the patched modules, see README");
		return;
	}
	for (i = 0; i < facts->device_count; i++)
		check_device(facts, &facts->devices[i], findings);
}

void check_rules(const struct check_facts *facts, struct findings *findings)
{
	findings->count = 0;
	check_monitor(facts, findings);
	check_iommu(facts, findings);
	check_nics(facts, findings);
	check_devices(facts, findings);
}

bool findings_have_problem(const struct findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++)
		if (findings->list[i].kind == FINDING_PROBLEM)
			return true;
	return false;
}
