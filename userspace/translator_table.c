// SPDX-License-Identifier: GPL-2.0
/* What is mapped stands in a file (map_table.h) and is the same for every
 * device.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "map_table.h"
#include "translator.h"

static int table_load(struct map_table *table, const char *path)
{
	char error[MAP_TABLE_ERROR_MAX];
	FILE *file = fopen(path, "re");
	int err;

	if (!file) {
		err = -errno;
		log_error("cannot open the table %s: %s", path, strerror(-err));
		return err;
	}
	err = map_table_read(table, file, path, error);
	if (err)
		log_error("%s", error);
	fclose(file);
	return err;
}

static int table_check(const struct translator_args *args)
{
	if (args->table_path)
		return translator_refuse("table", "--vtd", args->vtd_path);
	log_error("--translator table has nothing to go by; name a file with --table FILE");
	return -EINVAL;
}

static int table_open(struct translator *translator, const struct translator_args *args)
{
	struct map_table *table;
	int err;

	table = calloc(1, sizeof(*table));
	if (!table) {
		log_error("no memory for the table %s", args->table_path);
		return -ENOMEM;
	}
	err = table_load(table, args->table_path);
	if (err) {
		free(table);
		return err;
	}
	log_debug("%zu mappings in %s", table->count, args->table_path);
	translator->state = table;
	return 0;
}

static int table_translate(struct translator *translator, const struct lookup *lookup,
			   struct finding *finding)
{
	return map_table_find(translator->state, lookup->iova, &finding->mapping);
}

static void table_close(struct translator *translator)
{
	map_table_clear(translator->state);
	free(translator->state);
	translator->state = NULL;
}

const struct translator_ops translator_table = {
	.name = "table",
	.summary = "mappings of the file that --table names",
	.check = table_check,
	.open = table_open,
	.translate = table_translate,
	.close = table_close,
};
