/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/parse.h"
#include "daemon/capture/pipeline_state.h"

#define DESCRIPTION_SIZE 48

const char *pipeline_state_name(enum capture_job_state state)
{
    static const char *const states[] = {
        [CAPTURE_JOB_WAITING] = "waiting",
        [CAPTURE_JOB_ROOM] = "room",
        [CAPTURE_JOB_LEAD] = "lead",
        [CAPTURE_JOB_CAPTURING] = "capturing",
        [CAPTURE_JOB_LOOKING_UP] = "looking_up",
        [CAPTURE_JOB_PUBLISHING] = "publishing",
    };

    return states[state];
}

static const char *hint_of(const struct capture_job *c)
{
    return c->result.hint ? c->result.hint : outcome_hint(c->result.outcome);
}

/* "go 1.26", "12 samples" or "1 sample": units end in "s" */
static const char *describe(const struct artifact_facts *facts, char out[static DESCRIPTION_SIZE])
{
    if (facts->go_minor > 0)
        (void)snprintf(out, DESCRIPTION_SIZE, "go 1.%u", facts->go_minor);
    else
        (void)snprintf(out, DESCRIPTION_SIZE, "%llu %.*s", (unsigned long long)facts->count,
                       (int)strlen(facts->counted) - (facts->count == 1), facts->counted);
    return out;
}

const struct pipeline_samples *pipeline_samples(const struct capture_job *c)
{
    return c->pair.begun ? &c->pair.samples : NULL;
}

const char *pipeline_why_unsampled(const struct pipeline_samples *s,
                                   char out[static PIPELINE_WHY_SIZE])
{
    out[0] = '\0';
    if (!s->key)
        (void)snprintf(out, PIPELINE_WHY_SIZE, "%s%s%s", outcome_name(s->outcome),
                       s->text[0] ? ": " : "", s->text);
    return out;
}

/* What is told of CPU samples, before the reason why there is no profile. */
static const char *describe_samples(const struct pipeline_samples *s)
{
    if (!s)
        return "";
    if (s->sampled == PIPELINE_SAMPLED)
        return s->key ? "; with CPU samples" : "; with CPU samples, but without the profile: ";
    return s->sampled == PIPELINE_UNSAMPLED && s->key ? "; no CPU samples: the profile ended before"
         : s->sampled == PIPELINE_UNSAMPLED           ? "; no CPU samples: "
                                                      : "; perhaps without CPU samples: ";
}

/* `news`: the outcome is not OK and differs from the one before. */
static void report_published(const struct capture_job *c, bool news, const char *key)
{
    bool warn = news && c->result.outcome != OUTCOME_EMPTY;
    const char *shown = target_shown(c->lane);
    const struct pipeline_samples *samples = pipeline_samples(c);
    char why[PIPELINE_WHY_SIZE] = "", size[PARSE_TEXT_SIZE], what[DESCRIPTION_SIZE];

    if (samples)
        (void)pipeline_why_unsampled(samples, why);
    log_write(warn ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
              &(struct log_fields){.service = c->target->service,
                                   .target = shown,
                                   .key = key,
                                   .result = outcome_name(c->result.outcome),
                                   .message_id = MESSAGE_ID_CAPTURED},
              "captured %s: %s, %s, %s%s%s%s%s%s", shown, format_size(c->result.bytes, size),
              describe(&c->result.facts, what), key, c->result.text[0] ? "; " : "", c->result.text,
              news ? hint_of(c) : "", describe_samples(samples), why);
}

/* Whether the outcome says something about the target. An outcome_patient() one does so only after
 * an interval; until then it is counted. */
static bool tells(const struct capture_job *c)
{
    struct lane *l = c->lane;
    enum outcome outcome = c->result.outcome;
    usec now = loop_now(c->pipeline->event, CLOCK_BOOTTIME);

    if (!outcome_patient(outcome)) {
        if (outcome_tells(outcome))
            l->patient_since = l->patient_tries = 0;
        return outcome_tells(outcome);
    }
    if (l->patient_tries++ == 0)
        l->patient_since = c->sent;
    if (now < l->patient_since + target_interval(l))
        return false;
    if (l->state != outcome)
        l->failures = l->patient_tries - 1;
    return true;
}

static void report_failed(const struct capture_job *c)
{
    const char *name = outcome_name(c->result.outcome), *shown = target_shown(c->lane);
    usec most = target_interval(c->lane);
    char interval[PARSE_TEXT_SIZE];
    bool again = !c->pipeline->once && c->lane->wanted;

    if (c->lane->last_took >= SCHEDULE_SLOW)
        most = schedule_backoff(UINT_MAX, most);
    log_write(LOG_LEVEL_WARN,
              &(struct log_fields){.service = c->target->service,
                                   .target = shown,
                                   .result = name,
                                   .message_id = MESSAGE_ID_TARGET_DOWN},
              "cannot capture %s: %s: %s%s%s%s", shown, name, c->result.text, hint_of(c),
              again ? "; tried again at least every " : "",
              again ? format_duration(most, interval) : "");
}

/* The target does not have this artifact, or not now, which is no failure. */
static void report_absent(const struct capture_job *c)
{
    const char *name = outcome_name(c->result.outcome), *shown = target_shown(c->lane);

    log_write(LOG_LEVEL_INFO,
              &(struct log_fields){.service = c->target->service, .target = shown, .result = name},
              "no %s at %s: %s: %s%s", c->lane->artifact->noun, shown, name, c->result.text,
              hint_of(c));
}

/* Logs a failure when the lane's state changes, not again while it lasts. Each published capture
 * gets a line. */
static void report_lane(struct capture_job *c, const char *key)
{
    struct lane *l = c->lane;
    const char *shown = target_shown(l), *service = c->target->service;
    enum outcome outcome = c->result.outcome, before = l->state;
    bool failed = target_lane_fails(l);
    const struct log_fields fields = {
        .service = service,
        .target = shown,
        .result = outcome_name(outcome),
        .message_id = MESSAGE_ID_TARGET_UP,
    };

    if (!tells(c)) {
        log_write(LOG_LEVEL_DEBUG,
                  &(struct log_fields){
                      .service = service, .target = shown, .result = outcome_name(outcome)},
                  "no capture of %s: %s: %s", shown, outcome_name(outcome), c->result.text);
        return;
    }
    l->state = outcome;
    l->told = true;
    if (outcome_published(outcome)) {
        if (failed)
            log_write(LOG_LEVEL_INFO, &fields, "captures of %s work again, after %u failed %s",
                      shown, l->failures, l->failures == 1 ? "try" : "tries");
        l->failures = 0;
        report_published(c, outcome != OUTCOME_OK && before != outcome, key);
        return;
    }
    if (!target_lane_fails(l)) {
        l->failures = 0;
        if (outcome != before)
            report_absent(c);
        return;
    }
    l->failures++;
    if (outcome != before || !failed)
        report_failed(c);
}

/*
 * A failure of the disk is not the target's fault: logged once for all targets. If the spool has no
 * room, the spool itself logs it.
 */
static void report_storage(struct pipeline *p, const struct capture_job *c)
{
    enum outcome outcome = c->result.outcome;
    bool failed = outcome == OUTCOME_NO_SPACE || outcome == OUTCOME_STORAGE;
    const struct log_fields fields = {.result = outcome_name(outcome),
                                      .message_id = MESSAGE_ID_STORAGE};

    if (outcome == OUTCOME_NO_SPACE && spool_refusing(p->spool))
        return;
    if (failed && p->storage_failures == 0)
        log_write(LOG_LEVEL_ERROR, &fields,
                  "a capture of %s was dropped: %s: %s; so will be others until it works again",
                  target_shown(c->lane), outcome_name(outcome), c->result.text);
    else if (outcome_published(outcome) && p->storage_failures > 0)
        log_write(LOG_LEVEL_INFO, &fields, "traces can be stored again");
    if (failed)
        p->storage_failures++;
    else if (outcome_published(outcome))
        p->storage_failures = 0;
}

/* The capture has waited or run for about an interval. Not a full one: if it was late itself, the
 * next due time is nearer. */
static bool is_late(const struct pipeline *p, const struct capture_job *c)
{
    usec interval = target_interval(c->lane);

    return loop_now(p->event, CLOCK_BOOTTIME) >= c->since + interval - interval / 10;
}

/* A parked job does not wait for a place, but for the capture of its target that is under way. */
static const struct capture_job *cause_of(const struct capture_job *c)
{
    for (const struct lane *l = c->target->lanes; c->parked && l; l = l->next) {
        if (l->capture_job && l->capture_job->state != CAPTURE_JOB_WAITING)
            return l->capture_job;
    }
    return c;
}

void pipeline_report_late(struct pipeline *p, const struct capture_job *late)
{
    const struct capture_job *c = cause_of(late);
    const char *shown = target_shown(c->lane);
    const struct log_fields fields = {.service = c->target->service, .target = shown};

    if (!is_late(p, late))
        return;
    if (c->state == CAPTURE_JOB_WAITING && !p->crowded) {
        p->crowded = true;
        log_write(LOG_LEVEL_WARN, &fields,
                  "captures wait longer than their scrape_interval, %s is one of %u: raise "
                  "max_concurrent_captures (%u) or scrape_interval",
                  shown, pipeline_waiting(p), p->max);
    } else if (c->state != CAPTURE_JOB_WAITING && !p->stalled) {
        p->stalled = c;
        log_write(LOG_LEVEL_WARN, &fields,
                  "a capture of %s has not ended when the next is due (it is %s), which is left "
                  "out%s",
                  shown, pipeline_state_name(c->state),
                  c->state == CAPTURE_JOB_CAPTURING ? "" : ": does the disk answer?");
    }
}

void pipeline_report_in_time(struct pipeline *p, const struct capture_job *ended)
{
    if (p->stalled == ended) {
        p->stalled = NULL;
        log_info("the capture of %s has ended", target_shown(ended->lane));
    }
    if (p->crowded && p->waiting[TURN_WELL].n + p->waiting[TURN_NEW].n == 0) {
        p->crowded = false;
        log_info("captures begin in time again");
    }
}

void pipeline_report(struct pipeline *p, struct capture_job *c, const char *key)
{
    report_storage(p, c);
    report_lane(c, key);
}
