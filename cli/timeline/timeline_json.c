/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/jsonwriter.h"
#include "cli/timeline/timeline.h"

static void level(struct jsonwriter *w, const char *key, const struct bin *bin, enum bins_level l)
{
    if (bin->told & 1u << l)
        jsonwriter_integer(w, key, bin->last[l]);
    else
        jsonwriter_null(w, key);
}

static void line(struct jsonwriter *w, const struct timeline_line *line)
{
    const struct bin *sum = &line->sum;

    jsonwriter_object(w, NULL);
    jsonwriter_integer(w, "at_ns", line->at);
    jsonwriter_integer(w, "duration_ns", line->ns);
    level(w, "procs", sum, BINS_PROCS);
    jsonwriter_integer(w, "running_ns", sum->ns[BINS_RUNNING]);
    jsonwriter_integer(w, "runnable_ns", sum->ns[BINS_RUNNABLE]);
    jsonwriter_integer(w, "runnable_most", timeline_most(sum, line->ns));
    jsonwriter_integer(w, "syscall_ns", sum->ns[BINS_SYSCALL]);
    jsonwriter_object(w, "blocked_ns");
    jsonwriter_integer(w, "channel", sum->ns[BINS_CHANNEL]);
    jsonwriter_integer(w, "sync", sum->ns[BINS_SYNC]);
    jsonwriter_integer(w, "network", sum->ns[BINS_NETWORK]);
    jsonwriter_integer(w, "sleep", sum->ns[BINS_SLEEP]);
    jsonwriter_integer(w, "other", sum->ns[BINS_OTHER]);
    jsonwriter_end(w);
    jsonwriter_integer(w, "mark_ns", sum->ns[BINS_MARK]);
    jsonwriter_integer(w, "stw_ns", sum->ns[BINS_STOPPED]);
    jsonwriter_integer(w, "frozen_ns", sum->ns[BINS_FROZEN]);
    level(w, "heap_bytes", sum, BINS_HEAP);
    level(w, "heap_goal_bytes", sum, BINS_GOAL);
    jsonwriter_end(w);
}

static void head(struct jsonwriter *w, const struct timeline_result *t,
                 const struct timeline_view *view)
{
    char format[16];

    (void)snprintf(format, sizeof(format), "go 1.%u", view->version);
    jsonwriter_integer(w, "schema", TIMELINE_SCHEMA);
    jsonwriter_text(w, "file", view->file);
    jsonwriter_text(w, "format", format);
    jsonwriter_bool(w, "complete", t->complete);
    failure_write(w, view->failure);
    jsonwriter_count(w, "bytes", view->bytes);
    jsonwriter_count(w, "generations", t->generations);
    if (t->wall_start > 0)
        jsonwriter_integer(w, "wall_start_ns", t->wall_start);
    else
        jsonwriter_null(w, "wall_start_ns");
    jsonwriter_integer(w, "since_ns", t->start - t->first);
    jsonwriter_integer(w, "until_ns", t->end - t->first);
    jsonwriter_integer(w, "step_ns", (int64_t)view->pieces * t->bins->step);
    jsonwriter_count(w, "freezes", t->freezes);
    jsonwriter_count(w, "left_out_goroutines", t->left_out);
}

int timeline_json(const struct timeline_result *t, const struct timeline_view *view,
                  struct buf *out)
{
    struct timeline_line one;
    struct jsonwriter w;

    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&w, NULL);
    head(&w, t, view);
    jsonwriter_array(&w, "lines");
    for (size_t i = 0; timeline_line(t, view, i, &one); i++)
        line(&w, &one);
    jsonwriter_end(&w);
    jsonwriter_end(&w);
    return jsonwriter_finish(&w);
}
