/* SPDX-License-Identifier: GPL-2.0 */
/* What is told on standard error while recording. */
#ifndef RECORD_STATUS_LINE_H
#define RECORD_STATUS_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"
#include "top/model.h"

/**
 * struct status_line - a line that is written again and again
 * @wanted:	standard error is a terminal, and --quiet is not given
 * @shown_ns:	record->duration_ns when it was last written
 * @open:	the line is on the terminal
 */
struct status_line {
	bool wanted;
	uint64_t shown_ns;
	bool open;
};

void status_line_init(struct status_line *line, bool quiet);

/* Once in a second. */
void status_line_show(struct status_line *line, const struct record *record,
		      const struct top_sample *sample);

/* What follows begins on a new line. */
void status_line_end(struct status_line *line);

#endif /* RECORD_STATUS_LINE_H */
