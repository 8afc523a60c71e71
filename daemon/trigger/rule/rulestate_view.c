/* SPDX-License-Identifier: Apache-2.0 */

/* What people and the API are told of a rule. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/trigger/rule/rulestate_state.h"
#include "lib/config/trigger.h"
#include "trace/findings/code.h"

static enum rulestate_phase phase_of(const struct rulestate *s)
{
    if (s->blind)
        return RULESTATE_BLIND;
    if (s->fired)
        return RULESTATE_FIRED;
    if (s->over > 0)
        return RULESTATE_OVER;
    return s->judged > 0 ? RULESTATE_CALM : RULESTATE_WAITING;
}

/* The first time at which a rule that was refused may make an incident. */
static usec again(const struct rulestate *s)
{
    usec cooled = s->fired_at + s->rule->cooldown;

    return s->refused_until > cooled ? s->refused_until : cooled;
}

void rulestate_look(const struct rulestate *s, struct rulestate_view *ret)
{
    *ret = (struct rulestate_view){
        .phase = phase_of(s),
        .has_value = !isnan(s->value),
        .value = s->value,
        .threshold = s->threshold,
        .baseline = s->baseline,
        .edge = s->edge,
        .count = s->count,
        .over = s->over < s->rule->polls ? s->over : s->rule->polls,
        .judged = s->judged,
        .seen = s->seen,
        .fired = s->fired_at,
        .fires = s->fires,
        .refused = s->refused,
        .again = s->refused ? again(s) : 0,
        .why = s->why,
        .label = s->label >= 0 ? code_label((size_t)s->label) : NULL,
    };
    if (s->rule->test != TRIGGER_TIMES_BASELINE && s->rule->test != TRIGGER_BECOMES)
        ret->threshold = s->rule->limit;
}

const char *rulestate_phase_name(enum rulestate_phase phase)
{
    static const char *const names[] = {
        [RULESTATE_WAITING] = "waiting", [RULESTATE_CALM] = "calm",   [RULESTATE_OVER] = "over",
        [RULESTATE_FIRED] = "fired",     [RULESTATE_BLIND] = "blind",
    };

    return names[phase];
}

size_t rulestate_memory(const struct rulestate *s)
{
    return sizeof(*s) + (s->buckets ? buckets_size(s->buckets) : 0) +
           (s->history ? sizeof(*s->history) : 0);
}

/* "rate(a) / b", "rate(c)", "c". */
static void subject(const struct trigger_config *rule, char *out, size_t size)
{
    bool rate = rule->measure == TRIGGER_RATE;

    if (rule->measure != TRIGGER_RATIO)
        (void)snprintf(out, size, rate ? "rate(%s)" : "%s", rule->of[0]);
    else
        (void)snprintf(out, size, "%s%s%s / %s%s%s", rule->of_rate[0] ? "rate(" : "", rule->of[0],
                       rule->of_rate[0] ? ")" : "", rule->of_rate[1] ? "rate(" : "", rule->of[1],
                       rule->of_rate[1] ? ")" : "");
}

static void compare(const struct rulestate *s, const char *about, char *out, size_t size)
{
    double limit = s->rule->limit;
    const char *word =
        s->over > 0 ? s->rule->test == TRIGGER_BELOW ? "less than" : "more than" : "the limit is";

    if (s->rule->test == TRIGGER_GROWTH)
        (void)snprintf(out, size, "%s: grew by %.3g%%, %s %.3g%%", about, 100 * s->value, word,
                       100 * limit);
    else if (s->rule->measure == TRIGGER_HISTOGRAM)
        (void)snprintf(out, size, "%s: %.3g%% of %.15g above %.4g, %s %.3g%%", about,
                       100 * s->value, s->count, s->edge, word, 100 * s->threshold);
    else if (s->rule->test == TRIGGER_TIMES_BASELINE)
        (void)snprintf(out, size, "%s: %.4g, %s %.4g times its median %.4g", about, s->value, word,
                       limit, s->baseline);
    else
        (void)snprintf(out, size, "%s: %.4g, %s %.4g", about, s->value, word, s->threshold);
}

const char *rulestate_text(const struct rulestate *s, char out[static RULESTATE_TEXT_SIZE])
{
    char about[2 * TRIGGER_METRIC_MAX + 32];

    if (s->rule->measure == TRIGGER_LABEL) {
        (void)snprintf(out, RULESTATE_TEXT_SIZE, "label: %s",
                       s->why[0] == '\0' && s->label >= 0 ? code_label((size_t)s->label) : s->why);
        return out;
    }
    subject(s->rule, about, sizeof(about));
    if (s->why[0] != '\0')
        (void)snprintf(out, RULESTATE_TEXT_SIZE, "%s: %s", about, s->why);
    else
        compare(s, about, out, RULESTATE_TEXT_SIZE);
    return out;
}
