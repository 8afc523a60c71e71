/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/query.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/common/screen.h"
#include "cli/find/moment.h"
#include "cli/find/records.h"
#include "cli/find/stored.h"
#include "trace/findings/code.h"

#define FIELD(name) offsetof(struct query, name)

const struct argument query_rows[QUERY_ROWS] = {
    {"service", 's', "SERVICE", "of this service; may be a pattern such as 'check*'", argument_text,
     FIELD(service)},
    {"host", 'H', "HOST", "of this host; may be a pattern", argument_text, FIELD(host)},
    {"since", 0, "TIME", "not older: 2h, 15:04, 2026-11-21, 2026-11-21T15:04:05Z (UTC)",
     argument_text, FIELD(since)},
    {"until", 0, "TIME", "not newer; a day or a minute counts whole", argument_text, FIELD(until)},
    {"reason", 'r', "REASON", "captured for this reason: schedule, signal, …; may be a pattern",
     argument_text, FIELD(reason)},
    {"artifact", 0, "ARTIFACT", "only trace, mutex, …; may be a pattern", argument_text,
     FIELD(artifact)},
    {"label", 'L', "LABEL", "found to be lock-contention, healthy, …; may be a pattern",
     argument_text, FIELD(label)},
    {"incident", 'i', "ID", "of the incident with this id; '*': of any", argument_text,
     FIELD(incident)},
};

#define LABELS_TEXT_MAX 400
#define FILTERS_TEXT_MAX 128

static bool is_label(const char *text)
{
    const char *label;

    for (size_t i = 0; (label = code_label(i)); i++) {
        if (strcmp(text, label) == 0)
            return true;
    }
    return strcmp(text, CODE_NOT_INSPECTED) == 0;
}

/* Refuses an unknown label, as a typing error would find nothing. A pattern is not checked: it may
 * mean labels of another version. */
static int check_label(const char *text)
{
    char memory[LABELS_TEXT_MAX];
    const char *label;
    struct buf all;

    if (strpbrk(text, "*?[") || is_label(text))
        return 0;
    buf_over(&all, memory, sizeof(memory));
    for (size_t i = 0; (label = code_label(i)); i++)
        (void)buf_addf(&all, "%s, ", label);
    complain("--label=%s: expected %s" CODE_NOT_INSPECTED ", or a pattern such as '*-*'", text,
             buf_str(&all));
    return -EINVAL;
}

static int check_artifact(const char *text)
{
    enum kind kind;

    if (strpbrk(text, "*?[") || kind_of_name(text, &kind))
        return 0;
    complain("--artifact=%s: expected trace, mutex or another of contraced.yaml(5), or a pattern",
             text);
    return -EINVAL;
}

#define TIME_EXPECTED \
    "a duration back from now (2h), a time of day (15:04), a day (2026-11-21) or RFC 3339"

/* Evidence of an incident is of its service and host, and no younger than a day. */
static int narrow(const struct query *q, struct name *id, struct selection *s)
{
    char key[NAME_KEY_MAX];

    s->incident = q->incident;
    if (!q->incident || strpbrk(q->incident, "*?["))
        return 0;
    if (!name_is_stem(q->incident)) {
        complain("--incident=%s: expected an id as 'contrace list --json' shows it, such as "
                 "checkout/web-3/20261121/150405-1234, or '*' for all incidents",
                 q->incident);
        return -EINVAL;
    }
    (void)snprintf(key, sizeof(key), "%s.trace", q->incident);
    (void)name_parse(key, id);
    s->service = s->service ? s->service : id->service;
    s->host = s->host ? s->host : id->host;
    s->since = s->since > id->time ? s->since : id->time;
    s->until = s->until < id->time + USEC_PER_DAY ? s->until : id->time + USEC_PER_DAY;
    return 0;
}

int query_selection(const struct query *q, usec now, struct name *id, struct selection *ret)
{
    struct selection s = {.service = q->service,
                          .host = q->host,
                          .reason = q->reason,
                          .label = q->label,
                          .artifact = q->artifact ? q->artifact : q->usual,
                          .until = USEC_NEVER};
    usec other;

    if ((q->label && check_label(q->label) < 0) || (q->artifact && check_artifact(q->artifact) < 0))
        return -EINVAL;
    if (q->since && moment_parse(q->since, now, &s.since, &other) < 0) {
        complain("--since=%s: expected " TIME_EXPECTED, q->since);
        return -EINVAL;
    }
    if (q->until && moment_parse(q->until, now, &other, &s.until) < 0) {
        complain("--until=%s: expected " TIME_EXPECTED, q->until);
        return -EINVAL;
    }
    if (s.since >= s.until) {
        complain("--since=%s is not before --until=%s", q->since, q->until);
        return -EINVAL;
    }
    if (narrow(q, id, &s) < 0)
        return -EINVAL;
    *ret = s;
    return 0;
}

static bool record_matches(const struct entry *e, const void *userdata)
{
    const struct selection *selection = userdata;

    return selection_match_record(selection, e->facts ? e->facts->reason : NULL,
                                  e->facts ? e->facts->label : NULL,
                                  e->facts ? e->facts->incident : NULL);
}

static int find_local(struct sources *s, const struct selection *selection, struct catalog *c)
{
    int r;

    if (!s->has_local)
        return 0;
    r = local_list(&s->local, selection, c);
    if (r < 0)
        complain("%s cannot be read whole: %s", s->local.path, strerror(-r));
    return r == -ENOMEM ? r : r < 0;
}

static int find(struct sources *s, const struct query *q, const struct selection *selection,
                struct catalog *c)
{
    bool newest = !selection_needs_record(selection) && !q->reverse &&
                  (!q->order || q->order == order_by_time);
    int r = find_local(s, selection, c), failed = r > 0;

    if (r >= 0 && s->store) {
        r = stored_list(s, selection, newest ? q->limit : 0, clock_real(), c);
        if (r == -EIO) {
            failed = 1;
            r = 0;
        }
    }
    catalog_merge(c);
    return r < 0 ? r : failed;
}

/* Reads records before a filter or an order that needs them, else only for the entries that are
 * left. */
static int refine(struct sources *s, const struct query *q, const struct selection *selection,
                  struct catalog *c)
{
    catalog_order_fn order = q->order ? q->order : order_by_time;
    bool needed = selection_needs_record(selection), first = needed || order_needs_facts(order);
    int r = first ? records_read(s, c, needed || q->remote_facts) : 0, failed = 0;

    if (r < 0 && r != -EIO)
        return r;
    failed = r < 0;
    if (needed)
        catalog_filter(c, record_matches, selection);
    catalog_sort(c, order, q->reverse);
    if (q->limit > 0)
        catalog_cut(c, q->limit);
    r = q->with_facts && !first ? records_read(s, c, q->remote_facts) : 0;
    return r < 0 && r != -EIO ? r : failed || r < 0;
}

int query_run(struct sources *s, const struct query *q, const struct selection *selection,
              struct catalog *c)
{
    int found = find(s, q, selection, c), r;

    if (found < 0)
        return found;
    r = refine(s, q, selection, c);
    return r < 0 ? r : r || found || s->failed;
}

/* The options that were given, such as "--service and --label". */
static void name_filters(const struct query *q, struct buf *out)
{
    for (size_t i = 0; i < QUERY_ROWS; i++) {
        const char *value = *(const char *const *)((const char *)q + query_rows[i].offset);

        if (value)
            (void)buf_addf(out, "%s--%s", out->len > 0 ? " and " : "", query_rows[i].name);
    }
}

void query_explain(const struct sources *s, const struct query *q)
{
    const struct selection every = {.artifact = q->usual, .until = USEC_NEVER};
    struct catalog all = {0};
    char memory[FILTERS_TEXT_MAX];
    struct buf filters;

    buf_over(&filters, memory, sizeof(memory));
    name_filters(q, &filters);
    if (filters.len == 0 || !s->has_local)
        return;
    if (local_list(&s->local, &every, &all) == 0) {
        catalog_merge(&all);
        complain("without %s there %s %zu in %s", buf_str(&filters), all.n == 1 ? "is" : "are",
                 all.n, s->local.path);
    }
    catalog_done(&all);
}
