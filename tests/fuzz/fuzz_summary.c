/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a trace to be summed up. Whatever it is: it ends, texts can be read, parts are no
 * larger than what they are parts of, and nothing is left behind.
 */

#include <string.h>

#include "tests/fuzz/fuzz_source.h"
#include "trace/findings/findings.h"
#include "trace/gotrace.h"
#include "trace/summary/summary.h"

static void check_times(const struct summary_times *t)
{
    CHECK(t->p50 >= 0 && t->p50 <= t->p90 && t->p90 <= t->p99 && t->p99 <= t->p999);
    CHECK(t->p999 <= t->max && t->max <= t->total);
    CHECK(t->count > 0 || t->total == 0);
}

static void check_rows(const struct summary_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        CHECK(strlen(rows->list[i].name) <= 1024);
        check_times(&rows->list[i].times);
    }
}

static void check_sites(const struct summary_sites *sites)
{
    int64_t total = 0;

    CHECK(sites->n <= SUMMARY_SITES + SUMMARY_STANDING);
    for (size_t i = 0; i < sites->n; i++) {
        const struct summary_site *site = &sites->list[i];

        total += site->total;
        CHECK(site->max <= site->total && site->top_total <= site->total);
        CHECK(summary_site_all(site).count > 0 && site->own.at.func && site->own.call);
        CHECK(strlen(site->at.func) <= 1024 && strlen(site->at.file) <= 1024);
        for (size_t k = 0; k < site->n_top; k++)
            CHECK(site->top[k].func && site->top[k].file);
    }
    CHECK(total <= sites->total);
}

static void check_mmu(const struct summary_mmu *mmu)
{
    for (size_t i = 0; i < 3; i++) {
        CHECK(mmu[i].utilisation == -1 ||
              (mmu[i].utilisation > -1e-6 && mmu[i].utilisation < 1 + 1e-6));
        CHECK(i == 0 || mmu[i - 1].window < mmu[i].window);
    }
}

static void check(const struct summary *s)
{
    uint64_t events = 0;

    CHECK(s->window >= 0 && s->generations > 0);
    CHECK(s->complete == (s->code == 0) && (s->complete || s->why[0] != '\0'));
    for (size_t i = 0; i < 16; i++)
        events += s->events.by_kind[i];
    CHECK(events == s->events.total);
    CHECK(s->goroutines.syscall_blocked <= s->goroutines.in_syscall);
    CHECK(s->goroutines.running >= 0 && s->goroutines.runnable >= 0);
    CHECK(s->gc.assist_executing <= s->gc.assist && s->gc.assist_executing >= 0);
    CHECK(s->gc.mark <= s->window && s->procs.all_busy <= s->window);
    CHECK(s->scheduler.overdue_with_idle <= s->scheduler.overdue);
    CHECK(s->scheduler.overdue <= s->window);
    for (size_t i = 0; i < s->goroutines.n_waits; i++)
        CHECK(s->goroutines.waits[i].max <= s->goroutines.waits[i].total);
    for (size_t i = 0; i < s->procs.n; i++)
        CHECK(s->procs.list[i].running <= s->window);
    check_times(&s->scheduler.latency);
    check_times(&s->syscalls.times);
    check_times(&s->gc.stw);
    check_rows(&s->gc.stw_by_reason);
    check_rows(&s->tasks);
    check_rows(&s->regions);
    check_mmu(s->gc.mmu);
    check_mmu(s->gc.go_mmu);
    for (size_t i = 0; i < SUMMARY_N_PROFILES; i++)
        check_sites(&s->sites[i]);
    for (size_t i = 0; i < SUMMARY_N_OPEN; i++)
        check_sites(&s->open[i]);
    check_sites(&s->misnested);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gotrace_options options = {.max_memory = 64U << 20};
    struct fuzz_source source = {.data = data, .left = size};
    struct findings findings;
    struct gotrace *trace;
    struct summary s;

    CHECK(gotrace_open(&options, fuzz_source_read, &source, &trace) == 0);
    if (summary_run(trace, &s) == 0) {
        check(&s);
        findings_find(&s, NULL, &findings);
        CHECK(findings.label && findings.n <= FINDINGS_MAX + 1);
        summary_done(&s);
    }
    gotrace_close(trace);
    return 0;
}
