/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WALK_VIEW_H
#define WALK_VIEW_H

#include <stdio.h>

struct walk_record;

/* Ways to show a walk. */
void walk_view_text(FILE *out, const struct walk_record *record);
void walk_view_json(FILE *out, const struct walk_record *record);

#endif /* WALK_VIEW_H */
