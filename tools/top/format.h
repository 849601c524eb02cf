/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers as people read them, in four characters. Each returns its buffer.
 */
#ifndef TOP_FORMAT_H
#define TOP_FORMAT_H

#include <stdint.h>

/* Enough for each of these: the greatest integer and its end. */
#define FORMAT_SIZE 24

/* "0", "0.3", "9.9", "17", "999", "1.2k", "45k", "678k", "1.2M" ... */
char *format_short(char buffer[FORMAT_SIZE], double value);

/* All digits. */
char *format_exact(char buffer[FORMAT_SIZE], uint64_t value);

/* A share of 0 to 1: "0", "0.4", "99.9", "100"; "-" for NAN. "100" is said
 * only of all, and "0" only of none.
 */
char *format_percent(char buffer[FORMAT_SIZE], double share);

/* Nanoseconds as microseconds, like format_short(); "-" for NAN. */
char *format_us(char buffer[FORMAT_SIZE], double ns);

/* What a process calls itself may hold escape sequences: only printable ASCII
 * is left, the rest turns into "?".
 */
void format_printable(char *text);

#endif /* TOP_FORMAT_H */
