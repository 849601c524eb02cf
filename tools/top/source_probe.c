// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* Before the skeleton, which uses their types. */
#include "iotlb_counters.h"
#include "iotlb_probe.h"

#include "diagnose.h"
#include "log.h"
#include "probe.skel.h"
#include "rates.h"
#include "slots.h"
#include "source.h"

#define COUNTERS_MISSES (COUNTER(MISS) | COUNTER(MISS_FD) | COUNTER(MISS_BUFFER))
#define COUNTERS_MESSAGES                                                                          \
	(COUNTER(UPDATE) | COUNTER(UPDATE_FAILED) | COUNTER(INVALIDATE) | COUNTER(EVICT))

/* Only the patches bring these. */
#define COUNTERS_PATCHED                                                                           \
	(COUNTER(RESOLVED) | COUNTER(RESOLVED_BUFFER) | COUNTER(MISS_RING) | COUNTER(MISS_DROP) |  \
	 COUNTERS_FALLBACKS | COUNTER(UPDATE_STALE) | COUNTER(ACCESS_FAILED))

/* Functions that are looked at, and what cannot be had without each. */
static const struct {
	const char *module;
	const char *function;
	uint64_t needed_for;
} functions[] = {
	{"vhost", "translate_desc", COUNTER(HIT_BUFFER)},
	{"vhost", "vq_meta_prefetch", COUNTERS_HITS_META},
	{"vhost_iotlb", "vhost_iotlb_itree_first", COUNTERS_HITS_META},
	{"vhost", "vhost_enqueue_msg", COUNTERS_MISSES | UNAVAILABLE_LATENCY},
	{"vhost", "vhost_chr_write_iter", COUNTERS_MESSAGES | UNAVAILABLE_LATENCY},
	{"vhost_iotlb", "vhost_iotlb_add_range",
	 COUNTER(UPDATE) | COUNTER(UPDATE_FAILED) | COUNTER(EVICT) | UNAVAILABLE_LATENCY},
	{"vhost_iotlb", "vhost_iotlb_del_range", COUNTER(INVALIDATE) | COUNTER(UPDATE_FAILED)},
	{"vhost", "vhost_dev_init", 0},
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

/**
 * struct probed - the BPF programs and what is needed to read their counters
 * @source:	counters
 * @skel:	programs, and the memory that they share with this process
 * @has:	whether there are the functions
 * @fds:	vhost fds of all processes
 * @count:	elements of @fds
 */
struct probed {
	struct source source;
	struct probe_bpf *skel;
	bool has[FUNCTIONS];
	struct iotlb_probe_fd *fds;
	size_t count;
};

static struct probed *probed_of(struct source *source)
{
	return (struct probed *)source;
}

static void find_functions(struct probed *probed)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	struct btf *module;
	size_t i;

	for (i = 0; i < FUNCTIONS; i++) {
		module = vmlinux ? btf__load_module_btf(functions[i].module, vmlinux) : NULL;
		probed->has[i] = module && btf__find_by_name_kind(module, functions[i].function,
								  BTF_KIND_FUNC) > 0;
		btf__free(module);
	}
	btf__free(vmlinux);
}

static bool has_function(const struct probed *probed, const char *name)
{
	size_t i;

	for (i = 0; i < FUNCTIONS; i++)
		if (!strcmp(functions[i].function, name))
			return probed->has[i];
	/* Not a function of vhost, but the list of fds. */
	return true;
}

static uint64_t source_unavailable(struct source *source)
{
	const struct probed *probed = probed_of(source);
	uint64_t unavailable = COUNTERS_PATCHED;
	size_t i;

	for (i = 0; i < FUNCTIONS; i++)
		if (!probed->has[i])
			unavailable |= functions[i].needed_for;
	return unavailable;
}

static void choose_programs(struct probed *probed)
{
	struct bpf_program *program;
	const char *function;

	bpf_object__for_each_program (program, probed->skel->obj) {
		function = strchr(bpf_program__section_name(program), '/') + 1;
		if (has_function(probed, function))
			continue;
		log_debug("this vhost has no function %s to probe", function);
		bpf_program__set_autoload(program, false);
	}
}

static bool attach(struct source *source, const struct source_options *options)
{
	struct probed *probed = probed_of(source);
	int err;

	probed->skel = probe_bpf__open();
	if (!probed->skel) {
		log_error("cannot open the BPF probes: %s", strerror(errno));
		return false;
	}
	probed->skel->rodata->usable = options->max_queues;
	find_functions(probed);
	choose_programs(probed);
	err = probe_bpf__load(probed->skel);
	if (!err)
		err = probe_bpf__attach(probed->skel);
	if (err) {
		diagnose_probes(err);
		return false;
	}
	source->slots = probed->skel->bss->slots;
	source->things = probed->skel->bss->things;
	source->owned = &probed->skel->bss->owned;
	return true;
}

bool source_probe_works(void)
{
	struct probed probed = {};
	size_t i;

	find_functions(&probed);
	for (i = 0; i < FUNCTIONS; i++)
		if (probed.has[i] && functions[i].needed_for & COUNTERS_MISSES)
			return true;
	return false;
}

static void source_close(struct source *source)
{
	struct probed *probed = probed_of(source);

	probe_bpf__destroy(probed->skel);
	free(probed->fds);
	free(probed);
}

static struct source *source_open(const struct source_options *options)
{
	return slots_open(sizeof(struct probed), attach, source_close, options);
}

static int read_fds(struct probed *probed, int fd)
{
	struct iotlb_probe_fd *fds;
	size_t room = 0, used = 0;
	ssize_t got;

	do {
		if (room - used < sizeof(*fds)) {
			room = room * 2 + 64 * sizeof(*fds);
			fds = realloc(probed->fds, room);
			if (!fds)
				return -ENOMEM;
			probed->fds = fds;
		}
		got = read(fd, (char *)probed->fds + used, room - used);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (got > 0)
			used += got;
	} while (got);
	probed->count = used / sizeof(*fds);
	return 0;
}

static int list_fds(struct probed *probed)
{
	int fd = bpf_iter_create(bpf_link__fd(probed->skel->links.list_fds));
	int err;

	if (fd < 0)
		return fd;
	err = read_fds(probed, fd);
	close(fd);
	return err;
}

static const struct iotlb_probe_fd *find_fd(const struct probed *probed,
					    const struct vhost_device *dev)
{
	size_t i;

	for (i = 0; i < probed->count; i++)
		if (probed->fds[i].tgid == (uint32_t)dev->pid &&
		    probed->fds[i].fd == (uint32_t)dev->fd)
			return &probed->fds[i];
	return NULL;
}

/**
 * struct owners_walk - arguments of tell_owner()
 * @probed:	the source
 * @fn:		to be called with what is known of the device
 * @arg:	passed to @fn
 */
struct owners_walk {
	struct probed *probed;
	vhost_device_fn fn;
	void *arg;
};

/* A device that nothing was counted for has no number. */
static int tell_owner(const struct vhost_device *found, void *arg)
{
	struct owners_walk *walk = arg;
	struct vhost_device dev = *found;
	const struct iotlb_probe_fd *fd = find_fd(walk->probed, found);

	if (fd) {
		dev.has_id = !bpf_map_lookup_elem(bpf_map__fd(walk->probed->skel->maps.numbers),
						  &fd->dev, &dev.id);
		dev.has_iotlb = fd->has_iotlb;
		dev.entries = fd->entries;
		dev.limit = fd->limit;
		memcpy(dev.tap, fd->tap, sizeof(dev.tap));
	} else {
		dev.has_id = false;
	}
	return walk->fn(&dev, walk->arg);
}

static int source_owners(struct source *source, vhost_device_fn fn, void *arg)
{
	struct owners_walk walk = {.probed = probed_of(source), .fn = fn, .arg = arg};
	int err = list_fds(walk.probed);

	return err ? err : vhost_device_for_each(0, tell_owner, &walk);
}

static uint64_t source_lost(struct source *source)
{
	struct probed *probed = probed_of(source);

	return slots_lost(probed->skel->obj, &probed->skel->bss->lost);
}

/* All but the list of fds, which the last sample needs. */
static void source_stop(struct source *source)
{
	struct probed *probed = probed_of(source);
	struct bpf_object_skeleton *skeleton = probed->skel->skeleton;
	struct bpf_link **link;
	int i;

	for (i = 0; i < skeleton->prog_cnt; i++) {
		link = skeleton->progs[i].link;
		if (*link == probed->skel->links.list_fds)
			continue;
		bpf_link__destroy(*link);
		*link = NULL;
	}
}

const struct source_ops source_probe = {
	.open = source_open,
	.mark = slots_mark,
	.owners = source_owners,
	.read = slots_read,
	.reclaim = slots_reclaim,
	.lost = source_lost,
	.unavailable = source_unavailable,
	.stop = source_stop,
	.close = source_close,
};
