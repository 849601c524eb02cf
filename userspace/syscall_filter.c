// SPDX-License-Identifier: GPL-2.0
/*
 * The list holds what the daemon calls once it serves, on the one hand by
 * itself, on the other hand by the C library, libbpf and json-c: those of
 * Debian 12 and 13. Where an argument makes the difference, it is looked at.
 *
 * There is no execve, no socket, no new thread or process, no signal to others;
 * no file is opened for writing or made; no memory becomes executable. Nor is
 * there rt_sigreturn, since there are no signal handlers.
 *
 * A call that is missing here ends the daemon, and the kernel logs
 *	audit: type=1326 ... comm="iotlbd" ... sig=31 ... syscall=NUMBER
 */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/prctl.h>
#include <linux/vhost.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "syscall_filter.h"

#define MAX_CHECKS 2

/**
 * struct rule - a system call that is allowed
 * @syscall:	its number
 * @count:	how many arguments are checked
 * @checks:	what they must be
 */
struct rule {
	int syscall;
	unsigned int count;
	struct scmp_arg_cmp checks[MAX_CHECKS];
};

#define ANY(name)                                                                                  \
	{                                                                                          \
		.syscall = SCMP_SYS(name)                                                          \
	}

/*
 * The kernel takes 32 bits of an int, and whatever else is in the register is
 * nobody's business.
 */
#define INT_IS(arg, value) SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, 0xffffffffU, (unsigned int)(value))
#define HAS_NONE_OF(arg, bits) SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits, 0)

#define IF(name, check)                                                                            \
	{                                                                                          \
		.syscall = SCMP_SYS(name), .count = 1, .checks = { check }                         \
	}

#define IF_BOTH(name, check, other)                                                                \
	{                                                                                          \
		.syscall = SCMP_SYS(name), .count = 2, .checks = { check, other }                  \
	}

/* Whatever of open(2) changes a file. O_DIRECTORY is a part of O_TMPFILE. */
#define CHANGES_FILES (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static const struct rule rules[] = {
	/* the loop */
	ANY(epoll_wait),
	ANY(epoll_ctl),
	ANY(timerfd_settime),
	ANY(sched_yield),
	ANY(restart_syscall),
	ANY(clock_gettime), /* where the vDSO cannot */

	/* events, answers, statistics, messages */
	ANY(read),
	ANY(write),
	ANY(close),

	/* devices and their owners */
	ANY(getpid),
	IF(pidfd_open, INT_IS(1, 0)),
	IF(pidfd_getfd, INT_IS(2, 0)),
	IF(ioctl, INT_IS(1, VHOST_GET_BACKEND_FEATURES)),

	/* files of /proc, a table that is read anew */
	IF(openat, HAS_NONE_OF(2, CHANGES_FILES)),
	ANY(getdents64),
	ANY(readlink),
	ANY(readlinkat),
	ANY(fstat),
	ANY(newfstatat),
	ANY(lseek),

	/* maps, and the link, which is made anew after vhost has cut it */
	IF(bpf, INT_IS(0, BPF_MAP_LOOKUP_ELEM)),
	IF(bpf, INT_IS(0, BPF_MAP_UPDATE_ELEM)),
	IF(bpf, INT_IS(0, BPF_MAP_DELETE_ELEM)),
	IF(bpf, INT_IS(0, BPF_MAP_GET_NEXT_KEY)),
	IF(bpf, INT_IS(0, BPF_MAP_LOOKUP_AND_DELETE_ELEM)),
	IF(bpf, INT_IS(0, BPF_OBJ_GET_INFO_BY_FD)),
	IF(bpf, INT_IS(0, BPF_LINK_CREATE)),

	/* memory */
	ANY(brk),
	IF(mmap, HAS_NONE_OF(2, PROT_EXEC)),
	IF(mprotect, HAS_NONE_OF(2, PROT_EXEC)),
	ANY(munmap),
	ANY(mremap),
	ANY(madvise),
	IF_BOTH(prctl, INT_IS(0, PR_SET_VMA), INT_IS(1, PR_SET_VMA_ANON_NAME)),

	/* qsort() wants to know how much memory there is */
	ANY(sysinfo),
	/* json-c seeds its hashes: arc4random(), with room for its state */
	ANY(getrandom),
	ANY(rt_sigprocmask),
	/* stdio wants to know whether it writes to a terminal */
	IF(ioctl, INT_IS(1, TCGETS)),
	IF(ioctl, INT_IS(1, TCGETS2)),

	/* the end */
	ANY(exit_group),
	ANY(exit),
};

/* Memory of the owners of devices, and whether it was theirs */
static const struct rule memory_rules[] = {
	ANY(process_vm_readv),
	ANY(poll),
};

/* Clients of the control socket, and who they are. The rest is read(2) and so on. */
static const struct rule client_rules[] = {
	IF(accept4, INT_IS(3, SOCK_NONBLOCK | SOCK_CLOEXEC)),
	IF_BOTH(getsockopt, INT_IS(1, SOL_SOCKET), INT_IS(2, SO_PEERCRED)),
	ANY(geteuid),
};

static int add_rules(scmp_filter_ctx filter, const struct rule *rules, size_t count)
{
	size_t i;
	int err;

	for (i = 0; i < count; i++) {
		err = seccomp_rule_add_exact_array(filter, SCMP_ACT_ALLOW, rules[i].syscall,
						   rules[i].count, rules[i].checks);
		if (err)
			return err;
	}
	return 0;
}

static int add_all_rules(scmp_filter_ctx filter, const struct syscall_filter_needs *needs)
{
	int err = add_rules(filter, rules, sizeof(rules) / sizeof(*rules));

	if (!err && needs->memory)
		err = add_rules(filter, memory_rules, sizeof(memory_rules) / sizeof(*memory_rules));
	if (!err && needs->clients)
		err = add_rules(filter, client_rules, sizeof(client_rules) / sizeof(*client_rules));
	if (err)
		return err;
	/* Who has taken the hook meanwhile cannot be told: that is no crime, but
	 * takes a capability that is gone.
	 */
	return seccomp_rule_add_exact(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1,
				      INT_IS(0, BPF_MAP_GET_FD_BY_ID));
}

int syscall_filter_install(const struct syscall_filter_needs *needs)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err;

	if (!filter)
		return -ENOMEM;
	/* Also for those who try the calls of another architecture. */
	err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A tree instead of a list: these are looked at for every answer. */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* The kernel's own errno instead of -ECANCELED */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (!err)
		err = add_all_rules(filter, needs);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}
