/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/read/summary.h"

/* The text for a trace that has nothing but these tasks. To be freed. */
static char *text_of_tasks(struct summary_row *rows, size_t n)
{
    const struct summary_view view = {.name = "t.trace", .top = 5};
    struct summary s = {.complete = true, .tasks = {.list = rows, .n = n}};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    summary_text(out, &s, &view);
    assert_int_equal(fclose(out), 0);
    return text;
}

static const char whole_line[] =
    "  request                              3   6.00 ms   2.00 ms   2.00 ms   2.00 ms\n";

static const struct summary_times whole = {
    .count = 3, .total = 6000000, .p50 = 2000000, .p99 = 2000000, .max = 2000000};

/* A trace begins and ends in the midst of things: that is no row of zeros, and none without a name. */
static void parts(void **state)
{
    struct summary_row rows[] = {
        {.name = "request", .times = whole, .open = 2},
        {.name = "", .open = 1},
        {.name = "import", .open = 4},
    };
    char *text = text_of_tasks(rows, 3);

    (void)state;
    assert_non_null(strstr(text, whole_line));
    assert_non_null(strstr(text, "    and 2 of which the trace has only a part\n"));
    assert_non_null(
        strstr(text, "  (began before the trace)        1, of which the trace has only a part\n"));
    assert_non_null(
        strstr(text, "  import                          4, of which the trace has only a part\n"));
    assert_null(strstr(text, "  0 ns  "));
    free(text);
}

/* A program may call a task nothing. */
static void nameless(void **state)
{
    struct summary_row rows[] = {{.name = "", .times = whole}};
    char *text = text_of_tasks(rows, 1);

    (void)state;
    assert_non_null(strstr(text, "  (no name)                            3   6.00 ms"));
    assert_null(strstr(text, "only a part"));
    free(text);
}

/* The longest of Go's reasons to wait stands there whole. */
static void long_reason(void **state)
{
    static const char reason[] = "GC mark assist wait for work";
    struct summary_wait wait = {.reason = reason, .total = 1000000};
    const struct summary_view view = {.name = "t.trace", .top = 5};
    struct summary s = {.goroutines = {.waiting = 1000000, .waits = &wait, .n_waits = 1}};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    summary_text(out, &s, &view);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "\n  waiting                         1.00 ms    100%"));
    assert_non_null(strstr(text, "\n    GC mark assist wait for work  1.00 ms    100%"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(nameless),
        cmocka_unit_test(long_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
