/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines below the table, about what should not happen: they are there only if
 * there is something to say.
 */
#ifndef TOP_NOTES_H
#define TOP_NOTES_H

#include "iotlb_counters.h"

#define NOTES_MAX 4
#define NOTE_SIZE 160

/**
 * struct notes - lines of text
 * @lines:	no newlines; as long as numbers are of ordinary size, they fit
 *		into 80 columns
 * @count:	elements of @lines that are in use
 */
struct notes {
	char lines[NOTES_MAX][NOTE_SIZE];
	unsigned int count;
};

/**
 * notes_make() - say which misses have changed hands, what was refused, and what failed
 * @notes:	filled in
 * @counters:	of all devices, in an interval or since the beginning
 */
void notes_make(struct notes *notes, const struct iotlb_counters *counters);

#endif /* TOP_NOTES_H */
