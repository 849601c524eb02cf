// SPDX-License-Identifier: GPL-2.0
/*
 * iotlb-check - explains what the device IOTLBs of a running QEMU do
 *
 *	gather		facts: from QEMU's monitor and the tables of the guest's
 *			IOMMU, and by watching the vhost devices
 *	rules		what follows from them
 *	report		shows it
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "check/check_options.h"
#include "check/facts.h"
#include "check/gather_counts.h"
#include "check/gather_qemu.h"
#include "check/report.h"
#include "check/rules.h"
#include "log.h"

static bool process_exists(pid_t pid)
{
	if (!kill(pid, 0) || errno == EPERM)
		return true;
	log_error("there is no process %d; pgrep -a qemu lists those of guests", pid);
	return false;
}

static bool gather(struct check_facts *facts, const struct check_options *options)
{
	facts->pid = options->pid;
	/* First what fails soon. */
	if (!process_exists(options->pid) || gather_qemu(facts, options) ||
	    gather_counts(facts, options->duration))
		return false;
	gather_nics(facts);
	return true;
}

int main(int argc, char **argv)
{
	static struct check_options options;
	static struct check_facts facts;
	static struct findings findings;

	check_options_parse(&options, argc, argv);
	if (!gather(&facts, &options))
		return EXIT_FAILURE;
	check_rules(&facts, &findings);
	(options.json ? findings_show_json : findings_show_text)(stdout, &findings);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write to standard output");
		return EXIT_FAILURE;
	}
	return findings_have_problem(&findings) ? EXIT_FAILURE : EXIT_SUCCESS;
}
