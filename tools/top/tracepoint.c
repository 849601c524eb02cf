// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

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

static bool find_member(const struct btf *btf, struct vhost_member *member)
{
	int id = btf__find_by_name_kind(btf, member->type, BTF_KIND_STRUCT);
	const struct btf_type *type;
	const struct btf_member *m;
	int i;

	if (id < 0)
		return false;
	type = btf__type_by_id(btf, id);
	m = btf_members(type);
	for (i = 0; i < btf_vlen(type); i++) {
		if (strcmp(btf__name_by_offset(btf, m[i].name_off), member->name))
			continue;
		member->offset = btf_member_bit_offset(type, i) / 8;
		return !(btf_member_bit_offset(type, i) % 8);
	}
	return false;
}

bool vhost_find_members(struct vhost_member *members, size_t count)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	struct btf *vhost = NULL;
	bool all = false;
	size_t i;

	if (vmlinux)
		vhost = btf__load_module_btf("vhost", vmlinux);
	if (vhost) {
		all = true;
		for (i = 0; i < count; i++)
			all &= find_member(vhost, &members[i]);
	}
	btf__free(vhost);
	btf__free(vmlinux);
	return all;
}
