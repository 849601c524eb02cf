// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"
#include "text_file.h"
#include "top/format.h"

/* The first line of @text from @from on, without what people cannot read. */
static void take_line(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%.*s", (int)strcspn(from, "\n"), from);
	format_printable(to);
}

static void describe_cpu(struct record_machine *machine)
{
	char *text, *model;

	machine->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (text_file_read("/proc/cpuinfo", &text))
		return;
	model = strstr(text, "model name");
	if (model)
		model = strchr(model, ':');
	if (model)
		take_line(machine->cpu, sizeof(machine->cpu), model + 1 + strspn(model + 1, " "));
	free(text);
}

void machine_describe(struct record_machine *machine)
{
	struct utsname kernel;
	char *text;

	if (!uname(&kernel))
		take_line(machine->kernel, sizeof(machine->kernel), kernel.release);
	describe_cpu(machine);
	/* Those of the kernel itself have no version. */
	if (!text_file_read("/sys/module/vhost/version", &text) ||
	    !text_file_read("/sys/module/vhost/srcversion", &text)) {
		take_line(machine->vhost, sizeof(machine->vhost), text);
		free(text);
	}
	take_line(machine->toolkit, sizeof(machine->toolkit), VERSION);
}
