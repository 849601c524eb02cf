/* SPDX-License-Identifier: GPL-2.0 */
/* A device that messages are written to, beside the model of it. */
#ifndef FUZZ_SESSION_H
#define FUZZ_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "generate.h"
#include "tally.h"

/* Once, before and after all. */
void session_open(void);
void session_close(void);

/**
 * session_begin() - open the device of a round
 *
 * Return: false if it is not as it should be; session_fault() tells why.
 */
bool session_begin(uint64_t seed, uint64_t number);

/**
 * session_play() - write the message with this number
 *
 * Return: false if what happens is not what should.
 */
bool session_play(uint64_t number);

/* For a round of ROUND_RACE: two threads write @nr messages each. */
bool session_race(uint64_t number, uint64_t nr);

/* What must be so at the end of a round. */
bool session_finish(void);

/* Close the device. */
void session_end(void);

/* What is wrong. */
const char *session_fault(void);

/* Print the message that was last, and both sides, as comments of TAP. */
void session_print(void);

enum round_kind session_kind(void);

/* Of all messages so far. */
const struct tally *session_tally(void);

#endif /* FUZZ_SESSION_H */
