/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages to write, good and bad. Each follows from a seed and its number;
 * only tokens also depend on the state, as there are none without it.
 *
 * Messages are written in rounds. Each round begins with a new device, so that
 * nothing before it matters when one is played again.
 */
#ifndef FUZZ_GENERATE_H
#define FUZZ_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ROUND 1024

#define MESSAGE_MAX (16 * 1024)
#define PIECES_MAX 8

/* What a round is about. */
enum round_kind {
	ROUND_MIX,    /* a little of everything that writes */
	ROUND_SPLIT,  /* mappings that overlap */
	ROUND_TOKEN,  /* tokens and invalidations */
	ROUND_BAD,    /* most messages are malformed */
	ROUND_FULL,   /* many mappings */
	ROUND_CHANGE, /* the device's features, owner and memory table change */
	ROUND_RUN,    /* virtqueues are running */
	ROUND_VSOCK,  /* another kind of device */
	ROUND_ASID,   /* a virtqueue is in an address space of its own */
	ROUND_RACE,   /* two threads write */
	NR_ROUND_KINDS,
};

/* What is done before a message is written. */
enum before {
	BEFORE_NOTHING,
	BEFORE_READ,
	BEFORE_READ_FAULT, /* a part of the buffer is not mapped */
	BEFORE_FEATURES_ON,
	BEFORE_FEATURES_OFF,
	BEFORE_RESET_OWNER,
	BEFORE_MEMORY,
	BEFORE_BAD_MEMORY,
	BEFORE_BACKEND, /* the backend features change */
	BEFORE_KICK,
	NR_BEFORE,
};

/**
 * struct round - what the messages of a round have in common
 * @kind:	what it is about
 * @base:	where most addresses are near
 * @unit:	of most addresses and sizes
 * @units:	number of units that addresses are spread over
 * @wide:	so many that nearly all mappings stay
 * @apart:	what is mapped, near the first base, is seldom invalidated, so that
 *		old tokens are good
 * @target:	if not 0, all addresses that UPDATEs map to are from here on
 * @target_size: bytes there
 * @offset:	if not 0, UPDATEs map to the I/O virtual address plus this, with
 *		@perm
 * @hook:	does a BPF program take the misses?
 * @v3:		is the third version of messages acknowledged?
 * @asid:	the other address space, or 0
 */
struct round {
	enum round_kind kind;
	uint64_t base[2];
	uint64_t unit;
	unsigned int units;
	bool wide, apart;
	uint64_t target, target_size;
	uint64_t offset;
	uint8_t perm;
	bool hook;
	bool v3;
	uint32_t asid;
};

/**
 * struct message - something to write
 * @before:	comes first
 * @argument:	of that
 * @readable:	bytes from the start that are at an address which can be read
 * @nr_pieces:	1: write(), else writev()
 * @piece:	bytes of each piece, which add up to @length
 * @snapshot:	look at the result
 */
struct message {
	enum before before;
	uint64_t argument;
	size_t length, readable;
	unsigned int nr_pieces;
	size_t piece[PIECES_MAX];
	bool snapshot;
	uint8_t bytes[MESSAGE_MAX];
};

/* Random numbers (SplitMix64). */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);

/* From 0 to @end - 1. */
uint64_t random_below(struct random *r, uint64_t end);

/* The round of a message, without what only its device tells. */
void generate_round(struct round *round, uint64_t seed, uint64_t number);

/* Make all rounds of one kind. */
void generate_force_kind(enum round_kind kind);

/**
 * generate() - make a message
 * @round:	the one it is in
 * @now:	what a token that is read now would be, in the first address space and
 *		in the other
 */
void generate(struct message *m, const struct round *round, uint64_t seed, uint64_t number,
	      const uint64_t now[2]);

const char *round_name(enum round_kind kind);

/* Print a message, as comments of TAP. */
void message_print(FILE *stream, const struct message *m);

#endif /* FUZZ_GENERATE_H */
