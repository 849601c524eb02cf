/* SPDX-License-Identifier: GPL-2.0 */
/* Records: runs the command, and looks at counters and events meanwhile. */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include "record.h"
#include "record_options.h"

/**
 * recorder_run() - record until the end
 * @record:	empty; filled in
 * @options:	the command line
 * @perf_path:	where perf is to write to, with --perf
 * @perf_good:	whether what it has written is complete
 *
 * Return: 0 if the record is good, record->status is that of the command then;
 * or the exit status that is called for: 125 failed, 126 or 127 the command
 * could not be run. That has been told.
 */
int recorder_run(struct record *record, const struct record_options *options, const char *perf_path,
		 bool *perf_good);

#endif /* RECORD_RECORDER_H */
