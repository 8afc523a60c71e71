/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/parse.h"
#include "daemon/watch/triggers_state.h"

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* Polls that are given up for want of memory or descriptors say nothing about a target, but its rules
 * see as little. */
static void log_failing(const struct subject_page *p, const struct poll_result *result)
{
    char interval[PARSE_TEXT_SIZE];
    const size_t n = p->page->n;

    log_write(LOG_LEVEL_WARN,
              &(struct log_fields){.service = p->subject->target->service,
                                   .target = p->shown,
                                   .result = pollend_name(result->end),
                                   .message_id = MESSAGE_ID_POLLS_FAIL},
              "cannot poll %s: %s: %s%s; %zu rule%s of trigger_configs see%s nothing until that "
              "ends; polled again in about %s",
              p->shown, pollend_name(result->end), result->text, pollend_hint(result->end), n,
              plural(n), n == 1 ? "s" : "", format_duration(p->page->interval, interval));
}

/*
 * A failure is said at once, and what follows when it lasts: a service that is ill may answer now and
 * then.
 */
void triggers_log_poll(struct subject_page *p, const struct poll_result *result)
{
    const struct log_fields fields = {.service = p->subject->target->service,
                                      .target = p->shown,
                                      .result = pollend_name(result->end),
                                      .message_id = MESSAGE_ID_POLLS_WORK};

    p->run = p->told && p->end == result->end ? p->run + 1 : 1;
    p->lost += result->end != POLLEND_OK;
    if (result->end == p->said || (p->said != POLLEND_OK && p->run < TRIGGERS_LASTS))
        return;
    if (result->end != POLLEND_OK) {
        log_failing(p, result);
    } else {
        log_write(LOG_LEVEL_INFO, &fields, "polls of %s work again, after %u failed %s", p->shown,
                  p->lost, p->lost == 1 ? "try" : "tries");
        p->lost = 0;
    }
    p->said = result->end;
}

void triggers_log_blind(const struct subject *s, const struct subject_rule *r)
{
    struct rulestate_view view;

    rulestate_look(r->state, &view);
    log_write(LOG_LEVEL_WARN,
              &(struct log_fields){.service = s->target->service,
                                   .target = s->target->shown,
                                   .message_id = MESSAGE_ID_TRIGGER_BLIND},
              "the rule %s of trigger_configs is blind at %s: %s for an hour; `contrace triggers` "
              "shows where else, `contraced --check-config --probe` what the target serves",
              r->rule->name, s->target->address, view.why[0] ? view.why : "it saw nothing");
}

void triggers_log_sees(const struct subject_rule *r)
{
    log_write(LOG_LEVEL_INFO, &(struct log_fields){.message_id = MESSAGE_ID_TRIGGER_BLIND},
              "the rule %s of trigger_configs is blind nowhere any more", r->rule->name);
}

void triggers_log_fires(const struct triggers_fire *fire, enum triggers_answer answer,
                        const char *why)
{
    const char *after = "";

    if (answer == TRIGGERS_JOINED)
        after = "; it joins the incident of it that is under way";
    else if (answer == TRIGGERS_REFUSED)
        after =
            "; it makes no incident, nor do later ones of this rule, of which there is no line, "
            "until one does: ";
    log_write(answer == TRIGGERS_REFUSED ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
              &(struct log_fields){.service = fire->target->service,
                                   .target = fire->target->shown,
                                   .message_id = MESSAGE_ID_TRIGGER_FIRED},
              "the rule %s fires at %s: %s%s%s", fire->rule->name, fire->target->address,
              fire->text, after, why);
}

void triggers_log_storm(size_t came, size_t made, size_t dropped)
{
    log_write(LOG_LEVEL_WARN, &(struct log_fields){.message_id = MESSAGE_ID_TRIGGER_FIRED},
              "rules of trigger_configs fired at %zu targets at about the same time: the %zu worst "
              "make incidents, %zu were dropped: incidents.max_per_hour",
              came, made, dropped);
}
