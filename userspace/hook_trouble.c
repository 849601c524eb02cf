// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "fdinfo.h"
#include "hook_trouble.h"
#include "log.h"
#include "text_file.h"

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"
#define VHOST_BTF "/sys/kernel/btf/vhost"

/* "/proc/PID/fdinfo/FD" with two names of directory entries */
#define PROC_PATH_MAX 600

static bool is_capable(uint64_t capability)
{
	uint64_t effective = 0;
	const char *value;
	char *status;

	if (text_file_read("/proc/self/status", &status))
		return false;
	value = fdinfo_next(status, "CapEff");
	if (value)
		effective = strtoull(value, NULL, 16);
	free(status);
	return effective >> capability & 1;
}

int hook_check(void)
{
	if (!is_capable(CAP_SYS_ADMIN) || !is_capable(CAP_SYS_PTRACE)) {
		log_error("not permitted: needs CAP_SYS_ADMIN to load BPF programs into vhost and "
			  "CAP_SYS_PTRACE to take vhost fds; run it as root");
		return -EPERM;
	}
	if (access(VMLINUX_BTF, R_OK)) {
		log_error("this kernel does not describe its types (no " VMLINUX_BTF
			  "), so no BPF program fits it; it needs CONFIG_DEBUG_INFO_BTF");
		return -ENOENT;
	}
	if (access("/sys/module/vhost", F_OK)) {
		log_error("the module vhost is not loaded; load the patched vhost_iotlb, vhost and "
			  "vhost_net");
		return -ENOENT;
	}
	if (access(VHOST_BTF, R_OK)) {
		log_error("the module vhost does not describe its types (no " VHOST_BTF
			  "); it must be built as a module with CONFIG_DEBUG_INFO_BTF_MODULES");
		return -ENOENT;
	}
	return 0;
}

static bool has_member(const struct btf *btf, const struct btf_type *type, const char *name)
{
	const struct btf_member *member = btf_members(type);
	int i;

	for (i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, member[i].name_off), name))
			return true;
	return false;
}

/* Has it such a type, with this member unless NULL? 1 yes, 0 no, or a negative
 * errno if that cannot be told.
 */
static int vhost_has(const char *name, __u32 kind, const char *member)
{
	struct btf *vmlinux, *vhost;
	int ret;

	vmlinux = btf__parse(VMLINUX_BTF, NULL);
	if (!vmlinux)
		return -errno;
	vhost = btf__parse_split(VHOST_BTF, vmlinux);
	if (vhost) {
		ret = btf__find_by_name_kind(vhost, name, kind);
		ret = ret > 0 &&
		      (!member || has_member(vhost, btf__type_by_id(vhost, ret), member));
		btf__free(vhost);
	} else {
		ret = -errno;
	}
	btf__free(vmlinux);
	return ret;
}

void hook_explain_load(int err)
{
	if (!vhost_has("vhost_iotlb_ops", BTF_KIND_STRUCT, NULL))
		log_error("the loaded module vhost has no hook for IOTLB misses (struct "
			  "vhost_iotlb_ops is not in " VHOST_BTF
			  "); load the patched modules instead of the distribution's");
	else if (!vhost_has("vhost_iotlb_miss_ctx", BTF_KIND_STRUCT, "dev_id"))
		log_error("the loaded module vhost is of an older series of patches (dev_id is not "
			  "in its struct vhost_iotlb_miss_ctx); load the present patched modules");
	else
		log_error("cannot load the BPF programs: %s; -v shows what libbpf says",
			  strerror(-err));
}

bool hook_can_follow(void)
{
	if (vhost_has("vhost_dev", BTF_KIND_STRUCT, "iotlb_gen") > 0)
		return true;
	log_error("the loaded module vhost does not tell when a guest has started its device "
		  "(vhost_dev.iotlb_gen is not in its BTF), so guests cannot be followed; load the "
		  "present patched modules");
	return false;
}

bool hook_can_resolve(void)
{
	/* The younger of the two. */
	return vhost_has("bpf_vhost_guest_read", BTF_KIND_FUNC, NULL) > 0;
}

bool hook_can_set_flags(void)
{
	return vhost_has("bpf_vhost_guest_set_u64", BTF_KIND_FUNC, NULL) > 0;
}

static bool struct_ops_type(int map_fd, struct bpf_map_info *info)
{
	__u32 size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return !bpf_map_get_info_by_fd(map_fd, info, &size) &&
	       info->type == BPF_MAP_TYPE_STRUCT_OPS;
}

/**
 * struct holder - who has attached a struct_ops
 * @ours:	the map of one of the same kind
 * @map:	the holder's map
 * @pid:	the process
 */
struct holder {
	struct bpf_map_info ours;
	struct bpf_map_info map;
	pid_t pid;
};

static bool is_same_kind(struct holder *holder, uint64_t map_id)
{
	int fd = bpf_map_get_fd_by_id(map_id);
	bool same;

	if (fd < 0)
		return false;
	same = struct_ops_type(fd, &holder->map) &&
	       holder->map.btf_vmlinux_value_type_id == holder->ours.btf_vmlinux_value_type_id;
	close(fd);
	return same;
}

/* The link of a struct_ops has its map in fdinfo. */
static bool is_holder(struct holder *holder, const char *pid, const char *fd)
{
	char path[PROC_PATH_MAX], target[64], *text;
	const char *value;
	uint64_t map_id;
	ssize_t length;
	bool yes;

	snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	/* Opened anew from bpffs or by id, it has the other name. */
	if (strcmp(target, "anon_inode:bpf_link") && strcmp(target, "anon_inode:bpf-link"))
		return false;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, fd);
	if (text_file_read(path, &text))
		return false;
	value = fdinfo_next(text, "map_id");
	yes = value && !fdinfo_numbers(value, &map_id, 1) && is_same_kind(holder, map_id);
	free(text);
	return yes;
}

static bool process_holds(struct holder *holder, const char *pid)
{
	char path[PROC_PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = is_holder(holder, pid, entry->d_name);
	closedir(dir);
	return found;
}

static bool find_holder(struct holder *holder, int map_fd)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (!struct_ops_type(map_fd, &holder->ours))
		return false;
	dir = opendir("/proc");
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		holder->pid = atoi(entry->d_name);
		found = holder->pid > 0 && process_holds(holder, entry->d_name);
	}
	closedir(dir);
	return found;
}

static void explain_busy(int map_fd)
{
	struct holder holder;

	if (find_holder(&holder, map_fd))
		log_error("the miss hook of vhost is taken by \"%s\" of pid %d; only one program "
			  "may have it, so end that first",
			  holder.map.name, holder.pid);
	else
		log_error("the miss hook of vhost is taken, by no process that can be seen "
			  "(perhaps by a pinned BPF link); only one program may have it, so detach "
			  "that first");
}

void hook_explain_attach(int err, int map_fd)
{
	if (err == -EBUSY)
		explain_busy(map_fd);
	else
		log_error("cannot attach to the miss hook of vhost: %s; -v shows what libbpf says",
			  strerror(-err));
}
