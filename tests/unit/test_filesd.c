/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/config/filesd.h"

static int load(const char *name, const char *text, struct target_list *list, char **ret_errors)
{
    struct diags d = {0};
    size_t len;
    FILE *out = open_memstream(ret_errors, &len);
    int r = filesd_load_text(name, text, strlen(text), list, &d);

    assert_non_null(out);
    assert_int_equal(r < 0, diags_count(&d) > 0);
    diags_print(&d, out);
    assert_int_equal(fclose(out), 0);
    diags_done(&d);
    return r;
}

static void assert_loads(const char *name, const char *text, struct target_list *list)
{
    char *errors;

    assert_int_equal(load(name, text, list, &errors), 0);
    assert_string_equal(errors, "");
    free(errors);
}

/* Fails with this text, and leaves the list alone. */
static void assert_fails(const char *name, const char *text, const char *expected)
{
    struct target_list list = {.n = 99};
    char *errors;

    assert_true(load(name, text, &list, &errors) < 0);
    assert_string_equal(errors, expected);
    assert_int_equal(list.n, 99);
    free(errors);
}

static void test_json(void **state)
{
    struct target_list l;

    (void)state;
    assert_loads("a.json",
                 "[{\"targets\": [\"10.0.0.1:6060\", \"unix:\\/run\\/x.sock\"],\n"
                 "\t\"labels\": {\"env\": \"prod\", \"__meta_x\": \"y\","
                 " \"n\": \"\\u00e9\\ud83d\\uDE00\", \"back\": \"\\\\ud83d\", \"none\": \"\"}},\n"
                 " {\"targets\": [\"[::1]:1\"]}, {\"targets\": []}]\n",
                 &l);
    assert_int_equal(l.n, 3);
    assert_string_equal(l.items[0].address, "10.0.0.1:6060");
    assert_int_equal(l.items[0].parsed.port, 6060);
    assert_int_equal(l.items[0].n_labels, 4);
    assert_string_equal(l.items[0].labels[0].name, "env");
    assert_string_equal(l.items[0].labels[0].value, "prod");
    assert_string_equal(l.items[0].labels[1].name, "__meta_x");
    assert_string_equal(l.items[0].labels[2].value, "\xc3\xa9\xf0\x9f\x98\x80");
    assert_string_equal(l.items[0].labels[3].value, "\\ud83d");
    assert_string_equal(l.items[1].parsed.unix_path, "/run/x.sock");
    assert_int_equal(l.items[1].n_labels, 4);
    assert_ptr_not_equal(l.items[0].labels[0].value, l.items[1].labels[0].value);
    assert_string_equal(l.items[2].address, "[::1]:1");
    assert_int_equal(l.items[2].n_labels, 0);
    target_list_done(&l);
    assert_int_equal(l.n, 0);
}

static void test_yaml(void **state)
{
    struct target_list l;

    (void)state;
    assert_loads("a.yml", "- targets: [a:1, 'b:2']\n  labels:\n    env: ${HOME}\n    n: 5\n", &l);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.items[1].address, "b:2");
    /* Variables are the configuration's own. */
    assert_string_equal(l.items[1].labels[0].value, "${HOME}");
    assert_string_equal(l.items[1].labels[1].value, "5");
    target_list_done(&l);
    assert_loads("a.yml", "[]", &l);
    assert_int_equal(l.n, 0);
    target_list_done(&l);
}

static void test_bad(void **state)
{
    (void)state;
    assert_fails("a.json", "", "a.json: the file is empty; no targets are written as []\n");
    assert_fails("a.yml", "# x\n", "a.yml: the file is empty; no targets are written as []\n");
    assert_fails("a.json", "{}",
                 "a.json:1:1: expected a list of groups of targets, got a mapping\n{}\n^\n");
    assert_fails("a.json", "[{\"targets\": [\"a:1\"]",
                 "a.json:2:1: did not find expected ',' or '}', while parsing a flow mapping that "
                 "begins in line 1\n");
    assert_fails("a.json", "[{\"target\": [\"a:1\"]}]",
                 "a.json:1:2: `targets` is missing in a group of targets\n"
                 "a.json:1:3: unknown key `target` in a group of targets; did you mean `targets`?\n"
                 "[{\"target\": ...\n  ^\n");
    assert_fails("a.yml", "- targets: [a:1, 'http://b']\n- c:1\n",
                 "a.yml:1:18: target `http://b`: a target is host:port; the scheme belongs into "
                 "`scheme`\n- targets: [a:1, 'http://b']\n                 ^\n"
                 "a.yml:2:3: expected a mapping in a group of targets, got text\n- c:1\n  ^\n");
    assert_fails("a.json", "[{\"targets\": [\"a:1\"], \"labels\": {\"n\": \"\\ud83d\"}}]",
                 "a.json:1:42: found invalid Unicode character escape code, while parsing a quoted "
                 "scalar\n[{\"targets\": [\"a:1\"], \"labels\": {\"n\": \"\\ud83d\"}}]\n"
                 "                                         ^\n");
}

static void test_files(void **state)
{
    struct target_list l = {.n = 99};
    struct diags d = {0};
    char path[] = "/tmp/contrace-filesd-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");

    (void)state;
    assert_non_null(f);
    assert_int_equal(filesd_load("/nonexistent/a.json", &l, &d), -ENOENT);
    assert_string_equal(d.items[0].message, "cannot be read: No such file or directory");
    assert_int_equal(filesd_load("/", &l, &d), -EISDIR);
    assert_int_equal(filesd_load("/dev/null", &l, &d), -EINVAL);
    assert_int_equal(diags_count(&d), 3);
    assert_int_equal(l.n, 99);
    diags_done(&d);
    fputs("- targets: [a:1]\n", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(filesd_load(path, &l, &d), 0);
    assert_int_equal(l.n, 1);
    target_list_done(&l);
    assert_int_equal(truncate(path, YAML_FILE_MAX + 1), 0);
    assert_int_equal(filesd_load(path, &l, &d), -E2BIG);
    assert_string_equal(d.items[0].message, "the file is larger than 4MiB");
    diags_done(&d);
    (void)remove(path);
}

/* One more than the most that a file may have. */
static void test_many(void **state)
{
    struct target_list l;
    char *text = NULL, *errors;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    (void)state;
    assert_non_null(f);
    fputs("[{\"targets\":[", f);
    for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
        fprintf(f, "%s\"h%d:1\"", i ? ",\n" : "", i);
    fputs("]}]", f);
    assert_int_equal(fflush(f), 0);
    assert_loads("a.json", text, &l);
    assert_int_equal(l.n, CONFIG_TARGETS_MAX);
    target_list_done(&l);
    assert_int_equal(fseek(f, -3, SEEK_CUR), 0);
    fputs("]},{\"targets\":[\"more:1\"]}]", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(load("a.json", text, &l, &errors), -E2BIG);
    assert_non_null(strstr(errors, "a.json:100000:"));
    assert_non_null(strstr(errors, "more than 100000 targets in one file"));
    free(errors);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),  cmocka_unit_test(test_yaml), cmocka_unit_test(test_bad),
        cmocka_unit_test(test_files), cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
