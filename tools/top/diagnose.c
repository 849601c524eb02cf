// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caps.h"
#include "diagnose.h"
#include "log.h"
#include "text_file.h"
#include "tracepoint.h"

static void tell_missing(uint64_t missing, uint64_t wanted)
{
	char path[256] = "iotlb-top", has_not[CAPS_TEXT_SIZE], give[CAPS_TEXT_SIZE];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length > 0)
		path[length] = '\0';
	log_error("not allowed to count what vhost does, for want of %s; run this as root, or, as "
		  "root, \"setcap %s=ep %s\"",
		  caps_text(has_not, missing), caps_text(give, wanted | CAPS_TO_SEE_OWNERS), path);
}

/* What keeps any program from being attached that wants these capabilities. */
static bool tell_obstacle(uint64_t caps)
{
	uint64_t missing = caps_missing(caps);

	if (missing)
		tell_missing(missing, caps);
	else if (access("/sys/module/vhost", F_OK))
		log_error("the module vhost is not loaded, so there is nothing to watch; load it "
			  "with \"modprobe vhost_net\", or start a guest that uses it");
	else if (access("/sys/kernel/btf/vmlinux", F_OK))
		log_error("this kernel has no BTF (/sys/kernel/btf/vmlinux), by which BPF programs "
			  "find their way; use a kernel with CONFIG_DEBUG_INFO_BTF=y");
	else if (access("/sys/kernel/btf/vhost", F_OK))
		log_error("the module vhost has no BTF (/sys/kernel/btf/vhost), by which BPF "
			  "programs find its tracepoints; build it where pahole and the kernel's "
			  "vmlinux are, see README");
	else
		return false;
	return true;
}

void diagnose_attach(int err)
{
	if (tell_obstacle(CAPS_TO_COUNT))
		return;
	if (!vhost_has_tracepoint("vhost_iotlb_hit"))
		log_error("this vhost has no IOTLB tracepoints, and no functions that could be "
			  "probed; build and load the patched modules, see README");
	else
		log_error("cannot attach the BPF counters to the tracepoints of vhost: %s; -v "
			  "shows what the kernel says",
			  strerror(-err));
}

void diagnose_probes(int err)
{
	if (!tell_obstacle(CAPS_TO_COUNT | CAP_BIT(SYS_ADMIN)))
		log_error("cannot attach the BPF probes to the functions of vhost: %s; -v shows "
			  "what the kernel says",
			  strerror(-err));
}

void diagnose_timeouts(char *text, size_t size)
{
	char *limit;

	if (text_file_read("/sys/module/vhost/parameters/iotlb_miss_timeout_ms", &limit)) {
		snprintf(text, size,
			 "The daemon took misses and did not answer them in time: "
			 "is it stopped?");
		return;
	}
	/* Without the newline. */
	snprintf(text, size,
		 "The daemon took misses and did not answer them within %lu ms: is it stopped?",
		 strtoul(limit, NULL, 10));
	free(limit);
}

void diagnose_owners(void)
{
	uint64_t missing = caps_missing(CAPS_TO_SEE_OWNERS);
	char text[CAPS_TEXT_SIZE];

	if (missing)
		log_warn("devices of other users' processes look as if they were gone, for want of "
			 "%s",
			 caps_text(text, missing));
}
