/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Makes the triggers, with what follows when a rule fires: an incident.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "daemon/daemon_state.h"

/* The unit of a rule's value, for records; NULL: that of the metric. */
static const char *unit_of(const struct trigger_config *rule)
{
    if (rule->measure == TRIGGER_HISTOGRAM || rule->test == TRIGGER_GROWTH)
        return "share";
    return rule->measure == TRIGGER_RATE ? "per second" : NULL;
}

static void add_kinds(struct buf *out, const char *before, unsigned kinds)
{
    for (unsigned k = 0; k < KINDS; k++) {
        if (!(kinds & 1u << k))
            continue;
        (void)buf_addf(out, "%s%s", before, kind_name((enum kind)k));
        before = ", ";
    }
}

/* What the incident under way takes for the rule, and what it does not. */
static void explain_joined(const struct incident_reply *reply, struct triggers_reply *ret)
{
    char wait[PARSE_TEXT_SIZE];
    struct buf text;

    ret->answer = TRIGGERS_JOINED;
    buf_over(&text, ret->why, sizeof(ret->why));
    add_kinds(&text, "; for the rule it also takes ", reply->added);
    add_kinds(&text, "; what the rule wants and it lacks: ", reply->lacks);
    if (reply->retry_after > 0)
        (void)buf_addf(&text, " (%s does not allow it for %s)", incident_limit_name(reply->limit),
                       format_wait(reply->retry_after, wait));
}

static void explain_refused(const char *by, struct triggers_reply *ret)
{
    ret->answer = TRIGGERS_REFUSED;
    ret->refused = by;
    (void)snprintf(ret->why, sizeof(ret->why), "%s", by);
}

static void explain(const struct incident_reply *reply, struct triggers_reply *ret)
{
    char wait[PARSE_TEXT_SIZE];

    switch (reply->answer) {
    case INCIDENT_TAKEN: ret->answer = TRIGGERS_TAKEN; break;
    case INCIDENT_JOINED: explain_joined(reply, ret); break;
    case INCIDENT_LIMITED:
        explain_refused(incident_limit_name(reply->limit), ret);
        ret->retry_after = reply->retry_after;
        (void)snprintf(ret->why, sizeof(ret->why), "%s does not allow another for %s", ret->refused,
                       format_wait(reply->retry_after, wait));
        break;
    case INCIDENT_PLACELESS:
        explain_refused("of none of its artifacts is the path known", ret);
        break;
    case INCIDENT_STOPPING: explain_refused("contraced is stopping", ret); break;
    case INCIDENT_NO_MEMORY: explain_refused("not enough memory", ret); break;
    }
}

static void on_fires(void *userdata, const struct triggers_fire *fire, struct triggers_reply *ret)
{
    struct daemon *d = userdata;
    const struct record_trigger trigger = {
        .rule = fire->rule->name,
        .value = fire->view.value,
        .threshold = fire->view.threshold,
        .unit = unit_of(fire->rule),
        .text = fire->text,
    };
    struct incident_order order = {
        .target = fire->target,
        .reason = REASON_TRIGGER,
        .artifacts = fire->rule->capture,
        .trigger = &trigger,
    };
    _cleanup_free_ char *name = NULL;
    struct incident_reply reply;

    if (asprintf(&name, "trigger:%s", fire->rule->name) < 0)
        name = NULL; /* the record then says "trigger", and has the rule beside it */
    order.name = name;
    reply = incidents_order(d->incidents, &order);
    explain(&reply, ret);
}

static size_t room(void *userdata, size_t *ret_all)
{
    const struct daemon *d = userdata;

    return incidents_room(d->incidents, ret_all);
}

static bool under_way(void *userdata, const struct target *target)
{
    struct incident_report report;

    (void)userdata;
    return incident_of(target, &report);
}

static const struct triggers_calls calls = {
    .order = on_fires,
    .room = room,
    .under_way = under_way,
};

int daemon_triggers_new(struct daemon *d)
{
    return triggers_new(d->event, DAEMON_USER_AGENT, d->targets, &calls, d, &d->triggers);
}

/* A person has asked for --once, so no rule asks for more. */
int daemon_triggers_set(struct daemon *d, const struct config *c)
{
    return d->options->once ? 0 : triggers_set(d->triggers, c);
}

void daemon_triggers_drain(struct daemon *d)
{
    triggers_stop(d->triggers);
}

void daemon_triggers_free(struct daemon *d)
{
    triggers_free(d->triggers);
}
