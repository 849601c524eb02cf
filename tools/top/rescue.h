/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Puts a terminal right that curses has, if this program crashes.
 */
#ifndef TOP_RESCUE_H
#define TOP_RESCUE_H

/* Before curses: remembers how the terminal is, and waits for a crash. */
void rescue_prepare(int fd);

/* After it: curses knows the terminal, and what has to be sent to it. */
void rescue_terminal_known(void);

void rescue_end(void);

#endif /* TOP_RESCUE_H */
