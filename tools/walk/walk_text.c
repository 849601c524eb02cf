// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "vtd_name.h"
#include "walk_decode.h"
#include "walk_record.h"
#include "walk_space.h"
#include "walk_view.h"

static const char *access_name(uint8_t access)
{
	static const char *const names[] = {"nothing", "read", "write", "read and write"};

	return names[access & (VTD_READ | VTD_WRITE)];
}

/* Where the walk begins, if that stands in no table. */
static void print_space(FILE *out, const struct walk_record *record)
{
	const struct walk_space *space = record->space;

	if (space->kind == WALK_SPACE_ATTACHED)
		fprintf(out, "attached: PASID directory at 0x%" PRIx64 ", of %u bits\n",
			space->table.base, space->table.bits);
	if (space->kind != WALK_SPACE_BOUND)
		return;
	fprintf(out, "bound: first level of %d at 0x%" PRIx64, space->binding.width == 57 ? 5 : 4,
		space->binding.root);
	if (record->parent.levels)
		fprintf(out, ", nested in the second level of %u at 0x%" PRIx64 "\n",
			record->parent.levels, (uint64_t)record->parent.table);
	else
		fprintf(out, ", nested in none\n");
}

static void print_head(FILE *out, const struct walk_record *record)
{
	const struct vtd_request *request = &record->request;
	const struct walk_space *space = record->space;

	fprintf(out, "0x%" PRIx64 ", %s", (uint64_t)request->iova, access_name(request->access));
	if (space->kind == WALK_SPACE_IOMMU || space->has_iommu)
		fprintf(out, ", by %02x:%02x.%x", request->source_id >> 8,
			request->source_id >> 3 & 0x1f, request->source_id & 7);
	if (request->pasid != VTD_NO_PASID)
		fprintf(out, ", PASID 0x%x", request->pasid);
	fputc('\n', out);
	print_space(out, record);
	fprintf(out, "%-16s %5s %18s %18s MEANING\n", "TABLE", "LEVEL", "AT", "ENTRY");
}

static void print_step(FILE *out, const struct walk_record *record, size_t index)
{
	const struct walk_step *step = &record->steps[index];
	struct walk_decoded decoded;
	char level[12] = "-";
	size_t i;

	if (step->level)
		snprintf(level, sizeof(level), "%d", step->level);
	fprintf(out, "%-16s %5s %#18" PRIx64, vtd_table_name(step->table), level, step->gpa);
	if (step->err)
		fprintf(out, " %18s", "-");
	else
		fprintf(out, " 0x%016" PRIx64, step->words[0]);

	walk_decode(record, index, &decoded);
	for (i = 0; i < decoded.count; i++)
		fprintf(out, "%s%s", i ? ", " : " ", decoded.phrases[i]);
	fputc('\n', out);
	for (i = 1; i < step->count && !step->err; i++)
		fprintf(out, "%-16s %5s %18s 0x%016" PRIx64 "\n", "", "", "", step->words[i]);
}

static void print_end(FILE *out, const struct walk_record *record)
{
	static const char *const sizes[] = {"by pass-through", "page of 4K", "page of 2M",
					    "page of 1G"};
	const struct vtd_translation *found = &record->translation;
	const struct vtd_walk *where = &record->where;

	if (where->fault)
		fprintf(out, "fault %s: %s (table %s, level %u)\n", vtd_fault_name(where->fault),
			vtd_fault_text(where->fault), vtd_table_name(where->fault_table),
			where->fault_level);
	else
		fprintf(out, "0x%" PRIx64 " is 0x%" PRIx64 ", %s, %s\n",
			(uint64_t)record->request.iova,
			(uint64_t)(found->gpa + (record->request.iova - found->iova)),
			sizes[found->level & 3], access_name(found->perm));
}

void walk_view_text(FILE *out, const struct walk_record *record)
{
	size_t i;

	print_head(out, record);
	for (i = 0; i < record->count; i++)
		print_step(out, record, i);
	print_end(out, record);
}
