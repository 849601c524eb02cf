// SPDX-License-Identifier: GPL-2.0
#include "generate.h"

#include <string.h>
#include <linux/vhost.h>

#include "model.h"
#include "vhost_msg_v3.h"

#define PAGE 4096ULL
#define HEADER sizeof(struct vhost_msg_v3)
#define OP sizeof(struct vhost_iotlb_op)

/* The rings of tests/kernel/device.c begin here, a page each. */
#define RINGS 0x300000000ULL
#define RING_PAGES 6

uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t random_below(struct random *r, uint64_t end)
{
	return random_next(r) % end;
}

/* True in @times of 1000 cases. */
static bool chance(struct random *r, unsigned int times)
{
	return random_below(r, 1000) < times;
}

#define PICK(r, list) ((list)[random_below(r, sizeof(list) / sizeof(*(list)))])

static struct random random_for(uint64_t seed, uint64_t stream, uint64_t number)
{
	struct random r = {seed};

	r.state = random_next(&r) ^ (number * 2 + stream);
	r.state = random_next(&r);
	return r;
}

static const struct {
	const char *name;
	unsigned int share;   /* of 1000 rounds */
	unsigned int bad;     /* of 1000 operations, and of messages */
	unsigned int token;   /* of UPDATEs with a token that is good or stale */
	unsigned int version; /* of messages that are of version 3 */
	unsigned int before;  /* of messages that something is done before */
} kinds[NR_ROUND_KINDS] = {
	[ROUND_MIX] = {"mix", 250, 60, 300, 700, 40},
	[ROUND_SPLIT] = {"split", 250, 5, 100, 600, 5},
	[ROUND_TOKEN] = {"token", 140, 10, 900, 850, 5},
	[ROUND_BAD] = {"bad", 100, 400, 300, 650, 20},
	[ROUND_FULL] = {"full", 10, 5, 50, 900, 5},
	[ROUND_CHANGE] = {"change", 40, 30, 500, 700, 100},
	[ROUND_RUN] = {"run", 50, 20, 300, 600, 300},
	[ROUND_VSOCK] = {"vsock", 40, 60, 300, 700, 20},
	[ROUND_ASID] = {"asid", 100, 40, 500, 700, 10},
	[ROUND_RACE] = {"race", 20, 20, 100, 700, 0},
};

const char *round_name(enum round_kind kind)
{
	return kinds[kind].name;
}

static int forced_kind = -1;

void generate_force_kind(enum round_kind kind)
{
	forced_kind = kind;
}

void generate_round(struct round *round, uint64_t seed, uint64_t number)
{
	static const uint64_t bases[] = {
		0, RINGS, 1ULL << 32, (1ULL << 63) - 16 * PAGE, 1ULL << 47,
	};
	static const uint64_t units[] = {PAGE, PAGE, PAGE, 1, 3, 7 * PAGE, 1 << 21, 1 << 30};
	struct random r = random_for(seed, 1, number / ROUND);
	uint64_t share = random_below(&r, 1000);

	memset(round, 0, sizeof(*round));
	while (share >= kinds[round->kind].share)
		share -= kinds[round->kind++].share;
	if (forced_kind >= 0)
		round->kind = forced_kind;
	round->unit = PICK(&r, units);
	round->units = 8 + random_below(&r, 25);
	round->base[0] = PICK(&r, bases);
	/* So that the last address is as the others are. */
	if (chance(&r, 300))
		round->base[0] = -(uint64_t)round->units * round->unit;
	round->base[1] = chance(&r, 300) ? PICK(&r, bases) : round->base[0];
	round->v3 = chance(&r, 700);

	if (round->kind == ROUND_TOKEN && chance(&r, 600)) {
		round->base[1] = round->base[0] + (1ULL << 40);
		round->apart = true;
	}
	if (round->kind == ROUND_FULL) {
		round->base[1] = round->base[0] = PICK(&r, bases);
		round->wide = true;
	}
	if (round->kind == ROUND_RUN || round->kind == ROUND_RACE) {
		round->unit = PAGE;
		round->units = 12;
		round->base[1] = round->base[0] = RINGS;
		round->hook = chance(&r, 400);
		round->wide = chance(&r, 150);
	}
	if (round->kind == ROUND_ASID) {
		round->asid = chance(&r, 500) ? 1 + random_below(&r, 3) : random_next(&r) | 1;
		round->wide = chance(&r, 100);
	}
	if (round->wide)
		round->units = 8000;
}

static uint64_t pick_base(struct random *r, const struct round *round, bool update)
{
	if (round->apart)
		return round->base[!update && chance(r, 970)];
	return PICK(r, round->base);
}

static void pick_range(struct random *r, const struct round *round, bool update,
		       struct vhost_iotlb_op *op)
{
	const unsigned int most = round->wide ? 2 : 1 + random_below(r, 9);

	op->iova = pick_base(r, round, update) + random_below(r, round->units) * round->unit;
	op->size = (1 + random_below(r, most)) * round->unit;
	if (chance(r, 100)) {
		op->iova += random_below(r, 3) - 1;
		op->size += random_below(r, 3) - 1;
	}
	if (chance(r, 3))
		op->iova = random_next(r) >> random_below(r, 64);
	if (chance(r, 3))
		op->size = random_next(r) >> random_below(r, 64);
	if (chance(r, 5))
		op->iova = -op->size; /* up to the end */

	if (!op->size)
		op->size = 1;
	if (op->iova && op->size > -op->iova)
		op->size = -op->iova;
}

static uint64_t pick_target(struct random *r, const struct round *round, struct vhost_iotlb_op *op)
{
	if (round->target) {
		if (op->size > round->target_size)
			op->size = round->target_size;
		return round->target + random_below(r, round->target_size - op->size + 1);
	}
	if (op->size > MODEL_USER_END)
		op->size = MODEL_USER_END;
	if (chance(r, 20))
		return MODEL_USER_END - op->size;
	return random_below(r, MODEL_USER_END - op->size + 1);
}

static uint64_t pick_token(struct random *r, uint64_t now)
{
	static const unsigned int limits[] = {1, 1, 3, 16, 140, 400};
	uint64_t back = random_below(r, PICK(r, limits));

	if (chance(r, 100))
		back = MODEL_HISTORY - 2 + random_below(r, 5);
	return back > now ? 0 : now - back;
}

/* Of the address space of an operation. */
static uint64_t now_in(const struct round *round, const uint64_t now[2],
		       const struct vhost_iotlb_op *op)
{
	return now[round->asid && op->asid == round->asid];
}

static void make_update(struct random *r, const struct round *round, const uint64_t now[2],
			struct vhost_iotlb_op *op)
{
	op->type = VHOST_IOTLB_UPDATE;
	op->perm = 1 + random_below(r, 3);
	op->uaddr = pick_target(r, round, op);
	if (chance(r, kinds[round->kind].token)) {
		op->flags = VHOST_IOTLB_OP_F_TOKEN;
		op->token = pick_token(r, now_in(round, now, op));
	}
	/* A mapping of a ring, as it should be. */
	if (round->target && chance(r, round->wide ? 10 : 500)) {
		unsigned int page = random_below(r, RING_PAGES);

		op->perm = VHOST_ACCESS_RW;
		op->iova = RINGS + page * PAGE;
		op->size = (1 + random_below(r, RING_PAGES - page)) * PAGE;
		op->uaddr = round->target + page * PAGE;
	}
}

static void make_op(struct random *r, const struct round *round, const uint64_t now[2],
		    struct vhost_iotlb_op *op)
{
	const unsigned int type = random_below(r, 100);
	const bool update = type < (round->wide ? 90 : 60);

	memset(op, 0, sizeof(*op));
	pick_range(r, round, update, op);
	if (round->asid && chance(r, 500))
		op->asid = chance(r, 990) ? round->asid : round->asid + 1;
	if (update) {
		make_update(r, round, now, op);
		return;
	}
	op->type = VHOST_IOTLB_INVALIDATE;
	/* A vsock refuses all of the message then. */
	if (type == 95 && !round->target && (round->kind != ROUND_VSOCK || chance(r, 150))) {
		op->type = VHOST_IOTLB_ACCESS_FAIL;
		op->perm = 1 + random_below(r, 3);
		if (chance(r, kinds[round->kind].token)) {
			op->flags = VHOST_IOTLB_OP_F_TOKEN;
			op->token = pick_token(r, now_in(round, now, op));
		}
	}
	if (type >= 98)
		op->type = VHOST_IOTLB_MISS;
	else if (type >= 96)
		op->type = VHOST_IOTLB_RETRY;
	if (chance(r, round->wide || round->apart ? 2 : 20)) {
		op->iova = 0;
		op->size = 0;
	}
	if (round->asid && chance(r, 100) && !op->flags) {
		op->flags = VHOST_IOTLB_OP_F_ALL_ASIDS;
		op->asid = 0;
	}
}

/* A value in which a range check may be wrong. */
static uint64_t odd_value(struct random *r)
{
	static const uint64_t list[] = {
		0,
		1,
		2,
		PAGE,
		(1ULL << 32) - 1,
		1ULL << 32,
		1ULL << 47,
		MODEL_USER_END,
		MODEL_USER_END + 1,
		MODEL_USER_END - 1,
		1ULL << 63,
		(1ULL << 63) - 1,
		0xffff888000000000ULL,
		-PAGE,
		-2ULL,
		-1ULL,
	};

	return chance(r, 300) ? random_next(r) : PICK(r, list);
}

static void spoil_range(struct random *r, struct vhost_iotlb_op *op)
{
	switch (random_below(r, 5)) {
	case 0:
		op->size = 0;
		break;
	case 1:
		op->size = -op->iova + 1; /* wraps around by one byte */
		break;
	case 2:
		op->size = -1ULL;
		break;
	case 3:
		op->size = odd_value(r);
		break;
	default:
		op->iova = odd_value(r);
	}
}

/* Something that is at the edge, or beyond. */
static void spoil_op(struct random *r, const struct round *round, const uint64_t now[2],
		     struct vhost_iotlb_op *op)
{
	switch (random_below(r, 9)) {
	case 0:
	case 1:
		spoil_range(r, op);
		break;
	case 2:
		op->uaddr = odd_value(r);
		break;
	case 3:
		/* Just within, or just beyond, what a process can have. */
		op->uaddr = MODEL_USER_END - op->size + 1 + random_below(r, 2);
		break;
	case 4:
		op->token = chance(r, 500) ? now_in(round, now, op) + 1 + random_below(r, 3)
					   : odd_value(r);
		if (chance(r, 700))
			op->flags |= VHOST_IOTLB_OP_F_TOKEN;
		break;
	case 5:
		op->asid = chance(r, 500) ? 1 : odd_value(r);
		break;
	case 6:
		op->type = chance(r, 500) ? random_below(r, 9) : random_next(r);
		break;
	case 7:
		op->perm = chance(r, 700) ? random_below(r, 5) : random_next(r);
		break;
	default:
		op->flags ^= 1 << random_below(r, chance(r, 500) ? 2 : 16);
	}
}

static bool is_ours(const struct round *round, const struct vhost_iotlb_op *op)
{
	return op->uaddr >= round->target && op->size <= round->target_size &&
	       op->uaddr - round->target <= round->target_size - op->size;
}

/* What the round asks for, be the operation good or not. */
static void restrict_op(const struct round *round, struct vhost_iotlb_op *op)
{
	const uint64_t kernel = 0xffff888000000000ULL;

	/* Packets of a device that runs are not to be lost. */
	if (op->type == VHOST_IOTLB_ACCESS_FAIL && round->target)
		op->type = VHOST_IOTLB_RETRY;
	if (op->type != VHOST_IOTLB_UPDATE)
		return;
	/* A virtqueue that runs would write there. */
	if (round->target && !is_ours(round, op))
		op->uaddr = kernel;
	if (round->offset) {
		op->uaddr = op->iova + round->offset;
		op->perm = round->perm;
	}
}

static unsigned int pick_number(struct random *r, const struct round *round)
{
	const unsigned int kind = random_below(r, 1000);

	if (round->wide)
		return kind < (round->target ? 600 : 300) ? 1 + random_below(r, 30) : 1;
	if (kind < 550)
		return 1;
	if (kind < 850)
		return 2 + random_below(r, 3);
	if (kind < 985)
		return 2 + random_below(r, 12);
	if (kind < 994)
		return 0;
	return 1 + random_below(r, VHOST_IOTLB_MAX_OPS);
}

static void put_bytes(struct message *m, size_t at, const void *bytes, size_t size)
{
	memcpy(m->bytes + at, bytes, size);
}

static void make_many(struct random *r, const struct round *round, const uint64_t now[2],
		      struct message *m)
{
	const unsigned int bad = kinds[round->kind].bad;
	struct vhost_msg_v3 head = {.type = VHOST_IOTLB_MSG_V3, .num = pick_number(r, round)};
	/* One at most, or else large messages would never be good. */
	const unsigned int spoilt = chance(r, bad) ? random_below(r, head.num + 1) : head.num;
	struct vhost_iotlb_op op;

	if (chance(r, bad / 10))
		head.num = VHOST_IOTLB_MAX_OPS + random_below(r, 4);
	m->length = HEADER + head.num * OP;
	for (unsigned int i = 0; i < head.num; i++) {
		make_op(r, round, now, &op);
		if (i == spoilt)
			spoil_op(r, round, now, &op);
		restrict_op(round, &op);
		put_bytes(m, HEADER + i * OP, &op, sizeof(op));
	}
	if (chance(r, bad / 6)) {
		static const uint32_t odd[] = {0, 1, 255, 256, 257, 1 << 16, 1U << 31, -1U, -2U};

		head.num = chance(r, 500) ? head.num + random_below(r, 3) - 1 : PICK(r, odd);
	}
	put_bytes(m, 0, &head, sizeof(head));
}

static void make_one(struct random *r, const struct round *round, const uint64_t now[2],
		     struct message *m)
{
	struct vhost_msg_v2 msg;
	struct vhost_iotlb_op op;

	make_op(r, round, now, &op);
	if (op.type != VHOST_IOTLB_UPDATE && op.type != VHOST_IOTLB_ACCESS_FAIL)
		op.type = VHOST_IOTLB_INVALIDATE;
	if (chance(r, kinds[round->kind].bad))
		spoil_op(r, round, now, &op);
	restrict_op(round, &op);

	memset(&msg, 0, sizeof(msg));
	msg.type = chance(r, 500) ? VHOST_IOTLB_MSG : VHOST_IOTLB_MSG_V2;
	/* What is no part of the message does not matter. */
	msg.asid = round->asid ? op.asid : 0;
	if (chance(r, round->asid ? 10 : 100))
		msg.asid = random_next(r);
	msg.iotlb = (struct vhost_iotlb_msg){
		.iova = op.iova,
		.size = op.size,
		.uaddr = op.uaddr,
		.perm = op.perm,
		.type = op.type,
	};
	m->length = sizeof(msg);
	put_bytes(m, 0, &msg, sizeof(msg));
}

static void spoil_length(struct random *r, struct message *m)
{
	static const size_t odd[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 39, 40, 41, 47, 48, 49, 72, 88};
	size_t length = m->length;

	switch (random_below(r, 4)) {
	case 0:
		length = PICK(r, odd);
		break;
	case 1:
		length -= random_below(r, length < 41 ? length + 1 : 41);
		break;
	case 2:
		length += 1 + random_below(r, 40);
		break;
	default:
		length = random_below(r, 2 * length + 1);
	}
	length = length < MESSAGE_MAX ? length : MESSAGE_MAX;
	/* What an earlier message has left would not be the same again. */
	if (length > m->length)
		memset(m->bytes + m->length, 0, length - m->length);
	m->length = length;
}

static void spoil_message(struct random *r, struct message *m)
{
	static const uint32_t versions[] = {0, 4, 5, 0x10003, 0x300, 1U << 31, -1U};
	uint32_t version = PICK(r, versions);

	if (chance(r, 700)) {
		spoil_length(r, m);
		return;
	}
	put_bytes(m, 0, &version, sizeof(version));
}

static void cut_into_pieces(struct random *r, struct message *m)
{
	size_t left = m->length;

	m->readable = m->length;
	m->nr_pieces = 1;
	m->piece[0] = m->length;
	if (!chance(r, 100))
		return;

	m->nr_pieces = 2 + random_below(r, PIECES_MAX - 1);
	for (unsigned int i = 0; i < m->nr_pieces; i++) {
		m->piece[i] = left ? random_below(r, left + 1) : 0;
		if (chance(r, 300) && left)
			m->piece[i] = random_below(r, left < 16 ? left : 16);
		if (i == m->nr_pieces - 1)
			m->piece[i] = left;
		left -= m->piece[i];
	}
}

static void generate_before(struct random *r, const struct round *round, struct message *m)
{
	static const enum before changes[] = {
		BEFORE_FEATURES_ON,  BEFORE_FEATURES_OFF, BEFORE_FEATURES_ON, BEFORE_RESET_OWNER,
		BEFORE_FEATURES_ON,  BEFORE_MEMORY,	  BEFORE_MEMORY,      BEFORE_MEMORY,
		BEFORE_FEATURES_OFF, BEFORE_BAD_MEMORY,	  BEFORE_BACKEND,
	};
	static const uint64_t sizes[] = {0, 1, 8, 40, 47, 48, 49, 71, 72, 73, 96, 4096};

	m->before = BEFORE_NOTHING;
	if (!chance(r, kinds[round->kind].before))
		return;
	m->before = chance(r, 100) ? BEFORE_READ_FAULT : BEFORE_READ;
	m->argument = PICK(r, sizes);
	if (round->kind == ROUND_CHANGE && chance(r, 800)) {
		m->before = PICK(r, changes);
		m->argument = random_next(r);
	}
	/* While one waits, what may be its answer stays: also far too much. */
	if (round->kind == ROUND_RUN && chance(r, round->wide ? 3 : 600)) {
		m->before = BEFORE_KICK;
		m->argument = random_next(r);
	}
}

void generate(struct message *m, const struct round *round, uint64_t seed, uint64_t number,
	      const uint64_t now[2])
{
	struct random r = random_for(seed, 0, number);
	const unsigned int bad = kinds[round->kind].bad;

	generate_before(&r, round, m);
	if (chance(&r, kinds[round->kind].version))
		make_many(&r, round, now, m);
	else
		make_one(&r, round, now, m);
	if (chance(&r, bad / 2))
		spoil_message(&r, m);
	cut_into_pieces(&r, m);
	if (chance(&r, bad / 5))
		m->readable = random_below(&r, m->length + 1);
	m->snapshot = !round->wide || chance(&r, 60);
}

static void print_op(FILE *stream, const struct vhost_iotlb_op *op)
{
	static const char *const types[] = {
		[VHOST_IOTLB_MISS] = "MISS",
		[VHOST_IOTLB_UPDATE] = "UPDATE",
		[VHOST_IOTLB_INVALIDATE] = "INVALIDATE",
		[VHOST_IOTLB_ACCESS_FAIL] = "ACCESS_FAIL",
		[VHOST_IOTLB_RETRY] = "RETRY",
	};
	const char *name = op->type < sizeof(types) / sizeof(*types) ? types[op->type] : NULL;

	if (name)
		fprintf(stream, "#     %s", name);
	else
		fprintf(stream, "#     type %u", op->type);
	fprintf(stream, " iova 0x%llx size 0x%llx", (unsigned long long)op->iova,
		(unsigned long long)op->size);
	if (op->uaddr)
		fprintf(stream, " uaddr 0x%llx", (unsigned long long)op->uaddr);
	if (op->perm)
		fprintf(stream, " perm %u", op->perm);
	if (op->flags)
		fprintf(stream, " flags 0x%x", op->flags);
	if (op->flags || op->token)
		fprintf(stream, " token %llu", (unsigned long long)op->token);
	if (op->asid)
		fprintf(stream, " asid 0x%x", op->asid);
	fputc('\n', stream);
}

static void print_ops(FILE *stream, const struct message *m, uint32_t version)
{
	struct vhost_iotlb_op op = {0};
	struct vhost_iotlb_msg msg;

	if (version != VHOST_IOTLB_MSG_V3) {
		if (m->length < HEADER + sizeof(msg))
			return;
		memcpy(&msg, m->bytes + HEADER, sizeof(msg));
		op.iova = msg.iova;
		op.size = msg.size;
		op.uaddr = msg.uaddr;
		op.perm = msg.perm;
		op.type = msg.type;
		print_op(stream, &op);
		return;
	}
	for (size_t at = HEADER; at + OP <= m->length; at += OP) {
		memcpy(&op, m->bytes + at, OP);
		print_op(stream, &op);
	}
}

void message_print(FILE *stream, const struct message *m)
{
	static const char *const before[NR_BEFORE] = {
		[BEFORE_READ] = "read",
		[BEFORE_READ_FAULT] = "read where nothing is mapped",
		[BEFORE_FEATURES_ON] = "VHOST_SET_FEATURES with an IOTLB",
		[BEFORE_FEATURES_OFF] = "VHOST_SET_FEATURES without an IOTLB",
		[BEFORE_RESET_OWNER] = "VHOST_RESET_OWNER",
		[BEFORE_MEMORY] = "VHOST_SET_MEM_TABLE",
		[BEFORE_BAD_MEMORY] = "VHOST_SET_MEM_TABLE of a bad table",
		[BEFORE_BACKEND] = "VHOST_SET_BACKEND_FEATURES",
		[BEFORE_KICK] = "kick",
	};
	struct vhost_msg_v3 head = {0};

	if (before[m->before])
		fprintf(stream, "#   (%s, %llu)\n", before[m->before],
			(unsigned long long)m->argument);
	memcpy(&head, m->bytes, sizeof(head));
	fprintf(stream, "#   version 0x%x num %u, %zu bytes", head.type, head.num, m->length);
	if (m->readable < m->length)
		fprintf(stream, ", the first %zu are mapped", m->readable);
	if (m->nr_pieces > 1) {
		fprintf(stream, ", in pieces of");
		for (unsigned int i = 0; i < m->nr_pieces; i++)
			fprintf(stream, " %zu", m->piece[i]);
	}
	fputc('\n', stream);
	if (m->length >= sizeof(head))
		print_ops(stream, m, head.type);
}
