/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_VTD_SETUP_H
#define BENCH_VTD_SETUP_H

#include "guest.h"
#include "layout.h"
#include "sva_tables.h"
#include "vtd_tables.h"

/**
 * vtd_setup() - make the IOMMU's tables in guest memory
 *
 * With all that is mapped before the run, for each device what it uses.
 *
 * Return: 0, or -1 after a message.
 */
int vtd_setup(struct vtd_tables *t, const struct layout *l, const struct guest *g);

/* The same for processes, of which none is there yet. */
int sva_setup(struct sva_tables *t, const struct layout *l, const struct guest *g);

#endif /* BENCH_VTD_SETUP_H */
