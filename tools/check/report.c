// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>

#include "report.h"
#include "rules.h"

static const char *const kinds[] = {
	[FINDING_GOOD] = "good",
	[FINDING_NOTE] = "note",
	[FINDING_PROBLEM] = "problem",
};

static void show(FILE *out, const struct finding *finding)
{
	fprintf(out, "%s: %s: %s", kinds[finding->kind], finding->subject, finding->what);
	if (finding->evidence[0])
		fprintf(out, "\n    seen by: %s", finding->evidence);
	if (finding->advice[0])
		fprintf(out, "\n    change:  %s", finding->advice);
	fputc('\n', out);
}

void findings_show_text(FILE *out, const struct findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++)
		show(out, &findings->list[i]);
}

static void add(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value[0] ? json_object_new_string(value) : NULL);
}

void findings_show_json(FILE *out, const struct findings *findings)
{
	const struct finding *finding;
	struct json_object *object;
	size_t i;

	for (i = 0; i < findings->count; i++) {
		finding = &findings->list[i];
		object = json_object_new_object();
		add(object, "kind", kinds[finding->kind]);
		add(object, "name", finding->name);
		add(object, "subject", finding->subject);
		add(object, "what", finding->what);
		add(object, "evidence", finding->evidence);
		add(object, "advice", finding->advice);
		fprintf(out, "%s\n",
			json_object_to_json_string_ext(
				object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(object);
	}
}
