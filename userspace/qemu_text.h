/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pieces of what QEMU's monitor says; for qemu_info.h.
 */
#ifndef IOTLB_QEMU_TEXT_H
#define IOTLB_QEMU_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Longest line that is of any interest */
#define QEMU_LINE_MAX 256

/**
 * qemu_next_line() - a line of a text
 * @text:	the text, or what this function has returned
 * @line:	set to the line without its blanks at the start; cut if need be
 * @indent:	set to the number of these blanks
 *
 * Return: what comes after the line, or NULL if there was none.
 */
const char *qemu_next_line(const char *text, char line[QEMU_LINE_MAX], size_t *indent);

/* What comes after this prefix, or NULL if the text does not begin so */
const char *qemu_after(const char *text, const char *prefix);

/* A copy up to one of the letters of @until, cut if need be; what is not printable
 * ASCII becomes a question mark.
 */
void qemu_copy_name(char *to, size_t size, const char *from, const char *until);

/* Exactly so many hexadecimal digits; what comes after them, or NULL. */
const char *qemu_fixed_hex(const char *text, size_t digits, uint64_t *number);

#endif /* IOTLB_QEMU_TEXT_H */
