/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/jsonwriter.h"
#include "cli/cause/blockers.h"
#include "cli/read/place.h"

static const char *const kinds[] = {
    [HOLDS_RAN] = "ran",         [HOLDS_RUNNABLE] = "runnable", [HOLDS_SYSCALL] = "syscall",
    [HOLDS_SLEPT] = "slept",     [HOLDS_NETWORK] = "network",   [HOLDS_WAITED] = "waited",
    [HOLDS_UNKNOWN] = "unknown",
};

static void put_sum(struct jsonwriter *w, const char *key, const struct blockers_sum *sum)
{
    jsonwriter_object(w, key);
    jsonwriter_count(w, "count", sum->count);
    jsonwriter_integer(w, "total_ns", sum->total);
    jsonwriter_end(w);
}

static void put_site(struct jsonwriter *w, const struct summary_frame *at,
                     const struct summary_own *own)
{
    jsonwriter_text(w, "func", at->func);
    jsonwriter_text(w, "file", at->file);
    jsonwriter_count(w, "line", at->line);
    place_own_json(w, own);
}

static void put_did(struct jsonwriter *w, const struct holds_did *did)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "kind", kinds[did->kind]);
    jsonwriter_text(w, "reason", did->reason);
    jsonwriter_text(w, "call", did->call);
    jsonwriter_integer(w, "total_ns", did->ns);
    put_site(w, &did->at, &did->own);
    jsonwriter_end(w);
}

static void put_row(struct jsonwriter *w, const struct holds_blocker *row)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "reason", row->reason);
    jsonwriter_text(w, "class", stack_class_name(row->class));
    jsonwriter_object(w, "waiter");
    put_site(w, &row->waiter, &row->waiter_own);
    jsonwriter_end(w);
    jsonwriter_object(w, "waker");
    jsonwriter_text(w, "name", row->name);
    put_site(w, &row->waker, &row->waker_own);
    jsonwriter_end(w);
    jsonwriter_count(w, "count", row->count);
    jsonwriter_integer(w, "total_ns", row->total);
    jsonwriter_integer(w, "max_ns", row->max);
    jsonwriter_count(w, "holds", row->holds);
    jsonwriter_integer(w, "held_ns", row->held);
    jsonwriter_integer(w, "longest_hold_ns", row->longest);
    jsonwriter_array(w, "meanwhile");
    for (size_t i = 0; i < row->n_did; i++)
        put_did(w, &row->did[i]);
    jsonwriter_end(w);
    jsonwriter_end(w);
}

static void rows(struct jsonwriter *w, const struct blockers_result *b, size_t n)
{
    struct blockers_sum rest = {0, 0};

    jsonwriter_array(w, "blockers");
    for (size_t i = 0; i < n; i++)
        put_row(w, &b->list[i]);
    jsonwriter_end(w);
    for (size_t i = n; i < b->n; i++) {
        rest.count += b->list[i].count;
        rest.total += b->list[i].total;
    }
    jsonwriter_count(w, "blockers_left_out", b->n - n);
    put_sum(w, "waits_left_out", &rest);
}

int blockers_json(const struct blockers_result *b, const struct blockers_view *view,
                  struct buf *out)
{
    size_t n = view->top > 0 && view->top < b->n ? view->top : b->n;
    struct jsonwriter w;
    char format[16];

    (void)snprintf(format, sizeof(format), "go 1.%u", view->version);
    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&w, NULL);
    jsonwriter_integer(&w, "schema", BLOCKERS_SCHEMA);
    jsonwriter_text(&w, "file", view->file);
    jsonwriter_text(&w, "format", format);
    jsonwriter_bool(&w, "complete", !view->failure);
    failure_write(&w, view->failure);
    jsonwriter_integer(&w, "window_ns", b->window);
    put_sum(&w, "waits", &b->waits);
    put_sum(&w, "by_nobody", &b->nobody);
    put_sum(&w, "untold", &b->untold);
    jsonwriter_count(&w, "unknown_goroutines", b->unknown_goroutines);
    rows(&w, b, n);
    jsonwriter_end(&w);
    return jsonwriter_finish(&w);
}
