/* SPDX-License-Identifier: GPL-2.0 */
/* Text and numbers in HTML and SVG. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

#define HTML_SIZE 40

/* Text of anybody: nothing in it is markup, also not in an attribute. */
void html_text(FILE *out, const char *text);

/* "1,234,567"; returns the buffer, as all of these. */
char *html_count(char buffer[HTML_SIZE], uint64_t count);

/* A share of 0 to 1: "99.2%"; "–" if it cannot be told. */
char *html_percent(char buffer[HTML_SIZE], double share);

/* Nanoseconds: "850 ns", "1.2 µs", "45 ms"; "–" if it cannot be told. */
char *html_time(char buffer[HTML_SIZE], double ns);

/* Bytes, a power of two: "4 KiB", "2 MiB". */
char *html_bytes(char buffer[HTML_SIZE], unsigned int log2);

/* Events per second: "1.2k/s" */
char *html_rate(char buffer[HTML_SIZE], double rate);

/* Signed difference: "+12", "−3", "0" */
char *html_difference(char buffer[HTML_SIZE], uint64_t from, uint64_t to);

#endif /* REPORT_HTML_H */
