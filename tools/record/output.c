// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "output.h"

/* The same for all files of a run, even if a second passes meanwhile. */
static void name_by_time(char *name, size_t size)
{
	static time_t now;

	if (!now)
		now = time(NULL);
	strftime(name, size, "iotlb-record-%Y%m%d-%H%M%S.html", localtime(&now));
}

static bool make_path(struct output *output, const char *base, const char *extension)
{
	char name[64];
	int length;

	if (!base) {
		name_by_time(name, sizeof(name));
		base = name;
	}
	length = (int)(strlen(base) - strlen(".html"));
	if (snprintf(output->path, sizeof(output->path), "%.*s%s", length, base, extension) <
	    (int)sizeof(output->path))
		return true;
	log_error("cannot write %s: %s", base, strerror(ENAMETOOLONG));
	return false;
}

bool output_open(struct output *output, const char *base, const char *extension, bool force)
{
	int fd;

	if (!make_path(output, base, extension))
		return false;
	fd = open(output->path, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0666);
	if (fd >= 0)
		output->file = fdopen(fd, "w");
	if (output->file)
		return true;
	if (errno == EEXIST)
		log_error("%s is there already; give another name with --output, or --force",
			  output->path);
	else
		log_error("cannot write %s: %s", output->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return false;
}

bool output_close(struct output *output)
{
	bool good = !ferror(output->file);

	if (fclose(output->file))
		good = false;
	output->file = NULL;
	if (!good)
		log_error("cannot write %s: %s", output->path, strerror(errno));
	return good;
}

void output_remove(struct output *output)
{
	if (!output->file)
		return;
	fclose(output->file);
	output->file = NULL;
	unlink(output->path);
}
