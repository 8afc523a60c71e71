/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/loop.h"
#include "daemon/watch/triggers_state.h"

/* What fires is gathered for the rule's poll interval, in which each target is polled once. Rules
 * that are not polled have none. */
#define GATHER_USUAL (15 * USEC_PER_SEC)

static const char worse_ones[] = "max_per_hour";

/* The numbers of one rule, and the answer to the last target at which it fired. */
static void count(struct triggers *t, const char *rule, enum triggers_answer answer)
{
    struct tally_rule *numbers = tally_rule(&t->tally, rule);

    switch (answer) {
    case TRIGGERS_TAKEN:
        numbers->taken++;
        numbers->refused_said = false;
        break;
    case TRIGGERS_JOINED: numbers->joined++; break;
    case TRIGGERS_REFUSED: numbers->refused++; break;
    }
}

/* Refusals are said for the first target of a rule, and counted for the others: until the rule makes
 * an incident again. */
static void say(struct triggers *t, const struct triggers_fire *fire, enum triggers_answer answer,
                const char *why)
{
    struct tally_rule *numbers = tally_rule(&t->tally, fire->rule->name);

    if (answer == TRIGGERS_REFUSED && numbers->refused_said)
        return;
    numbers->refused_said = answer == TRIGGERS_REFUSED;
    triggers_log_fires(fire, answer, why);
}

static void refuse(struct triggers *t, struct subject_rule *r, const char *by, usec wait)
{
    rulestate_refused(r->state, by, wait > 0 ? loop_now(t->event, CLOCK_BOOTTIME) + wait : 0);
}

/* Orders the incident of a rule that fires. */
static enum triggers_answer order(struct triggers *t, struct subject *s, struct subject_rule *r)
{
    char text[RULESTATE_TEXT_SIZE];
    struct triggers_fire fire = {.target = s->target, .rule = r->rule};
    struct triggers_reply reply = {0};

    rulestate_look(r->state, &fire.view);
    fire.text = rulestate_text(r->state, text);
    t->calls->order(t->userdata, &fire, &reply);
    if (reply.answer == TRIGGERS_REFUSED)
        refuse(t, r, reply.refused, reply.retry_after);
    say(t, &fire, reply.answer, reply.why);
    count(t, r->rule->name, reply.answer);
    return reply.answer;
}

static struct subject_rule *find_rule(const struct subject *s, const char *name)
{
    for (size_t i = 0; s && i < s->job->n; i++) {
        if (strcmp(s->rules[i].rule->name, name) == 0)
            return &s->rules[i];
    }
    return NULL;
}

/* One that was gathered makes no incident. */
static void drop(struct triggers *t, const struct storm_entry *e, const char *why)
{
    struct subject_rule *r = find_rule(triggers_subject(t, e->target), e->rule);

    if (r)
        refuse(t, r, why, 0);
    count(t, e->rule, TRIGGERS_REFUSED);
}

/* Whether the rule still holds at the target: it fired a while ago, and either may be gone by a
 * reload. */
static bool still_holds(const struct subject_rule *r)
{
    struct rulestate_view view;

    if (!r)
        return false;
    rulestate_look(r->state, &view);
    return view.phase == RULESTATE_FIRED;
}

/* The worst of those that were gathered have the incidents that are left. */
static int on_gathered(sd_event_source *source, uint64_t now, void *userdata)
{
    struct triggers *t = userdata;
    size_t came = t->storm.came, made = 0, dropped = 0, all;
    struct storm_entry e;

    (void)source;
    (void)now;
    while (storm_worst(&t->storm, &e)) {
        struct subject *s = triggers_subject(t, e.target);
        struct subject_rule *r = find_rule(s, e.rule);

        if (t->calls->room(t->userdata, &all) == 0) {
            drop(t, &e, worse_ones);
            dropped++;
        } else if (still_holds(r)) {
            made += order(t, s, r) == TRIGGERS_TAKEN;
        } else {
            drop(t, &e, "it passed while the worst were sought");
        }
        storm_release(&e);
    }
    storm_clear(&t->storm);
    if (dropped > 0)
        triggers_log_storm(came, made, dropped);
    return 0;
}

int triggers_fire_init(struct triggers *t)
{
    int r = sd_event_add_time(t->event, &t->gathered, CLOCK_BOOTTIME, 0, 0, on_gathered, t);

    storm_init(&t->storm);
    return r < 0 ? r : sd_event_source_set_enabled(t->gathered, SD_EVENT_OFF);
}

void triggers_fire_done(struct triggers *t)
{
    sd_event_source_disable_unref(t->gathered);
    storm_clear(&t->storm);
}

/* False: memory is short, or it is the mildest of too many. */
static bool gather(struct triggers *t, struct subject *s, const struct subject_rule *r)
{
    struct storm_entry out = {0};
    struct rulestate_view view;
    usec wait = r->rule->metrics.interval;
    bool first = t->storm.n == 0;
    int error;

    rulestate_look(r->state, &view);
    error =
        storm_add(&t->storm, s->target, r->rule->name,
                  storm_severity(view.value, view.threshold, r->rule->test == TRIGGER_BELOW), &out);
    if (out.target) {
        drop(t, &out, worse_ones);
        storm_release(&out);
    }
    if (error < 0)
        return false;
    if (first) {
        (void)sd_event_source_set_time(t->gathered, loop_now(t->event, CLOCK_BOOTTIME) +
                                                        (wait > 0 ? wait : GATHER_USUAL));
        (void)sd_event_source_set_enabled(t->gathered, SD_EVENT_ONESHOT);
    }
    return true;
}

static void fires(struct triggers *t, struct subject *s, struct subject_rule *r)
{
    size_t all, room = t->calls->room(t->userdata, &all);

    r->numbers->fired++;
    if (storm_gathers(&t->storm, room, all) && !t->calls->under_way(t->userdata, s->target)) {
        if (gather(t, s, r))
            return;
        refuse(t, r, worse_ones, 0);
        count(t, r->rule->name, TRIGGERS_REFUSED);
        return;
    }
    (void)order(t, s, r);
}

static bool is_blind_anywhere(const struct triggers *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct subject_rule *r = find_rule(t->subjects[i], name);
        struct rulestate_view view = {0};

        if (r)
            rulestate_look(r->state, &view);
        if (view.phase == RULESTATE_BLIND)
            return true;
    }
    return false;
}

void triggers_event(struct triggers *t, struct subject *s, struct subject_rule *r,
                    enum rulestate_event event)
{
    struct tally_rule *numbers = r->numbers;

    switch (event) {
    case RULESTATE_NOTHING: return;
    case RULESTATE_FIRES: fires(t, s, r); return;
    case RULESTATE_BECOMES_BLIND:
        if (!numbers->blind_said)
            triggers_log_blind(s, r);
        numbers->blind_said = true;
        return;
    case RULESTATE_SEES_AGAIN:
        if (numbers->blind_said && !is_blind_anywhere(t, r->rule->name)) {
            triggers_log_sees(r);
            numbers->blind_said = false;
        }
        return;
    }
}
