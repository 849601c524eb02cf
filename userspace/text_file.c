// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "text_file.h"

/* Most files of /proc that we read fit at once. */
#define FIRST_READ 4096

static int read_all(int fd, char **text)
{
	size_t room = FIRST_READ, used = 0;
	char *buffer = malloc(room), *more;
	ssize_t got;
	int err;

	if (!buffer)
		return -ENOMEM;

	for (;;) {
		got = read(fd, buffer + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err = -errno;
			break;
		}
		used += got;
		if (!got) {
			buffer[used] = '\0';
			*text = buffer;
			return 0;
		}
		if (used < room - 1)
			continue;
		if (room >= TEXT_FILE_MAX) {
			err = -EFBIG;
			break;
		}
		more = realloc(buffer, room * 2);
		if (!more) {
			err = -ENOMEM;
			break;
		}
		buffer = more;
		room *= 2;
	}
	free(buffer);
	return err;
}

int text_file_read(const char *path, char **text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = read_all(fd, text);
	close(fd);
	return err;
}
