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
	 COUNTERS_FALLBACKS | COUNTER(UPDATE_STALE))

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
 * struct source - the BPF programs and what is needed to read their counters
 * @skel:	programs, and the memory that they share with this process
 * @has:	whether there are the functions
 * @slots:	counters
 * @fds:	vhost fds of all processes
 * @count:	elements of @fds
 */
struct source {
	struct probe_bpf *skel;
	bool has[FUNCTIONS];
	struct slots slots;
	struct iotlb_probe_fd *fds;
	size_t count;
};

static void find_functions(struct source *source)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	struct btf *module;
	size_t i;

	for (i = 0; i < FUNCTIONS; i++) {
		module = vmlinux ? btf__load_module_btf(functions[i].module, vmlinux) : NULL;
		source->has[i] = module && btf__find_by_name_kind(module, functions[i].function,
								  BTF_KIND_FUNC) > 0;
		btf__free(module);
	}
	btf__free(vmlinux);
}

static bool has_function(const struct source *source, const char *name)
{
	size_t i;

	for (i = 0; i < FUNCTIONS; i++)
		if (!strcmp(functions[i].function, name))
			return source->has[i];
	/* Not a function of vhost, but the list of fds. */
	return true;
}

static uint64_t source_unavailable(struct source *source)
{
	uint64_t unavailable = COUNTERS_PATCHED;
	size_t i;

	for (i = 0; i < FUNCTIONS; i++)
		if (!source->has[i])
			unavailable |= functions[i].needed_for;
	return unavailable;
}

static void choose_programs(struct source *source)
{
	struct bpf_program *program;
	const char *function;

	bpf_object__for_each_program (program, source->skel->obj) {
		function = strchr(bpf_program__section_name(program), '/') + 1;
		if (has_function(source, function))
			continue;
		log_debug("this vhost has no function %s to probe", function);
		bpf_program__set_autoload(program, false);
	}
}

static bool attach(struct source *source, const struct source_options *options)
{
	int err;

	source->skel = probe_bpf__open();
	if (!source->skel) {
		log_error("cannot open the BPF probes: %s", strerror(errno));
		return false;
	}
	source->skel->rodata->usable = options->max_queues;
	find_functions(source);
	choose_programs(source);
	err = probe_bpf__load(source->skel);
	if (!err)
		err = probe_bpf__attach(source->skel);
	if (err) {
		diagnose_probes(err);
		return false;
	}
	source->slots.slots = source->skel->bss->slots;
	source->slots.things = source->skel->bss->things;
	source->slots.owned = &source->skel->bss->owned;
	slots_init(&source->slots);
	return true;
}

bool source_probe_works(void)
{
	struct source source = {};
	size_t i;

	find_functions(&source);
	for (i = 0; i < FUNCTIONS; i++)
		if (source.has[i] && functions[i].needed_for & COUNTERS_MISSES)
			return true;
	return false;
}

static void source_close(struct source *source)
{
	probe_bpf__destroy(source->skel);
	free(source->fds);
	free(source);
}

static struct source *source_open(const struct source_options *options)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source) {
		log_error("out of memory");
		return NULL;
	}
	slots_quiet_libbpf();
	if (attach(source, options))
		return source;
	source_close(source);
	return NULL;
}

static int source_mark(struct source *source)
{
	return slots_mark(&source->slots);
}

static int read_fds(struct source *source, int fd)
{
	struct iotlb_probe_fd *fds;
	size_t room = 0, used = 0;
	ssize_t got;

	do {
		if (room - used < sizeof(*fds)) {
			room = room * 2 + 64 * sizeof(*fds);
			fds = realloc(source->fds, room);
			if (!fds)
				return -ENOMEM;
			source->fds = fds;
		}
		got = read(fd, (char *)source->fds + used, room - used);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (got > 0)
			used += got;
	} while (got);
	source->count = used / sizeof(*fds);
	return 0;
}

static int list_fds(struct source *source)
{
	int fd = bpf_iter_create(bpf_link__fd(source->skel->links.list_fds));
	int err;

	if (fd < 0)
		return fd;
	err = read_fds(source, fd);
	close(fd);
	return err;
}

static const struct iotlb_probe_fd *find_fd(const struct source *source,
					    const struct vhost_device *dev)
{
	size_t i;

	for (i = 0; i < source->count; i++)
		if (source->fds[i].tgid == (uint32_t)dev->pid &&
		    source->fds[i].fd == (uint32_t)dev->fd)
			return &source->fds[i];
	return NULL;
}

/**
 * struct owners_walk - arguments of tell_owner()
 * @source:	the source
 * @fn:		to be called with what is known of the device
 * @arg:	passed to @fn
 */
struct owners_walk {
	struct source *source;
	vhost_device_fn fn;
	void *arg;
};

/* A device that nothing was counted for has no number. */
static int tell_owner(const struct vhost_device *found, void *arg)
{
	struct owners_walk *walk = arg;
	struct vhost_device dev = *found;
	const struct iotlb_probe_fd *fd = find_fd(walk->source, found);

	if (fd) {
		dev.has_id = !bpf_map_lookup_elem(bpf_map__fd(walk->source->skel->maps.numbers),
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
	struct owners_walk walk = {.source = source, .fn = fn, .arg = arg};
	int err = list_fds(source);

	return err ? err : vhost_device_for_each(0, tell_owner, &walk);
}

static int source_read(struct source *source, source_fn fn, void *arg)
{
	return slots_read(&source->slots, fn, arg);
}

static int source_reclaim(struct source *source, source_gone_fn gone, source_fn fn, void *arg)
{
	return slots_reclaim(&source->slots, gone, fn, arg);
}

static uint64_t source_lost(struct source *source)
{
	return slots_lost(source->skel->obj, &source->skel->bss->lost);
}

/* All but the list of fds, which the last sample needs. */
static void source_stop(struct source *source)
{
	struct bpf_object_skeleton *skeleton = source->skel->skeleton;
	struct bpf_link **link;
	int i;

	for (i = 0; i < skeleton->prog_cnt; i++) {
		link = skeleton->progs[i].link;
		if (*link == source->skel->links.list_fds)
			continue;
		bpf_link__destroy(*link);
		*link = NULL;
	}
}

const struct source_ops source_probe = {
	.open = source_open,
	.mark = source_mark,
	.owners = source_owners,
	.read = source_read,
	.reclaim = source_reclaim,
	.lost = source_lost,
	.unavailable = source_unavailable,
	.stop = source_stop,
	.close = source_close,
};
