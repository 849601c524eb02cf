// SPDX-License-Identifier: GPL-2.0
#include "output.h"

#include <err.h>
#include <stdbool.h>
#include <string.h>

int output_write(const struct layout *l, const char *path, const char *what, output_fn write)
{
	bool is_stdout = !strcmp(path, "-");
	FILE *file = is_stdout ? stdout : fopen(path, "we");
	int result;

	if (!file) {
		warn("cannot write the %s to %s", what, path);
		return -1;
	}
	result = write(l, file);
	/* What does not fit on the disk shows only now. */
	if (is_stdout ? fflush(file) : fclose(file))
		result = -1;
	if (result) {
		warn("cannot write the %s to %s", what, path);
		return -1;
	}
	return 0;
}
