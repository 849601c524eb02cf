/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl_options.h"

struct json_object;

/**
 * ctl_show() - a reply in words
 * @out:	where to
 * @command:	what was asked
 * @result:	"return" of the reply
 * @is_first:	of a list, the heading comes before it
 */
void ctl_show(FILE *out, enum ctl_command command, struct json_object *result, bool is_first);

/* Where the rest of a list begins: what to ask for after this part; 0 if it is all. */
uint64_t ctl_rest_of(enum ctl_command command, struct json_object *result);

#endif /* CTL_SHOW_H */
