// SPDX-License-Identifier: GPL-2.0
#include "session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "area.h"
#include "change.h"
#include "miss.h"
#include "running.h"
#include "state.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/fdinfo.h"
#include "tests/kernel/hook.h"
#include "tests/kernel/process.h"
#include "vhost_msg_v3.h"

struct session session;

bool session_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(session.fault, sizeof(session.fault), format, arguments);
	va_end(arguments);
	return false;
}

const char *session_fault(void)
{
	return session.fault;
}

enum round_kind session_kind(void)
{
	return session.round.kind;
}

const struct tally *session_tally(void)
{
	return &session.tally;
}

/* writev() of nothing does not get as far as vhost. */
static bool is_nothing(const struct message *m)
{
	return m->nr_pieces > 1 && !m->length;
}

static bool do_before(const struct message *m)
{
	switch (m->before) {
	case BEFORE_READ:
		return miss_read(m->argument);
	case BEFORE_READ_FAULT:
		return miss_read_fault(m->argument);
	case BEFORE_FEATURES_ON:
		/* It works without an owner, too. */
		if (!session.has_owner && m->argument % 4 && !change_owner())
			return false;
		return change_features(WITH_IOTLB);
	case BEFORE_FEATURES_OFF:
		return change_features(WITHOUT_IOTLB);
	case BEFORE_RESET_OWNER:
		return change_no_owner();
	case BEFORE_MEMORY:
		return change_memory(true);
	case BEFORE_BAD_MEMORY:
		return change_memory(false);
	case BEFORE_BACKEND:
		session.round.v3 = m->argument & 1;
		return change_backend(session.round.v3);
	case BEFORE_KICK:
		running_kick(session.device, m->argument);
		return true;
	default:
		return true;
	}
}

/* Does what it does depend on what has been evicted? */
static bool depends_on_evictions(const struct message *m)
{
	uint32_t version;

	memcpy(&version, m->bytes, sizeof(version));
	return version != VHOST_IOTLB_MSG_V3 && (session.models[FIRST].peak > session.limit ||
						 session.models[OTHER].peak > session.limit);
}

static bool write_and_compare(const struct message *m)
{
	/* The model must not get more than it has room for. */
	const bool look = m->snapshot || session.models[FIRST].list.nr > MODEL_MAX / 2 ||
			  session.models[OTHER].list.nr > MODEL_MAX / 2;

	if (depends_on_evictions(m) && !session_sync())
		return false;
	session.expected = (struct outcome){0};
	if (!is_nothing(m))
		session.expected =
			model_write(&session.models[FIRST], m->bytes, m->length, m->readable);
	snapshot_enable(look);
	session.since++;
	session.result = area_write(session.fd, m, session.area);
	if (!outcome_is(&session.expected, session.result))
		return session_fail("write() has returned %zd", session.result);
	tally_count(&session.tally, m, session.result);
	if (look && !is_nothing(m) && !session_compare())
		return false;
	if (session.device && session.result == -ESTALE)
		return miss_read_after_stale(m);
	return true;
}

/* What a write has left, if it was short. */
static bool cut_to_rest(struct message *m)
{
	struct vhost_msg_v3 head;
	size_t done;

	memcpy(&head, m->bytes, sizeof(head));
	if (session.result < (ssize_t)sizeof(head) || session.result >= (ssize_t)m->length ||
	    head.type != VHOST_IOTLB_MSG_V3)
		return false;
	done = session.result - sizeof(head);
	head.num -= done / sizeof(struct vhost_iotlb_op);
	m->length -= done;
	memcpy(m->bytes, &head, sizeof(head));
	memmove(m->bytes + sizeof(head), m->bytes + session.result, m->length - sizeof(head));
	m->before = BEFORE_NOTHING;
	m->readable = m->length;
	m->nr_pieces = 1;
	m->piece[0] = m->length;
	return true;
}

bool session_play(uint64_t number)
{
	const uint64_t now[] = {session.models[FIRST].now, session.models[OTHER].now};
	struct message *m = &session.message;

	generate(m, &session.round, session.seed, number, now);
	if (!do_before(m) || !write_and_compare(m))
		return false;
	/* It tells why it was short. */
	if (cut_to_rest(m) && write_and_compare(m) && session.result != -ESTALE &&
	    session.result != -ENXIO)
		return session_fail("the rest is not refused");
	return !*session.fault;
}

static bool open_bare(const char *path)
{
	session.fd = device_open_bare(path, WITH_IOTLB);
	session.has_owner = true;
	return change_backend(session.round.v3);
}

static bool open_vsock(void)
{
	static bool is_loaded;
	char *const load[] = {"modprobe", "vhost_vsock", NULL};

	if (!is_loaded && !process_run(load))
		bail_out("modprobe vhost_vsock failed");
	is_loaded = true;
	return open_bare(VHOST_VSOCK);
}

static bool open_in_spaces(void)
{
	struct vhost_vring_state tx = {TX, session.round.asid};

	if (!open_bare(VHOST_NET) || !change_backend_asid())
		return false;
	if (ioctl(session.fd, VHOST_SET_VRING_ASID, &tx))
		return session_fail("VHOST_SET_VRING_ASID fails: %s", strerror(errno));
	return true;
}

static bool open_round(void)
{
	switch (session.round.kind) {
	case ROUND_RUN:
	case ROUND_RACE:
		return running_open();
	case ROUND_VSOCK:
		return open_vsock();
	case ROUND_ASID:
		return open_in_spaces();
	default:
		return open_bare(VHOST_NET);
	}
}

void session_open(void)
{
	int error;

	snapshot_open();
	session.area = area_new();
	session.limit = fdinfo_limit();
	session.own_hook = hook_load(HOOK_GOOD, &error);
	if (!session.own_hook)
		bail_out("cannot load a BPF program: error %d", error);
	hook_set_verdict(session.own_hook, 1); /* it will answer */
}

void session_close(void)
{
	hook_close(session.own_hook);
	snapshot_close();
}

bool session_begin(uint64_t seed, uint64_t number)
{
	session.fault[0] = '\0';
	session.seed = seed;
	session.device = NULL;
	generate_round(&session.round, seed, number);
	return open_round() && session_adopt();
}

void session_end(void)
{
	running_detach_hook();
	if (session.device)
		device_close_all();
	else
		close(session.fd);
	session.device = NULL;
	session.fd = -1;
}

bool session_finish(void)
{
	/* The misses that it has taken can be read now. */
	running_detach_hook();
	if (!session.device)
		return true;
	return running_finish();
}

static void print_list(const char *name, const struct mapping_list *list,
		       const struct mapping_list *other)
{
	unsigned int printed = 0;

	printf("#   %s has %zu mappings; those that the other has not:\n", name, list->nr);
	for (size_t i = 0; i < list->nr && printed < 40; i++) {
		const struct mapping *m = &list->at[i];
		const struct mapping *o = mapping_find(other, m->start);

		if (o && !memcmp(o, m, offsetof(struct mapping, perm)) && o->perm == m->perm)
			continue;
		printf("#     0x%llx-0x%llx at 0x%llx perm %u\n", (unsigned long long)m->start,
		       (unsigned long long)m->last, (unsigned long long)m->addr, m->perm);
		printed++;
	}
}

static void print_expected(void)
{
	static const char *const reasons[] = {"EINVAL", "E2BIG", "EFAULT",    "ENODEV",
					      "ESTALE", "ENXIO", "EOPNOTSUPP"};

	printf("#   write() has returned %zd; it should be", session.result);
	if (!session.expected.refused)
		printf(" %zd", session.expected.result);
	for (int i = 0; i < 7; i++)
		if (session.expected.refused & 1 << i)
			printf(" -%s", reasons[i]);
	printf("\n#   (EINVAL %d, E2BIG %d, EFAULT %d, ENODEV %d, ESTALE %d, ENXIO %d, EOPNOTSUPP "
	       "%d)\n",
	       EINVAL, E2BIG, EFAULT, ENODEV, ESTALE, ENXIO, EOPNOTSUPP);
}

void session_print(void)
{
	message_print(stdout, &session.message);
	print_expected();
	if (!session_probe())
		return;
	for (int i = 0; i < SNAPSHOT_SPACES; i++) {
		print_list("the model", &session.models[i].list, &session.snapshots[i].list);
		print_list("the kernel", &session.snapshots[i].list, &session.models[i].list);
	}
}
