/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/findings.h"

#include <stdio.h>
#include <string.h>

#include "trace/findings/notes.h"
#include "trace/findings/rules.h"

/* Idle: uses less than this share of the Ps and less than this much of one processor. */
#define IDLE_SHARE 0.05
#define IDLE_PROCESSORS 0.25

#define ADDRESS(name, text) [CODE_##name] = &rule_##name,

static const struct rule *const rules[CODES_RULES] = {CODE_ROWS(ADDRESS)};

/* Which finding explains which, if both are found and the cause scores no less; one that explains
 * all others stands first whatever the scores. */
static const struct {
    enum code cause;
    enum code effect; /* CODES_RULES: every other */
} causes[] = {
    {CODE_throttled, CODES_RULES},  {CODE_stalled, CODE_saturated}, {CODE_stalled, CODE_gc},
    {CODE_stalled, CODE_lock},      {CODE_stalled, CODE_imbalance}, {CODE_stalled, CODE_stuck},
    {CODE_stalled, CODE_storm},     {CODE_gc, CODE_saturated},      {CODE_deadlock, CODE_lock},
    {CODE_slow, CODE_lock},         {CODE_timers, CODE_imbalance},  {CODE_timers, CODE_saturated},
    {CODE_polling, CODE_imbalance}, {CODE_polling, CODE_saturated}, {CODE_herd, CODE_imbalance},
    {CODE_herd, CODE_saturated},
};

#define N_CAUSES (sizeof(causes) / sizeof(causes[0]))

static struct facts facts_of(const struct summary *s, const struct context *context)
{
    double user = (double)(s->procs.executing - s->gc.worker - s->gc.idle_worker);

    return (struct facts){
        .s = s,
        .context = context,
        .window = s->window > 0 ? (double)s->window : 1,
        .available = (double)s->procs.available,
        .procs = s->procs.mean,
        .user = rule_most(user, 0),
        .worker = (double)s->gc.worker,
        .assist = (double)s->gc.assist_executing,
        .lock = (double)s->classes.sync[STACK_LOCK].total +
                (double)s->classes.unknown[STACK_LOCK].total,
        .wait = rule_share((double)s->goroutines.runnable,
                           (double)s->scheduler.latency.count + s->scheduler.runnable_mean),
    };
}

static bool is(const char *text, enum code code)
{
    return strcmp(text, code_text(code)) == 0;
}

static bool explains(size_t cause, const char *code)
{
    return causes[cause].effect == CODES_RULES || is(code, causes[cause].effect);
}

static bool explains_all(const struct finding *f)
{
    for (size_t i = 0; i < N_CAUSES; i++) {
        if (causes[i].effect == CODES_RULES && is(f->code, causes[i].cause))
            return true;
    }
    return false;
}

/* Whether a stands before b; of equal ones the one that was added first does. */
static bool is_before(const struct finding *a, const struct finding *b)
{
    if (explains_all(a) != explains_all(b))
        return explains_all(a);
    return a->score > b->score;
}

/* Adds a finding. The list stays sorted and has at most FINDINGS_MAX findings. */
static void insert(struct findings *list, const struct finding *f)
{
    size_t at = list->n;

    while (at > 0 && is_before(f, &list->list[at - 1]))
        at--;
    if (at == FINDINGS_MAX)
        return;
    if (list->n < FINDINGS_MAX)
        list->n++;
    memmove(&list->list[at + 1], &list->list[at], (list->n - at - 1) * sizeof(*f));
    list->list[at] = *f;
}

static const char *without_findings(const struct facts *a)
{
    bool idle =
        rule_share(a->user, a->available) < IDLE_SHARE && a->user / a->window < IDLE_PROCESSORS;

    return code_text(idle ? CODE_idle : CODE_healthy);
}

static bool few_events(const struct facts *a, const struct rule *rule)
{
    return rule->events && rule->events(a) < rule->least;
}

/* Keeps a rule that did not speak, if it is among the nearest. */
static void note_near(struct findings *list, const char *code, double score)
{
    size_t at = list->n_near;

    while (at > 0 && list->near[at - 1].score < score)
        at--;
    if (at == FINDINGS_NEAR)
        return;
    if (list->n_near < FINDINGS_NEAR)
        list->n_near++;
    memmove(&list->near[at + 1], &list->near[at], (list->n_near - at - 1) * sizeof(list->near[0]));
    list->near[at] = (struct finding_near){code, score};
}

/* The finding of the list that causes the nth one, or NULL. */
static const char *cause_of(const struct findings *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < N_CAUSES; j++) {
            if (explains(j, list->list[n].code) && is(list->list[i].code, causes[j].cause))
                return code_text(causes[j].cause);
        }
    }
    return NULL;
}

/* What can be told only when all findings are known. */
static void relate(struct findings *list)
{
    double lost = 0;

    for (size_t i = 0; i < list->n; i++)
        lost += list->list[i].lost;
    for (size_t i = 0; i < list->n; i++) {
        list->list[i].lost_share = rule_share(list->list[i].lost, lost);
        list->list[i].because = cause_of(list, i);
    }
}

static void find(const struct facts *a, struct findings *ret)
{
    enum code short_of = CODES_RULES;

    for (enum code i = 0; i < CODES_RULES; i++) {
        struct finding f = {.code = code_text(i), .next = rules[i]->next};

        f.score = rules[i]->score(a, &f);
        if (f.score < 0.5)
            note_near(ret, f.code, f.score);
        else if (!few_events(a, rules[i]))
            insert(ret, &f);
        else if (short_of == CODES_RULES)
            short_of = i;
    }
    if (ret->n > 0)
        ret->n_near = 0;
    relate(ret);
    ret->label = ret->n > 0 ? ret->list[0].code : without_findings(a);
    if (ret->n > 0 || short_of == CODES_RULES)
        return;
    ret->not_inspected = "too-short";
    (void)snprintf(ret->why, sizeof(ret->why), "too few events to tell %s from chance: %.0f",
                   code_text(short_of), rules[short_of]->events(a));
}

/* Whether the numbers rest on too little for any rule. */
static bool too_little(const struct summary *s, struct findings *ret)
{
    double ms = (double)s->window / 1e6;

    if (!s->complete && s->covered < FINDINGS_COVERED) {
        ret->not_inspected = "partial";
        (void)snprintf(ret->why, sizeof(ret->why), "the numbers rest on %.1f ms of %.1f ms, %.1f%%",
                       ms, (double)s->spans / 1e6, s->covered * 100);
    } else if (s->window < FINDINGS_WINDOW) {
        ret->not_inspected = "too-short";
        (void)snprintf(ret->why, sizeof(ret->why), "%.1f ms are too short to tell anything", ms);
    }
    return ret->not_inspected != NULL;
}

void findings_find(const struct summary *s, const struct context *context, struct findings *ret)
{
    struct facts a = facts_of(s, context);

    *ret = (struct findings){.n = 0};
    if (!too_little(s, ret))
        find(&a, ret);
    if (ret->not_inspected) {
        ret->label = CODE_NOT_INSPECTED;
        ret->n_near = 0; /* a rule matched, or none was asked */
    }
    notes_add(&a, ret);
}
