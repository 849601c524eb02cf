// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "diagnose.h"
#include "log.h"
#include "text_file.h"
#include "tracepoint.h"

/* BTF of a module may be read by CAP_SYS_ADMIN only. */
#define CAPS_NEEDED (1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_SYS_ADMIN)

static bool may_attach(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};
	uint64_t effective;

	if (syscall(SYS_capget, &header, data))
		return true;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return (effective & CAPS_NEEDED) == CAPS_NEEDED;
}

/* What keeps any program from being attached. */
static bool tell_obstacle(void)
{
	if (!may_attach())
		log_error("not allowed to attach to the tracepoints of vhost: CAP_BPF, "
			  "CAP_PERFMON, CAP_SYS_ADMIN and, to name the owners of devices, "
			  "CAP_SYS_PTRACE are needed; run this as root");
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
	if (tell_obstacle())
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
	if (!tell_obstacle())
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
