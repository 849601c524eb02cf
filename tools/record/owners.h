/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A source of counters that looks for the owners of devices only now and then,
 * as that means to look at all processes. Else it is the one below.
 */
#ifndef RECORD_OWNERS_H
#define RECORD_OWNERS_H

#include "top/source.h"

/* Owners are looked for anew after so long, or when a device is new. */
#define OWNERS_NS 500000000ULL

/* At most this part of the time, one in so many, goes into that. */
#define OWNERS_SHARE 20

/* There is one, which all these share. */
extern const struct source_ops source_owners;

/* Before it is opened: what it is on top of. */
void owners_init(const struct source_ops *below);

#endif /* RECORD_OWNERS_H */
