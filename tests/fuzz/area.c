// SPDX-License-Identifier: GPL-2.0
#include "area.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/kernel/check.h"

/* More than a write or read goes beyond the end. */
#define AREA_GUARD (2 * MESSAGE_MAX)

uint8_t *area_new(void)
{
	uint8_t *at = mmap(NULL, AREA_SIZE + AREA_GUARD, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + AREA_SIZE, AREA_GUARD, PROT_NONE))
		bail_out_errno("no memory");
	return at;
}

ssize_t area_result(ssize_t written)
{
	return written < 0 ? -errno : written;
}

/* Each piece where nothing of the others is. */
static ssize_t write_apart(int fd, const struct message *m, uint8_t *to)
{
	struct iovec iov[PIECES_MAX];
	size_t at = 0;

	for (unsigned int i = 0; i < m->nr_pieces; i++) {
		iov[i].iov_base = to + i * 2 * MESSAGE_MAX + i;
		iov[i].iov_len = m->piece[i];
		memcpy(iov[i].iov_base, m->bytes + at, m->piece[i]);
		at += m->piece[i];
	}
	return area_result(writev(fd, iov, m->nr_pieces));
}

/* Up to the end of what is mapped, or beyond. */
static ssize_t write_at_end(int fd, const struct message *m, uint8_t *to)
{
	uint8_t *at = to + AREA_SIZE - m->readable;
	struct iovec iov[PIECES_MAX];

	memcpy(at, m->bytes, m->readable);
	if (m->nr_pieces == 1)
		return area_result(write(fd, at, m->length));
	for (unsigned int i = 0; i < m->nr_pieces; i++) {
		iov[i].iov_base = at;
		iov[i].iov_len = m->piece[i];
		at += m->piece[i];
	}
	return area_result(writev(fd, iov, m->nr_pieces));
}

ssize_t area_write(int fd, const struct message *m, uint8_t *to)
{
	if (m->nr_pieces > 1 && m->readable == m->length)
		return write_apart(fd, m, to);
	return write_at_end(fd, m, to);
}
