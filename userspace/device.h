/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhost devices are found by the file descriptors that processes hold: the
 * kernel has no list of them. Processes and descriptors may vanish at any
 * moment, so whatever is read here is already history.
 */
#ifndef IOTLB_DEVICE_H
#define IOTLB_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct memory_table;

/* Length of the name of a network interface, with its NUL: IFNAMSIZ */
#define VHOST_DEVICE_TAP_MAX 16

/* Of the name of a process, with its end */
#define VHOST_DEVICE_COMM_MAX 16

/* Address spaces that are kept of a device. vhost-net, of which alone there can be
 * several, has two virtqueues, and no more address spaces than that.
 */
#define VHOST_DEVICE_SPACES 8

/* Virtqueues of which it is kept in which they are */
#define VHOST_DEVICE_SPACE_VQS 64

/**
 * struct vhost_space - an address space other than 0
 * @asid:	its number
 * @entries:	translations in its IOTLB
 * @limit:	most that it will hold
 * @vqs:	virtqueues in it, bit by bit
 */
struct vhost_space {
	uint32_t asid;
	uint64_t entries;
	uint64_t limit;
	uint64_t vqs;
};

/**
 * struct vhost_device - one vhost fd of one process
 * @pid:	process (thread group) that holds it
 * @fd:		its number in that process
 * @comm:	name of the process
 * @path:	file it was opened by, "/dev/vhost-net"
 * @has_id:	the kernel carries the vhost patches and tells @id
 * @id:		unique since the module was loaded, never used again; the same
 *		device has the same id in whatever process and under whatever
 *		number it is held
 * @mem_seq:	number of the memory table; zero on a kernel that does not count
 * @has_iotlb:	the driver has negotiated VIRTIO_F_ACCESS_PLATFORM; those below
 *		are zero otherwise
 * @iotlb_gen:	number of the IOTLB: how many the device has had; zero on a
 *		kernel that does not count
 * @entries:	translations in the device IOTLB
 * @limit:	most that it will hold
 * @timeouts:	misses that a BPF program has let wait for too long, since the
 *		device has got its owner; zero on a kernel that does not watch
 * @tap:	network interface of a vhost-net device; empty while none of its
 *		virtqueues has a backend, on a kernel that does not tell, and if
 *		the name is not printable ASCII
 * @nr_spaces:	elements of @spaces
 * @spaces:	all other address spaces than 0; virtqueues that are in none of
 *		these are in that one, of which @entries tells
 */
struct vhost_device {
	pid_t pid;
	int fd;
	char comm[VHOST_DEVICE_COMM_MAX];
	char path[64];
	bool has_id;
	uint64_t id;
	uint64_t mem_seq;
	bool has_iotlb;
	uint64_t iotlb_gen;
	uint64_t entries;
	uint64_t limit;
	uint64_t timeouts;
	char tap[VHOST_DEVICE_TAP_MAX];
	size_t nr_spaces;
	struct vhost_space spaces[VHOST_DEVICE_SPACES];
};

/* Number of that of @count address spaces which a virtqueue is in, otherwise 0. */
uint32_t vhost_spaces_find(const struct vhost_space *spaces, size_t count, uint32_t vq);

typedef int (*vhost_device_fn)(const struct vhost_device *dev, void *arg);

/**
 * vhost_device_for_each() - call a function for every vhost fd
 * @pid:	only those of this process, 0 for all processes
 * @fn:		called once for each fd, so perhaps several times for one
 *		device; returns 0 to go on, a positive number to stop
 * @arg:	passed to @fn
 *
 * With @pid 0, processes that may not be looked at are left out. Descriptors
 * that this process has taken with vhost_device_take() are found as well.
 *
 * Return: what @fn has returned last, 0 if there was no fd, or with @pid a
 * negative errno: -ESRCH no such process, -EACCES may not be looked at.
 */
int vhost_device_for_each(pid_t pid, vhost_device_fn fn, void *arg);

/**
 * vhost_device_read() - look at one fd of one process
 * @pid:	the process
 * @fd:		number of the fd
 * @dev:	filled in
 * @mem:	filled in too unless NULL; initialised by the caller
 *
 * Return: 0, -ESRCH if there is no such process or fd any more, -ENOTTY if it
 * is no vhost fd, -EACCES, -ENOMEM, or -EPROTO if fdinfo cannot be understood.
 */
int vhost_device_read(pid_t pid, int fd, struct vhost_device *dev, struct memory_table *mem);

/**
 * vhost_fdinfo_parse() - the lines that vhost adds to fdinfo
 * @text:	contents of /proc/PID/fdinfo/FD, NUL-terminated
 * @dev:	has_id to spaces are filled in, the rest is left alone
 *
 * Unknown lines are skipped.
 *
 * Return: 0, or -EPROTO if a line that is known has a strange value.
 */
int vhost_fdinfo_parse(const char *text, struct vhost_device *dev);

/**
 * tap_read() - the interface of a tap's fd
 * @pid:	who holds it
 * @fd:		its number there
 * @tap:	set to the name; left alone if there is none
 *
 * Return: 0, -ENOTTY if it is no such fd, or what vhost_device_read() returns.
 */
int tap_read(pid_t pid, int fd, char tap[VHOST_DEVICE_TAP_MAX]);

/**
 * vhost_device_take() - duplicate another process's vhost fd into this one
 * @pidfd:	the process
 * @fd:		number of the fd there
 * @id:		the device that it must be
 *
 * The number may have been given to another file since it was looked at, so
 * what was taken is compared with @id.
 *
 * Return: an fd of this process with O_CLOEXEC, or a negative errno: -ESRCH
 * the process, -EBADF the fd is gone, -ESTALE it is another device by now,
 * -EPERM not allowed.
 */
int vhost_device_take(int pidfd, int fd, uint64_t id);

#endif /* IOTLB_DEVICE_H */
