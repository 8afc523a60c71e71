/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/label/results.h"

#include <stdlib.h>
#include <string.h>

#include "lib/record/name.h"

/* A trace whose label may follow. The newest is first in the list, because a label comes soon after
 * its trace. */
struct awaited {
    struct awaited *next;
    struct target *target; /* NULL: of none */
    struct lane *lane;     /* of the target */
    char *job;             /* without a target: whose it is */
    enum reason reason;
    usec sent; /* boot time of the request */
    char *key;
};

struct results {
    struct meters *meters;
    struct awaited *first;
    size_t n;
};

struct results *results_new(struct meters *meters)
{
    struct results *r = calloc(1, sizeof(*r));

    if (r)
        r->meters = meters;
    return r;
}

static void take_out(struct results *r, struct awaited **at)
{
    struct awaited *a = *at;

    *at = a->next;
    r->n--;
    target_unref(a->target);
    free(a->job);
    free(a->key);
    free(a);
}

void results_free(struct results *r)
{
    while (r && r->first)
        take_out(r, &r->first);
    free(r);
}

static void replace(char **text, const char *with)
{
    free(*text);
    *text = with ? strdup(with) : NULL;
}

/* `like` has all but the key and the place in the list; its texts are copied. */
static void await_label(struct results *r, const struct awaited *like, const char *key)
{
    struct awaited *a = calloc(1, sizeof(*a)), **at = &r->first;

    if (!a)
        return;
    *a = *like;
    a->next = r->first;
    a->key = strdup(key);
    a->job = like->job ? strdup(like->job) : NULL;
    if (like->target)
        target_ref(like->target);
    r->first = a;
    if (++r->n <= RESULTS_AWAITED_MAX)
        return;
    while ((*at)->next)
        at = &(*at)->next;
    take_out(r, at);
}

void results_ended(struct results *r, const struct pipeline_end *end, bool inspected)
{
    struct lane_last *last = &end->lane->last;

    if (end->start == 0)
        return;
    last->tried = end->start;
    last->outcome = end->outcome;
    replace(&last->text, end->text[0] ? end->text : NULL);
    if (!end->key)
        return;
    last->captured = end->start;
    last->bytes = end->bytes;
    last->latency = last->covered = -1;
    replace(&last->key, end->key);
    replace(&last->label, NULL);
    if (inspected && end->lane->artifact->inspected)
        await_label(r,
                    &(struct awaited){.target = end->lane->target,
                                      .lane = end->lane,
                                      .reason = end->reason,
                                      .sent = end->sent},
                    end->key);
}

void results_sent(struct results *r, const char *job, const char *key)
{
    await_label(r, &(struct awaited){.job = (char *)(uintptr_t)job}, key);
}

/* Sets the lane's label, unless a newer trace has been kept since. */
static void set_label(struct lane *l, const struct labelling_label *label)
{
    if (!l->last.key || strcmp(l->last.key, label->key) != 0)
        return;
    replace(&l->last.label, label->label);
    l->last.latency = label->latency;
    l->last.covered = label->covered;
}

static struct awaited **find(struct results *r, const char *key)
{
    struct awaited **at = &r->first;

    while (*at && (!(*at)->key || strcmp((*at)->key, key) != 0))
        at = &(*at)->next;
    return at;
}

bool results_grown(struct results *r, const char *key, const struct digest *digest,
                   struct growth *ret)
{
    const struct awaited *a = *find(r, key);
    struct name name;

    if (!a || !a->lane || digest->goroutines < 0 || name_parse(key, &name) < 0)
        return false;
    return growth_add(&a->lane->growth,
                      &(struct growth_sample){.time = a->sent,
                                              .pid = name.pid,
                                              .goroutines = (uint64_t)digest->goroutines,
                                              .site = digest->growing},
                      ret);
}

static const char *job_of(const struct awaited *a)
{
    if (a->lane)
        return a->target->job->name;
    return a->job ? a->job : METERS_OTHER;
}

struct target *results_labelled(struct results *r, const struct labelling_label *label,
                                enum reason *ret_reason)
{
    struct target *target;
    struct awaited **at = find(r, label->key);

    if (!*at) {
        meters_labelled(r->meters, METERS_OTHER, label->label);
        return NULL;
    }
    meters_labelled(r->meters, job_of(*at), label->label);
    if ((*at)->lane)
        set_label((*at)->lane, label);
    target = (*at)->target ? target_ref((*at)->target) : NULL;
    *ret_reason = (*at)->reason;
    take_out(r, at);
    return target;
}
