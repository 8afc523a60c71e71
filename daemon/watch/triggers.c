/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch/triggers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsontext.h"
#include "base/loop.h"
#include "daemon/watch/triggers_state.h"
#include "lib/value/path.h"

int triggers_new(sd_event *event, const char *user_agent, struct targets *targets,
                 const struct triggers_calls *calls, void *userdata, struct triggers **ret)
{
    struct triggers *t = calloc(1, sizeof(*t));
    int r;

    if (!t)
        return -ENOMEM;
    t->event = event;
    t->targets = targets;
    t->calls = calls;
    t->userdata = userdata;
    r = http_new(event, user_agent, &t->http);
    if (r >= 0)
        r = triggers_fire_init(t);
    if (r < 0) {
        triggers_free(t);
        return r;
    }
    *ret = t;
    return 0;
}

static void free_subjects(struct subject **subjects, size_t n)
{
    for (size_t i = 0; subjects && i < n; i++)
        subject_free(subjects[i]);
    free(subjects);
}

void triggers_free(struct triggers *t)
{
    if (!t)
        return;
    free_subjects(t->subjects, t->n);
    plan_free(t->plan);
    triggers_fire_done(t);
    tally_done(&t->tally);
    http_free(t->http);
    free(t);
}

/* The subjects that there will be. */
struct next {
    struct subject **items;
    struct subject **old; /* of each: what it takes over; NULL: nothing; itself: it stays */
    size_t n;
};

/* The present subject of this target. Both lists have the same order, so the search goes on at *at. */
static struct subject *old_subject(const struct triggers *t, const struct target *target,
                                   size_t *at)
{
    while (*at < t->n && triggers_compare(t->subjects[*at]->target, target) < 0)
        ++*at;
    return *at < t->n && t->subjects[*at]->target == target ? t->subjects[*at] : NULL;
}

static int add_next(struct triggers *t, struct next *next, struct target *target,
                    const struct plan_job *job, struct subject *old)
{
    usec now = loop_now(t->event, CLOCK_BOOTTIME);
    struct subject *s;
    int r;

    if (old && old->job == job) {
        next->items[next->n] = next->old[next->n] = old;
        next->n++;
        return 0;
    }
    s = subject_new(target, job);
    r = s ? subject_prepare(s, old, now) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < job->n; i++)
        s->rules[i].numbers = tally_rule(&t->tally, job->rules[i]->name);
    if (r == 0)
        r = triggers_add_timers(t, s);
    if (r < 0) {
        subject_free(s);
        return r;
    }
    next->items[next->n] = s;
    next->old[next->n++] = old;
    return 0;
}

static void next_done(struct next *next)
{
    for (size_t i = 0; next->items && next->old && i < next->n; i++) {
        if (next->items[i] != next->old[i])
            subject_free(next->items[i]);
    }
    free(next->items);
    free(next->old);
}

static int make_next(struct triggers *t, const struct plan *plan, struct next *ret)
{
    size_t n = targets_count(t->targets), at = 0;
    const struct plan_job *job = NULL;
    const char *name = NULL;
    int r = 0;

    *ret = (struct next){.items = calloc(n + 1, sizeof(*ret->items)),
                         .old = calloc(n + 1, sizeof(*ret->old))};
    if (!ret->items || !ret->old)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct target *target = targets_at(t->targets, i);

        if (!name || strcmp(name, target->job->name) != 0) {
            name = target->job->name;
            job = plan_job(plan, name);
        }
        if (job)
            r = add_next(t, ret, target, job, old_subject(t, target, &at));
    }
    if (r < 0)
        next_done(ret);
    return r;
}

/* The next subjects take the place of the present ones. */
static void commit(struct triggers *t, struct next *next)
{
    struct subject **gone = t->subjects;
    size_t n_gone = t->n, at = 0;

    t->pages = 0;
    for (size_t i = 0; i < next->n; i++) {
        struct subject *s = next->items[i], *old = next->old[i];

        t->pages += s->job->n_pages;
        if (s == old)
            continue;
        if (old)
            subject_take(s, old);
        if (!t->stopped)
            triggers_schedule(t, s);
    }
    for (size_t i = 0; i < n_gone; i++) {
        while (at < next->n && triggers_compare(next->items[at]->target, gone[i]->target) < 0)
            at++;
        if (at < next->n && next->items[at] == gone[i])
            continue;
        triggers_quiet(t, gone[i]);
        subject_free(gone[i]);
    }
    free(gone);
    t->subjects = steal(&next->items);
    t->n = next->n;
    free(steal(&next->old));
    http_keep(t->http, t->pages <= TRIGGERS_KEPT ? t->pages + 1 : 1);
}

int triggers_update(struct triggers *t)
{
    struct next next;
    int r = t->plan ? make_next(t, t->plan, &next) : -ENOENT;

    if (r == -ENOENT)
        return 0;
    if (r == 0)
        commit(t, &next);
    return r;
}

int triggers_set(struct triggers *t, const struct config *config)
{
    struct plan *plan = NULL;
    struct next next;
    int r = plan_new(config, &plan);

    if (r == 0)
        r = make_next(t, plan, &next);
    if (r < 0) {
        plan_free(plan);
        return r;
    }
    commit(t, &next);
    plan_free(t->plan);
    t->plan = plan;
    for (size_t i = 0; i < config->n_triggers; i++)
        (void)tally_rule(&t->tally, config->triggers[i].name); /* it exists from now on, as zeros */
    return 0;
}

void triggers_stop(struct triggers *t)
{
    t->stopped = true;
    for (size_t i = 0; i < t->n; i++)
        triggers_quiet(t, t->subjects[i]);
    storm_clear(&t->storm);
}

void triggers_inspected(struct triggers *t, struct target *target, const char *label,
                        const char *summary)
{
    struct subject *s = t->stopped ? NULL : triggers_subject(t, target);
    usec now = loop_now(t->event, CLOCK_BOOTTIME);
    json_t *json = NULL;
    struct path path;

    for (size_t i = 0; s && i < s->job->n; i++) {
        struct subject_rule *r = &s->rules[i];
        double value = 0;

        if (r->rule->measure == TRIGGER_LABEL) {
            triggers_event(t, s, r, rulestate_label(r->state, label, now));
        } else if (r->rule->measure == TRIGGER_VALUE) {
            if (!json && summary)
                (void)jsontext_parse(summary, strlen(summary), 0, NULL, &json);
            bool found =
                json && path_parse(r->rule->of[0], &path) == 0 && path_number(&path, json, &value);

            triggers_event(t, s, r, rulestate_value(r->state, found, value, now));
        }
    }
    json_decref(json);
}

/* The page that a rule of this subject reads; NULL: it is not polled. */
static const struct subject_page *page_of(const struct subject *s, size_t rule)
{
    for (size_t i = 0; i < s->job->n_pages; i++) {
        const struct plan_page *p = s->pages[i].page;

        if (rule >= p->first && rule < p->first + p->n)
            return &s->pages[i];
    }
    return NULL;
}

static bool is_cooling(const struct trigger_config *rule, const struct rulestate_view *view,
                       usec now)
{
    return view->fired > 0 && now < view->fired + rule->cooldown;
}

static const char *state_of(const struct triggers_row *row, usec now)
{
    switch (row->view.phase) {
    case RULESTATE_BLIND: return "blind";
    case RULESTATE_FIRED: return "fired";
    case RULESTATE_WAITING:
    case RULESTATE_CALM:
    case RULESTATE_OVER: break;
    }
    if (row->page && row->page->failures > 0)
        return "poll_failing";
    if (is_cooling(row->rule, &row->view, now))
        return row->view.refused ? "refused" : "cooling";
    if (row->view.why[0] != '\0')
        return "waiting";
    if (row->view.phase == RULESTATE_OVER)
        return "pending";
    return row->view.phase == RULESTATE_CALM ? "ok" : "waiting";
}

void triggers_each(const struct triggers *t, triggers_row_fn fn, void *userdata)
{
    usec now = loop_now(t->event, CLOCK_BOOTTIME);

    for (size_t i = 0; i < t->n; i++) {
        const struct subject *s = t->subjects[i];

        for (size_t k = 0; k < s->job->n; k++) {
            struct triggers_row row = {.target = s->target,
                                       .rule = s->rules[k].rule,
                                       .page = page_of(s, k),
                                       .known = s->rules[k].state};

            rulestate_look(s->rules[k].state, &row.view);
            row.state = state_of(&row, now);
            if (!fn(userdata, &row))
                return;
        }
    }
}

static void tally_subject(const struct subject *s, struct triggers_stats *stats)
{
    for (size_t i = 0; i < s->job->n; i++) {
        struct rulestate_view view;

        rulestate_look(s->rules[i].state, &view);
        s->rules[i].numbers->targets++;
        s->rules[i].numbers->blind += view.phase == RULESTATE_BLIND;
    }
    for (size_t i = 0; i < s->job->n_pages; i++)
        stats->failing += s->pages[i].failures > 0;
}

void triggers_stats(struct triggers *t, struct triggers_stats *ret)
{
    *ret = (struct triggers_stats){
        .bytes = t->bytes,
        .pages = t->pages,
        .running = t->running[0] + t->running[1],
        .waiting = t->queues[0].n + t->queues[1].n,
        .rules = &t->tally,
    };
    memcpy(ret->polls, t->polls, sizeof(ret->polls));
    for (size_t i = 0; i <= TALLY_MAX; i++)
        t->tally.rules[i].targets = t->tally.rules[i].blind = 0;
    for (size_t i = 0; i < t->n; i++)
        tally_subject(t->subjects[i], ret);
}
