// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "html.h"
#include "top/format.h"

void html_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			putc(*text, out);
		}
	}
}

char *html_count(char buffer[HTML_SIZE], uint64_t count)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *to = buffer;
	int i;

	for (i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buffer;
}

static char *unknown(char buffer[HTML_SIZE])
{
	return strcpy(buffer, "–");
}

char *html_percent(char buffer[HTML_SIZE], double share)
{
	char percent[FORMAT_SIZE];

	if (isnan(share))
		return unknown(buffer);
	snprintf(buffer, HTML_SIZE, "%s%%", format_percent(percent, share));
	return buffer;
}

char *html_time(char buffer[HTML_SIZE], double ns)
{
	static const char *const units[] = {"ns", "µs", "ms", "s"};
	int unit = 0;

	if (isnan(ns))
		return unknown(buffer);
	while (ns >= 999.5 && unit < 3) {
		ns /= 1000;
		unit++;
	}
	snprintf(buffer, HTML_SIZE, ns < 9.95 && ns != (int)ns ? "%.1f %s" : "%.0f %s", ns,
		 units[unit]);
	return buffer;
}

char *html_bytes(char buffer[HTML_SIZE], unsigned int log2)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

	snprintf(buffer, HTML_SIZE, "%u %s", 1U << log2 % 10, units[log2 / 10]);
	return buffer;
}

char *html_rate(char buffer[HTML_SIZE], double rate)
{
	char number[FORMAT_SIZE];

	snprintf(buffer, HTML_SIZE, "%s/s", format_short(number, rate));
	return buffer;
}

char *html_difference(char buffer[HTML_SIZE], uint64_t from, uint64_t to)
{
	char count[HTML_SIZE];

	if (from == to)
		return strcpy(buffer, "0");
	snprintf(buffer, HTML_SIZE, "%s%s", to > from ? "+" : "−",
		 html_count(count, to > from ? to - from : from - to));
	return buffer;
}
