/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/jsonwriter.h"
#include "cli/read/goroutines.h"

struct document {
    struct jsonwriter w;
    const struct goroutines_result *g;
    const struct goroutines_view *view;
    struct goroutines_share shares[COLUMNS_MAX];
};

static void put_shares(struct document *d, const char *key, const char *name, const struct times *t,
                       bool ranges)
{
    size_t n = goroutines_shares(d->g, t, ranges, d->shares);

    jsonwriter_array(&d->w, key);
    for (size_t i = 0; i < n; i++) {
        jsonwriter_object(&d->w, NULL);
        jsonwriter_text(&d->w, name, d->shares[i].name);
        jsonwriter_integer(&d->w, "total_ns", d->shares[i].ns);
        jsonwriter_end(&d->w);
    }
    jsonwriter_end(&d->w);
}

static void put_times(struct document *d, const struct times *t)
{
    for (size_t i = 0; i < TIMES_N; i++)
        jsonwriter_integer(&d->w, goroutines_fields[i].key, t->ns[i]);
    put_shares(d, "blocks", "reason", t, false);
    put_shares(d, "ranges", "name", t, true);
}

static const char *name_of(const struct document *d, uint32_t name)
{
    return texts_get(d->g->texts, name);
}

static size_t at_most(const struct document *d, size_t n)
{
    return d->view->top > 0 && d->view->top < n ? d->view->top : n;
}

static void groups(struct document *d)
{
    size_t n = at_most(d, d->view->n_groups);
    uint64_t count = 0;
    int64_t exec = 0;

    jsonwriter_array(&d->w, "groups");
    for (size_t i = 0; i < n; i++) {
        const struct group *group = d->view->groups[i];

        jsonwriter_object(&d->w, NULL);
        jsonwriter_text(&d->w, "name", name_of(d, group->name));
        jsonwriter_count(&d->w, "count", group->count);
        put_times(d, &group->times);
        jsonwriter_end(&d->w);
    }
    jsonwriter_end(&d->w);
    for (size_t i = n; i < d->view->n_groups; i++) {
        count += d->view->groups[i]->count;
        exec = times_plus(exec, d->view->groups[i]->times.ns[TIMES_EXEC]);
    }
    jsonwriter_object(&d->w, "groups_left_out");
    jsonwriter_count(&d->w, "groups", d->view->n_groups - n);
    jsonwriter_count(&d->w, "count", count);
    jsonwriter_integer(&d->w, "exec_ns", exec);
    jsonwriter_end(&d->w);
}

/* A moment, from the trace's beginning; null: it did not come. */
static void moment(struct document *d, const char *key, int64_t time)
{
    if (time == 0)
        jsonwriter_null(&d->w, key);
    else
        jsonwriter_integer(&d->w, key, times_between(d->g->start, time));
}

static void list(struct document *d)
{
    const struct worst *worst = d->g->worst;

    jsonwriter_text(&d->w, "name", d->view->name);
    jsonwriter_array(&d->w, "list");
    for (size_t i = 0; i < worst->n; i++) {
        const struct life *life = &worst->list[i].life;

        jsonwriter_object(&d->w, NULL);
        jsonwriter_integer(&d->w, "g", life->g);
        jsonwriter_text(&d->w, "name", name_of(d, life->name));
        jsonwriter_integer(&d->w, "created_ns", times_between(d->g->start, life->created));
        moment(d, "started_ns", life->started);
        moment(d, "ended_ns", life->ended);
        put_times(d, &life->times);
        jsonwriter_end(&d->w);
    }
    jsonwriter_end(&d->w);
    jsonwriter_count(&d->w, "list_left_out", worst->left_out);
}

static void head(struct document *d)
{
    char format[16];

    (void)snprintf(format, sizeof(format), "go 1.%u", d->view->version);
    jsonwriter_integer(&d->w, "schema", GOROUTINES_SCHEMA);
    jsonwriter_text(&d->w, "file", d->view->file);
    jsonwriter_text(&d->w, "format", format);
    jsonwriter_bool(&d->w, "complete", d->g->complete);
    failure_write(&d->w, d->view->failure);
    jsonwriter_count(&d->w, "bytes", d->view->bytes);
    jsonwriter_count(&d->w, "generations", d->g->generations);
    jsonwriter_integer(&d->w, "window_ns", d->g->window);
    jsonwriter_count(&d->w, "goroutines", d->g->count);
    jsonwriter_integer(&d->w, "exec_ns", d->g->exec);
}

int goroutines_json(const struct goroutines_result *g, const struct goroutines_view *view,
                    struct buf *out)
{
    struct document *d = malloc(sizeof(*d));
    int r;

    if (!d)
        return -ENOMEM;
    d->g = g;
    d->view = view;
    jsonwriter_init(&d->w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&d->w, NULL);
    head(d);
    groups(d);
    if (view->name)
        list(d);
    jsonwriter_object(&d->w, "left_out");
    jsonwriter_count(&d->w, "goroutines", g->left_out);
    jsonwriter_integer(&d->w, "undivided_ns", g->left_out_ns);
    jsonwriter_end(&d->w);
    jsonwriter_end(&d->w);
    r = jsonwriter_finish(&d->w);
    free(d);
    return r;
}
