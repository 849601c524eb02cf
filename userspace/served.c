// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "served.h"
#include "vhost_msg.h"

int served_take(const struct vhost_device *found, struct served_device **device)
{
	struct served_device *fresh = calloc(1, sizeof(*fresh));
	int err;

	if (!fresh)
		return -ENOMEM;
	fresh->target.fd = -1;
	fresh->link.id = found->id;
	fresh->owner_fd = found->fd;
	fresh->info.dev = found->id;
	fresh->info.pid = found->pid;
	memcpy(fresh->info.comm, found->comm, sizeof(fresh->info.comm));

	/* First the process, then its fd: should the pid have been given to
	 * another one, then that has no such device.
	 */
	fresh->pidfd = syscall(SYS_pidfd_open, found->pid, 0);
	if (fresh->pidfd < 0) {
		err = -errno;
		served_release(fresh);
		return err;
	}
	fresh->target.fd = vhost_device_take(fresh->pidfd, found->fd, found->id);
	if (fresh->target.fd < 0) {
		err = fresh->target.fd;
		served_release(fresh);
		return err;
	}
	fresh->target.has_v3 = vhost_msg_has_v3(fresh->target.fd);
	fresh->target.has_asid = fresh->target.has_v3 && vhost_msg_has_asid(fresh->target.fd);
	fresh->target.has_access_fail =
		fresh->target.has_v3 && vhost_msg_has_access_fail(fresh->target.fd);
	/* vhost got the messages and the tokens together. */
	fresh->info.tokens = fresh->target.has_v3;
	*device = fresh;
	return 0;
}

void served_release(struct served_device *device)
{
	if (device->target.fd >= 0)
		close(device->target.fd);
	if (device->pidfd >= 0)
		close(device->pidfd);
	memory_table_clear(&device->mem);
	free(device);
}

/* For vhost_device_for_each(): the same device under another number. */
static int adopt_number(const struct vhost_device *found, void *arg)
{
	struct served_device *device = arg;

	if (!found->has_id || found->id != device->info.dev)
		return 0;
	device->owner_fd = found->fd;
	return 1;
}

bool served_has_owner(struct served_device *device)
{
	struct vhost_device now;
	int err;

	err = vhost_device_read(device->info.pid, device->owner_fd, &now, NULL);
	if (!err && now.has_id && now.id == device->info.dev)
		return true;
	/* Any other error says that we cannot look, not that it is gone. */
	if (err && err != -ESRCH && err != -ENOTTY)
		return true;
	err = vhost_device_for_each(device->info.pid, adopt_number, device);
	return err && err != -ESRCH;
}
