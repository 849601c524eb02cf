/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data file: a record as one JSON object. iotlb-record(8) defines all of
 * its members.
 */
#ifndef RECORD_DATA_FILE_H
#define RECORD_DATA_FILE_H

#include <stdio.h>

#include "record.h"

#define DATA_FORMAT "iotlb-record"
#define DATA_VERSION 1

/* No record that this program writes is even half as large. */
#define DATA_FILE_MAX (24 << 20)

/* Of a count: all that JSON readers keep exactly. */
#define DATA_COUNT_MAX (1ULL << 53)

/* Of a bucket: 13 days. 240 of them are within 64 bits. */
#define DATA_BUCKET_NS_MAX (1ULL << 50)

#define DATA_ERROR_MAX 256

/**
 * data_write() - write a record
 * @record:	the record
 * @out:	where to; ferror() tells whether that went well
 *
 * Return: 0 or -ENOMEM
 */
int data_write(const struct record *record, FILE *out);

/**
 * data_read() - read a record
 * @record:	empty
 * @in:		a file that may come from anybody: whatever it holds, the record
 *		is within the bounds of struct record if this returns 0
 * @error:	what is wrong with it, one line that begins with where that is
 *
 * Return: 0; -EINVAL it is no record, or of another version; -EFBIG; -ENOMEM;
 * or what reading has failed with.
 */
int data_read(struct record *record, FILE *in, char error[DATA_ERROR_MAX]);

#endif /* RECORD_DATA_FILE_H */
