/* SPDX-License-Identifier: Apache-2.0 */

/* A log with lines of GODEBUG=schedtrace and gctrace, shown in every way: what is found in it does not
 * depend on the pieces it comes in, and is bounded. */

#include <string.h>

#include "cli/sched/shown.h"
#include "tests/fuzz/fuzz.h"

static struct schedlog *read_log(const uint8_t *data, size_t size, size_t piece)
{
    struct schedlog *log;

    CHECK(schedlog_new(NULL, NULL, &log) == 0);
    for (size_t at = 0; at < size; at += piece)
        CHECK(schedlog_feed(log, (const char *)data + at, piece < size - at ? piece : size - at) ==
              0);
    CHECK(schedlog_finish(log) == 0);
    return log;
}

static void check_process(const struct process *p)
{
    struct patterns ps;

    CHECK(strlen(p->source) < sizeof(p->source));
    CHECK(p->n > 0 || p->any_gc);
    for (size_t i = 0; i < p->n; i++) {
        CHECK(i == 0 || p->list[i]->ms >= p->list[i - 1]->ms);
        CHECK(p->list[i]->head.n <= SCHEDLINE_PS_MAX);
        CHECK(strlen(p->list[i]->text) < PROCESS_TEXT_MAX);
    }
    patterns_look(p, &ps);
    for (size_t i = 0; i < PATTERNS_N; i++) {
        CHECK(ps.list[i].score >= 0 && ps.list[i].score <= 1);
        CHECK(i == 0 || ps.list[i - 1].score >= ps.list[i].score);
        CHECK(i >= ps.found || ps.list[i].n_proofs > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct schedtrace_view view = {.file = "log", .utf8 = true};
    struct buf json[2];

    for (size_t i = 0; i < 2; i++) {
        struct schedlog *log = read_log(data, size, i == 0 ? size + 1 : 7);
        const struct processes *all = schedlog_processes(log);
        FILE *out = fopen("/dev/null", "w");

        CHECK(out);
        CHECK(processes_count(all) <= PROCESSES_MAX);
        for (size_t j = 0; j < processes_count(all); j++)
            check_process(processes_get(all, j));
        schedtrace_text(out, log, &view);
        (void)fclose(out);
        buf_init(&json[i], SCHEDTRACE_JSON_MAX);
        CHECK(schedtrace_json(log, &view, &json[i]) == 0);
        schedlog_free(log);
    }
    CHECK(json[0].len == json[1].len && memcmp(json[0].data, json[1].data, json[0].len) == 0);
    buf_done(&json[0]);
    buf_done(&json[1]);
    return 0;
}
