// SPDX-License-Identifier: GPL-2.0
/*
 * What the daemon reads is written by guests and by processes of any user, so
 * it should be worth little to whoever gets hold of it. What it cannot do
 * without is a lot, though: with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, it may
 * take any file of any process. (Landlock would forbid just that, so it is of
 * no use here.) The rest is cut down to what serving needs.
 *
 * Where the limits come from:
 *
 * CAP_SYS_ADMIN: the types of modules are looked up by id (bpf(2),
 * BPF_BTF_GET_NEXT_ID); for the rest of loading, CAP_BPF and CAP_PERFMON would
 * do. What is loaded is used, and attached anew, through fds, without any
 * capability.
 *
 * CAP_SYS_PTRACE: pidfd_getfd(2), process_vm_readv(2), and the links and fdinfo
 * in /proc/PID, even of processes of the same user, if they have other
 * capabilities.
 *
 * CAP_DAC_READ_SEARCH: /proc/PID/fd belongs to the user of the process, and is
 * closed for others.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"
#include "syscall_filter.h"

/* Most capabilities that a stage keeps */
#define KEEP_MAX 3

/**
 * struct stage - what it may do
 * @name:	in messages
 * @enter:	what is done when it begins
 * @keep:	capabilities that it keeps, if it has them
 * @keep_count:	how many
 */
struct stage {
	const char *name;
	int (*enter)(const struct stage *stage);
	unsigned int keep[KEEP_MAX];
	size_t keep_count;
};

static struct syscall_filter_needs needs;

static int failed(const struct stage *stage, const char *what, int err)
{
	log_error("stage %s: cannot %s: %s", stage->name, what, strerror(-err));
	return err;
}

/* Nobody without privileges may look into this process, and no file is left of
 * it: it holds other processes' fds, and addresses of their memory.
 */
static int enter_start(const struct stage *stage)
{
	const struct rlimit none = {};

	if (prctl(PR_SET_DUMPABLE, 0) || setrlimit(RLIMIT_CORE, &none))
		return failed(stage, "do without a core dump", -errno);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return failed(stage, "renounce new privileges", -errno);
	log_debug("stage %s: no core dump, no new privileges", stage->name);
	return 0;
}

/* Sets the capabilities to those of @stage that there are, and says in @names
 * which.
 */
static int reduce_capabilities(const struct stage *stage, char *names, size_t size)
{
	bool have[KEEP_MAX];
	size_t i, used = 0;

	if (capng_get_caps_process())
		return -EIO;
	for (i = 0; i < stage->keep_count; i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, stage->keep[i]);

	capng_clear(CAPNG_SELECT_ALL);
	snprintf(names, size, "none");
	for (i = 0; i < stage->keep_count; i++) {
		if (!have[i])
			continue;
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, stage->keep[i]))
			return -EIO;
		used += snprintf(names + used, size - used, "%s%s", used ? ", " : "",
				 capng_capability_to_name(stage->keep[i]));
	}
	if (capng_apply(CAPNG_SELECT_CAPS) || capng_apply(CAPNG_SELECT_AMBIENT))
		return errno ? -errno : -EPERM;
	return 0;
}

static int keep_capabilities(const struct stage *stage)
{
	char names[128];
	int err = reduce_capabilities(stage, names, sizeof(names));

	if (err)
		return failed(stage, "give up capabilities", err);
	log_debug("stage %s: capabilities: %s", stage->name, names);
	return 0;
}

static int enter_load(const struct stage *stage)
{
	/* As long as this may be done, and while nobody needs it: nothing is
	 * executed any more. Without CAP_SETPCAP, that has to be enough.
	 */
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_BOUNDS))
		log_debug("stage %s: the bounding set stays, for want of CAP_SETPCAP", stage->name);

	if (capng_get_caps_process())
		return failed(stage, "read capabilities", -EIO);
	if (!capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH))
		log_warn("without CAP_DAC_READ_SEARCH, only devices of this user's processes can "
			 "be served");
	return keep_capabilities(stage);
}

static int enter_serve(const struct stage *stage)
{
	int err = keep_capabilities(stage);

	if (err)
		return err;
	err = syscall_filter_install(&needs);
	if (err)
		return failed(stage, "filter system calls", err);
	log_debug("stage %s: system calls are filtered", stage->name);
	return 0;
}

static const struct stage start = {
	.name = "start",
	.enter = enter_start,
};

static const struct stage load = {
	.name = "load",
	.enter = enter_load,
	.keep = {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_ADMIN},
	.keep_count = 3,
};

static const struct stage serve = {
	.name = "serve",
	.enter = enter_serve,
	.keep = {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE},
	.keep_count = 2,
};

/* By enum sandbox_stage */
static const struct stage *const stages[] = {&start, &load, &serve};

void sandbox_allow_memory(void)
{
	needs.memory = true;
}

void sandbox_allow_clients(void)
{
	needs.clients = true;
}

int sandbox_enter(enum sandbox_stage stage)
{
	return stages[stage]->enter(stages[stage]);
}

int sandbox_open_standard_fds(void)
{
	int fd, err;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest number that is free, which is this one. */
		if (open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) == fd)
			continue;
		err = errno ? -errno : -EBADF;
		log_error("cannot open /dev/null, which is to be fd %d: %s", fd, strerror(-err));
		return err;
	}
	return 0;
}
