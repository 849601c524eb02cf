/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report: an HTML file that needs no other, with or without JavaScript.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "record/record.h"

/**
 * struct report_input - a record to be shown
 * @record:	the record
 * @name:	file that it came from, NULL if it was recorded just now
 */
struct report_input {
	const struct record *record;
	const char *name;
};

/**
 * report_write() - write the report of one record, or of two to be compared
 * @inputs:	the records
 * @count:	1 or 2
 * @out:	where to; ferror() tells whether that went well
 */
void report_write(const struct report_input *inputs, size_t count, FILE *out);

#endif /* REPORT_REPORT_H */
