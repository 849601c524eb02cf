/* SPDX-License-Identifier: GPL-2.0 */
/* Files that are part of the program, and of each report. */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

extern const char report_css[];
extern const char report_js[];

#endif /* REPORT_ASSETS_H */
