// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include <bpf/btf.h>

#include "tracepoint.h"

bool vhost_has_tracepoint(const char *name)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	struct btf *vhost = NULL;
	char type[64];
	bool has = false;

	/* What programs of the type tp_btf are bound to. */
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	if (vmlinux)
		vhost = btf__load_module_btf("vhost", vmlinux);
	if (vhost)
		has = btf__find_by_name_kind(vhost, type, BTF_KIND_TYPEDEF) > 0;
	btf__free(vhost);
	btf__free(vmlinux);
	return has;
}
