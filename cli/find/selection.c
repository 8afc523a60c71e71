/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/selection.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to this many days are listed one by one, for stores that cannot start in the middle of a
 * listing. */
#define DAYS_MAX 7

static bool glob_match(const char *glob, const char *text)
{
    return !glob || fnmatch(glob, text, 0) == 0;
}

/* The length of the plain text before the first glob character. */
static size_t literal_length(const char *glob)
{
    return strcspn(glob, "*?[\\");
}

/* Whether the pattern is a plain name. */
static bool exact(const char *glob)
{
    return glob && glob[literal_length(glob)] == '\0' && name_part_ok(glob);
}

/* A key tells whole seconds: the capture may have started up to a second later. */
static bool too_early(const struct selection *s, const struct name *n)
{
    return n->time + USEC_PER_SEC <= s->since;
}

bool selection_match(const struct selection *s, const struct name *n)
{
    return selection_covers(s, n) && glob_match(s->artifact, kind_name(n->kind));
}

bool selection_covers(const struct selection *s, const struct name *n)
{
    return !too_early(s, n) && n->time < s->until && glob_match(s->service, n->service) &&
           glob_match(s->host, n->host);
}

bool selection_one_host(const struct selection *s)
{
    return exact(s->service) && exact(s->host);
}

bool selection_needs_record(const struct selection *s)
{
    return s->reason || s->label || s->incident;
}

/* An unknown value matches no glob. */
static bool glob_match_known(const char *glob, const char *text)
{
    return !glob || (text && fnmatch(glob, text, 0) == 0);
}

bool selection_match_record(const struct selection *s, const char *reason, const char *label,
                            const char *incident)
{
    return glob_match_known(s->reason, reason) && glob_match_known(s->label, label) &&
           glob_match_known(s->incident, incident);
}

/* Extends the prefix by the plain text at the start of a glob. */
static void add_literal(struct range *range, const char *glob)
{
    size_t used = strlen(range->prefix), n = glob ? literal_length(glob) : 0;

    /* No name is longer, and the plain text must not be cut. */
    if (n < sizeof(range->prefix) - used) {
        memcpy(range->prefix + used, glob ? glob : "", n);
        range->prefix[used + n] = '\0';
    }
}

static void plan_day(const struct selection *s, usec day, struct range *range)
{
    (void)name_prefix(s->service, s->host, day, range->prefix);
}

/* The position behind a host's keys that are too early. */
static void plan_after(const struct selection *s, struct range *range)
{
    struct name n;

    if (s->since == 0)
        return;
    name_init(&n, s->service, s->host, s->since, 0);
    (void)name_position(&n, range->after);
}

int selection_plan(const struct selection *s, usec now, struct range **ret, size_t *ret_n)
{
    /* The clocks of other machines may be ahead of ours. */
    usec end = s->until < now + USEC_PER_DAY ? s->until : now + USEC_PER_DAY;
    usec first = s->since / USEC_PER_DAY;
    usec days = end > s->since && s->since > 0 ? (end - 1) / USEC_PER_DAY - first + 1 : 0;
    struct range *ranges = calloc(DAYS_MAX, sizeof(*ranges));
    size_t n = 1;

    if (!ranges)
        return -ENOMEM;
    if (!exact(s->service)) {
        add_literal(&ranges[0], s->service);
    } else if (!exact(s->host)) {
        (void)name_prefix(s->service, NULL, USEC_NEVER, ranges[0].prefix);
        add_literal(&ranges[0], s->host);
    } else if (days > 0 && days <= DAYS_MAX) {
        for (n = 0; n < days; n++)
            plan_day(s, (first + n) * USEC_PER_DAY, &ranges[n]);
        plan_after(s, &ranges[0]);
    } else {
        (void)name_prefix(s->service, s->host, USEC_NEVER, ranges[0].prefix);
        plan_after(s, &ranges[0]);
    }
    *ret = ranges;
    *ret_n = n;
    return 0;
}

bool selection_skip(const struct selection *s, const struct name *n, char out[static NAME_KEY_MAX])
{
    struct name from = *n;

    if (!glob_match(s->service, n->service)) {
        (void)name_behind(n->service, NULL, out);
    } else if (!glob_match(s->host, n->host) || n->time >= s->until) {
        (void)name_behind(n->service, n->host, out);
    } else {
        from.time = s->since;
        (void)name_position(&from, out);
    }
    return !(selection_one_host(s) && n->time >= s->until);
}
