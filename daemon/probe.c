/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/probe.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "daemon/daemon_state.h"
#include "daemon/source/discovery.h"
#include "daemon/watch/near.h"
#include "daemon/watch/plan.h"
#include "daemon/watch/poll.h"
#include "lib/config/group.h"

struct prober {
    sd_event *event;
    struct http *http;
    struct discovery *discovery;
    struct targets *targets;
    struct plan *plan;
    FILE *out;
    unsigned running;
    size_t missing;
};

/* One page of one target. */
struct probing {
    struct prober *prober;
    const struct plan_job *job;
    const struct plan_page *page;
    struct poll *poll;
    struct near names;
    char *shown;
};

static void probing_free(struct probing *p)
{
    near_done(&p->names);
    free(p->shown);
    free(p);
}

static void on_piece(void *userdata, const void *data, size_t n)
{
    struct probing *p = userdata;

    near_feed(&p->names, data, n);
}

static void say_missing(struct probing *p, const struct trigger_config *rule, const char *name,
                        bool expvar)
{
    char found[NEAR_FOUND][NEAR_NAME_MAX + 1];
    size_t n = expvar ? 0 : near_find(&p->names, name, found);

    (void)fprintf(p->prober->out, "%s: the rule %s wants %s, which is not served", p->shown,
                  rule->name, name);
    for (size_t i = 0; i < n; i++)
        (void)fprintf(p->prober->out, "%s%s", i == 0 ? "; did you mean " : ", ", found[i]);
    (void)fputs(n > 0 ? "?\n" : "\n", p->prober->out);
}

/* Why nothing of a metric that is served suits the rule. */
static const char *why_unfit(const struct probing *p, const struct reading *r)
{
    static const char *const types[] = {
        [SCRAPE_UNTYPED] = "which is served, but not as a histogram",
        [SCRAPE_COUNTER] = "which is served as a counter, not as a histogram",
        [SCRAPE_GAUGE] = "which is served as a gauge, not as a histogram",
        [SCRAPE_HISTOGRAM] = "which is a native histogram without classic buckets",
        [SCRAPE_SUMMARY] = "which is served as a summary, not as a histogram",
    };
    const char *name = r->rule->of[0];

    if (r->native)
        return types[SCRAPE_HISTOGRAM];
    if (r->rule->measure == TRIGGER_HISTOGRAM && !near_has_with(&p->names, name, "_bucket"))
        return types[r->bare];
    if (r->rule->measure != TRIGGER_HISTOGRAM && !near_has_with(&p->names, name, ""))
        return "which is served as a histogram: give `histogram`, or a counter of it such as NAME_count";
    return r->rule->n_match > 0 ? "of which no series has the labels of `match`"
                                : "of which no series can be read";
}

/* A bound beyond the last bucket: all that is observed is below it, as far as can be told. */
static void judge_bound(struct probing *p, const struct reading *r)
{
    const struct buckets *b = r->buckets;
    double edge;
    size_t n = b ? b->n : 0;

    if (n == 0 || b->ranges || b->bad || b->mixed || buckets_edge(b, &edge))
        return;
    while (n > 0 && !isfinite(b->of[n - 1].edge))
        n--;
    p->prober->missing++;
    (void)fprintf(p->prober->out,
                  "%s: the rule %s cannot fire: no bucket of %s has an edge at or above %g, ",
                  p->shown, r->rule->name, r->rule->of[0], b->bound);
    if (n > 0)
        (void)fprintf(p->prober->out, "the last is %g; lower `above`\n", b->of[n - 1].edge);
    else
        (void)fputs("there is only +Inf\n", p->prober->out);
}

/* What of the rule the page does not have. */
static void judge(struct probing *p, const struct reading *r, bool expvar)
{
    bool named = true;

    if (reading_seen(r)) {
        judge_bound(p, r);
        return;
    }
    p->prober->missing++;
    for (size_t i = 0; i < 2 && r->rule->of[i]; i++) {
        if (!expvar && near_has(&p->names, r->rule->of[i]))
            continue;
        named = false;
        say_missing(p, r->rule, r->rule->of[i], expvar);
    }
    if (named)
        (void)fprintf(p->prober->out, "%s: the rule %s wants %s, %s\n", p->shown, r->rule->name,
                      r->rule->of[0], why_unfit(p, r));
}

static void on_ended(void *userdata, const struct poll_result *result,
                     const struct rulebook_page *page)
{
    struct probing *p = userdata;

    for (size_t i = 0; page && i < p->page->n; i++)
        judge(p, rulebook_reading(page, i), result->expvar);
    if (!page) {
        p->prober->missing++;
        (void)fprintf(p->prober->out, "%s: %s: %s%s\n", p->shown, pollend_name(result->end),
                      result->text, pollend_hint(result->end));
    }
    p->prober->running--;
    probing_free(p);
}

static int begin(struct prober *pr, struct target *t, const struct plan_job *job,
                 const struct plan_page *page)
{
    struct probing *p = calloc(1, sizeof(*p));
    struct poll_options options;
    struct poll_result failure;

    if (!p)
        return -ENOMEM;
    *p = (struct probing){.prober = pr, .job = job, .page = page};
    near_init(&p->names);
    p->shown = target_shown_at(t, page->path);
    if (!p->shown) {
        probing_free(p);
        return -ENOMEM;
    }
    options = (struct poll_options){.target = t,
                                    .path = page->path,
                                    .book = page->book,
                                    .timeout = PROBE_TIMEOUT,
                                    .piece = on_piece};
    pr->running++;
    if (poll_start(pr->http, &options, on_ended, p, &p->poll, &failure) < 0)
        on_ended(p, &failure, NULL);
    return 0;
}

static int wait_for(struct prober *pr, unsigned most)
{
    int r = 0;

    while (r >= 0 && pr->running > most)
        r = sd_event_run(pr->event, UINT64_MAX);
    return r;
}

static int ask_all(struct prober *pr)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < targets_count(pr->targets); i++) {
        struct target *t = targets_at(pr->targets, i);
        const struct plan_job *job = plan_job(pr->plan, t->job->name);

        for (size_t k = 0; r >= 0 && job && k < job->n_pages; k++) {
            r = wait_for(pr, PROBE_AT_ONCE - 1);
            if (r >= 0)
                r = begin(pr, t, job, &job->pages[k]);
        }
    }
    return r < 0 ? r : wait_for(pr, 0);
}

static int find_targets(struct prober *pr, const struct config *config)
{
    struct target_list *lists = calloc(config->n_jobs + 1, sizeof(*lists));
    const struct target_list **views = calloc(config->n_jobs + 1, sizeof(struct target_list *));
    struct targets_change change;
    int r = lists && views ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < config->n_jobs; i++) {
        r = discovery_targets(pr->discovery, config, i, &lists[i]);
        views[i] = &lists[i];
    }
    if (r == 0)
        r = targets_update(pr->targets, config, views, clock_real(), clock_boot(), &change);
    for (size_t i = 0; lists && i < config->n_jobs; i++)
        target_list_done(&lists[i]);
    free(lists);
    free(views);
    return r;
}

static void on_changed(void *userdata)
{
    (void)userdata;
}

static int prepare(struct prober *pr, const struct config *config)
{
    int r = sd_event_new(&pr->event);

    if (r >= 0)
        r = http_new(pr->event, DAEMON_USER_AGENT, &pr->http);
    if (r >= 0)
        r = discovery_new(pr->event, on_changed, pr, &pr->discovery);
    if (r >= 0)
        r = discovery_set(pr->discovery, config);
    if (r < 0)
        return r;
    pr->targets = targets_new("localhost");
    if (!pr->targets)
        return -ENOMEM;
    r = find_targets(pr, config);
    return r < 0 ? r : plan_new(config, &pr->plan);
}

int probe(const struct config *config, FILE *out)
{
    struct prober pr = {.out = out};
    int r = prepare(&pr, config);

    if (r >= 0)
        r = ask_all(&pr);
    if (r >= 0)
        r = pr.missing > 0;
    plan_free(pr.plan);
    targets_free(pr.targets);
    discovery_free(pr.discovery);
    http_free(pr.http);
    sd_event_unref(pr.event);
    return r;
}
