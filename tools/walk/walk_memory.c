// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "walk_memory.h"

/**
 * struct search - for a device of a process
 * @dev:	with this id, or 0 for the lowest
 * @found:	it
 */
struct search {
	uint64_t dev;
	struct vhost_device found;
};

/* For vhost_device_for_each() */
static int look_at(const struct vhost_device *device, void *arg)
{
	struct search *search = arg;

	if (!device->has_id || (search->dev && device->id != search->dev))
		return 0;
	if (!search->found.has_id || device->id < search->found.id)
		search->found = *device;
	return 0;
}

static int find_device(const struct walk_options *options, struct vhost_device *device)
{
	struct search search = {.dev = options->dev};
	int err = vhost_device_for_each(options->pid, look_at, &search);

	if (err) {
		log_error("cannot look at pid %d: %s%s", options->pid, strerror(-err),
			  err == -EACCES ? "; run it as root" : "");
		return err;
	}
	if (!search.found.has_id) {
		if (options->dev)
			log_error("pid %d holds no vhost device with id %" PRIu64
				  " (vhost-id in its fdinfo)",
				  options->pid, options->dev);
		else
			log_error("pid %d holds no vhost device that shows its id and memory; is "
				  "it QEMU with vhost=on, and are the patched modules loaded?",
				  options->pid);
		return -ENODEV;
	}
	*device = search.found;
	return 0;
}

static int open_process(struct walk_memory *memory, const struct walk_options *options)
{
	int err = find_device(options, &memory->device);

	if (err)
		return err;
	err = vhost_device_read(options->pid, memory->device.fd, &memory->device, &memory->table);
	if (err) {
		log_error("cannot read the memory table of device %" PRIu64 " of pid %d: %s",
			  memory->device.id, options->pid, strerror(-err));
		return err;
	}
	if (!memory->table.count) {
		log_error("device %" PRIu64 " of pid %d has no memory table yet", memory->device.id,
			  options->pid);
		return -ENODEV;
	}
	memory->guest = (struct guest_memory){
		.pid = options->pid,
		.pidfd = -1,
		.table = &memory->table,
	};
	return 0;
}

static int open_file(struct walk_memory *memory, const struct walk_dump *dump)
{
	struct walk_file *file = &memory->files[memory->file_count];
	struct stat info;
	int err = 0;

	file->fd = open(dump->path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0) {
		err = -errno;
		log_error("cannot open the memory %s: %s", dump->path, strerror(-err));
		return err;
	}
	memory->file_count++;
	if (fstat(file->fd, &info))
		err = -errno;
	else if (!S_ISREG(info.st_mode))
		err = -EINVAL;
	if (err) {
		log_error("the memory %s is no file: %s", dump->path, strerror(-err));
		return err;
	}
	file->gpa = dump->gpa;
	file->size = info.st_size;
	return 0;
}

int walk_memory_open(struct walk_memory *memory, const struct walk_options *options)
{
	size_t i;
	int err = 0;

	*memory = (struct walk_memory){};
	if (!options->dump_count)
		return open_process(memory, options);
	for (i = 0; !err && i < options->dump_count; i++)
		err = open_file(memory, &options->dumps[i]);
	return err;
}

static int read_file(const struct walk_file *file, uint64_t gpa, void *to, size_t size)
{
	ssize_t got = pread(file->fd, to, size, (off_t)(gpa - file->gpa));

	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EFAULT;
}

int walk_memory_read(const struct walk_memory *memory, uint64_t gpa, void *to, size_t size)
{
	const struct walk_file *file;

	if (!memory->file_count)
		return guest_memory_read(&memory->guest, gpa, to, size);
	for (file = memory->files; file < memory->files + memory->file_count; file++)
		if (gpa >= file->gpa && gpa - file->gpa < file->size &&
		    size <= file->size - (gpa - file->gpa))
			return read_file(file, gpa, to, size);
	return -EFAULT;
}

void walk_memory_close(struct walk_memory *memory)
{
	size_t i;

	for (i = 0; i < memory->file_count; i++)
		close(memory->files[i].fd);
	memory_table_clear(&memory->table);
}
