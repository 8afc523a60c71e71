/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/order/incident.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "daemon/artifact/artifacts.h"
#include "daemon/order/allowance.h"
#include "daemon/order/incident_state.h"

/* How often what somebody else prevents is tried again. */
#define AGAIN_MAX 3

#define NOTHING_BESIDE "there was no trace to take it beside"

int incidents_new(sd_event *event, struct desk *desk, struct counters *counters,
                  incidents_pressure_fn pressure, void *userdata, struct incidents **ret)
{
    struct incidents *is = calloc(1, sizeof(*is));

    if (!is)
        return -ENOMEM;
    *is = (struct incidents){
        .event = event,
        .desk = desk,
        .counters = counters,
        .pressure = pressure,
        .userdata = userdata,
    };
    budget_init(&is->budget);
    *ret = is;
    return 0;
}

static void list_push(struct incident_list *l, struct incident *i)
{
    i->prev = NULL;
    i->next = l->first;
    if (l->first)
        l->first->prev = i;
    else
        l->last = i;
    l->first = i;
    l->n++;
}

static void list_remove(struct incident_list *l, struct incident *i)
{
    if (i->prev)
        i->prev->next = i->next;
    else
        l->first = i->next;
    if (i->next)
        i->next->prev = i->prev;
    else
        l->last = i->prev;
    l->n--;
}

static void incident_free(struct incident *i)
{
    struct incident_waiter *next;

    if (!i)
        return;
    pipeline_forget(i->waiter);
    (void)sd_event_source_disable_unref(i->timer);
    for (struct incident_waiter *w = i->waiters; w; w = next) {
        next = w->next;
        free(w);
    }
    for (size_t k = 0; k < i->report.n_pieces; k++) {
        free(i->pieces[k].text);
        free(i->pieces[k].key);
    }
    if (i->target && i->target->incident == i)
        i->target->incident = NULL;
    target_unref(i->target);
    incident_tag_unref(i->tag);
    free(i->service);
    free(i->host);
    free(i->job);
    free(i->shown);
    free(i->name);
    free(i);
}

static void free_list(struct incident_list *l)
{
    struct incident *next;

    for (struct incident *i = l->first; i; i = next) {
        next = i->next;
        incident_free(i);
    }
}

void incidents_free(struct incidents *is)
{
    if (!is)
        return;
    free_list(&is->running);
    free_list(&is->recent);
    budget_done(&is->budget);
    free(is);
}

void incidents_set(struct incidents *is, const struct incidents_config *config)
{
    is->limits = *config;
}

/* Brings the report up to date with what the tag knows by now. */
static const struct incident_report *report_of(struct incident *i)
{
    i->report.id = i->tag->id[0] ? i->tag->id : NULL;
    return &i->report;
}

static enum incident_end incident_end(const struct incident_report *report)
{
    bool missing = false;

    for (size_t k = 0; k < report->n_pieces; k++)
        missing = missing || (!report->pieces[k].key && !report->pieces[k].beside);
    return !missing ? INCIDENT_COMPLETE : report->kept > 0 ? INCIDENT_PARTIAL : INCIDENT_FAILED;
}

/* One more ended: the oldest is forgotten. */
static void remember(struct incidents *is, struct incident *i)
{
    struct incident *oldest;

    list_remove(&is->running, i);
    is->counters->incidents_under_way = is->running.n;
    list_push(&is->recent, i);
    if (is->recent.n <= INCIDENTS_RECENT)
        return;
    oldest = is->recent.last;
    list_remove(&is->recent, oldest);
    incident_free(oldest);
}

static void finish(struct incident *i)
{
    struct incidents *is = i->all;
    struct target *t = steal(&i->target);
    struct incident_waiter *waiters = steal(&i->waiters), *next;
    enum incident_end end;

    i->report.ended = loop_now(is->event, CLOCK_REALTIME);
    t->incident = NULL;
    i->timer = sd_event_source_disable_unref(i->timer);
    (void)report_of(i);
    end = incident_end(&i->report);
    is->counters->incidents[end]++;
    incident_log(i, end);
    remember(is, i);
    for (struct incident_waiter *w = waiters; w; w = next) {
        next = w->next;
        if (w->fn)
            w->fn(w->userdata, &i->report);
        free(w);
    }
    target_unref(t);
}

static void end_piece(struct incident *i, struct incident_piece *p, enum outcome outcome,
                      const char *text, const char *key)
{
    incident_tag_without(i->tag, p->kind, key ? NULL : outcome_name(outcome));
    p->ended = true;
    p->outcome = outcome;
    free(p->text);
    p->text = text ? strdup(text) : NULL;
    p->key = key ? strdup(key) : NULL;
}

static void on_piece_ended(void *userdata, const struct pipeline_end *end);

/* Whether the piece is taken with another beside it. What was kept before is not taken again. */
static bool is_sampled(const struct incident *i, const struct incident_piece *p)
{
    return i->samples && artifacts_of_kind(p->kind)->sampled && (!i->sampler || !i->sampler->key);
}

/* Why the piece cannot be begun; NULL: it can. */
static const char *obstacle(const struct incident *i, const struct incident_piece *p)
{
    if (i->all->drained)
        return "contraced is stopping";
    if (i->target->gone)
        return "the target is no longer configured";
    return p->beside ? NOTHING_BESIDE : NULL; /* what it is for was not begun */
}

/* Orders a piece. False: it has ended already, as nothing came of the order. */
static bool begin(struct incident *i, struct incident_piece *p)
{
    const struct pipeline_order order = {
        .reason = i->reason,
        .name = i->name,
        .window = i->window,
        .samples = is_sampled(i, p),
        .incident = i->tag,
        .fn = on_piece_ended,
        .userdata = i,
    };
    struct desk_reply reply = {.answer = DESK_NO_MEMORY};
    const char *why;
    struct lane *l;
    int r;

    p->begun = true;
    why = obstacle(i, p);
    if (why) {
        end_piece(i, p, OUTCOME_CANCELLED, why, NULL);
        return false;
    }
    r = target_add_lane(i->target, artifacts_of_kind(p->kind), &l);
    if (r == -ENOENT) { /* a reload took its path away */
        end_piece(i, p, OUTCOME_CANCELLED, "its path is no longer configured", NULL);
        return false;
    }
    if (r == 0)
        reply = desk_due(i->all->desk, l, &order);
    if (reply.answer != DESK_TAKEN) {
        bool stopping = reply.answer == DESK_STOPPING;

        end_piece(i, p, stopping ? OUTCOME_CANCELLED : OUTCOME_RESOURCES,
                  stopping ? "contraced is stopping" : "not enough memory", NULL);
        return false;
    }
    if (order.samples && i->sampler) {
        i->sampler->begun = true;
        i->sampler->ended = false;
    }
    i->under_way = p;
    i->waiter = reply.waiter;
    return true;
}

/* The piece whose turn it is: what was added later may come before others. NULL: all were begun. */
static struct incident_piece *next_piece(struct incident *i)
{
    struct incident_piece *next = NULL;

    for (size_t k = 0; k < i->report.n_pieces; k++) {
        struct incident_piece *p = &i->pieces[k];

        if (!p->begun &&
            (!next || artifacts_of_kind(p->kind)->turn < artifacts_of_kind(next->kind)->turn))
            next = p;
    }
    return next;
}

/* Orders the next piece. False: all have ended. */
static bool advance(struct incident *i)
{
    for (struct incident_piece *p = next_piece(i); p; p = next_piece(i)) {
        if (begin(i, p))
            return true;
    }
    return false;
}

/* Somebody else prevented it. What is taken beside another is not tried again without that. */
static bool was_prevented(const struct incident_piece *p)
{
    return p->ended && !p->beside && (p->outcome == OUTCOME_BUSY || p->outcome == OUTCOME_IN_USE);
}

/* Time to try again what somebody else prevented. */
static void settle(struct incident *i);

static int on_again(sd_event_source *s, uint64_t now, void *userdata)
{
    struct incident *i = userdata;

    (void)s;
    (void)now;
    for (size_t k = 0; k < i->report.n_pieces; k++) {
        if (was_prevented(&i->pieces[k]))
            i->pieces[k].begun = i->pieces[k].ended = false;
    }
    if (!advance(i))
        settle(i);
    return 0;
}

/* Whoever prevents it is probably done after a window and a half. */
static int arm(struct incident *i)
{
    usec window = i->window > 0 ? i->window : i->target->job->window;
    usec wait = window + window / 2;
    int r;

    if (!i->timer)
        return sd_event_add_time_relative(i->all->event, &i->timer, CLOCK_BOOTTIME, wait, 0,
                                          on_again, i);
    r = sd_event_source_set_time_relative(i->timer, wait);
    return r < 0 ? r : sd_event_source_set_enabled(i->timer, SD_EVENT_ONESHOT);
}

/* Whether it waits to try again. */
static bool waits(const struct incident *i)
{
    int on = 0;

    return i->timer && sd_event_source_get_enabled(i->timer, &on) >= 0 && on != SD_EVENT_OFF;
}

/* All have ended that could be had. */
static void settle(struct incident *i)
{
    bool prevented = false;

    for (size_t k = 0; k < i->report.n_pieces; k++)
        prevented = prevented || was_prevented(&i->pieces[k]);
    if (!prevented || i->all->drained || i->target->gone || i->tries++ == AGAIN_MAX || arm(i) < 0)
        finish(i);
}

/* The piece that was to be taken beside another has ended with it; or was not begun, as the other
 * was not. Then it is taken alone, if it is wanted for itself. */
static void end_sampler(struct incident *i, const struct pipeline_end *end)
{
    struct incident_piece *p = i->sampler;

    if (!end->samples && !p->beside) {
        p->begun = false;
    } else if (end->samples) {
        end_piece(i, p, end->samples->outcome, end->samples->text, end->samples->key);
        i->report.kept += p->key != NULL;
    } else {
        end_piece(i, p, OUTCOME_CANCELLED, NOTHING_BESIDE, NULL);
    }
}

static void piece_ended(struct incident *i, enum outcome outcome, const char *text, const char *key)
{
    end_piece(i, steal(&i->under_way), outcome, text, key);
    i->report.kept += key != NULL;
    if (!advance(i))
        settle(i);
}

static void on_piece_ended(void *userdata, const struct pipeline_end *end)
{
    struct incident *i = userdata;

    i->waiter = NULL;
    if (i->sampler && is_sampled(i, i->under_way) && i->sampler->begun && !i->sampler->ended)
        end_sampler(i, end);
    piece_ended(i, end->outcome, end->text, end->key);
}

struct incident_tag *incident_evidence_tag(const struct incident *i)
{
    return i->tag;
}

void incident_evidence_ended(struct incident *i, enum outcome outcome, const char *text,
                             const char *key)
{
    if (key)
        incident_tag_keep(i->tag);
    piece_ended(i, outcome, text, key);
}

/* The first piece is being kept by the caller. */
static bool begin_evidence(struct incident *i)
{
    i->under_way = &i->pieces[0];
    i->under_way->begun = true;
    return true;
}

static void name_pieces(struct incident *i, const struct incident_plan *plan, bool evidence)
{
    size_t n = 0;

    if (evidence)
        i->pieces[n++].kind = KIND_FLIGHT;
    for (size_t k = 0; k < plan->n; k++) {
        struct incident_piece *p = &i->pieces[n++];

        p->kind = plan->artifacts[k]->kind;
        if (plan->artifacts[k] == plan->sampler)
            i->sampler = p;
    }
    if (i->sampler)
        i->sampler->beside = plan->beside;
    i->report.n_pieces = n;
    for (size_t k = 0; k < n; k++)
        incident_tag_takes(i->tag, i->pieces[k].kind);
}

static struct incident *incident_new(struct incidents *is, const struct incident_order *order,
                                     const struct incident_plan *plan)
{
    struct incident *i = calloc(1, sizeof(*i));
    const struct target *t = order->target;

    if (!i)
        return NULL;
    i->all = is;
    i->target = target_ref(order->target);
    i->reason = order->reason;
    i->window = order->window;
    i->tag = incident_tag_new(order->trigger);
    i->name = order->name ? strdup(order->name) : NULL;
    i->service = strdup(t->service);
    i->host = strdup(t->host);
    i->job = strdup(t->job->name);
    i->shown = strdup(t->shown);
    i->report = (struct incident_report){
        .service = i->service,
        .host = i->host,
        .job = i->job,
        .target = i->shown,
        .reason = i->name ? i->name : reason_name(i->reason),
        .trigger = incident_tag_trigger(i->tag),
        .start = loop_now(is->event, CLOCK_REALTIME),
        .pieces = i->pieces,
    };
    i->samples = order->samples || t->job->cpu_samples;
    if (!i->tag || (order->name && !i->name) || !i->service || !i->host || !i->job || !i->shown) {
        incident_free(i);
        return NULL;
    }
    name_pieces(i, plan, order->evidence);
    return i;
}

/* Adds the order to those that wait for the end. 0 or -ENOMEM. */
static int add_waiter(struct incident *i, const struct incident_order *order,
                      struct incident_waiter **ret)
{
    struct incident_waiter *w;

    if (!order->fn)
        return 0;
    w = malloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    *w = (struct incident_waiter){i->waiters, order->fn, order->userdata};
    *ret = i->waiters = w;
    return 0;
}

static struct incident_reply no_memory(const struct incident_order *order)
{
    log_error("not enough memory for an incident of %s", order->target->shown);
    return (struct incident_reply){.answer = INCIDENT_NO_MEMORY};
}

static struct incident_reply join(struct incident *i, const struct incident_order *order)
{
    struct incident_reply reply = {.answer = INCIDENT_JOINED, .id = report_of(i)->id};

    if (add_waiter(i, order, &reply.waiter) < 0)
        return no_memory(order);
    incident_tag_joins(i->tag, order->name ? order->name : reason_name(order->reason));
    if (!order->evidence)
        incident_extend(i, order, &reply);
    return reply;
}

/* Nothing is planned of what the caller has already. */
static void plan_of(const struct incident_order *order, struct incident_plan *ret)
{
    const struct target_job *job = order->target->job;
    unsigned wanted = order->artifacts ? order->artifacts : job->incident_artifacts;

    if (order->evidence)
        wanted &= ~(1u << KIND_FLIGHT);
    *ret = (struct incident_plan){0};
    if (wanted != 0)
        incident_plan(job, wanted, order->window, order->samples || job->cpu_samples, ret);
}

struct incident_reply incidents_order(struct incidents *is, const struct incident_order *order)
{
    struct incident_reply reply = {.answer = INCIDENT_TAKEN};
    struct incident_plan plan;
    struct incident *i;

    if (is->drained)
        return (struct incident_reply){.answer = INCIDENT_STOPPING};
    if (order->target->incident)
        return join(order->target->incident, order);
    plan_of(order, &plan);
    if (plan.n == 0 && !order->evidence)
        return (struct incident_reply){.answer = INCIDENT_PLACELESS};
    if (incident_is_limited(is, order, &plan, &reply)) {
        is->counters->incidents[INCIDENT_REFUSED]++;
        is->counters->incidents_refused[reply.limit]++;
        reply.answer = INCIDENT_LIMITED;
        return reply;
    }
    reply.retry_after = 0;
    i = incident_new(is, order, &plan);
    if (!i || add_waiter(i, order, &reply.waiter) < 0 ||
        !(order->evidence ? begin_evidence(i) : advance(i))) {
        bool stopping = i && i->pieces[0].outcome == OUTCOME_CANCELLED;

        incident_free(i);
        return stopping ? (struct incident_reply){.answer = INCIDENT_STOPPING} : no_memory(order);
    }
    incident_charge(is, order, &plan);
    reply.begun = order->evidence ? i : NULL;
    i->target->incident = i;
    list_push(&is->running, i);
    is->counters->incidents_under_way = is->running.n;
    return reply;
}

void incidents_forget(struct incident_waiter *w)
{
    if (w)
        w->fn = NULL;
}

bool incident_of(const struct target *t, struct incident_report *ret)
{
    if (!t->incident)
        return false;
    *ret = *report_of(t->incident);
    return true;
}

void incidents_list(const struct incidents *is, incident_ended_fn fn, void *userdata)
{
    for (struct incident *i = is->running.first; i; i = i->next)
        fn(userdata, report_of(i));
    for (struct incident *i = is->recent.first; i; i = i->next)
        fn(userdata, report_of(i));
}

void incidents_drain(struct incidents *is)
{
    struct incident *next;

    is->drained = true;
    for (struct incident *i = is->running.first; i; i = next) {
        next = i->next;
        if (waits(i) && !advance(i)) /* what was added meanwhile ends, too */
            finish(i);
    }
}

bool incidents_idle(const struct incidents *is)
{
    return is->running.n == 0;
}
