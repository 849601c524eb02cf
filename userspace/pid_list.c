// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "log.h"
#include "pid_list.h"

static int count_found(const struct vhost_device *found, void *arg)
{
	size_t *count = arg;

	(void)found;
	++*count;
	return 0;
}

static int watch(struct listed_pid *entry, int epoll_fd, uint64_t flags)
{
	struct epoll_event wanted = {
		.events = EPOLLIN,
		.data.u64 = flags | PID_LIST_EVENT | entry->pid,
	};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, entry->pidfd, &wanted) ? -errno : 0;
}

static int entry_open(struct listed_pid *entry, int epoll_fd, uint64_t flags)
{
	size_t count = 0;
	int err;

	entry->pidfd = syscall(SYS_pidfd_open, entry->pid, 0);
	if (entry->pidfd < 0) {
		err = -errno;
		if (err == -ESRCH)
			log_error("there is no process %d to serve; pgrep -a qemu lists those of "
				  "guests",
				  entry->pid);
		else
			log_error("cannot watch pid %d: %s", entry->pid, strerror(-err));
		return err;
	}
	err = watch(entry, epoll_fd, flags);
	if (!err)
		err = vhost_device_for_each(entry->pid, count_found, &count);
	if (err) {
		log_error("pid %d: cannot look at its fds: %s", entry->pid, strerror(-err));
		return err;
	}
	if (!count) {
		log_error("pid %d holds no vhost fd (such as /dev/vhost-net); is it QEMU with "
			  "vhost=on?",
			  entry->pid);
		return -ENODEV;
	}
	return 0;
}

int pid_list_open(struct pid_list *list, const pid_t *pids, size_t count, int epoll_fd,
		  uint64_t flags)
{
	size_t i;
	int err;

	*list = (struct pid_list){};
	if (!count)
		return 0;
	list->entries = calloc(count, sizeof(*list->entries));
	if (!list->entries) {
		log_error("no memory to start");
		return -ENOMEM;
	}
	list->count = count;
	for (i = 0; i < count; i++)
		list->entries[i] = (struct listed_pid){.pid = pids[i], .pidfd = -1};
	for (i = 0; i < count; i++) {
		err = entry_open(&list->entries[i], epoll_fd, flags);
		if (err)
			return err;
	}
	return 0;
}

/* Closing a pidfd takes it out of the epoll too. */
static void entry_close(struct listed_pid *entry)
{
	if (entry->pidfd >= 0)
		close(entry->pidfd);
	entry->pidfd = -1;
}

void pid_list_close(struct pid_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		entry_close(&list->entries[i]);
	free(list->entries);
	*list = (struct pid_list){};
}

bool pid_list_includes(const struct pid_list *list, pid_t pid)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->entries[i].pid == pid && list->entries[i].pidfd >= 0)
			return true;
	return !list->count;
}

void pid_list_gone(struct pid_list *list, pid_t pid)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->entries[i].pid == pid)
			entry_close(&list->entries[i]);
}

bool pid_list_has_future(const struct pid_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->entries[i].pidfd >= 0)
			return true;
	return !list->count;
}
