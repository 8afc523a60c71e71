/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "cli/common/print.h"
#include "cli/explain/explain.h"

static char *text_of(const struct explanation *e)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(explain_text(out, e), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* Whatever is wider than the screen must be a command. */
static size_t lines_of(char *text)
{
    size_t n = 0;

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), n++)
        if (!strstr(line, "contrace "))
            assert_true(print_width(line, strlen(line)) <= EXPLAIN_WIDTH);
    return n;
}

static const char long_name[] =
    "github.com/an-organization/a-repository-with-a-long-name/internal/package.(*Type).Method.func1";
static const char long_file[] =
    "/home/somebody/go/pkg/mod/github.com/an-organization/a-repository@v1.2.3/internal/file.go";

static void add_finding(struct findings *f, const char *code, const char *because)
{
    struct finding *new = &f->list[f->n++];

    *new = (struct finding){
        .code = code,
        .score = 0.9,
        .because = because,
        .lost_share = 0.5,
        .next = "What is to be done first of all is a sentence of many words, so that it takes two "
                "lines of the screen or even three, as the longest of them do where they name all "
                "that may be behind a label; somebody who reads it at night reads it twice.",
        .n_evidence = FINDING_EVIDENCE,
    };
    for (size_t i = 0; i < FINDING_EVIDENCE; i++)
        new->evidence[i] = (struct finding_number){"waits_per_request", 1234567};
    (void)memset(new->remark, 'r', sizeof(new->remark) - 1);
}

struct world {
    struct subject subject;
    struct summary summary;
    struct context context;
    struct earlier_list earlier;
    struct summary_outlier tasks[SUMMARY_SLOWEST];
    struct summary_work work;
    struct explanation e;
};

/* As much as there can be of everything. */
static void fill(struct world *w)
{
    static const char record[] = "{\"reason\":\"x\",\"incident\":\"a/b/20261121/150405\"}";
    static char path[400];
    const struct summary_frame frame = {long_name, long_file, 123456};

    (void)memset(path, 'p', sizeof(path) - 1);
    context_init(&w->context);
    w->context.window = 1000;
    w->context.host_cpu.some = w->context.cgroup_cpu.some = w->context.host_io.some = 1000;
    w->context.host_memory.some = w->context.cgroup_memory.some = 1000;
    w->subject.path = path;
    assert_int_equal(jsontext_parse(record, strlen(record), 0, NULL, &w->subject.record), 0);
    name_init(&w->subject.name, long_name, long_name, 1, 1);
    w->work.running = 12345678;
    for (size_t i = 0; i < SUMMARY_SLOWEST; i++)
        w->tasks[i] = (struct summary_outlier){
            .duration = 1234, .name = long_name, .site = frame, .work = &w->work};
    w->summary.slowest[SUMMARY_SLOW_TASKS] = (struct summary_slowest){w->tasks, SUMMARY_SLOWEST, 0};
    name_init(&w->earlier.names[0], long_name, long_name, 1, 1);
    w->earlier.n = 1;
    w->e = (struct explanation){.subject = &w->subject,
                                .summary = &w->summary,
                                .context = &w->context,
                                .earlier = &w->earlier,
                                .usual_label = "healthy",
                                .usual_label_times = 1,
                                .findings = {.label = "cpu-throttled"},
                                .n_moves = USUAL_MOVES,
                                .n_since = USUAL_MOVES,
                                .before = {.known = true, .label = "healthy"},
                                .n_sites = EXPLAIN_SITES,
                                .utf8 = true};
    add_finding(&w->e.findings, "cpu-throttled", NULL);
    add_finding(&w->e.findings, "lock-contention", "cpu-throttled");
    add_finding(&w->e.findings, "blocked-in-request", "lock-contention");
    for (size_t i = 0; i < EXPLAIN_SITES; i++)
        w->e.sites[i] = (struct finding_site){.at = frame, .own = {frame, "sync.(*Mutex).Lock"}};
    for (size_t i = 0; i < USUAL_MOVES; i++)
        w->e.moves[i] = w->e.since[i] = (struct usual_move){&usual_numbers[i], 1e9, 2e9, 20, 2};
}

static void test_the_most_fits(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    char *text;

    (void)state;
    assert_non_null(w);
    fill(w);
    assert_int_equal(steps_find(&w->subject, &w->summary, &w->e.findings, &w->e.steps), 0);
    text = text_of(&w->e);
    assert_non_null(strstr(text, "lock-contention causes blocked-in-request"));
    assert_non_null(strstr(text, "/file.go:123456"));
    assert_true(lines_of(text) <= EXPLAIN_LINES);
    free(text);
    steps_done(&w->e.steps);
    json_decref(w->subject.record);
    free(w);
}

static void test_the_least(void **state)
{
    static char path[] = "a.trace";
    struct subject subject = {.path = path};
    static struct summary summary;
    static struct earlier_list earlier;
    struct explanation e = {.subject = &subject,
                            .summary = &summary,
                            .earlier = &earlier,
                            .findings = {.label = "idle"}};
    char *text;

    (void)state;
    summary.complete = true;
    assert_int_equal(steps_find(&subject, &summary, &e.findings, &e.steps), 0);
    text = text_of(&e);
    assert_string_equal(text, "Trace     window 0\n"
                              "          a.trace\n"
                              "Label     idle\n"
                              "          no rule came near\n"
                              "Usual     no earlier records to compare with\n"
                              "Next      1. all numbers, and whole stacks: "
                              "contrace summary --stacks a.trace\n");
    free(text);
    steps_done(&e.steps);
}

static void test_words_for_a_shell(void **state)
{
    static char paths[][12] = {"a b", "it's", "-x", "$(rm)", "-", ""};
    static const char *const words[] = {"'a b'", "'it'\\''s'", "./-x", "'$(rm)'", "FILE", "''"};
    static struct summary summary = {.complete = true};
    struct findings f = {.label = "idle"};

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct subject s = {.path = paths[i]};
        struct steps steps;
        char expected[64];

        (void)snprintf(expected, sizeof(expected), "contrace summary --stacks %s", words[i]);
        assert_int_equal(steps_find(&s, &summary, &f, &steps), 0);
        assert_string_equal(steps.list[0].command, expected);
        steps_done(&steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_most_fits),
        cmocka_unit_test(test_the_least),
        cmocka_unit_test(test_words_for_a_shell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
