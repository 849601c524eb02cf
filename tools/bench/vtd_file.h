/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_VTD_FILE_H
#define BENCH_VTD_FILE_H

#include <stdio.h>

#include "layout.h"

/* Writes what iotlbd --vtd has to know of this guest's IOMMU. Return: < 0 on error. */
int vtd_file_write(const struct layout *l, FILE *file);

#endif /* BENCH_VTD_FILE_H */
