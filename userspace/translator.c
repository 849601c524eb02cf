// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <string.h>

#include "translator.h"

const struct translator_ops *const translators[] = {
	&translator_identity,
	&translator_table,
	NULL,
};

const struct translator_ops *translator_by_name(const char *name)
{
	const struct translator_ops *const *ops;

	for (ops = translators; *ops; ops++)
		if (!strcmp((*ops)->name, name))
			return *ops;
	return NULL;
}
