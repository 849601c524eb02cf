// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

static int notify_fd = -1;

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int fd, err;

	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, length);
	/* A name without a file begins with a NUL and has no other. */
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	else
		length++;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address,
		    offsetof(struct sockaddr_un, sun_path) + length)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || !*path)
		return;
	notify_fd = connect_to(path);
	if (notify_fd < 0)
		log_warn("cannot tell the service manager anything: NOTIFY_SOCKET %s: %s", path,
			 strerror(-notify_fd));
}

void notify_send(const char *state)
{
	ssize_t length = strlen(state);

	if (notify_fd >= 0 && write(notify_fd, state, length) != length)
		log_warn("cannot tell the service manager %s: %s", state, strerror(errno));
}
