/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/jsonwriter.h"
#include "cli/sched/shown.h"

static const struct jsonwriter_style style = {.digits = 6};

static void put_gcs(struct jsonwriter *w, const struct process_gcs *gcs)
{
    if (!gcs || gcs->cycles == 0) {
        jsonwriter_null(w, "gc");
        return;
    }
    jsonwriter_object(w, "gc");
    jsonwriter_count(w, "cycles", gcs->cycles);
    jsonwriter_count(w, "forced", gcs->forced);
    jsonwriter_real(w, "pause_max_ms", gcs->pause_max);
    jsonwriter_real(w, "pause_total_ms", gcs->pause_total);
    jsonwriter_real(w, "mark_total_ms", gcs->mark_total);
    jsonwriter_real(w, "assist_cpu_ms", gcs->assist_total);
    jsonwriter_count(w, "heap_before_mb", gcs->before);
    jsonwriter_count(w, "heap_peak_mb", gcs->peak);
    jsonwriter_count(w, "heap_live_mb", gcs->live);
    jsonwriter_count(w, "cpu_percent", gcs->percent);
    jsonwriter_end(w);
}

static void put_ps(struct jsonwriter *w, const struct snapshot *s)
{
    jsonwriter_array(w, "queues");
    for (uint32_t i = 0; i < s->head.n; i++)
        jsonwriter_count(w, NULL, s->ps[i].queue);
    jsonwriter_end(w);
    if (!s->head.ticks && !s->head.detailed)
        return;
    jsonwriter_array(w, "schedticks");
    for (uint32_t i = 0; i < s->head.n; i++)
        jsonwriter_count(w, NULL, s->ps[i].tick);
    jsonwriter_end(w);
    if (!s->head.detailed)
        return;
    jsonwriter_array(w, "status");
    for (uint32_t i = 0; i < s->head.n; i++)
        jsonwriter_count(w, NULL, s->ps[i].status);
    jsonwriter_end(w);
}

static void put_gs(struct jsonwriter *w, const struct snapshot *s)
{
    if (!s->has_gs)
        return;
    jsonwriter_object(w, "goroutines");
    jsonwriter_count(w, "count", s->gs.n);
    jsonwriter_count(w, "runnable", s->gs.runnable);
    jsonwriter_count(w, "runnable_by_network", s->gs.runnable_io);
    jsonwriter_count(w, "running", s->gs.running);
    jsonwriter_count(w, "syscall", s->gs.syscall);
    jsonwriter_count(w, "waiting", s->gs.waiting);
    jsonwriter_count(w, "waiting_for_network", s->gs.waiting_io);
    jsonwriter_count(w, "assisting", s->gs.assisting);
    jsonwriter_end(w);
}

static void put_snapshot(struct jsonwriter *w, const struct process *p, const struct snapshot *s)
{
    const struct schedline_head *h = &s->head;

    jsonwriter_object(w, NULL);
    if (p)
        jsonwriter_count(w, "process", p->number);
    jsonwriter_count(w, "line", s->line);
    jsonwriter_count(w, "ms", s->ms);
    jsonwriter_count(w, "gomaxprocs", h->procs);
    jsonwriter_count(w, "idleprocs", h->idle);
    jsonwriter_count(w, "threads", h->threads);
    jsonwriter_count(w, "spinningthreads", h->spinning);
    jsonwriter_count(w, "idlethreads", h->idle_threads);
    jsonwriter_count(w, "in_calls", snapshot_in_calls(s));
    jsonwriter_count(w, "runqueue", h->runqueue);
    if (h->detailed)
        jsonwriter_bool(w, "gcwaiting", h->gcwaiting);
    put_ps(w, s);
    put_gs(w, s);
    put_gcs(w, s->gcs);
    jsonwriter_end(w);
}

static void put_pattern(struct jsonwriter *w, const struct pattern *p)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "code", p->code);
    jsonwriter_real(w, "score", p->score);
    jsonwriter_bool(w, "found", p->score >= 0.5);
    jsonwriter_text(w, "says", p->says[0] ? p->says : NULL);
    jsonwriter_object(w, "evidence");
    for (size_t i = 0; i < p->n_numbers; i++)
        jsonwriter_real(w, p->numbers[i].name, p->numbers[i].value);
    jsonwriter_end(w);
    jsonwriter_array(w, "lines");
    for (size_t i = 0; i < p->n_proofs; i++) {
        jsonwriter_object(w, NULL);
        jsonwriter_count(w, "line", p->proofs[i].line);
        jsonwriter_text(w, "text", p->proofs[i].text);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
    jsonwriter_text(w, "lacking", p->lacking);
    jsonwriter_text(w, "limits", p->limits);
    jsonwriter_text(w, "next", p->next);
    jsonwriter_end(w);
}

static void put_process(struct jsonwriter *w, const struct process *p,
                        const struct schedtrace_view *view)
{
    size_t from = view->rows > 0 && view->rows < p->n ? p->n - view->rows : 0;
    struct process_gcs gcs;
    struct patterns ps;

    jsonwriter_object(w, NULL);
    jsonwriter_count(w, "process", p->number);
    jsonwriter_text(w, "source", p->source[0] ? p->source : NULL);
    jsonwriter_count(w, "first_line", p->first_line);
    jsonwriter_count(w, "last_line", p->last_line);
    jsonwriter_count(w, "snapshots_seen", p->n + p->forgotten);
    jsonwriter_count(w, "window_ms", process_window(p));
    jsonwriter_count(w, "interval_ms", process_interval(p));
    process_gcs(p, &gcs);
    put_gcs(w, &gcs);
    jsonwriter_array(w, "snapshots");
    for (size_t i = from; i < p->n; i++)
        put_snapshot(w, NULL, p->list[i]);
    jsonwriter_end(w);
    patterns_look(p, &ps);
    jsonwriter_array(w, "patterns");
    for (size_t i = 0; i < PATTERNS_N; i++)
        put_pattern(w, &ps.list[i]);
    jsonwriter_end(w);
    jsonwriter_end(w);
}

static int finish(const struct jsonwriter *w, struct buf *out)
{
    int r = jsonwriter_finish(w);

    return r == 0 ? buf_adds(out, "\n") : r;
}

int schedtrace_json(const struct schedlog *log, const struct schedtrace_view *view, struct buf *out)
{
    const struct processes *all = schedlog_processes(log);
    struct schedlog_counts c = schedlog_counts(log);
    struct jsonwriter w;

    jsonwriter_init(&w, out, style);
    jsonwriter_object(&w, NULL);
    jsonwriter_integer(&w, "schema", SCHEDTRACE_SCHEMA);
    jsonwriter_text(&w, "file", view->file);
    jsonwriter_text(&w, "error", view->error);
    jsonwriter_count(&w, "lines", c.lines);
    jsonwriter_count(&w, "lines_torn", c.torn);
    jsonwriter_count(&w, "lines_stray", processes_stray(all));
    jsonwriter_count(&w, "lines_cut", c.cut);
    jsonwriter_count(&w, "processes_forgotten", processes_forgotten(all));
    jsonwriter_array(&w, "processes");
    for (size_t i = 0; i < processes_count(all); i++)
        put_process(&w, processes_get(all, i), view);
    jsonwriter_end(&w);
    jsonwriter_end(&w);
    return finish(&w, out);
}

int schedtrace_json_row(const struct process *p, const struct snapshot *s, struct buf *out)
{
    struct jsonwriter w;

    jsonwriter_init(&w, out, style);
    put_snapshot(&w, p, s);
    return finish(&w, out);
}
