/* SPDX-License-Identifier: GPL-2.0 */
/* What the test says (TAP). */
#ifndef RACE_REPORT_H
#define RACE_REPORT_H

/* Ends all: the test cannot be made here. */
void bail_out(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* bail_out() with the reason in errno. */
void bail_out_errno(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif /* RACE_REPORT_H */
