// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "clock.h"
#include "log.h"

bool log_verbose;

static void say(const char *kind, const char *format, va_list args)
{
	char line[1024];
	int saved = errno;

	/* One write for one line: other processes may share this stderr. */
	vsnprintf(line, sizeof(line), format, args);
	fprintf(stderr, "%s: %s%s\n", program_invocation_short_name, kind, line);
	errno = saved;
}

#define DEFINE_LOG(name, kind)                                                                     \
	void log_##name(const char *format, ...)                                                   \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		say(kind, format, args);                                                           \
		va_end(args);                                                                      \
	}

DEFINE_LOG(error, "")
DEFINE_LOG(warn, "warning: ")
DEFINE_LOG(info, "")

void log_debug(const char *format, ...)
{
	va_list args;

	if (!log_verbose)
		return;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}

static void limit_refill(struct log_limit *limit, uint64_t now_ns)
{
	uint64_t seconds;

	if (!limit->stamp_ns) {
		limit->tokens = limit->burst;
		limit->stamp_ns = now_ns;
		return;
	}

	seconds = (now_ns - limit->stamp_ns) / NS_PER_SECOND;
	if (!seconds)
		return;
	limit->stamp_ns += seconds * NS_PER_SECOND;

	if (seconds >= limit->burst)
		limit->tokens = limit->burst;
	else
		limit->tokens += seconds * limit->per_second;
	if (limit->tokens > limit->burst)
		limit->tokens = limit->burst;
}

void log_limit_tell(struct log_limit *limit)
{
	if (limit->held_back)
		log_warn("%" PRIu64 " messages held back", limit->held_back);
	limit->held_back = 0;
}

bool log_limit_allows(struct log_limit *limit, uint64_t subject, uint64_t now_ns)
{
	uint64_t *slot = &limit->said[subject % LOG_ONCE_SLOTS];

	if (*slot == subject)
		return false;

	limit_refill(limit, now_ns);
	if (!limit->tokens) {
		/* Not marked as said: it has its chance when it comes again. */
		limit->held_back++;
		return false;
	}

	limit->tokens--;
	*slot = subject;
	log_limit_tell(limit);
	return true;
}

/* The finaliser of a multiplicative hash: guests choose addresses. */
static uint64_t mix(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93ULL;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93ULL;
	hash ^= hash >> 32;
	return hash;
}

uint64_t log_subject(uint64_t dev, uint64_t address, unsigned int matter)
{
	uint64_t hash = mix(mix(mix(dev + 1) ^ address) + matter);

	/* An empty slot is zero. */
	return hash ? hash : 1;
}
