/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/parse.h"
#include "daemon/capture/pipeline_state.h"

#define DESCRIPTION_SIZE 48

const char *pipeline_state_name(enum flight_state state)
{
    static const char *const states[] = {
        [FLIGHT_WAITING] = "waiting",       [FLIGHT_ROOM] = "room",
        [FLIGHT_CAPTURING] = "capturing",   [FLIGHT_LOOKING_UP] = "looking_up",
        [FLIGHT_PUBLISHING] = "publishing",
    };

    return states[state];
}

static const char *hint_of(const struct flight *f)
{
    return f->result.hint ? f->result.hint : outcome_hint(f->result.outcome);
}

/* "go 1.26" or "12 samples" */
static const char *describe(const struct artifact_facts *facts, char out[static DESCRIPTION_SIZE])
{
    if (facts->go_minor > 0)
        (void)snprintf(out, DESCRIPTION_SIZE, "go 1.%u", facts->go_minor);
    else
        (void)snprintf(out, DESCRIPTION_SIZE, "%llu %s", (unsigned long long)facts->count,
                       facts->counted);
    return out;
}

/* `news`: the outcome is not OK and differs from the one before. */
static void report_published(const struct flight *f, bool news, const char *key)
{
    bool warn = news && f->result.outcome != OUTCOME_EMPTY;
    const char *shown = target_shown(f->lane);
    char size[PARSE_TEXT_SIZE], what[DESCRIPTION_SIZE];

    log_write(warn ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
              &(struct log_fields){.service = f->target->service,
                                   .target = shown,
                                   .key = key,
                                   .result = outcome_name(f->result.outcome),
                                   .message_id = MESSAGE_ID_CAPTURED},
              "captured %s: %s, %s, %s%s%s%s", shown, format_size(f->result.bytes, size),
              describe(&f->result.facts, what), key, f->result.text[0] ? "; " : "", f->result.text,
              news ? hint_of(f) : "");
}

/* Whether the outcome says something about the target. An outcome_patient() one does so only after
 * an interval; until then it is counted. */
static bool tells(const struct flight *f)
{
    struct lane *l = f->lane;
    enum outcome outcome = f->result.outcome;
    usec now = loop_now(f->pipeline->event, CLOCK_BOOTTIME);

    if (!outcome_patient(outcome)) {
        if (outcome_tells(outcome))
            l->patient_since = l->patient_tries = 0;
        return outcome_tells(outcome);
    }
    if (l->patient_tries++ == 0)
        l->patient_since = f->sent;
    if (now < l->patient_since + l->target->job->interval)
        return false;
    if (l->state != outcome)
        l->failures = l->patient_tries - 1;
    return true;
}

static void report_failed(const struct flight *f)
{
    const char *name = outcome_name(f->result.outcome), *shown = target_shown(f->lane);
    usec most = f->target->job->interval;
    char interval[PARSE_TEXT_SIZE];
    bool once = f->pipeline->once;

    if (f->lane->last_took >= SCHEDULE_SLOW)
        most = schedule_backoff(UINT_MAX, most);
    log_write(LOG_LEVEL_WARN,
              &(struct log_fields){.service = f->target->service,
                                   .target = shown,
                                   .result = name,
                                   .message_id = MESSAGE_ID_TARGET_DOWN},
              "cannot capture %s: %s: %s%s%s%s", shown, name, f->result.text, hint_of(f),
              once ? "" : "; tried again at least every ",
              once ? "" : format_duration(most, interval));
}

/* The target does not have this artifact, which is no failure. */
static void report_absent(const struct flight *f)
{
    const char *name = outcome_name(f->result.outcome), *shown = target_shown(f->lane);

    log_write(LOG_LEVEL_INFO,
              &(struct log_fields){.service = f->target->service, .target = shown, .result = name},
              "no %s at %s: %s: %s%s", f->lane->artifact->noun, shown, name, f->result.text,
              hint_of(f));
}

/* Logs a failure when the lane's state changes, not again while it lasts. Each published capture
 * gets a line. */
static void report_lane(struct flight *f, const char *key)
{
    struct lane *l = f->lane;
    const char *shown = target_shown(l), *service = f->target->service;
    enum outcome outcome = f->result.outcome, before = l->state;
    const struct log_fields fields = {
        .service = service,
        .target = shown,
        .result = outcome_name(outcome),
        .message_id = MESSAGE_ID_TARGET_UP,
    };

    if (!tells(f)) {
        log_write(LOG_LEVEL_DEBUG,
                  &(struct log_fields){
                      .service = service, .target = shown, .result = outcome_name(outcome)},
                  "no capture of %s: %s: %s", shown, outcome_name(outcome), f->result.text);
        return;
    }
    l->state = outcome;
    l->told = true;
    if (outcome_published(outcome)) {
        if (outcome_failed(before))
            log_write(LOG_LEVEL_INFO, &fields, "captures of %s work again, after %u failed tries",
                      shown, l->failures);
        l->failures = 0;
        report_published(f, outcome != OUTCOME_OK && before != outcome, key);
        return;
    }
    if (!outcome_failed(outcome)) {
        l->failures = 0;
        if (outcome != before)
            report_absent(f);
        return;
    }
    l->failures++;
    if (outcome != before)
        report_failed(f);
}

/*
 * A failure of the disk is not the target's fault: logged once for all targets. If the spool has no
 * room, the spool itself logs it.
 */
static void report_storage(struct pipeline *p, const struct flight *f)
{
    enum outcome outcome = f->result.outcome;
    bool failed = outcome == OUTCOME_NO_SPACE || outcome == OUTCOME_STORAGE;
    const struct log_fields fields = {.result = outcome_name(outcome),
                                      .message_id = MESSAGE_ID_STORAGE};

    if (outcome == OUTCOME_NO_SPACE && spool_refusing(p->spool))
        return;
    if (failed && p->storage_failures == 0)
        log_write(LOG_LEVEL_ERROR, &fields,
                  "a capture of %s was dropped: %s: %s; so will be others until it works again",
                  target_shown(f->lane), outcome_name(outcome), f->result.text);
    else if (outcome_published(outcome) && p->storage_failures > 0)
        log_write(LOG_LEVEL_INFO, &fields, "traces can be stored again");
    if (failed)
        p->storage_failures++;
    else if (outcome_published(outcome))
        p->storage_failures = 0;
}

/* The capture has waited or run for about an interval. Not a full one: if it was late itself, the
 * next due time is nearer. */
static bool is_late(const struct pipeline *p, const struct flight *f)
{
    usec interval = f->target->job->interval;

    return loop_now(p->event, CLOCK_BOOTTIME) >= f->since + interval - interval / 10;
}

void pipeline_report_late(struct pipeline *p, const struct flight *f)
{
    const char *shown = target_shown(f->lane);
    const struct log_fields fields = {.service = f->target->service, .target = shown};

    if (!is_late(p, f))
        return;
    if (f->state == FLIGHT_WAITING && !p->crowded) {
        p->crowded = true;
        log_write(LOG_LEVEL_WARN, &fields,
                  "captures wait longer than their scrape_interval, %s is one of %u: raise "
                  "max_concurrent_captures (%u) or scrape_interval",
                  shown, pipeline_waiting(p), p->max);
    } else if (f->state != FLIGHT_WAITING && !p->stalled) {
        p->stalled = f;
        log_write(LOG_LEVEL_WARN, &fields,
                  "a capture of %s has not ended when the next is due (it is %s), which is left "
                  "out: does the disk answer?",
                  shown, pipeline_state_name(f->state));
    }
}

void pipeline_report_in_time(struct pipeline *p, const struct flight *ended)
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

void pipeline_report(struct pipeline *p, struct flight *f, const char *key)
{
    report_storage(p, f);
    report_lane(f, key);
}
