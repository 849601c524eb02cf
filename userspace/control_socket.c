// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control_socket.h"
#include "log.h"

/* Clients that wait to be accepted */
#define BACKLOG 16

static int fill_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!*path || strlen(path) >= sizeof(address->sun_path)) {
		log_error("the path of a control socket has to have 1 to %zu letters: \"%s\"",
			  sizeof(address->sun_path) - 1, path);
		return -ENAMETOOLONG;
	}
	strcpy(address->sun_path, path);
	return 0;
}

/* A socket without listener is what an iotlbd leaves behind. */
static int remove_stale(const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat info;
	int fd, err;

	if (lstat(path, &info))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(info.st_mode)) {
		log_error("%s is there, and is no socket; give another path to --control", path);
		return -EEXIST;
	}
	/* Should its backlog be full, it is not waited for. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? errno : 0;
	close(fd);
	if (err == ECONNREFUSED)
		return unlink(path) && errno != ENOENT ? -errno : 0;
	if (err && err != EAGAIN)
		return -err;
	log_error("somebody listens at %s already, perhaps another iotlbd; give another path to "
		  "--control",
		  path);
	return -EADDRINUSE;
}

static int listen_at(int fd, const struct sockaddr_un *address)
{
	mode_t mask = umask(0177);
	int err;

	err = bind(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;
	umask(mask);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	return err;
}

int control_listen(const char *path)
{
	struct sockaddr_un address;
	int fd = -1, err;

	err = fill_address(&address, path);
	if (err)
		return err;
	err = remove_stale(&address);
	/* These have their message. */
	if (err == -EEXIST || err == -EADDRINUSE)
		return err;
	if (!err) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		err = fd < 0 ? -errno : listen_at(fd, &address);
	}
	if (!err)
		return fd;
	log_error("cannot listen at %s: %s", path, strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}

static int refuse(int fd, int err, const char *path)
{
	if (fd >= 0)
		close(fd);
	switch (err) {
	case ENOENT:
		log_error("there is no %s; is an iotlbd running with --control %s?", path, path);
		break;
	case ECONNREFUSED:
		log_error("nobody listens at %s; its iotlbd has ended", path);
		break;
	case EACCES:
		log_error("%s may not be used by this user, but by the one who has started iotlbd, "
			  "and by root",
			  path);
		break;
	default:
		log_error("cannot connect to %s: %s", path, strerror(err));
		break;
	}
	return -err;
}

int control_connect(const char *path)
{
	struct sockaddr_un address;
	int fd, err;

	err = fill_address(&address, path);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return refuse(fd, errno, path);
	return fd;
}
