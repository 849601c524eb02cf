/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The processes that were named on the command line: only their devices are
 * served, as long as they live.
 */
#ifndef IOTLB_PID_LIST_H
#define IOTLB_PID_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct listed_pid - one of them
 * @pid:	its pid
 * @pidfd:	tells when it has ended, and is -1 from then on
 */
struct listed_pid {
	pid_t pid;
	int pidfd;
};

/* No entries: nobody was named, and all processes are meant. */
struct pid_list {
	struct listed_pid *entries;
	size_t count;
};

/* In an epoll event's data.u64, beside the pid: one of these has ended. */
#define PID_LIST_EVENT (1ULL << 62)

/**
 * pid_list_open() - check the processes, and watch them
 * @list:	set
 * @pids:	processes; each must exist, and hold a vhost fd
 * @count:	how many
 * @epoll_fd:	where their ends are to be seen
 * @flags:	of data.u64 in addition to PID_LIST_EVENT
 *
 * Return: 0, or a negative errno after a message; then, too, the list is to be
 * closed.
 */
int pid_list_open(struct pid_list *list, const pid_t *pids, size_t count, int epoll_fd,
		  uint64_t flags);

void pid_list_close(struct pid_list *list);

/* Are the devices of this process to be served? */
bool pid_list_includes(const struct pid_list *list, pid_t pid);

/* One has ended. */
void pid_list_gone(struct pid_list *list, pid_t pid);

/* False if some were named, and all have ended. */
bool pid_list_has_future(const struct pid_list *list);

#endif /* IOTLB_PID_LIST_H */
