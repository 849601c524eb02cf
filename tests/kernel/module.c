// SPDX-License-Identifier: GPL-2.0
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "process.h"

static FILE *open_parameter(const char *name, const char *mode)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/vhost/parameters/%s", name);
	return fopen(path, mode);
}

bool module_has_parameter(const char *name)
{
	FILE *file = open_parameter(name, "re");

	if (!file)
		return false;
	fclose(file);
	return true;
}

unsigned int module_parameter(const char *name)
{
	FILE *file = open_parameter(name, "re");
	unsigned int value;

	if (!file || fscanf(file, "%u", &value) != 1)
		bail_out("cannot read the parameter %s of vhost", name);
	fclose(file);
	return value;
}

void module_set_parameter(const char *name, unsigned int value)
{
	FILE *file = open_parameter(name, "we");

	if (!file || fprintf(file, "%u\n", value) < 0 || fclose(file))
		bail_out_errno("cannot set the parameter %s of vhost to %u", name, value);
}

int module_references(const char *module)
{
	char path[64];
	FILE *file;
	int count;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%d", &count) != 1)
		bail_out("cannot read %s", path);
	fclose(file);
	return count;
}

/* Nothing tells when it can be done: the last reference goes with RCU. */
int module_unload(const char *module)
{
	for (int waited = 0; waited < LIMIT_MS; waited += 10) {
		if (!syscall(SYS_delete_module, module, O_NONBLOCK) || errno == ENOENT)
			return 0;
		if (errno != EAGAIN && errno != EBUSY)
			return -errno;
		poll(NULL, 0, 10);
	}
	return -EBUSY;
}

bool module_load(const char *module)
{
	return process_run((char *const[]){"modprobe", (char *)module, NULL});
}
