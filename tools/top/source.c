// SPDX-License-Identifier: GPL-2.0
#include "log.h"
#include "source.h"
#include "tracepoint.h"

const struct source_ops *source_choose(bool probes)
{
	if (probes)
		return &source_probe;
	if (vhost_has_tracepoint("vhost_iotlb_hit") || !source_probe_works())
		return &source_bpf;
	log_info("this vhost is not patched, so its functions are probed; with the patched "
		 "modules, see README, there are the columns that show \"-\" now, and counting "
		 "costs less");
	return &source_probe;
}
