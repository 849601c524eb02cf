// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "tracepoint.h"

/* Of vhost_iotlb_update, with the address space that it is for. */
#define UPDATE_ARGUMENTS 7

/* What is known of the module's types. */
struct types {
	struct btf *vmlinux;
	struct btf *vhost; /* NULL if that cannot be read */
};

static void types_load(struct types *types)
{
	*types = (struct types){.vmlinux = btf__load_vmlinux_btf()};
	if (types->vmlinux)
		types->vhost = btf__load_module_btf("vhost", types->vmlinux);
}

static void types_free(struct types *types)
{
	btf__free(types->vhost);
	btf__free(types->vmlinux);
}

/* Id of what programs of the type tp_btf are bound to, negative if there is none. */
static int find_tracepoint(const struct btf *btf, const char *name)
{
	char type[64];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf ? btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) : -1;
}

bool vhost_has_tracepoint(const char *name)
{
	struct types types;
	bool has;

	types_load(&types);
	has = find_tracepoint(types.vhost, name) > 0;
	types_free(&types);
	return has;
}

/* A typedef of a pointer to a function, of which the first argument is not its own. */
static unsigned int arguments_of(const struct btf *btf, const char *name)
{
	int id = find_tracepoint(btf, name);
	const struct btf_type *type;

	if (id < 0)
		return 0;
	type = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (!type || !btf_is_ptr(type))
		return 0;
	type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) && btf_vlen(type) ? btf_vlen(type) - 1 : 0;
}

bool vhost_tells_asid(void)
{
	struct types types;
	bool tells;

	types_load(&types);
	tells = arguments_of(types.vhost, "vhost_iotlb_update") >= UPDATE_ARGUMENTS;
	types_free(&types);
	return tells;
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
	struct types types;
	bool all;
	size_t i;

	types_load(&types);
	all = types.vhost;
	for (i = 0; all && i < count; i++)
		all = find_member(types.vhost, &members[i]);
	types_free(&types);
	return all;
}
