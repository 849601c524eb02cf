/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of this test have in common. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>

#include "inmate.h"

/* One result of TAP. */
void print_result(bool good, const char *what);

/* Each entry of the tables is bad in turn, and each page of them is no memory. */
void check_bad_tables(struct inmate *in);

/* Entries change while packets flow, for some time. */
void check_changing_tables(struct inmate *in, unsigned int seconds);

/* Another guest, in a process of its own, begins; it sends packets until it is told. */
void neighbour_begin(enum deep_kind kind, unsigned int levels);

/* It ends: have all its packets arrived? */
void check_neighbour(void);

#endif /* HOSTILE_H */
