/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/jsonwriter.h"
#include "cli/read/alive.h"
#include "cli/read/place.h"

static void put_site(struct jsonwriter *w, const struct summary_frame *at,
                     const struct summary_own *own)
{
    jsonwriter_text(w, "func", at->func);
    jsonwriter_text(w, "file", at->file);
    jsonwriter_count(w, "line", at->line);
    place_own_json(w, own);
}

static void put_creators(struct jsonwriter *w, const struct whereabouts_group *g)
{
    jsonwriter_array(w, "creators");
    for (size_t i = 0; i < g->n_creators; i++) {
        const struct whereabouts_creator *c = &g->creators[i];

        jsonwriter_object(w, NULL);
        put_site(w, &c->at, &c->own);
        jsonwriter_count(w, "count", c->count);
        jsonwriter_integer(w, "oldest_ns", c->oldest);
        jsonwriter_integer(w, "newest_ns", c->newest);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
}

static void put_group(struct jsonwriter *w, const struct whereabouts_group *g)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "state", alive_state(g->state));
    jsonwriter_text(w, "reason", g->reason);
    jsonwriter_text(w, "name", g->name);
    put_site(w, &g->at, &g->own);
    jsonwriter_count(w, "count", g->count);
    jsonwriter_count(w, "at_start", g->at_start);
    jsonwriter_count(w, "older", g->older);
    jsonwriter_integer(w, "longest_ns", g->longest);
    put_creators(w, g);
    jsonwriter_end(w);
}

static void groups(struct jsonwriter *w, const struct alive_result *a,
                   const struct alive_view *view)
{
    size_t shown = 0, rest = 0;
    uint64_t count = 0;

    jsonwriter_array(w, "groups");
    for (size_t i = 0; i < a->n; i++) {
        const struct whereabouts_group *g = &a->groups[i];

        if (!alive_is_shown(g, view))
            continue;
        if (view->top > 0 && shown == view->top) {
            rest++;
            count += g->count;
            continue;
        }
        put_group(w, g);
        shown++;
    }
    jsonwriter_end(w);
    jsonwriter_object(w, "groups_left_out");
    jsonwriter_count(w, "groups", rest);
    jsonwriter_count(w, "count", count);
    jsonwriter_end(w);
}

int alive_json(const struct alive_result *a, const struct alive_view *view, struct buf *out)
{
    struct jsonwriter w;
    char format[16];

    (void)snprintf(format, sizeof(format), "go 1.%u", view->version);
    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&w, NULL);
    jsonwriter_integer(&w, "schema", ALIVE_SCHEMA);
    jsonwriter_text(&w, "file", view->file);
    jsonwriter_text(&w, "format", format);
    jsonwriter_bool(&w, "complete", !view->failure);
    failure_write(&w, view->failure);
    jsonwriter_integer(&w, "window_ns", a->window);
    jsonwriter_integer(&w, "at_ns", a->at);
    jsonwriter_count(&w, "at_start", a->at_start);
    jsonwriter_count(&w, "goroutines", a->count);
    jsonwriter_count(&w, "created", a->created);
    jsonwriter_count(&w, "ended", a->ended);
    groups(&w, a, view);
    jsonwriter_object(&w, "left_out");
    jsonwriter_count(&w, "goroutines", a->left_out);
    jsonwriter_count(&w, "ungrouped", a->ungrouped);
    jsonwriter_end(&w);
    jsonwriter_end(&w);
    return jsonwriter_finish(&w);
}
