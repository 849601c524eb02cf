// SPDX-License-Identifier: GPL-2.0
#include "vtd_setup.h"

#include <err.h>
#include <string.h>

struct domain {
	struct vtd_tables *tables;
	unsigned int device;
};

static int enter(const struct mapping *m, void *arg)
{
	const struct domain *d = arg;
	int result =
		vtd_tables_map(d->tables, d->device, m->iova, m->gpa, m->size, m->size, m->perm);

	if (result)
		warnx("device %u: cannot enter IOVA 0x%llx into the tables of the IOMMU: %s",
		      d->device, (unsigned long long)m->iova, strerror(-result));
	return result;
}

int vtd_setup(struct vtd_tables *t, const struct layout *l, const struct guest *g)
{
	const struct area_place *area = &l->areas[AREA_VTD];
	int result = vtd_tables_init(t, area->gpa, guest_memory(g, area->gpa),
				     area->size / SLOT_SIZE, l->o.devices);

	if (result)
		warnx("cannot make the tables of the IOMMU: %s", strerror(-result));
	for (unsigned int i = 0; i < l->o.devices && !result; i++)
		result = layout_for_each(l, i, false, enter, &(struct domain){t, i});
	return result ? -1 : 0;
}

int sva_setup(struct sva_tables *t, const struct layout *l, const struct guest *g)
{
	const struct area_place *area = &l->areas[AREA_VTD];
	int result = sva_tables_init(t, area->gpa, guest_memory(g, area->gpa),
				     area->size / SLOT_SIZE, l->o.devices);

	if (result)
		warnx("cannot make the tables of the IOMMU: %s", strerror(-result));
	return result ? -1 : 0;
}
