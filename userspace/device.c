// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "fdinfo.h"
#include "memory_table.h"
#include "text_file.h"

/* "/proc/PID/fdinfo/FD" with room for the greatest numbers */
#define PROC_PATH_MAX 64

/* Of the backend of the first virtqueue that has one; all have the same. A name
 * that could be anything but itself elsewhere, is none.
 */
static int parse_tap(const char *text, char tap[VHOST_DEVICE_TAP_MAX])
{
	const char *value = fdinfo_next(text, "iff");
	size_t i, length;

	if (!value)
		return 0;
	value += strspn(value, " \t");
	length = strcspn(value, "\n");
	if (length >= VHOST_DEVICE_TAP_MAX)
		return -EPROTO;
	for (i = 0; i < length; i++)
		if (value[i] <= ' ' || value[i] > '~')
			return 0;
	memcpy(tap, value, length);
	return 0;
}

/* Number, entries, limit, and then virtqueues, if any. */
static int parse_space(const char *value, struct vhost_space *space)
{
	uint64_t numbers[3 + VHOST_DEVICE_SPACE_VQS];
	size_t count = fdinfo_count(value), i;

	if (count < 3 || count > sizeof(numbers) / sizeof(numbers[0]) ||
	    fdinfo_numbers(value, numbers, count) || numbers[0] > UINT32_MAX)
		return -EPROTO;
	*space = (struct vhost_space){
		.asid = numbers[0],
		.entries = numbers[1],
		.limit = numbers[2],
	};
	for (i = 3; i < count; i++)
		if (numbers[i] < VHOST_DEVICE_SPACE_VQS)
			space->vqs |= 1ULL << numbers[i];
	return 0;
}

static int parse_spaces(const char *text, struct vhost_device *dev)
{
	const char *value = text;

	while (dev->nr_spaces < VHOST_DEVICE_SPACES &&
	       (value = fdinfo_next(value, "vhost-iotlb-as"))) {
		if (parse_space(value, &dev->spaces[dev->nr_spaces]))
			return -EPROTO;
		dev->nr_spaces++;
	}
	return 0;
}

uint32_t vhost_spaces_find(const struct vhost_space *spaces, size_t count, uint32_t vq)
{
	size_t i;

	for (i = 0; i < count && vq < VHOST_DEVICE_SPACE_VQS; i++)
		if (spaces[i].vqs >> vq & 1)
			return spaces[i].asid;
	return 0;
}

int vhost_fdinfo_parse(const char *text, struct vhost_device *dev)
{
	const char *value;
	uint64_t iotlb[2], fallback[3];

	dev->has_id = false;
	dev->id = 0;
	dev->mem_seq = 0;
	dev->has_iotlb = false;
	dev->iotlb_gen = 0;
	dev->entries = 0;
	dev->limit = 0;
	dev->timeouts = 0;
	memset(dev->tap, 0, sizeof(dev->tap));
	dev->nr_spaces = 0;

	value = fdinfo_next(text, "vhost-id");
	if (!value)
		return 0;
	if (fdinfo_numbers(value, &dev->id, 1))
		return -EPROTO;
	dev->has_id = true;

	if (parse_tap(text, dev->tap))
		return -EPROTO;

	value = fdinfo_next(text, "vhost-mem-seq");
	if (value && fdinfo_numbers(value, &dev->mem_seq, 1))
		return -EPROTO;

	value = fdinfo_next(text, "vhost-iotlb");
	if (!value)
		return 0;
	if (fdinfo_numbers(value, iotlb, 2))
		return -EPROTO;
	dev->has_iotlb = true;
	dev->entries = iotlb[0];
	dev->limit = iotlb[1];
	if (parse_spaces(text, dev))
		return -EPROTO;

	value = fdinfo_next(text, "vhost-iotlb-gen");
	if (value && fdinfo_numbers(value, &dev->iotlb_gen, 1))
		return -EPROTO;

	value = fdinfo_next(text, "vhost-iotlb-fallback");
	if (!value)
		return 0;
	if (fdinfo_numbers(value, fallback, 3))
		return -EPROTO;
	dev->timeouts = fallback[0];
	return 0;
}

/* "/dev/vhost-net", and "/dev/vhost-net (deleted)" of a container that has
 * gone; never a socket or another object without a path.
 */
static bool is_vhost_path(const char *path)
{
	const char *name = strrchr(path, '/');

	return path[0] == '/' && name && !strncmp(name, "/vhost-", 7);
}

/* Files in /proc/PID vanish with ENOENT, processes with ESRCH. */
static int vanished(int err)
{
	return err == -ENOENT ? -ESRCH : err;
}

/* Processes choose their names, and files theirs: neither are they escape
 * sequences for a terminal, nor bytes that make JSON invalid.
 */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* @link: in the folder @dir, or from the root on */
static int read_path(int dir, const char *link, struct vhost_device *dev)
{
	ssize_t length = readlinkat(dir, link, dev->path, sizeof(dev->path) - 1);

	if (length < 0)
		return vanished(-errno);
	dev->path[length] = '\0';
	if (!is_vhost_path(dev->path))
		return -ENOTTY;
	make_printable(dev->path);
	return 0;
}

static int read_comm(pid_t pid, char comm[VHOST_DEVICE_COMM_MAX])
{
	char path[PROC_PATH_MAX], *text;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	err = text_file_read(path, &text);
	if (err)
		return vanished(err);
	text[strcspn(text, "\n")] = '\0';
	snprintf(comm, VHOST_DEVICE_COMM_MAX, "%.15s", text);
	make_printable(comm);
	free(text);
	return 0;
}

static int read_fdinfo_text(pid_t pid, int fd, char **text)
{
	char path[PROC_PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	return vanished(text_file_read(path, text));
}

static int read_fdinfo(pid_t pid, int fd, struct vhost_device *dev, struct memory_table *mem)
{
	char *text;
	int err;

	err = read_fdinfo_text(pid, fd, &text);
	if (err)
		return err;
	err = vhost_fdinfo_parse(text, dev);
	if (!err && mem)
		err = memory_table_parse(mem, text);
	free(text);
	return err;
}

int tap_read(pid_t pid, int fd, char tap[VHOST_DEVICE_TAP_MAX])
{
	char name[VHOST_DEVICE_TAP_MAX] = "";
	char *text;
	int err;

	err = read_fdinfo_text(pid, fd, &text);
	if (err)
		return err;
	err = parse_tap(text, name);
	free(text);
	if (err)
		return err;
	if (!*name)
		return -ENOTTY;
	memcpy(tap, name, sizeof(name));
	return 0;
}

int vhost_device_read(pid_t pid, int fd, struct vhost_device *dev, struct memory_table *mem)
{
	char link[PROC_PATH_MAX];
	int err;

	*dev = (struct vhost_device){.pid = pid, .fd = fd};

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	err = read_path(AT_FDCWD, link, dev);
	if (!err)
		err = read_fdinfo(pid, fd, dev, mem);
	if (!err)
		err = read_comm(pid, dev->comm);
	return err;
}

/* The number that a name in /proc is, negative if it is another name. */
static int proc_number(const char *name)
{
	char *end;
	long number;

	if (*name < '0' || *name > '9')
		return -1;
	errno = 0;
	number = strtol(name, &end, 10);
	return errno || *end || number > INT32_MAX ? -1 : (int)number;
}

/* As vhost_device_read(), with less work: processes have many fds, and most are of
 * something else. @comm is read when it is empty.
 */
static int read_in_dir(DIR *dir, const char *name, pid_t pid, char comm[VHOST_DEVICE_COMM_MAX],
		       struct vhost_device *dev)
{
	int err;

	*dev = (struct vhost_device){.pid = pid, .fd = proc_number(name)};
	if (dev->fd < 0)
		return -ENOTTY;
	err = read_path(dirfd(dir), name, dev);
	if (!err)
		err = read_fdinfo(pid, dev->fd, dev, NULL);
	if (!err && !comm[0])
		err = read_comm(pid, comm);
	if (!err)
		memcpy(dev->comm, comm, sizeof(dev->comm));
	return err;
}

static int for_each_fd(pid_t pid, vhost_device_fn fn, void *arg)
{
	char path[PROC_PATH_MAX], comm[VHOST_DEVICE_COMM_MAX] = "";
	struct vhost_device dev;
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return vanished(-errno);

	while (!ret && (entry = readdir(dir)))
		if (!read_in_dir(dir, entry->d_name, pid, comm, &dev))
			ret = fn(&dev, arg);
	closedir(dir);
	return ret;
}

static int for_each_process(vhost_device_fn fn, void *arg)
{
	struct dirent *entry;
	int pid, ret = 0;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return -errno;

	while (!ret && (entry = readdir(dir))) {
		pid = proc_number(entry->d_name);
		if (pid <= 0)
			continue;
		/* One that has gone meanwhile, or is not ours to look at. */
		ret = for_each_fd(pid, fn, arg);
		if (ret < 0)
			ret = 0;
	}
	closedir(dir);
	return ret;
}

int vhost_device_for_each(pid_t pid, vhost_device_fn fn, void *arg)
{
	return pid ? for_each_fd(pid, fn, arg) : for_each_process(fn, arg);
}

static int device_is(int fd, uint64_t id)
{
	struct vhost_device dev;
	int err = vhost_device_read(getpid(), fd, &dev, NULL);

	if (err == -ENOTTY || (!err && (!dev.has_id || dev.id != id)))
		return -ESTALE;
	return err;
}

int vhost_device_take(int pidfd, int fd, uint64_t id)
{
	/* The duplicate is close-on-exec by definition (pidfd_getfd(2)). */
	int mine = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	int err;

	if (mine < 0)
		return -errno;
	err = device_is(mine, id);
	if (err) {
		close(mine);
		return err;
	}
	return mine;
}
