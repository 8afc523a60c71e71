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

static void check_frame(const struct summary_frame *f)
{
    CHECK(strlen(f->func) <= 1024 && strlen(f->file) <= 1024);
}

static void check_tally(const struct summary_tally *t)
{
    CHECK(t->max >= 0 && t->max <= t->total && (t->count > 0 || t->total == 0));
}

static void check_sites(const struct summary_sites *sites)
{
    int64_t total = 0;

    CHECK(sites->n <= SUMMARY_SITES + SUMMARY_STANDING);
    check_tally(&sites->open);
    check_tally(&sites->older);
    CHECK(sites->standing_left_out <= sites->left_out && sites->left_out_total >= 0);
    for (size_t i = 0; i < sites->n; i++) {
        const struct summary_site *site = &sites->list[i];

        total += site->total;
        CHECK(site->max <= site->total && site->top_total <= site->total);
        CHECK(summary_site_all(site).count > 0 && site->own.at.func && site->own.call);
        CHECK(site->class < STACK_N_CLASSES && site->n_stacks > 0);
        check_frame(&site->at);
        check_frame(&site->own.at);
        check_tally(&site->open);
        check_tally(&site->older);
        for (size_t k = 0; k < site->n_top; k++)
            check_frame(&site->top[k]);
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

static void check_class(const struct summary_class *c)
{
    CHECK(c->max >= 0 && c->max <= c->total && c->whole <= c->count);
    CHECK(c->whole_total >= 0 && c->whole_total <= c->total && (c->count > 0 || c->total == 0));
}

static void check_classes(const struct summary_classes *classes)
{
    for (size_t i = 0; i < STACK_N_CLASSES; i++) {
        check_class(&classes->sync[i]);
        check_class(&classes->network[i]);
        check_class(&classes->syscall[i]);
        check_class(&classes->unknown[i]);
        check_class(&classes->sleep[i]);
    }
}

static void check_longest(const struct summary *s, const struct summary_longest *l)
{
    CHECK(l->duration >= 0 && l->duration <= s->window);
    check_frame(&l->at);
    check_frame(&l->own.at);
}

static void check_silences(const struct summary *s, const struct summary_silences *silences)
{
    const struct summary_kept *kept = &silences->kept;

    CHECK(silences->total >= 0 && silences->total <= s->window);
    CHECK(silences->longest >= 0 && silences->longest <= silences->total);
    CHECK(silences->count > 0 || silences->goroutines == 0);
    CHECK(silences->total >= (int64_t)silences->count * SUMMARY_SILENCE);
    CHECK(silences->goroutines >= silences->total && silences->in_step <= silences->count);
    CHECK(silences->in_step_total >= 0 && silences->in_step_total <= silences->total);
    CHECK(kept->count <= silences->count && kept->total <= silences->total);
    CHECK(kept->longest >= 0 && kept->longest <= silences->longest && kept->longest <= kept->total);
    CHECK(kept->queued >= 0 && kept->queued <= kept->total && kept->runnable >= 0);
}

static void check_growth(const struct summary *s)
{
    const struct summary_growth *growth = &s->growth;
    uint64_t quarters = 0;

    CHECK(growth->n <= SUMMARY_ORIGINS && growth->reason && growth->class < STACK_N_CLASSES);
    check_frame(&growth->waits_at);
    for (size_t i = 0; i < growth->n; i++) {
        const struct summary_origin *o = &growth->list[i];

        check_frame(&o->at);
        CHECK(o->created > 0 && o->ended <= o->created && o->created <= s->goroutines.created);
        CHECK(i == 0 ||
              growth->list[i - 1].created - growth->list[i - 1].ended >= o->created - o->ended);
    }
    for (size_t i = 0; i < SUMMARY_QUARTERS; i++)
        quarters += growth->quarters[i];
    CHECK(quarters == growth->waiting && growth->waited >= 0);
    CHECK(growth->waiting <= s->goroutines.at_end);
}

static void check_wakers(const struct summary_wakers *wakers)
{
    CHECK(wakers->n <= SUMMARY_SITES);
    for (size_t i = 0; i < wakers->n; i++) {
        const struct summary_waker *w = &wakers->list[i];

        CHECK(w->count > 0 && w->total >= 0 && w->reason && w->call);
        CHECK(w->class < STACK_N_CLASSES && w->before < SUMMARY_N_BEFORE);
        CHECK(i == 0 || wakers->list[i - 1].total >= w->total);
        check_frame(&w->waiter);
        check_frame(&w->at);
        check_frame(&w->before_at);
    }
    for (size_t i = 0; i < SUMMARY_N_BEFORE; i++)
        CHECK(wakers->lock[i] >= 0);
}

static void check_inside(const struct summary_inside *inside)
{
    check_class(&inside->pool);
    check_class(&inside->limit);
    check_class(&inside->turn);
    check_class(&inside->conn);
    check_class(&inside->send);
    check_class(&inside->join);
    check_class(&inside->conditions_before);
    check_class(&inside->conditions_open);
    check_class(&inside->receive);
    check_class(&inside->select);
    check_sites(&inside->sites);
    CHECK(inside->dials >= 0 && inside->select_open >= 0);
}

static void check_still(const struct summary *s)
{
    const struct summary_still *still = &s->still;
    uint64_t all =
        still->locks + still->sends + still->sends_serving + still->joins + still->joins_serving;

    CHECK(all <= s->goroutines.at_end && still->doubtful <= all);
    CHECK(still->sends_to_each_other <= still->sends && still->sites.count == all);
    check_sites(&still->sites);
}

static void check_work(const struct summary_work *work)
{
    CHECK(work->running >= 0 && work->runnable >= 0 && work->syscall >= 0);
    CHECK(work->standing >= 0 && work->assist >= 0 && work->other >= 0);
    for (size_t i = 0; i < work->n_waits; i++)
        CHECK(work->waits[i].total >= 0 && work->waits[i].reason);
    for (size_t i = 0; i < SUMMARY_N_IDS; i++)
        CHECK(!work->ids[i] || strlen(work->ids[i]) < SUMMARY_ID_SIZE);
}

static void check_slowest(const struct summary *s, const struct summary_slowest *slowest)
{
    CHECK(slowest->n <= SUMMARY_SLOWEST);
    for (size_t i = 0; i < slowest->n; i++) {
        const struct summary_outlier *o = &slowest->list[i];

        CHECK(o->at >= 0 && o->duration > 0 && o->at + o->duration <= s->window);
        CHECK(i == 0 || slowest->list[i - 1].duration >= o->duration);
        CHECK(strlen(o->name) <= 1024);
        check_frame(&o->site);
        check_frame(&o->own.at);
        if (o->work)
            check_work(o->work);
    }
}

/* What is told beside the profiles. */
static void check_more(const struct summary *s)
{
    const struct summary_sites *lists[] = {
        &s->samples, &s->slow,  &s->sleeps,         &s->timer_funcs,
        &s->yields,  &s->dials, &s->woken_together, &s->failed_dials,
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        check_sites(lists[i]);
    for (size_t i = SUMMARY_SYNC; i <= SUMMARY_SYSCALL; i++)
        check_sites(&s->delays[i]);
    check_classes(&s->classes);
    check_longest(s, &s->longest_run);
    check_longest(s, &s->longest_hold);
    check_longest(s, &s->syscalls.longest);
    check_longest(s, &s->syscalls.longest_active);
    CHECK(s->long_runs.total >= (int64_t)s->long_runs.count * SUMMARY_LONG_RUN);
    check_silences(s, &s->silences);
    check_growth(s);
    check_wakers(&s->wakers);
    check_inside(&s->inside);
    check_still(s);
    for (size_t i = 0; i < SUMMARY_N_SLOW; i++)
        check_slowest(s, &s->slowest[i]);
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
    check_more(s);
}

/* What a host may have known: numbers from the input, most of them absent. */
static void take_context(struct context *c, const uint8_t *data, size_t size)
{
    int64_t *const numbers[] = {
        &c->window,
        &c->quota,
        &c->period,
        &c->periods,
        &c->throttled_periods,
        &c->usage,
        &c->threads,
        &c->throttled,
        &c->rss,
        &c->cpus_allowed,
        &c->cpu,
        &c->cpus,
        &c->run_wait,
        &c->busy,
        &c->steal,
        &c->cgroup_cpu.some,
        &c->host_cpu.some,
    };

    context_init(c);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && 9 * i + 9 <= size; i++)
        if (data[size - 9 * i - 9] % 2)
            memcpy(numbers[i], data + size - 9 * i - 8, sizeof(*numbers[i]));
    c->load = c->cpus == CONTEXT_ABSENT ? CONTEXT_ABSENT : 1;
}

static void check_findings(const struct summary *s, const struct context *context)
{
    struct findings findings;

    findings_find(s, context, &findings);
    CHECK(findings.label && findings.n <= FINDINGS_MAX + FINDINGS_NOTES);
    CHECK(findings.n_near <= FINDINGS_NEAR);
    for (size_t i = 0; i < findings.n; i++) {
        const struct finding *f = &findings.list[i];

        CHECK(f->code && f->score >= 0 && f->score <= 1 && f->lost >= 0 && f->next);
        CHECK(f->n_evidence <= FINDING_EVIDENCE && f->n_sites <= FINDING_SITES);
        CHECK(strlen(f->remark) < sizeof(f->remark));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gotrace_options options = {.max_memory = 64U << 20};
    struct fuzz_source source = {.data = data, .left = size};
    struct context context;
    struct gotrace *trace;
    struct summary s;

    CHECK(gotrace_open(&options, fuzz_source_read, &source, &trace) == 0);
    if (summary_run(trace, &s) == 0) {
        check(&s);
        check_findings(&s, NULL);
        take_context(&context, data, size);
        check_findings(&s, &context);
        summary_done(&s);
    }
    gotrace_close(trace);
    return 0;
}
