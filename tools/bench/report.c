// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <err.h>
#include <stdio.h>

bool report_is_good(const struct report *r)
{
	if (r->traffic->abandoned)
		return false;
	for (unsigned int i = 0; i < r->traffic->nr_streams; i++) {
		const struct stream *s = &r->traffic->streams[i];

		if (s->state == STREAM_STUCK || s->counts.corrupted || stream_lost(s))
			return false;
	}
	return true;
}

int report_print(const struct report *r)
{
	int result = r->options->json ? report_json(r) : report_text(r);

	if (fflush(stdout) || ferror(stdout))
		result = -1;
	if (result)
		warn("cannot write the results");
	return result;
}
