/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/source/target_sink.h"
#include "lib/config/group.h"
#include "lib/relabel/relabel.h"
#include "tests/support/text.h"

struct world {
    struct job_config job;
    struct target_list list;
    struct target_sink *sink;
    struct labelset *ls; /* of the target that is put next */
    unsigned ends[3];
    size_t rule;
    char why[128], address[TARGET_ADDRESS_SHOWN];
};

static void on_fate(void *userdata, const struct target_fate *fate)
{
    struct world *w = userdata;

    w->ends[fate->end]++;
    w->rule = fate->rule;
    (void)snprintf(w->why, sizeof(w->why), "%s", fate->why ? fate->why : "");
    (void)snprintf(w->address, sizeof(w->address), "%s", fate->address);
    assert_true((fate->kept != NULL) == (fate->end == TARGET_KEPT));
    assert_true((fate->why != NULL) == (fate->end == TARGET_INVALID));
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->job = (struct job_config){.name = TEXT("shop"), .path = TEXT("/debug/pprof/trace")};
    w->sink = target_sink_new(&w->job, &w->list, on_fate, w);
    assert_non_null(w->sink);
    w->ls = target_sink_begin(w->sink);
    labelset_set(w->ls, "__address__", "10.0.0.1:6060");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    target_sink_free(w->sink);
    target_list_done(&w->list);
    for (size_t i = 0; i < w->job.n_relabel; i++)
        relabel_rule_free(w->job.relabel[i]);
    free(w->job.relabel);
    free(w);
    return 0;
}

static const struct target_config *put(struct world *w)
{
    assert_int_equal(target_sink_put(w->sink), 0);
    assert_int_equal(w->list.n, 1);
    return &w->list.items[0];
}

static void put_invalid(struct world *w, const char *why)
{
    assert_int_equal(target_sink_put(w->sink), 0);
    assert_int_equal(w->list.n, 0);
    assert_int_equal(w->ends[TARGET_INVALID], 1);
    assert_string_equal(w->why, why);
}

/* What says nothing else than the job leaves everything to it. */
static void test_plain(void **state)
{
    struct world *w = *state;
    const struct target_config *t;

    labelset_set(w->ls, "env", "prod");
    labelset_set(w->ls, "__scheme__", "http");
    labelset_set(w->ls, "__path__", "/debug/pprof/trace");
    labelset_set(w->ls, "__meta_x", "y");
    t = put(w);
    assert_string_equal(t->address, "10.0.0.1:6060");
    assert_int_equal(t->parsed.port, 6060);
    assert_int_equal(t->https, CONFIG_INHERIT);
    assert_null(t->path);
    assert_null(t->query);
    assert_null(t->host);
    assert_int_equal(t->n_labels, 1);
    assert_string_equal(t->labels[0].name, "env");
}

static void test_other_way(void **state)
{
    struct world *w = *state;
    const struct target_config *t;

    labelset_set(w->ls, "__scheme__", "HTTPS");
    labelset_set(w->ls, "__path__", "/x/trace");
    labelset_set(w->ls, "__param_a b", "c&d");
    labelset_set(w->ls, "__param_e", "1");
    labelset_set(w->ls, "__param_seconds", "60");
    labelset_set(w->ls, "__host__", "pod-1");
    t = put(w);
    assert_int_equal(t->https, CONFIG_ON);
    assert_string_equal(t->path, "/x/trace");
    assert_string_equal(t->query, "a%20b=c%26d&e=1");
    assert_string_equal(t->host, "pod-1");
    assert_int_equal(t->n_labels, 0);
}

/* http where the job has https. */
static void test_back_to_http(void **state)
{
    struct world *w = *state;

    w->job.https = true;
    labelset_set(w->ls, "__scheme__", "http");
    assert_int_equal(put(w)->https, CONFIG_OFF);
}

static void test_no_address(void **state)
{
    struct world *w = *state;

    labelset_remove(w->ls, "__address__");
    put_invalid(w, "it has no __address__");
    assert_string_equal(w->address, "");
}

static void test_wrong_address(void **state)
{
    struct world *w = *state;

    labelset_set(w->ls, "__address__", "10.0.0.1:0");
    put_invalid(w, "the port is a number from 1 to 65535");
    assert_string_equal(w->address, "10.0.0.1:0");
}

static void test_wrong_scheme(void **state)
{
    struct world *w = *state;

    labelset_set(w->ls, "__scheme__", "ftp");
    put_invalid(w, "its __scheme__ is neither http nor https");
}

static void test_wrong_path(void **state)
{
    struct world *w = *state;

    labelset_set(w->ls, "__path__", "/a?b");
    put_invalid(w, "its __path__ does not begin with /, or has a ?, a # or a blank");
}

/* Profiles are found beside the trace, and only there. */
static void test_path_without_profiles(void **state)
{
    struct world *w = *state;

    w->job.artifacts = 1u << KIND_TRACE | 1u << KIND_HEAP;
    labelset_set(w->ls, "__path__", "/start");
    put_invalid(w, "its __path__ does not end in /trace: profiles need `profiles_path`");
}

static void test_path_with_profiles(void **state)
{
    struct world *w = *state;

    w->job.artifacts = 1u << KIND_TRACE | 1u << KIND_HEAP | 1u << KIND_FLIGHT;
    w->job.of_kind[KIND_HEAP].path = TEXT("/heap");
    labelset_set(w->ls, "__path__", "/start");
    assert_string_equal(put(w)->path, "/start");
}

static void test_too_many_labels(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i <= CONFIG_LABELS_MAX; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "l%u", i);
        labelset_set(w->ls, name, "x");
    }
    put_invalid(w, "it has more than 64 labels");
}

static void test_too_long_labels(void **state)
{
    struct world *w = *state;
    char value[4001];

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    labelset_set(w->ls, "a", value);
    labelset_set(w->ls, "b", value);
    labelset_set(w->ls, "c", value);
    put_invalid(w, "its labels have more than 8 KiB");
}

static void test_too_long_parameters(void **state)
{
    struct world *w = *state;
    char value[1001];

    memset(value, ' ', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    labelset_set(w->ls, "__param_a", value);
    put_invalid(w, "its parameters are too long");
}

static void add_rule(struct world *w, struct relabel_spec spec)
{
    struct relabel_fault fault;

    w->job.relabel = reallocarray(w->job.relabel, w->job.n_relabel + 1, sizeof(*w->job.relabel));
    assert_non_null(w->job.relabel);
    assert_int_equal(relabel_rule_new(&spec, &w->job.relabel[w->job.n_relabel], &fault), 0);
    w->job.n_relabel++;
}

/* The rules see the job, and it becomes a label of the target if they change it. */
static void test_rules(void **state)
{
    char *job[] = {TEXT("job")}, *zone[] = {TEXT("__meta_zone")};
    struct world *w = *state;
    const struct target_config *t;

    add_rule(w, (struct relabel_spec){.source_labels = job,
                                      .n_source_labels = 1,
                                      .target_label = TEXT("job"),
                                      .replacement = TEXT("my-$1")});
    add_rule(w, (struct relabel_spec){.action = RELABEL_DROP,
                                      .source_labels = zone,
                                      .n_source_labels = 1,
                                      .regex = TEXT("us")});
    t = put(w);
    assert_int_equal(t->n_labels, 1);
    assert_string_equal(t->labels[0].name, "job");
    assert_string_equal(t->labels[0].value, "my-shop");

    w->ls = target_sink_begin(w->sink);
    labelset_set(w->ls, "__address__", "10.0.0.2:1");
    labelset_set(w->ls, "__meta_zone", "us");
    assert_int_equal(target_sink_put(w->sink), 0);
    assert_int_equal(w->ends[TARGET_DROPPED], 1);
    assert_int_equal(w->rule, 1);
    assert_string_equal(w->address, "10.0.0.2:1");
    assert_int_equal(w->list.n, 1);
}

/* A source that names a job means it. */
static void test_own_job(void **state)
{
    struct world *w = *state;
    const struct target_config *t;

    labelset_set(w->ls, "job", "shop");
    t = put(w);
    assert_int_equal(t->n_labels, 1);
    assert_string_equal(t->labels[0].value, "shop");
}

/* The address of a list's item counts, whatever its labels say. */
static void test_list(void **state)
{
    struct world *w = *state;
    struct label labels[] = {{TEXT("__address__"), TEXT("wrong:1")}, {TEXT("a"), TEXT("b")}};
    struct target_config items[] = {{.address = TEXT("one:1"), .labels = labels, .n_labels = 2},
                                    {.address = TEXT("unix:/run/x")}};
    char *source[] = {TEXT("__meta_file")};

    add_rule(w, (struct relabel_spec){
                    .source_labels = source, .n_source_labels = 1, .target_label = TEXT("file")});
    assert_int_equal(
        target_sink_put_list(w->sink, &(struct target_list){items, 2}, "__meta_file", "f.json"), 0);
    assert_int_equal(w->list.n, 2);
    assert_string_equal(w->list.items[0].address, "one:1");
    assert_int_equal(w->list.items[0].n_labels, 2);
    assert_string_equal(w->list.items[1].parsed.unix_path, "/run/x");
    assert_string_equal(w->list.items[1].labels[0].value, "f.json");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plain),
        TEST(test_other_way),
        TEST(test_back_to_http),
        TEST(test_no_address),
        TEST(test_wrong_address),
        TEST(test_wrong_scheme),
        TEST(test_wrong_path),
        TEST(test_path_without_profiles),
        TEST(test_path_with_profiles),
        TEST(test_too_many_labels),
        TEST(test_too_long_labels),
        TEST(test_too_long_parameters),
        TEST(test_rules),
        TEST(test_own_job),
        TEST(test_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
