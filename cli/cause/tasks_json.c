/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonwriter.h"
#include "cli/cause/tasks.h"
#include "cli/read/place.h"

struct document {
    struct jsonwriter w;
    const struct trees *t;
    const struct tasks_view *view;
    struct tasks_part parts[TASKS_PARTS_MAX];
};

/* GOTRACE_NONE is null. */
static void number(struct document *d, const char *key, int64_t value)
{
    if (value == GOTRACE_NONE)
        jsonwriter_null(&d->w, key);
    else
        jsonwriter_integer(&d->w, key, value);
}

static void place(struct document *d, const struct summary_frame *site,
                  const struct summary_own *own)
{
    jsonwriter_text(&d->w, "func", site->func);
    jsonwriter_text(&d->w, "file", site->file);
    jsonwriter_count(&d->w, "line", site->line);
    place_own_json(&d->w, own);
}

static void reasons(struct document *d, const struct trees_work *work)
{
    size_t n = tasks_reasons(d->t, work, d->parts);
    int64_t known = 0;

    jsonwriter_object(&d->w, "waits_ns");
    for (size_t i = 0; i < n; i++) {
        jsonwriter_integer(&d->w, d->parts[i].like->why, d->parts[i].ns);
        known += d->parts[i].ns;
    }
    jsonwriter_end(&d->w);
    jsonwriter_integer(&d->w, "other_waits_ns", work->ns[TREES_WAIT] - known);
}

static void put_work(struct document *d, const struct trees_work *work)
{
    size_t n;

    jsonwriter_object(&d->w, "work");
    jsonwriter_integer(&d->w, "running_ns", work->ns[TREES_RUNNING]);
    jsonwriter_integer(&d->w, "runnable_ns", work->ns[TREES_RUNNABLE]);
    jsonwriter_integer(&d->w, "syscall_ns", work->ns[TREES_SYSCALL]);
    jsonwriter_integer(&d->w, "assist_ns", work->assist);
    jsonwriter_integer(&d->w, "standing_ns", work->ns[TREES_STANDING]);
    reasons(d, work);
    n = tasks_parts(d->t, work, d->parts);
    jsonwriter_array(&d->w, "sites");
    for (size_t i = 0; i < n; i++) {
        const struct trees_part *part = d->parts[i].like;

        jsonwriter_object(&d->w, NULL);
        jsonwriter_text(&d->w, "kind", tasks_kind(part->kind));
        jsonwriter_text(&d->w, "reason", part->why);
        jsonwriter_integer(&d->w, "total_ns", d->parts[i].ns);
        place(d, &part->site, &part->own);
        jsonwriter_end(&d->w);
    }
    jsonwriter_end(&d->w);
    jsonwriter_end(&d->w);
}

static void workers(struct document *d, const struct trees_node *node)
{
    jsonwriter_array(&d->w, "goroutines");
    for (uint32_t i = node->workers; i != TREES_NONE; i = d->t->workers[i].next) {
        jsonwriter_object(&d->w, NULL);
        jsonwriter_integer(&d->w, "g", d->t->workers[i].g);
        jsonwriter_text(&d->w, "name", d->t->workers[i].name);
        put_work(d, &d->t->workers[i].work);
        jsonwriter_end(&d->w);
    }
    jsonwriter_end(&d->w);
}

static void put_mark(struct document *d, const struct trees_mark *mark)
{
    jsonwriter_object(&d->w, NULL);
    jsonwriter_integer(&d->w, "at_ns", mark->since - d->t->first);
    number(d, "g", mark->g);
    if (mark->log) {
        jsonwriter_text(&d->w, "category", mark->name);
        jsonwriter_textn(&d->w, "message", mark->message, mark->n_message);
    } else {
        jsonwriter_text(&d->w, "type", mark->name);
        jsonwriter_integer(&d->w, "duration_ns", mark->duration);
        jsonwriter_bool(&d->w, "open", mark->open);
        jsonwriter_bool(&d->w, "at_start", mark->at_start);
    }
    place(d, &mark->site, &mark->own);
    jsonwriter_end(&d->w);
}

static void marks(struct document *d, const char *key, const struct trees_node *node, bool logs)
{
    jsonwriter_array(&d->w, key);
    for (uint32_t i = node->marks; i != TREES_NONE; i = d->t->marks[i].next)
        if (d->t->marks[i].log == logs)
            put_mark(d, &d->t->marks[i]);
    jsonwriter_end(&d->w);
}

static void put_node(struct document *d, const struct trees_node *node, int64_t depth)
{
    jsonwriter_object(&d->w, NULL);
    jsonwriter_count(&d->w, "task", node->id);
    number(d, "parent", (int64_t)node->parent);
    jsonwriter_integer(&d->w, "depth", depth);
    jsonwriter_text(&d->w, "type", node->name);
    jsonwriter_integer(&d->w, "at_ns", node->since - d->t->first);
    jsonwriter_integer(&d->w, "duration_ns", node->duration);
    jsonwriter_bool(&d->w, "open", node->open);
    jsonwriter_bool(&d->w, "at_start", node->at_start);
    number(d, "g", node->g);
    place(d, &node->site, &node->own);
    put_work(d, &node->work);
    workers(d, node);
    marks(d, "regions", node, false);
    marks(d, "logs", node, true);
    jsonwriter_end(&d->w);
}

/* All tasks of a tree, each behind that above it. */
static void put_tree(struct document *d, const struct trees_node *root)
{
    const struct trees_node *list = d->t->list, *node = root;
    int64_t depth = 0;

    jsonwriter_array(&d->w, NULL);
    while (node) {
        put_node(d, node, depth);
        if (node->below != TREES_NONE) {
            node = &list[node->below];
            depth++;
            continue;
        }
        while (node != root && node->next == TREES_NONE) {
            node = &list[node->above];
            depth--;
        }
        node = node == root ? NULL : &list[node->next];
    }
    jsonwriter_end(&d->w);
}

static void head(struct document *d)
{
    char format[16];

    (void)snprintf(format, sizeof(format), "go 1.%u", d->view->version);
    jsonwriter_integer(&d->w, "schema", TASKS_SCHEMA);
    jsonwriter_text(&d->w, "file", d->view->file);
    jsonwriter_text(&d->w, "format", format);
    jsonwriter_bool(&d->w, "complete", !d->view->failure);
    failure_write(&d->w, d->view->failure);
    jsonwriter_integer(&d->w, "window_ns", d->t->last - d->t->first);
    jsonwriter_count(&d->w, "tasks", d->t->wanted->tasks);
    jsonwriter_count(&d->w, "matches", d->t->wanted->matches);
}

static void left_out(struct document *d)
{
    const struct trees *t = d->t;

    jsonwriter_object(&d->w, "left_out");
    jsonwriter_count(&d->w, "tasks", t->lost_nodes + t->wanted->left_out);
    jsonwriter_count(&d->w, "marks", t->lost_marks);
    jsonwriter_count(&d->w, "stretches", t->lost_workers);
    jsonwriter_count(&d->w, "tasks_without_work", t->summary.lost_tasks);
    jsonwriter_count(&d->w, "goroutines", t->summary.lost_workers);
    jsonwriter_end(&d->w);
}

int tasks_json(const struct trees *t, const struct tasks_view *view, struct buf *out)
{
    struct document *d = malloc(sizeof(*d));
    int r;

    if (!d)
        return -ENOMEM;
    d->t = t;
    d->view = view;
    jsonwriter_init(&d->w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&d->w, NULL);
    head(d);
    jsonwriter_array(&d->w, "trees");
    for (size_t i = 0; i < t->wanted->n; i++) {
        const struct trees_node *root = trees_root(t, &t->wanted->list[i]);

        if (root)
            put_tree(d, root);
    }
    jsonwriter_end(&d->w);
    left_out(d);
    jsonwriter_end(&d->w);
    r = jsonwriter_finish(&d->w);
    free(d);
    return r;
}
