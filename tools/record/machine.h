/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RECORD_MACHINE_H
#define RECORD_MACHINE_H

#include "record.h"

/* What machine this is, as far as it can be told; the rest is left empty. */
void machine_describe(struct record_machine *machine);

#endif /* RECORD_MACHINE_H */
