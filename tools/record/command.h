/* SPDX-License-Identifier: GPL-2.0 */
/* The command that is run while its traffic is recorded. */
#ifndef RECORD_COMMAND_H
#define RECORD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As shells and env(1) say it. */
#define COMMAND_CANNOT_RUN 126
#define COMMAND_NOT_FOUND 127

/**
 * command_start() - run a command as a child
 * @argv:	the command and its arguments, NULL-terminated
 * @pid:	its process
 *
 * SIGINT, SIGTERM and SIGCHLD are as they usually are for it, whatever they are
 * here.
 *
 * Return: 0, or COMMAND_CANNOT_RUN or COMMAND_NOT_FOUND, with a message.
 */
int command_start(char *const *argv, pid_t *pid);

/**
 * command_ended() - has the command ended?
 * @pid:	its process
 * @status:	its exit status, 128 and the signal if one has killed it
 */
bool command_ended(pid_t pid, int *status);

/* The command as a shell would read it; cut off at the end if it is too long,
 * what is not printable as "?".
 */
void command_quote(char *const *argv, char *text, size_t size);

#endif /* RECORD_COMMAND_H */
