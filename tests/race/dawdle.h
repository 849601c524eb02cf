/* SPDX-License-Identifier: GPL-2.0 */
/* To take some time, or none; @random is for random_below(). */
#ifndef RACE_DAWDLE_H
#define RACE_DAWDLE_H

#include <stdint.h>

void dawdle(uint64_t *random);

/* For those who may not sleep. */
void dawdle_awake(uint64_t *random);

/* A longer time */
void nap(uint64_t *random);

#endif /* RACE_DAWDLE_H */
