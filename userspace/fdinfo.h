/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines of /proc/PID/fdinfo/FD: "key:\tvalue value ...". Only what the patched
 * vhost modules print is looked at: "vhost-id", "vhost-iotlb", "vhost-mem", "iff"
 * and the like.
 */
#ifndef IOTLB_FDINFO_H
#define IOTLB_FDINFO_H

#include <stddef.h>
#include <stdint.h>

/**
 * fdinfo_next() - the next line with this key
 * @text:	the start of a text, or a value that this function has returned
 * @key:	without the colon
 *
 * Return: what comes after the colon, up to the end of the text; NULL if
 * there is no such line any more.
 */
const char *fdinfo_next(const char *text, const char *key);

/* How many words there are up to the end of the line. */
size_t fdinfo_count(const char *value);

/**
 * fdinfo_numbers() - exactly this many numbers up to the end of the line
 * @value:	what fdinfo_next() has returned
 * @numbers:	filled in
 * @count:	how many there must be; decimal, or hexadecimal after 0x
 *
 * Return: 0 or -EPROTO.
 */
int fdinfo_numbers(const char *value, uint64_t *numbers, size_t count);

#endif /* IOTLB_FDINFO_H */
