/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/rulestate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/trigger/rule/rulestate_state.h"
#include "lib/config/trigger.h"
#include "trace/findings/code.h"

/* How far a value must fall below the threshold before the rule may fire again, as a share of it. */
#define CLEARLY 0.25
#define BASELINE_LEAST 10 /* minutes with a value; of inspections, times */
#define BASELINE_LEAST_INSPECTED 5

static const char first_read[] = "the first read";
static const char no_number[] = "it is no number";

int rulestate_new(const struct trigger_config *rule, usec now, struct rulestate **ret)
{
    struct rulestate *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->rule = rule;
    s->started = now;
    s->value = s->threshold = s->baseline = s->edge = NAN;
    s->why = "nothing was read yet";
    s->label = -1;
    if (rule->test == TRIGGER_GROWTH || rule->test == TRIGGER_TIMES_BASELINE) {
        s->history = calloc(1, sizeof(*s->history));
        if (!s->history) {
            free(s);
            return -ENOMEM;
        }
        history_init(s->history, rule->test == TRIGGER_GROWTH ? rule->over : RULESTATE_BASELINE);
    }
    *ret = s;
    return 0;
}

void rulestate_free(struct rulestate *s)
{
    if (!s)
        return;
    free(s->buckets);
    free(s->history);
    free(s);
}

void rulestate_move(struct rulestate *s, const struct trigger_config *rule)
{
    s->rule = rule;
}

/* Whether a time is so long ago that nothing that was counted then goes on. Inspections come as
 * they may. */
static bool is_gap(const struct rulestate *s, usec since, usec now)
{
    return s->rule->metrics.interval > 0 && since > 0 &&
           now - since > RULESTATE_GAP_POLLS * s->rule->metrics.interval;
}

/* What was read before is of no use any more. */
static void begin_anew(struct rulestate *s)
{
    s->read_at = 0;
    free(s->buckets);
    s->buckets = NULL;
}

/* Counts a judgement. The caller has set value and threshold. */
static enum rulestate_event step(struct rulestate *s, bool over, bool calm, usec now)
{
    unsigned polls = s->rule->polls;

    if (is_gap(s, s->stepped, now))
        s->over = s->calm = 0;
    s->stepped = s->judged = now;
    s->why = "";
    s->over = over ? s->over + 1 : 0;
    s->calm = calm ? s->calm + 1 : 0;
    if (s->fired) {
        s->fired = s->calm < polls;
        return RULESTATE_NOTHING;
    }
    if (s->over < polls || (s->fires > 0 && now - s->fired_at < s->rule->cooldown))
        return RULESTATE_NOTHING;
    s->fired = true;
    s->fired_at = now;
    s->fires++;
    s->refused = NULL;
    return RULESTATE_FIRES;
}

/* Holds a number against the threshold. */
static enum rulestate_event hold(struct rulestate *s, double value, double threshold, usec now)
{
    double margin = CLEARLY * fabs(threshold);
    bool below = s->rule->test == TRIGGER_BELOW;
    bool over = below ? value < threshold : value > threshold;
    bool calm = below ? value >= threshold + margin : value <= threshold - margin;

    s->value = value;
    s->threshold = threshold;
    return step(s, over, calm, now);
}

static enum rulestate_event unjudged(struct rulestate *s, const char *why)
{
    s->why = why;
    return RULESTATE_NOTHING;
}

static enum rulestate_event judge(struct rulestate *s, double value, usec now)
{
    size_t least = s->rule->measure == TRIGGER_VALUE ? BASELINE_LEAST_INSPECTED : BASELINE_LEAST;
    double growth;

    if (!isfinite(value))
        return unjudged(s, no_number);
    if (s->history)
        history_add(s->history, value, now);
    if (s->rule->test == TRIGGER_GROWTH) {
        if (!history_growth(s->history, &growth))
            return unjudged(s, "too little of the past is known");
        return hold(s, growth, s->rule->limit, now);
    }
    if (s->rule->test != TRIGGER_TIMES_BASELINE)
        return hold(s, value, s->rule->limit, now);
    s->value = value;
    if (!history_median(s->history, least, &s->baseline))
        return unjudged(s, "too little of the past is known");
    if (!(s->baseline > 0))
        return unjudged(s, "its median is 0: nothing is a multiple of it");
    return hold(s, value, s->rule->limit * s->baseline, now);
}

/* Whether there is a read before this one from which a difference can be made. */
static bool have_before(struct rulestate *s, usec now)
{
    if (s->read_at > 0 && is_gap(s, s->read_at, now)) {
        begin_anew(s);
        s->why = "the read before is too long ago";
        return false;
    }
    if (s->read_at == 0)
        s->why = first_read;
    return s->read_at > 0;
}

static bool types_changed(const struct rulestate *s, const struct reading *r)
{
    return s->types[0] != r->sum[0].type || s->types[1] != r->sum[1].type;
}

/* Whether this number of the rule is a counter. */
static bool is_rate(const struct rulestate *s, size_t i)
{
    return s->rule->measure == TRIGGER_RATE ? i == 0 : s->rule->of_rate[i];
}

/* What the numbers of the rule are: gauges, or rates since the read before. NULL; or why there are
 * none. */
static const char *numbers(struct rulestate *s, const struct reading *r, usec now, double out[2])
{
    size_t n = s->rule->measure == TRIGGER_RATIO ? 2 : 1;
    double seconds = (double)(now - s->read_at) / 1e6;
    bool before = have_before(s, now);
    const char *why = NULL;

    if (before && types_changed(s, r)) {
        before = false;
        s->why = "its type changed";
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = r->sum[i].value;
        if (!isfinite(out[i]))
            why = no_number;
        if (!is_rate(s, i))
            continue;
        if (out[i] < 0)
            why = "a counter below 0";
        else if (!why && !before)
            why = s->why;
        else if (!why && out[i] < s->sums[i])
            why = "a counter fell: the service began anew, or a series went";
        else if (!why)
            out[i] = (out[i] - s->sums[i]) / seconds;
    }
    return why;
}

static enum rulestate_event poll_numbers(struct rulestate *s, const struct reading *r, usec now)
{
    double out[2] = {0, 0};
    const char *why = numbers(s, r, now, out);
    bool usable = true;

    for (size_t i = 0; i < 2; i++) {
        s->sums[i] = r->sum[i].value;
        s->types[i] = r->sum[i].type;
        usable = usable && isfinite(s->sums[i]) && (s->sums[i] >= 0 || !is_rate(s, i));
    }
    s->read_at = usable ? now : 0;
    if (why)
        return unjudged(s, why);
    if (s->rule->measure != TRIGGER_RATIO)
        return judge(s, out[0], now);
    if (out[1] >= 0 && out[1] <= 0)
        return unjudged(s, "it is divided by 0");
    return judge(s, out[0] / out[1], now);
}

static enum rulestate_event poll_histogram(struct rulestate *s, const struct reading *r, usec now)
{
    bool before = have_before(s, now);
    struct buckets_share share = {0};
    enum buckets_end end = BUCKETS_SHARE;
    struct buckets *kept;

    if (!buckets_edge(r->buckets, &s->edge))
        s->edge = NAN;
    /* What can't be judged by itself is said at once, not only when there are two reads. */
    end = buckets_share(before ? s->buckets : r->buckets, r->buckets, (double)s->rule->min_count,
                        &share);
    kept = buckets_keep(r->buckets);
    free(s->buckets);
    s->buckets = kept;
    s->read_at = kept ? now : 0;
    s->types[0] = r->sum[0].type;
    if (!before && (end == BUCKETS_SHARE || end == BUCKETS_FEW))
        return RULESTATE_NOTHING; /* have_before has said why */
    if (end == BUCKETS_SHARE || end == BUCKETS_FEW) {
        s->above = share.above;
        s->count = share.count;
    }
    return end == BUCKETS_SHARE ? judge(s, share.share, now) : unjudged(s, buckets_end_text(end));
}

/* Minds when what the rule names was there. `event` is what came of it otherwise. */
static enum rulestate_event mind(struct rulestate *s, bool seen, enum rulestate_event event,
                                 usec now)
{
    usec since = s->seen ? s->seen : s->started;

    if (seen) {
        bool again = s->blind;

        s->seen = now;
        s->blind = false;
        return event == RULESTATE_NOTHING && again ? RULESTATE_SEES_AGAIN : event;
    }
    if (s->blind || now - since < RULESTATE_BLIND_AFTER)
        return event;
    s->blind = true;
    s->over = s->calm = 0;
    return RULESTATE_BECOMES_BLIND;
}

enum rulestate_event rulestate_poll(struct rulestate *s, const struct reading *r, usec now)
{
    enum rulestate_event event = RULESTATE_NOTHING;

    if (s->read_at > 0 && now <= s->read_at)
        return RULESTATE_NOTHING; /* no time has passed: there is no rate */
    if (!reading_seen(r)) {
        s->why = r->native ? "a native histogram, of which only classic buckets can be read"
                           : "it is not served";
        begin_anew(s);
        return mind(s, false, RULESTATE_NOTHING, now);
    }
    event =
        s->rule->measure == TRIGGER_HISTOGRAM ? poll_histogram(s, r, now) : poll_numbers(s, r, now);
    return mind(s, true, event, now);
}

enum rulestate_event rulestate_miss(struct rulestate *s, usec now)
{
    s->why = "the metrics could not be read";
    return mind(s, false, RULESTATE_NOTHING, now);
}

enum rulestate_event rulestate_value(struct rulestate *s, bool found, double value, usec now)
{
    if (!found) {
        s->why = "the trace's summary has no such number";
        return mind(s, false, RULESTATE_NOTHING, now);
    }
    return mind(s, true, judge(s, value, now), now);
}

static int label_number(const char *label)
{
    for (int i = 0; code_label((size_t)i); i++) {
        if (strcmp(code_label((size_t)i), label) == 0)
            return i;
    }
    return -1;
}

enum rulestate_event rulestate_label(struct rulestate *s, const char *label, usec now)
{
    const struct trigger_config *rule = s->rule;
    int number = label ? label_number(label) : -1;
    bool in = number >= 0 && (rule->labels & 1u << number);

    if (number < 0)
        return unjudged(s, label ? "an unknown label" : "the trace has no label");
    /* A run begins with what stood before it. */
    if (in && s->over == 0)
        s->was_after = rule->after == 0 || (s->label >= 0 && (rule->after & 1u << s->label));
    s->seen = now;
    s->label = number;
    if (in && !s->was_after) {
        s->judged = now;
        s->why = "";
        s->over++;
        s->calm = 0;
        return RULESTATE_NOTHING;
    }
    return step(s, in, !in, now);
}

void rulestate_refused(struct rulestate *s, const char *by, usec until)
{
    s->fired = false;
    s->refused = by;
    s->refused_until = until;
}
