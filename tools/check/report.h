/* SPDX-License-Identifier: GPL-2.0 */
/* Shows conclusions. */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include <stdio.h>

struct findings;

/* For people: a paragraph each. */
void findings_show_text(FILE *out, const struct findings *findings);

/* For machines: a JSON object on a line each, see iotlb-check(8). */
void findings_show_json(FILE *out, const struct findings *findings);

#endif /* CHECK_REPORT_H */
