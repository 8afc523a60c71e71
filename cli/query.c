/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/query.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cli/moment.h"
#include "cli/records.h"
#include "cli/stored.h"
#include "cli/screen.h"

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
    {"label", 'L', "LABEL", "found to be lock-contention, healthy, …; may be a pattern",
     argument_text, FIELD(label)},
};

#define TIME_EXPECTED \
    "a duration back from now (2h), a time of day (15:04), a day (2026-11-21) or RFC 3339"

int query_selection(const struct query *q, usec now, struct selection *ret)
{
    struct selection s = {.service = q->service,
                          .host = q->host,
                          .reason = q->reason,
                          .label = q->label,
                          .until = USEC_NEVER};
    usec other;

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
    *ret = s;
    return 0;
}

static bool record_matches(const struct entry *e, const void *userdata)
{
    const struct selection *selection = userdata;

    return selection_match_record(selection, e->facts ? e->facts->reason : NULL,
                                  e->facts ? e->facts->label : NULL);
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

/* Facts come before what depends on them, and otherwise only for what is left in the end. */
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
