/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that messages are written from and read to, with nothing behind it. */
#ifndef FUZZ_AREA_H
#define FUZZ_AREA_H

#include <stdint.h>
#include <sys/types.h>

#include "generate.h"

#define AREA_SIZE (PIECES_MAX * 2 * MESSAGE_MAX)

/* AREA_SIZE bytes. Ends the program if there is no memory. */
uint8_t *area_new(void);

/* Write a message from @area. Return: as write(), or -errno. */
ssize_t area_write(int fd, const struct message *m, uint8_t *area);

/* What a system call has returned, or -errno. */
ssize_t area_result(ssize_t returned);

#endif /* FUZZ_AREA_H */
