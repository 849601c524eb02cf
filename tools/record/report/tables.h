/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers in a report. */
#ifndef REPORT_TABLES_H
#define REPORT_TABLES_H

#include "charts.h"

/* The numbers that matter most, of one record. */
void table_figures(const struct report *report);

/* Two records beside each other, with differences and ratios. */
void table_compare(const struct report *report);

/* Devices and their virtqueues. */
void table_devices(const struct report *report, size_t which);

/* What the charts show, by time: for those who want numbers. */
void table_time(const struct report *report, size_t which);

#endif /* REPORT_TABLES_H */
