// SPDX-License-Identifier: GPL-2.0
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define INSTANCE "/sys/kernel/tracing/instances/vhost_iotlb_test"
#define PREFIX "vhost_iotlb_"

static bool is_open;

static void write_file(const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), INSTANCE "/%s", name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail_out_errno("cannot write %s", path);
	close(fd);
}

static void open_events(const char *enable)
{
	if (mkdir(INSTANCE, 0700))
		bail_out_errno("cannot make %s", INSTANCE);
	is_open = true;
	/* One order for the events of all CPUs; room for all of them. */
	write_file("trace_clock", "counter");
	write_file("buffer_size_kb", "4096");
	write_file(enable, "1");
	trace_clear();
}

void trace_open(void)
{
	open_events("events/vhost/enable");
}

void trace_open_event(const char *event)
{
	char path[64];

	snprintf(path, sizeof(path), "events/vhost/" PREFIX "%s/enable", event);
	open_events(path);
}

void trace_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	write_file("events/vhost/enable", "0");
	/* Unloading a module needs nobody to use its events. */
	if (rmdir(INSTANCE))
		bail_out_errno("cannot remove %s", INSTANCE);
}

void trace_clear(void)
{
	write_file("trace", " ");
}

/* Does @text hold the word that is the @length bytes at @word? */
static bool has_word(const char *text, const char *word, size_t length)
{
	const char *at = text;

	while ((at = strstr(at, word)) != NULL) {
		char after = at[length];

		if ((at == text || at[-1] == ' ') && (!after || after == ' ' || after == '\n'))
			return true;
		at++;
	}
	return false;
}

static bool has_fields(const char *text, const char *fields)
{
	char copy[512], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", fields);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word && !has_word(text, word, strlen(word)))
			return false;
	return true;
}

/* The name of the event in @line, behind PREFIX, or NULL if it is none. */
static const char *event_of(const char *line)
{
	const char *name = strstr(line, ": " PREFIX);

	if (*line == '#' || !name)
		return NULL;
	return name + 2 + strlen(PREFIX);
}

static bool matches(const char *event, const char *name, const char *fields)
{
	size_t length = strlen(name);

	if (length && (strncmp(event, name, length) || event[length] != ':'))
		return false;
	return has_fields(strchr(event, ':') + 1, fields);
}

struct search {
	const char *field; /* the one that is wanted, or NULL */
	int place;	   /* of the first that matches, or -1 */
	int64_t value;	   /* the largest of the field, or -1 */
};

static int64_t value_of(const char *event, const char *field)
{
	size_t length = strlen(field);

	while ((event = strchr(event, ' ')) != NULL) {
		event++;
		if (!strncmp(event, field, length) && event[length] == '=')
			return strtoll(event + length + 1, NULL, 10);
	}
	return -1;
}

/* Counts what matches. */
static unsigned int search(const char *name, const char *fields, struct search *s)
{
	unsigned int found = 0;
	char *line = NULL;
	size_t size = 0;
	int at = 0;
	FILE *file;

	file = fopen(INSTANCE "/trace", "re");
	if (!file)
		bail_out_errno("cannot open %s/trace", INSTANCE);
	s->place = -1;
	s->value = -1;
	while (getline(&line, &size, file) >= 0) {
		const char *event = event_of(line);

		if (strstr(line, "LOST") && strstr(line, "EVENTS"))
			bail_out("the trace buffer is too small");
		if (!event)
			continue;
		if (matches(event, name, fields)) {
			int64_t value = s->field ? value_of(event, s->field) : -1;

			if (!found++)
				s->place = at;
			if (value > s->value)
				s->value = value;
		}
		at++;
	}
	free(line);
	fclose(file);
	return found;
}

unsigned int trace_count(const char *event, const char *fields, ...)
{
	struct search s = {0};
	va_list arguments;
	char text[512];

	va_start(arguments, fields);
	vsnprintf(text, sizeof(text), fields, arguments);
	va_end(arguments);
	return search(event, text, &s);
}

int trace_place(const char *event, const char *fields, ...)
{
	struct search s = {0};
	va_list arguments;
	char text[512];

	va_start(arguments, fields);
	vsnprintf(text, sizeof(text), fields, arguments);
	va_end(arguments);
	search(event, text, &s);
	return s.place;
}

int64_t trace_field(const char *field, const char *event, const char *fields, ...)
{
	struct search s = {.field = field};
	va_list arguments;
	char text[512];

	va_start(arguments, fields);
	vsnprintf(text, sizeof(text), fields, arguments);
	va_end(arguments);
	search(event, text, &s);
	return s.value;
}
