/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/source/discovery.h"
#include "lib/config/filesd.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

/*
 * Real files, real inotify, a real loop. Waiting is for a change that must come, however long it
 * takes; the alarm of all unit tests ends one for which it never does.
 */

struct world {
    char *dir;
    size_t descriptors; /* before all */
    sd_event *event;
    struct discovery *discovery;
    struct config config;
    struct job_config jobs[2];
    char *patterns[2][2];
    unsigned changes;
    char warnings[16384];
};

static void on_changed(void *userdata)
{
    struct world *w = userdata;

    w->changes++;
}

static void on_log(void *userdata, enum log_level level, const struct log_fields *fields,
                   const char *message)
{
    struct world *w = userdata;
    size_t len = strlen(w->warnings);

    (void)fields;
    if (level <= LOG_LEVEL_WARN)
        (void)snprintf(w->warnings + len, sizeof(w->warnings) - len, "%s\n", message);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    log_set_sink(on_log, w);
    w->dir = scratch_new(NULL);
    w->descriptors = scratch_descriptors();
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(discovery_new(w->event, on_changed, w, &w->discovery), 0);
    w->config.jobs = w->jobs;
    w->config.n_jobs = 2;
    for (size_t j = 0; j < 2; j++) {
        w->jobs[j].path = TEXT("/debug/pprof/trace");
        w->jobs[j].name = j == 0 ? TEXT("first") : TEXT("second");
        w->jobs[j].file_sd = w->patterns[j];
        w->jobs[j].file_sd_refresh = USEC_PER_HOUR; /* so that only inotify can tell */
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    discovery_free(w->discovery);
    sd_event_unref(w->event);
    assert_int_equal(scratch_descriptors(), w->descriptors);
    for (size_t j = 0; j < 2; j++) {
        for (size_t i = 0; i < 2; i++)
            free(w->patterns[j][i]);
        target_list_done(&w->jobs[j].targets);
    }
    scratch_free(w->dir);
    log_set_sink(NULL, NULL);
    free(w);
    return 0;
}

static void watch(struct world *w, size_t job, const char *name)
{
    size_t i = w->jobs[job].n_file_sd++;

    assert_true(i < 2);
    w->patterns[job][i] = strdup(scratch_path(w->dir, name));
    assert_non_null(w->patterns[job][i]);
}

static void set(struct world *w)
{
    assert_int_equal(discovery_set(w->discovery, &w->config), 0);
}

/* The addresses of a job, in the order in which they came, as one text. */
static const char *addresses(struct world *w, size_t job)
{
    static char text[4096];
    struct target_list list = {0};
    size_t len = 0;

    text[0] = '\0';
    assert_int_equal(discovery_targets(w->discovery, &w->config, job, &list), 0);
    for (size_t i = 0; i < list.n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "",
                                list.items[i].address);
    target_list_done(&list);
    return text;
}

/* Runs the loop until the job has exactly these. */
static void await(struct world *w, size_t job, const char *expected)
{
    while (strcmp(addresses(w, job), expected) != 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}

/* Runs the loop until one more change was told. */
static void await_change(struct world *w)
{
    for (unsigned before = w->changes; w->changes == before;)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}

static void write_file(struct world *w, const char *name, const char *text)
{
    (void)scratch_text(w->dir, name, text);
}

static void test_nothing(void **state)
{
    struct world *w = *state;

    set(w);
    assert_string_equal(addresses(w, 0), "");
    watch(w, 0, "none-*.json");
    watch(w, 1, "nowhere/x.json");
    set(w);
    assert_string_equal(addresses(w, 0), "");
    assert_string_equal(addresses(w, 1), "");
    assert_int_equal(w->changes, 0);
    assert_string_equal(w->warnings, "");
    discovery_free(NULL);
}

static void test_read_at_set(void **state)
{
    struct world *w = *state;
    struct diags diags = {0};

    write_file(w, "a.json", "[{\"targets\": [\"a:1\", \"a:2\"], \"labels\": {\"env\": \"x\"}}]");
    write_file(w, "b.yml", "- targets: [b:1]\n");
    write_file(w, ".hidden.json", "[{\"targets\": [\"hidden:1\"]}]");
    watch(w, 0, "*.json");
    watch(w, 1, "b.yml");
    assert_int_equal(
        filesd_load_text("static", "- targets: ['s:1']", 18, &w->jobs[1].targets, &diags), 0);
    set(w);
    assert_string_equal(addresses(w, 0), "a:1 a:2");
    assert_string_equal(addresses(w, 1), "s:1 b:1");
    assert_int_equal(w->changes, 0);
}

/* The same file for two jobs, and by two patterns of one job. */
static void test_overlapping_patterns(void **state)
{
    struct world *w = *state;

    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]}]");
    watch(w, 0, "*.json");
    watch(w, 0, "a.json");
    watch(w, 1, "?.json");
    set(w);
    assert_string_equal(addresses(w, 0), "a:1 a:1"); /* once is once to targets_update */
    assert_string_equal(addresses(w, 1), "a:1");
}

static void test_double_slash(void **state)
{
    struct world *w = *state;

    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]}]");
    watch(w, 0, "/*.json");
    watch(w, 1, "/a.json");
    set(w);
    assert_string_equal(addresses(w, 0), "a:1");
    assert_string_equal(addresses(w, 1), "a:1");
}

static void test_life_of_a_file(void **state)
{
    struct world *w = *state;

    watch(w, 0, "*.json");
    set(w);
    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]}]");
    await(w, 0, "a:1");
    write_file(w, "a.json", "[{\"targets\": [\"a:1\", \"a:2\"]}]");
    await(w, 0, "a:1 a:2");
    write_file(w, "a.json", "[]");
    await(w, 0, "");
    write_file(w, "new", "[{\"targets\": [\"a:3\"]}]"); /* as programs should do it */
    assert_int_equal(rename(scratch_path(w->dir, "new"), scratch_path(w->dir, "a.json")), 0);
    await(w, 0, "a:3");
    assert_int_equal(unlink(scratch_path(w->dir, "a.json")), 0);
    await(w, 0, "");
    write_file(w, "a.json", "[{\"targets\": [\"a:4\"]}]");
    await(w, 0, "a:4");
    assert_int_equal(rename(scratch_path(w->dir, "a.json"), scratch_path(w->dir, "a.bak")), 0);
    await(w, 0, "");
}

/* Broken keeps what was said before, and is said once. */
static void test_broken(void **state)
{
    struct world *w = *state;

    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]}]");
    write_file(w, "b.json", "[{\"targets\": [\"b:1\"]}]");
    watch(w, 0, "a.json");
    watch(w, 1, "b.json");
    set(w);
    write_file(w, "a.json", "[{\"targets\": [\"a:1\"");
    await_change(w);
    assert_string_equal(addresses(w, 0), "a:1");
    assert_non_null(strstr(w->warnings, "a.json is broken"));
    w->warnings[0] = '\0';
    write_file(w, "a.json", "");
    write_file(w, "b.json", "[{\"targets\": [\"b:2\"]}]");
    await(w, 1, "b:2");
    assert_string_equal(addresses(w, 0), "a:1");
    assert_string_equal(w->warnings, "");
    write_file(w, "a.json", "[{\"targets\": [\"a:2\"]}]");
    await(w, 0, "a:2");
    write_file(w, "a.json", "{");
    await_change(w);
    assert_non_null(strstr(w->warnings, "a.json is broken"));
    assert_string_equal(addresses(w, 0), "a:2");
    assert_int_equal(unlink(scratch_path(w->dir, "a.json")), 0); /* gone is not broken */
    await(w, 0, "");
}

/* What never was good has no targets that could stay; and one error is one line. */
static void test_broken_from_the_start(void **state)
{
    struct world *w = *state;
    char expected[1024];

    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]},\n {\"targetz\": []},\n {\"label\": {}}]\n");
    watch(w, 0, "a.json");
    set(w);
    assert_string_equal(addresses(w, 0), "");
    (void)snprintf(expected, sizeof(expected),
                   "file_sd %s is broken, it adds no targets: %s:2:", w->patterns[0][0],
                   w->patterns[0][0]);
    assert_memory_equal(w->warnings, expected, strlen(expected));
    assert_non_null(strstr(w->warnings, "unknown key `targetz`"));
    assert_non_null(strstr(w->warnings, "more: contraced --check-config shows all\n"));
    assert_ptr_equal(strchr(w->warnings, '\n') + 1, w->warnings + strlen(w->warnings));
}

static void check(struct world *w, char *out, size_t size)
{
    struct diags diags = {0};
    FILE *f = fmemopen(out, size, "w");

    assert_non_null(f);
    discovery_check(&w->config, f, &diags);
    diags_print(&diags, f);
    diags_done(&diags);
    assert_int_equal(fclose(f), 0);
}

/* Nothing is watched or logged for it. Patterns of two jobs that meet say a fault once. */
static void test_check(void **state)
{
    struct world *w = *state;
    char out[4096] = "", expected[4096];

    watch(w, 0, "*.json");
    watch(w, 0, "later.yaml");
    watch(w, 1, "b.json");
    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]}]");
    write_file(w, "b.json", "[]");
    check(w, out, sizeof(out));
    (void)snprintf(expected, sizeof(expected),
                   "contraced: warning: file_sd %s matches no file: its targets come with one\n",
                   w->patterns[0][1]);
    assert_string_equal(out, expected);

    write_file(w, "later.yaml", "[]");
    write_file(w, "b.json", "[\n{\"targets\": [], \"label\": {}}]");
    check(w, out, sizeof(out));
    (void)snprintf(expected, sizeof(expected), "%s:2:17: unknown key `label`", w->patterns[1][0]);
    assert_memory_equal(out, expected, strlen(expected));
    assert_null(strstr(out + strlen(expected), "/b.json"));
    assert_string_equal(w->warnings, "");
}

/* A directory in the file's place, or one too big, is a broken file too. */
static void test_not_a_file(void **state)
{
    struct world *w = *state;

    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]}]");
    watch(w, 0, "a.json");
    set(w);
    assert_int_equal(unlink(scratch_path(w->dir, "a.json")), 0);
    assert_int_equal(mkdir(scratch_path(w->dir, "a.json"), 0700), 0);
    await_change(w);
    assert_string_equal(addresses(w, 0), "a:1");
    assert_int_equal(rmdir(scratch_path(w->dir, "a.json")), 0);
    await(w, 0, "");
}

/* As Kubernetes updates a config map: a new directory, and ..data turned to it by one rename. */
static void test_kubernetes_swap(void **state)
{
    struct world *w = *state;

    assert_int_equal(mkdir(scratch_path(w->dir, "..1"), 0700), 0);
    assert_int_equal(mkdir(scratch_path(w->dir, "..2"), 0700), 0);
    write_file(w, "..1/t.json", "[{\"targets\": [\"a:1\"]}]");
    write_file(w, "..2/t.json", "[{\"targets\": [\"a:2\"]}]");
    assert_int_equal(symlink("..1", scratch_path(w->dir, "..data")), 0);
    assert_int_equal(symlink("..data/t.json", scratch_path(w->dir, "t.json")), 0);
    watch(w, 0, "t.json");
    watch(w, 1, "*.json");
    set(w);
    assert_string_equal(addresses(w, 0), "a:1");
    assert_int_equal(symlink("..2", scratch_path(w->dir, "..data_tmp")), 0);
    assert_int_equal(rename(scratch_path(w->dir, "..data_tmp"), scratch_path(w->dir, "..data")), 0);
    await(w, 0, "a:2");
    assert_string_equal(addresses(w, 1), "a:2");
}

/* A directory that is not there yet cannot be watched: the refresh finds it. */
static void test_refresh(void **state)
{
    struct world *w = *state;

    watch(w, 0, "later/*.json");
    w->jobs[0].file_sd_refresh = 50 * USEC_PER_MSEC;
    set(w);
    assert_int_equal(mkdir(scratch_path(w->dir, "later"), 0700), 0);
    write_file(w, "later/a.json", "[{\"targets\": [\"a:1\"]}]");
    await(w, 0, "a:1");
    assert_int_equal(unlink(scratch_path(w->dir, "later/a.json")), 0);
    assert_int_equal(rmdir(scratch_path(w->dir, "later")), 0);
    await(w, 0, "");
}

static void test_set_again(void **state)
{
    struct world *w = *state;

    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]}]");
    watch(w, 0, "a.json");
    set(w);
    write_file(w, "a.json", "broken");
    set(w); /* as a reload does: the last good targets stay */
    assert_string_equal(addresses(w, 0), "a:1");
    watch(w, 1, "a.json");
    w->jobs[0].n_file_sd = 0;
    set(w);
    assert_string_equal(addresses(w, 0), "");
    assert_string_equal(addresses(w, 1), "a:1");
    w->jobs[1].n_file_sd = 0;
    set(w);
    assert_string_equal(addresses(w, 1), "");
    w->jobs[0].n_file_sd = 1;
    w->jobs[1].n_file_sd = 1; /* so that teardown finds them */
    set(w);
    assert_string_equal(addresses(w, 0), ""); /* it was forgotten, and is broken */
}

/* Without a descriptor to spare nothing can be seen, which is not to say that nothing is there. */
static void test_no_descriptors(void **state)
{
    struct rlimit limit, low;
    struct world *w = *state;

    write_file(w, "a.json", "[{\"targets\": [\"a:1\"]}]");
    watch(w, 0, "*.json");
    watch(w, 1, "a.json");
    set(w);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    set(w);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_string_equal(addresses(w, 0), "a:1");
    assert_string_equal(addresses(w, 1), "a:1");
    assert_non_null(strstr(w->warnings, "cannot be looked for"));
    write_file(w, "a.json", "[{\"targets\": [\"b:1\"]}]"); /* nothing watches it, and ... */
    await(w, 0, "b:1");                                    /* it is looked at within a second */
    write_file(w, "a.json", "[{\"targets\": [\"c:1\"]}]"); /* from then on it is watched */
    await(w, 0, "c:1");
    assert_int_equal(unlink(scratch_path(w->dir, "a.json")), 0);
    set(w);
    assert_string_equal(addresses(w, 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_at_set, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overlapping_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_double_slash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_life_of_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_from_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kubernetes_swap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refresh, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_descriptors, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
