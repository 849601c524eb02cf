/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a guest's memory is read: a process, or files.
 */
#ifndef WALK_MEMORY_H
#define WALK_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "guest_memory.h"
#include "memory_table.h"
#include "walk_options.h"

/**
 * struct walk_file - an open dump
 * @fd:		the file
 * @gpa:	of its first byte
 * @size:	bytes
 */
struct walk_file {
	int fd;
	uint64_t gpa;
	uint64_t size;
};

/**
 * struct walk_memory - either of them
 * @guest:	the process, if it is one
 * @table:	its memory table
 * @device:	its vhost device
 * @files:	dumps
 * @file_count:	how many; 0 for a process
 */
struct walk_memory {
	struct guest_memory guest;
	struct memory_table table;
	struct vhost_device device;
	struct walk_file files[WALK_MAX_DUMPS];
	size_t file_count;
};

/* Finds it as the options say; 0, or a negative errno after a message. */
int walk_memory_open(struct walk_memory *memory, const struct walk_options *options);

/* 0, or -EFAULT if there is none, or another negative errno. */
int walk_memory_read(const struct walk_memory *memory, uint64_t gpa, void *to, size_t size);

void walk_memory_close(struct walk_memory *memory);

#endif /* WALK_MEMORY_H */
