/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages for people, on stderr, each on one line after the program's name.
 */
#ifndef IOTLB_LOG_H
#define IOTLB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Set by -v: log_debug() and libbpf's own messages are shown. */
extern bool log_verbose;

#define LOG_FORMAT(f, a) __attribute__((format(printf, f, a)))

void log_error(const char *format, ...) LOG_FORMAT(1, 2);
void log_warn(const char *format, ...) LOG_FORMAT(1, 2);
void log_info(const char *format, ...) LOG_FORMAT(1, 2);
void log_debug(const char *format, ...) LOG_FORMAT(1, 2);

#define LOG_ONCE_SLOTS 1024

/**
 * struct log_limit - keeps what a guest can provoke from filling the log
 * @burst:	messages that may come at once
 * @per_second:	messages that may come in the long run
 * @tokens:	messages that may come now
 * @stamp_ns:	when @tokens was last filled up, CLOCK_MONOTONIC
 * @held_back:	messages not shown since the last one shown
 * @said:	hashes of subjects, each in the one slot that it may occupy: a
 *		subject is forgotten when another takes its slot, which bounds
 *		the memory and costs at worst a message said twice
 */
struct log_limit {
	unsigned int burst;
	unsigned int per_second;
	unsigned int tokens;
	uint64_t stamp_ns;
	uint64_t held_back;
	uint64_t said[LOG_ONCE_SLOTS];
};

/**
 * log_limit_allows() - may a message about this subject be shown?
 * @limit:	the budget
 * @subject:	hash of what the message is about, see log_subject()
 * @now_ns:	CLOCK_MONOTONIC
 *
 * A subject is let through once. If messages were held back for want of
 * tokens, says how many before it lets the next one through.
 */
bool log_limit_allows(struct log_limit *limit, uint64_t subject, uint64_t now_ns);

/* Says how many messages were held back since the last one: at the end, when
 * none may follow that would say it.
 */
void log_limit_tell(struct log_limit *limit);

/* Hash of a subject: a device, an address there, and what is the matter. */
uint64_t log_subject(uint64_t dev, uint64_t address, unsigned int matter);

#endif /* IOTLB_LOG_H */
