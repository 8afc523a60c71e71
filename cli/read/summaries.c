/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/summaries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/jsontext.h"
#include "cli/read/summary.h"
#include "cli/read/tracefile.h"

/* A new item; the failure is not yet known. */
static int item_new(struct summaries *s, const char *name, struct summaries_item **ret)
{
    if (s->n == SUMMARIES_MAX)
        return -E2BIG;
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 16;
        struct summaries_item *list = reallocarray(s->list, cap, sizeof(*list));

        if (!list)
            return -ENOMEM;
        s->list = list;
        s->cap = cap;
    }
    *ret = &s->list[s->n];
    **ret = (struct summaries_item){.name = strdup(name)};
    if (!(*ret)->name)
        return -ENOMEM;
    s->n++;
    return 0;
}

static int to_json(const struct summary *s, const char *name, json_t **ret)
{
    struct summary_view view = {.name = name};
    struct context beside;
    struct buf text;
    int r;

    if (summary_context_beside(name, &beside))
        view.context = &beside;
    buf_init(&text, SUMMARY_JSON_MAX);
    r = summary_json(&view, s, SUMMARY_ALL, &text);
    if (r == 0)
        r = jsontext_parse(buf_str(&text), text.len, 0, NULL, ret);
    buf_done(&text);
    return r;
}

static void read_trace(int fd, struct summaries_item *item)
{
    struct gotrace *trace;
    struct summary s;
    int r = gotrace_open_mapped(NULL, fd, &trace);

    if (r < 0) {
        item->failure = failure_of(r);
        return;
    }
    gotrace_spill(trace, tracefile_unnamed, NULL);
    r = summary_run(trace, &s);
    if (r < 0) {
        item->failure = failure_of_trace(trace, r);
    } else {
        item->complete = s.complete;
        if (!s.complete)
            item->failure = summary_failure(&s);
        r = to_json(&s, item->name, &item->json);
        if (r < 0)
            item->failure = failure_of_json(r);
        summary_done(&s);
    }
    gotrace_close(trace);
}

/* One line of a file that was saved. */
static int add_saved(struct summaries *s, const char *file, const char *line, size_t n)
{
    struct summaries_item *item;
    json_error_t error;
    json_t *json = NULL;
    int r = jsontext_parse(line, n, JSON_REJECT_DUPLICATES, &error, &json);
    const char *name = json_string_value(json_object_get(json, "file"));

    if (r == 0)
        r = item_new(s, name ? name : file, &item);
    else if (r == -EINVAL)
        r = item_new(s, file, &item);
    if (r < 0) {
        json_decref(json);
        return r;
    }
    if (json_integer_value(json_object_get(json, "schema")) == SUMMARY_SCHEMA &&
        json_object_get(json, "scheduler")) {
        item->json = json;
        item->complete = json_is_true(json_object_get(json, "complete"));
        return 0;
    }
    json_decref(json);
    item->failure = failure_of(-EINVAL);
    (void)snprintf(item->failure.text, sizeof(item->failure.text), "%s",
                   "is no line of 'contrace summary --json' of a trace that could be read");
    return 0;
}

static int read_saved(struct summaries *s, int fd, const char *file)
{
    struct summaries_item *item;
    struct buf text;
    int r;

    buf_init(&text, SUMMARY_JSON_MAX);
    r = buf_read_fd(&text, fd);
    if (r < 0 && r != -ENOMEM) {
        r = item_new(s, file, &item);
        if (r == 0)
            item->failure = failure_of(-E2BIG);
    }
    for (const char *line = buf_str(&text), *end; r == 0 && *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        if (end > line)
            r = add_saved(s, file, line, (size_t)(end - line));
    }
    buf_done(&text);
    return r;
}

static bool is_saved(int fd)
{
    char first;

    return pread(fd, &first, 1, 0) == 1 && first == '{';
}

int summaries_add(struct summaries *s, const char *file)
{
    _cleanup_close_ int fd = tracefile_open(file);
    struct summaries_item *item;
    int r;

    if (fd >= 0 && is_saved(fd))
        return read_saved(s, fd, file);
    r = item_new(s, file, &item);
    if (r < 0)
        return r;
    if (fd < 0)
        item->failure = failure_of(fd);
    else
        read_trace(fd, item);
    return item->failure.code == -ENOMEM ? -ENOMEM : 0;
}

bool summaries_complain(const struct summaries_item *item)
{
    if (item->json && item->complete)
        return false;
    if (item->failure.code != 0)
        failure_complain(item->name, &item->failure,
                         item->json ? "; what came before is judged" : "");
    return true;
}

void summaries_clear(struct summaries *s)
{
    for (size_t i = 0; i < s->n; i++) {
        json_decref(s->list[i].json);
        free(s->list[i].name);
    }
    s->n = 0;
}

void summaries_done(struct summaries *s)
{
    summaries_clear(s);
    free(s->list);
}
