// SPDX-License-Identifier: GPL-2.0
#include "assets.h"

/* Paths are from the top of the repository, where the compiler runs. */
#define ASSET(name, path)                                                                          \
	asm(".pushsection .rodata\n"                                                               \
	    ".global " #name "\n" #name ":\n"                                                      \
	    ".incbin \"" path "\"\n"                                                               \
	    ".byte 0\n"                                                                            \
	    ".popsection\n")

ASSET(report_css, "tools/record/report/report.css");
ASSET(report_js, "tools/record/report/report.js");
