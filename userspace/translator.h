/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A translator knows what IOVA means which guest-physical address. One is
 * chosen by name when the program starts.
 */
#ifndef IOTLB_TRANSLATOR_H
#define IOTLB_TRANSLATOR_H

#include <stdint.h>

#include "mapping.h"

struct translator;

/**
 * struct translator_args - what the command line says
 * @table_path:	--table, NULL if it is not there
 */
struct translator_args {
	const char *table_path;
};

/**
 * struct translator_ops - one way to translate
 * @name:	for the command line
 * @summary:	one line for the help
 * @check:	are the arguments good for it? Says itself what is wrong; 0 or
 *		-EINVAL
 * @open:	gets ready, and says itself what is wrong; 0 or a negative
 *		errno; may be NULL
 * @translate:	finds the whole mapping around an address of a device; 0,
 *		-ENOENT if there is none; whether it allows an access is for
 *		the caller to see
 * @close:	the end; may be NULL
 */
struct translator_ops {
	const char *name;
	const char *summary;
	int (*check)(const struct translator_args *args);
	int (*open)(struct translator *translator, const struct translator_args *args);
	int (*translate)(struct translator *translator, uint64_t dev, uint64_t iova,
			 struct mapping *mapping);
	void (*close)(struct translator *translator);
};

/**
 * struct translator - a translator at work
 * @ops:	what it does
 * @state:	its own
 */
struct translator {
	const struct translator_ops *ops;
	void *state;
};

/* All of them, with NULL at the end; the first is the default. */
extern const struct translator_ops *const translators[];

extern const struct translator_ops translator_identity;
extern const struct translator_ops translator_table;

/* The one of this name, NULL if there is none. */
const struct translator_ops *translator_by_name(const char *name);

#endif /* IOTLB_TRANSLATOR_H */
