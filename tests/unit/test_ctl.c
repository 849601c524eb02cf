// SPDX-License-Identifier: GPL-2.0
/* Command lines of iotlbctl: what is asked, what is refused, what is shown. */
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/ctl_options.h"
#include "ctl/ctl_request.h"
#include "ctl/ctl_show.h"

#define EXIT_USAGE 2

static struct ctl_options options;

static void parse(const char *line)
{
	/* Options point into it. */
	static char copy[256];
	char *argv[16] = {(char[]){"iotlbctl"}}, *rest = copy;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	while ((argv[argc] = strsep(&rest, " ")))
		argc++;
	ctl_options_parse(&options, argc, argv);
}

static void assert_asks(const char *line, const char *expected)
{
	struct json_object *request;
	char text[512];
	size_t i;

	parse(line);
	request = ctl_request(&options, 0);
	snprintf(text, sizeof(text), "%s",
		 json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	json_object_put(request);
	for (i = 0; text[i]; i++)
		if (text[i] == '"')
			text[i] = '\'';
	assert_string_equal(text, expected);
}

static void test_requests(void **state)
{
	(void)state;
	assert_asks("devices", "{'command':'devices'}");
	assert_asks("pasids 7", "{'command':'pasids','device':7}");
	assert_asks("page-requests 7", "{'command':'page-requests','device':7,'on':true}");
	assert_null(options.answer);
	assert_asks("page-requests 7 --answer=invalid",
		    "{'command':'page-requests','device':7,'on':true}");
	assert_string_equal(options.answer, "invalid");
	assert_asks("attach 7 0x10000",
		    "{'command':'attach','device':7,'base':65536,'bits':20,'keep':true}");
	assert_asks("--bits=13 attach 7 4096",
		    "{'command':'attach','device':7,'base':4096,'bits':13,'keep':true}");
	assert_asks("detach 7", "{'command':'detach','device':7}");
	assert_asks("alloc 7", "{'command':'alloc','device':7,'keep':true}");
	assert_asks("alloc 7 --max 9 --min=0",
		    "{'command':'alloc','device':7,'min':0,'max':9,'keep':true}");
	assert_asks("free 7 5", "{'command':'free','device':7,'pasid':5}");
	assert_asks("bind 7 5 0x1000",
		    "{'command':'bind','device':7,'pasid':5,'root':4096,'width':48}");
	assert_asks("bind 7 5 0xffffffffffffffff --width=57 --flags sre,wpe --guest-pasid=3",
		    "{'command':'bind','device':7,'pasid':5,'root':18446744073709551615,"
		    "'width':57,'flags':['sre','wpe'],'guest_pasid':3}");
	assert_asks("unbind 7 5", "{'command':'unbind','device':7,'pasid':5}");
	assert_asks("invalidate 7", "{'command':'invalidate','device':7,'granularity':'domain'}");
	assert_asks("invalidate 7 --pasid 0 --caches=iotlb,pasid",
		    "{'command':'invalidate','device':7,'granularity':'pasid','pasid':0,"
		    "'caches':['iotlb','pasid']}");
	assert_asks("invalidate 7 --pasid=5 --address=0x7000 --granule=4k --count=3 --leaf",
		    "{'command':'invalidate','device':7,'granularity':'address','pasid':5,"
		    "'address':28672,'granule':4096,'count':3,'leaf':true}");
	assert_asks("invalidate 7 --address=0 --granule=1g",
		    "{'command':'invalidate','device':7,'granularity':'address','address':0,"
		    "'granule':1073741824}");
	assert_asks("invalidate 7 --address=0 --granule=8192 --caches=",
		    "{'command':'invalidate','device':7,'granularity':'address','address':0,"
		    "'granule':8192,'caches':['']}");
	assert_asks("translate 7 5 0x7000",
		    "{'command':'translate','device':7,'pasid':5,'address':28672}");
	assert_asks("translate 7 5 1 --access=rw",
		    "{'command':'translate','device':7,'pasid':5,'address':1,'access':'rw'}");
	/* Where a list goes on */
	parse("pasids 7");
	assert_int_equal(
		json_object_get_int64(json_object_object_get(ctl_request(&options, 33), "after")),
		33);
}

static void test_usage(void **state)
{
	static const char *const lines[] = {
		"",
		"nothing",
		"devices 7",
		"pasids",
		"pasids x",
		"pasids -1",
		"pasids 18446744073709551616",
		"free 7",
		"free 7 5 6",
		"bind 7 5",
		"bind 7 5 4096 1",
		"alloc 7 --bits=13",
		"alloc 7 --min=",
		"attach 7 0x",
		"unbind 7 5 --leaf",
		"invalidate 7 --leaf",
		"invalidate 7 --pasid=5 --granule=4k",
		"invalidate 7 --count=4",
		"invalidate 7 --address=0 --granule=4m",
		"translate 7 5",
		"bind 7 5 4096 --access=r",
		"page-requests",
		"page-requests 7 --answer",
		"page-requests 7 --answer=maybe",
		"translate 7 5 1 --answer=invalid",
		"request 7",
	};
	int status;
	pid_t child;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		child = fork();
		assert_true(child >= 0);
		if (!child) {
			dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
			parse(lines[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_USAGE)
			fail_msg("\"%s\": status 0x%x", lines[i], status);
	}
}

/* Returns where the rest of the list begins. */
static uint64_t assert_shows(enum ctl_command command, const char *result, const char *expected)
{
	struct json_object *object = json_tokener_parse(result);
	uint64_t rest;
	char *text;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	assert_non_null(out);
	ctl_show(out, command, object, true);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	rest = ctl_rest_of(command, object);
	json_object_put(object);
	return rest;
}

static void test_show(void **state)
{
	(void)state;
	assert_shows(CTL_ALLOC, "{\"pasid\":256}", "256\n");
	assert_shows(CTL_FREE, "{}", "");
	assert_shows(CTL_TRANSLATE,
		     "{\"address\":4096,\"size\":8192,\"gpa\":1048576,\"access\":\"rw\"}",
		     "0x1000 size 0x2000 gpa 0x100000 rw\n");
	assert_int_equal(
		assert_shows(CTL_DEVICES,
			     "{\"devices\":[{\"device\":7,\"pid\":4711,\"comm\":\"qemu\","
			     "\"asid\":true,\"pasids\":3,\"table\":{\"base\":4096,\"bits\":20}},"
			     "{\"device\":12,\"pid\":1,\"comm\":\"x y\",\"asid\":false,"
			     "\"pasids\":0}],\"more\":true}",
			     "  DEVICE      PID  COMMAND         ASID   PASIDS  TABLE/BITS\n"
			     "       7     4711  qemu             yes        3  0x1000/20\n"
			     "      12        1  x y               no        0  -\n"),
		12);
	assert_int_equal(
		assert_shows(CTL_PASIDS,
			     "{\"pasids\":[{\"pasid\":5,\"keep\":true,\"binding\":{"
			     "\"root\":4096,\"width\":57,\"flags\":[\"sre\",\"wpe\"],"
			     "\"guest_pasid\":9}},{\"pasid\":6,\"keep\":false},"
			     "{\"pasid\":8,\"keep\":true,\"binding\":{\"root\":0,\"width\":48,"
			     "\"flags\":[]}}],\"more\":false}",
			     "   PASID KEEP               ROOT WIDTH GUEST FLAGS\n"
			     "       5  yes             0x1000    57     9 sre,wpe\n"
			     "       6   no                  -     -     - -\n"
			     "       8  yes                0x0    48     - -\n"),
		0);
	/* Another version says less, or something else. */
	assert_shows(CTL_DEVICES, "{\"devices\":[{}],\"more\":true}",
		     "  DEVICE      PID  COMMAND         ASID   PASIDS  TABLE/BITS\n"
		     "       0        0  -                 no        0  -\n");
	assert_int_equal(assert_shows(CTL_DEVICES, "{\"devices\":[],\"more\":true}",
				      "  DEVICE      PID  COMMAND         ASID   PASIDS  "
				      "TABLE/BITS\n"),
			 0);
	assert_shows(CTL_DEVICES, "{\"devices\":5}", "");
	assert_shows(CTL_DEVICES, "[]", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
