// SPDX-License-Identifier: GPL-2.0
/*
 * Compares what a guest's QEMU writes to vhost with what the page walk of this
 * project says, for each translation, when it is written.
 *
 *	equality PID FILE [forget COUNT]
 *
 * PID is QEMU, with one vhost device; FILE describes the IOMMU, as for iotlbd(8).
 * Prints "comparing" when it does so, and when it is told to end by SIGINT or
 * SIGTERM, one JSON object: the members of struct equality_result. Translations
 * that are different go to standard error, the first of them.
 *
 * With "forget", has vhost forget all translations again and again, so that those
 * of mappings that stay are asked for, too; prints "enough" when COUNT of them were
 * the same. How many that are of a packet depends on the machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "log.h"
#include "memory_table.h"
#include "parse.h"
#include "vhost_msg.h"
#include "vtd_file.h"
#include "vtd_name.h"

#include "tests/guest/equality.h"
#include "equality.skel.h" /* has their types in it */

#define EXIT_USAGE 2

static int keep_device(const struct vhost_device *dev, void *arg)
{
	*(struct vhost_device *)arg = *dev;
	return 1;
}

static int find_device(pid_t pid, struct vhost_device *dev)
{
	const int err = vhost_device_for_each(pid, keep_device, dev);

	if (err == 1)
		return 0;
	log_error("equality: cannot find a vhost device of %d: %s", pid,
		  strerror(err ? -err : ENODEV));
	return err ?: -ENODEV;
}

/* The number of the table comes last: until it is the right one, nobody looks. */
static int set_memory(struct equality_bpf *skel, struct vhost_device *dev)
{
	struct memory_table memory = {0};
	int err = vhost_device_read(dev->pid, dev->fd, dev, &memory);

	if (!err && memory.count > EQUALITY_REGIONS)
		err = -E2BIG;
	if (err) {
		log_error("equality: cannot read the memory table of the vhost device of %d: %s",
			  dev->pid, strerror(-err));
		return err;
	}
	skel->bss->nregions = memory.count;
	for (size_t i = 0; i < memory.count; i++) {
		skel->bss->regions[i].gpa = memory.regions[i].gpa;
		skel->bss->regions[i].last = memory.regions[i].last;
		skel->bss->regions[i].hva = memory.regions[i].hva;
	}
	__atomic_store_n(&skel->bss->umem_seq, dev->mem_seq, __ATOMIC_RELEASE);
	memory_table_clear(&memory);
	return 0;
}

static int set_unit(struct equality_bpf *skel, const char *path)
{
	static struct vtd_file file;
	int err = vtd_file_load(&file, path);

	if (err)
		return err;
	skel->bss->unit = file.unit;
	skel->bss->pasid = file.pasid;
	skel->bss->source_id = vtd_file_source(&file, 0);
	return 0;
}

static void show_kept(const struct equality_result *result)
{
	for (uint64_t i = 0; i < result->different && i < EQUALITY_KEPT; i++) {
		const struct equality_answer *answer = &result->kept[i];

		fprintf(stderr,
			"equality: iova 0x%" PRIx64 ": QEMU: size 0x%" PRIx64 ", at 0x%" PRIx64
			", perm %u; the walk: ",
			(uint64_t)answer->iova, (uint64_t)answer->size, (uint64_t)answer->hva,
			answer->perm);
		if (answer->fault)
			fprintf(stderr, "%s\n", vtd_fault_name(answer->fault));
		else
			fprintf(stderr, "size 0x%" PRIx64 ", at 0x%" PRIx64 ", perm %u\n",
				(uint64_t)answer->found_size, (uint64_t)answer->found_hva,
				answer->found_perm);
	}
}

static int take_fd(const struct vhost_device *dev)
{
	const int pidfd = syscall(SYS_pidfd_open, dev->pid, 0);
	const int fd = pidfd < 0 ? -errno : vhost_device_take(pidfd, dev->fd, dev->id);

	if (fd < 0)
		log_error("equality: cannot take the vhost device of %d: %s", dev->pid,
			  strerror(-fd));
	close(pidfd);
	return fd;
}

/* @fd: of a device, which forgets; -1 for none */
static int forget(int fd)
{
	const struct vhost_iotlb_op all = {.type = VHOST_IOTLB_INVALIDATE};
	const int err = fd < 0 ? 0 : vhost_msg_v2_apply(fd, &all);

	/* A device that is being reset has nothing to forget. */
	if (!err || err == -EFAULT)
		return 0;
	log_error("equality: cannot write an INVALIDATE: %s", strerror(-err));
	return err;
}

/* A device that is started anew gets its memory table anew. */
static int follow_memory(struct equality_bpf *skel, struct vhost_device *dev)
{
	static uint64_t elsewhere;

	if (elsewhere == skel->bss->result.elsewhere)
		return 0;
	elsewhere = skel->bss->result.elsewhere;
	return set_memory(skel, dev);
}

static void tell_enough(const struct equality_bpf *skel, uint64_t *wanted)
{
	if (!*wanted || skel->bss->result.equal < *wanted)
		return;
	*wanted = 0;
	printf("enough\n");
	fflush(stdout);
}

static int compare(struct equality_bpf *skel, struct vhost_device *dev, int fd, uint64_t wanted)
{
	const struct timespec pause = {.tv_nsec = 200000};
	sigset_t signals;
	int err = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (equality_bpf__attach(skel)) {
		log_error("equality: cannot attach the BPF programs: %s", strerror(errno));
		return -errno;
	}
	printf("comparing\n");
	fflush(stdout);
	while (!err && sigtimedwait(&signals, NULL, &pause) < 0) {
		tell_enough(skel, &wanted);
		err = forget(fd);
		if (!err)
			err = follow_memory(skel, dev);
	}
	equality_bpf__detach(skel);
	return err;
}

static void show(const struct equality_result *result)
{
	show_kept(result);
	printf("{\"equal\":%" PRIu64 ",\"clipped\":%" PRIu64 ",\"wider\":%" PRIu64
	       ",\"different\":%" PRIu64 ",\"elsewhere\":%" PRIu64 "}\n",
	       (uint64_t)result->equal, (uint64_t)result->clipped, (uint64_t)result->wider,
	       (uint64_t)result->different, (uint64_t)result->elsewhere);
}

/* @wanted: 0 to forget nothing */
static int run(struct equality_bpf *skel, pid_t pid, const char *file, uint64_t wanted)
{
	struct vhost_device dev;
	int fd = -1;

	if (find_device(pid, &dev) || set_memory(skel, &dev) || set_unit(skel, file))
		return EXIT_FAILURE;
	skel->bss->qemu = pid;
	skel->bss->device = dev.id;
	if (wanted) {
		fd = take_fd(&dev);
		if (fd < 0)
			return EXIT_FAILURE;
	}
	if (compare(skel, &dev, fd, wanted))
		return EXIT_FAILURE;
	show(&skel->bss->result);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct equality_bpf *skel;
	uint64_t pid, wanted = 0;
	int status;

	if ((argc != 3 && argc != 5) || !parse_number(argv[1], 1, INT32_MAX, &pid) ||
	    (argc == 5 &&
	     (strcmp(argv[3], "forget") != 0 || !parse_number(argv[4], 1, INT32_MAX, &wanted)))) {
		fprintf(stderr, "Usage: equality PID FILE [forget COUNT]\n");
		return EXIT_USAGE;
	}
	skel = equality_bpf__open_and_load();
	if (!skel) {
		log_error("equality: cannot load the BPF programs: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	status = run(skel, pid, argv[2], wanted);
	equality_bpf__destroy(skel);
	return status;
}
