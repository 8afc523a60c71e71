/* SPDX-License-Identifier: Apache-2.0 */

/* The families about rules and the polls that feed them. */

#include "daemon/control/metrics_parts.h"
#include "daemon/control/metrics_sample.h"

#define RULE "rule"

static const struct tally_rule *rule_at(const struct tally *t, size_t i)
{
    return &t->rules[i < t->n ? i : TALLY_MAX];
}

/* How many have series: the rules, and all beyond TALLY_MAX together, if there are any. */
static size_t count_rules(const struct tally *t)
{
    const struct tally_rule *other = &t->rules[TALLY_MAX];

    return t->n + (other->targets > 0 || other->fired > 0);
}

static const char *name_of(const struct tally_rule *r)
{
    return r->name ? r->name : TALLY_OTHER;
}

static void write_polls(struct exposition *e, const struct triggers_stats *s)
{
    exposition_family(e, "contrace_trigger_polls_total", EXPOSITION_COUNTER,
                      "Polls of targets' metrics for rules, by what came of them.");
    for (int i = 0; i < POLLEND_COUNT; i++)
        metrics_classed(e, "result", pollend_name((enum pollend)i), s->polls[i]);
    metrics_counter(e, "contrace_trigger_polled_bytes_total",
                    "Bytes of the metrics that came with polls.", s->bytes);
    metrics_number(e, "contrace_trigger_pages", "Pages of metrics that are polled.", s->pages);
    metrics_number(e, "contrace_trigger_pages_failing",
                   "Pages of metrics of which the last poll failed.", s->failing);
    metrics_number(e, "contrace_trigger_polls_in_flight", "Polls under way.", s->running);
    metrics_number(e, "contrace_trigger_polls_waiting", "Polls that are due and wait for a place.",
                   s->waiting);
}

static void write_incident(struct exposition *e, const char *rule, const char *result, uint64_t n)
{
    const struct exposition_label labels[] = {{RULE, rule}, {"result", result}};

    exposition_count(e, labels, 2, n);
}

static void write_rules(struct exposition *e, const struct tally *t)
{
    const size_t n = count_rules(t);

    exposition_family(e, "contrace_trigger_targets", EXPOSITION_GAUGE,
                      "Targets for which the rule is configured.");
    for (size_t i = 0; i < n; i++)
        metrics_classed(e, RULE, name_of(rule_at(t, i)), rule_at(t, i)->targets);
    exposition_family(e, "contrace_trigger_targets_blind", EXPOSITION_GAUGE,
                      "Targets at which the rule has seen nothing of what it names for an hour.");
    for (size_t i = 0; i < n; i++)
        metrics_classed(e, RULE, name_of(rule_at(t, i)), rule_at(t, i)->blind);
    exposition_family(e, "contrace_triggers_fired_total", EXPOSITION_COUNTER,
                      "How often the rule fired.");
    for (size_t i = 0; i < n; i++)
        metrics_classed(e, RULE, name_of(rule_at(t, i)), rule_at(t, i)->fired);
    exposition_family(
        e, "contrace_trigger_incidents_total", EXPOSITION_COUNTER,
        "What came of it when the rule fired: an incident was begun, it joined the one "
        "of the target that was under way, or it was refused.");
    for (size_t i = 0; i < n; i++) {
        const struct tally_rule *r = rule_at(t, i);

        write_incident(e, name_of(r), "begun", r->taken);
        write_incident(e, name_of(r), "joined", r->joined);
        write_incident(e, name_of(r), "refused", r->refused);
    }
}

void metrics_write_triggers(struct exposition *e, const struct metrics_facts *f)
{
    if (!f->triggers)
        return;
    write_polls(e, f->triggers);
    write_rules(e, f->triggers->rules);
}
