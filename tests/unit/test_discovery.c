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

#include "daemon/source/discovery.h"
#include "lib/config/group.h"
#include "tests/support/scratch.h"

#define TEXT(s) ((char *)(uintptr_t)(s)) /* configuration is not const; nothing here changes it */

static bool starved; /* no list can be made, and none can grow */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
    return starved ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return starved ? NULL : __real_reallocarray(p, n, size);
}

struct world {
    char *dir;
    sd_event *event;
    struct discovery *discovery;
    struct config config;
    struct job_config jobs[3];
    struct target_config first[2], last[1];
    char *pattern;
};

static void on_changed(void *userdata)
{
    (void)userdata;
}

/* Three jobs: from both sources, from none, and from the configuration alone. */
static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    starved = false;
    w->dir = scratch_new(NULL);
    (void)scratch_text(w->dir, "a.json", "[{\"targets\": [\"found:1\", \"found:2\"]}]");
    w->pattern = strdup(scratch_path(w->dir, "*.json"));
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(discovery_new(w->event, on_changed, w, &w->discovery), 0);
    w->config = (struct config){.jobs = w->jobs, .n_jobs = 3};
    w->first[0].address = TEXT("given:1");
    w->first[1].address = TEXT("given:2");
    w->last[0].address = TEXT("given:3");
    w->jobs[0].name = TEXT("both");
    w->jobs[1].name = TEXT("none");
    w->jobs[2].name = TEXT("given");
    for (size_t i = 0; i < 3; i++)
        w->jobs[i].path = TEXT("/debug/pprof/trace");
    w->jobs[0].targets = (struct target_list){w->first, 2};
    w->jobs[0].file_sd = &w->pattern;
    w->jobs[0].n_file_sd = 1;
    w->jobs[0].file_sd_refresh = USEC_PER_HOUR;
    w->jobs[2].targets = (struct target_list){w->last, 1};
    assert_int_equal(discovery_set(w->discovery, &w->config), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    discovery_free(w->discovery);
    sd_event_unref(w->event);
    scratch_free(w->dir);
    free(w->pattern);
    free(w);
    return 0;
}

static void expect(struct world *w, size_t job, const char *addresses)
{
    struct target_list list = {0};
    char text[256] = "";
    size_t n = 0;

    assert_int_equal(discovery_targets(w->discovery, &w->config, job, &list), 0);
    for (size_t i = 0; i < list.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", list.items[i].address);
    target_list_done(&list);
    assert_string_equal(text, addresses);
}

static void test_all_sources(void **state)
{
    struct world *w = *state;

    expect(w, 0, "given:1 given:2 found:1 found:2 ");
    expect(w, 1, "");
    expect(w, 2, "given:3 ");
}

/* Other jobs at the same places, as after a reload. */
static void test_set_again(void **state)
{
    struct world *w = *state;
    struct job_config job = w->jobs[0];

    w->jobs[0] = w->jobs[2];
    w->jobs[2] = job;
    assert_int_equal(discovery_set(w->discovery, &w->config), 0);
    expect(w, 0, "given:3 ");
    expect(w, 2, "given:1 given:2 found:1 found:2 ");
}

/*
 * A configuration that could not be used, and no memory to set the one before it again. No job may
 * get another's targets: they would be sent its credentials.
 */
static void test_not_set_back(void **state)
{
    struct world *w = *state;
    struct job_config other[] = {w->jobs[2], w->jobs[1], w->jobs[0]};
    const struct config fresh = {.jobs = other, .n_jobs = 3};

    assert_int_equal(discovery_set(w->discovery, &fresh), 0);
    starved = true;
    assert_int_equal(discovery_set(w->discovery, &w->config), -ENOMEM);
    starved = false;
    expect(w, 0, "given:1 given:2 found:1 found:2 ");
    expect(w, 2, "given:3 ");
}

static void test_no_memory(void **state)
{
    struct world *w = *state;
    struct target_list list = {w->last, 1};

    starved = true;
    assert_int_equal(discovery_targets(w->discovery, &w->config, 0, &list), -ENOMEM);
    assert_ptr_equal(list.items, w->last); /* it was not written */
    starved = false;
    expect(w, 0, "given:1 given:2 found:1 found:2 ");
}

/* The configuration's own targets are checked with the configuration. */
static void test_check(void **state)
{
    struct world *w = *state;
    struct diags d = {0};

    (void)scratch_text(w->dir, "b.json", "[{\"targetz\": []}]");
    discovery_check(&w->config, stderr, &d);
    assert_int_equal(d.n, 2);
    assert_non_null(strstr(d.items[0].file, "/b.json"));
    diags_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_sources, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_set_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_check, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
