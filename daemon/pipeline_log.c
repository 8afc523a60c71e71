/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/parse.h"
#include "daemon/pipeline_state.h"

static void report_published(const struct flight *f, enum log_level level, const char *key)
{
    const struct target *t = f->target;
    char size[PARSE_TEXT_SIZE];

    log_write(level,
              &(struct log_fields){.service = t->service,
                                   .target = t->shown,
                                   .key = key,
                                   .result = outcome_name(f->result.outcome),
                                   .message_id = MESSAGE_ID_CAPTURED},
              "captured %s: %s, go 1.%u, %s%s%s", t->shown, format_size(f->result.bytes, size),
              f->result.go_minor, key, f->result.text[0] ? "; " : "", f->result.text);
}

/* One line when the target's state changes, none while it stays as it is. */
static void report_target(struct flight *f, const char *key)
{
    struct target *t = f->target;
    enum outcome outcome = f->result.outcome, before = t->state;
    const struct log_fields fields = {
        .service = t->service,
        .target = t->shown,
        .result = outcome_name(outcome),
        .message_id = outcome_failed(outcome) ? MESSAGE_ID_TARGET_DOWN : MESSAGE_ID_TARGET_UP,
    };

    if (!outcome_tells(outcome)) {
        log_write(LOG_LEVEL_DEBUG,
                  &(struct log_fields){
                      .service = t->service, .target = t->shown, .result = outcome_name(outcome)},
                  "no capture of %s: %s: %s", t->shown, outcome_name(outcome), f->result.text);
        return;
    }
    t->state = outcome;
    if (outcome_published(outcome)) {
        if (outcome_failed(before))
            log_write(LOG_LEVEL_INFO, &fields, "captures of %s work again, after %u failed tries",
                      t->shown, t->failures);
        t->failures = 0;
        report_published(
            f, outcome == OUTCOME_TRUNCATED && before != outcome ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
            key);
        return;
    }
    t->failures++;
    if (outcome != before) {
        char interval[PARSE_TEXT_SIZE];
        bool once = f->pipeline->once;

        log_write(LOG_LEVEL_WARN, &fields, "cannot capture %s: %s: %s%s%s%s", t->shown,
                  outcome_name(outcome), f->result.text, outcome_hint(outcome),
                  once ? "" : "; tried again at least every ",
                  once ? "" : format_duration(t->job->interval, interval));
    }
}

/*
 * The disk is not the target's fault: said once for all of them. When the spool has no room, it
 * says so itself.
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
                  f->target->shown, outcome_name(outcome), f->result.text);
    else if (outcome_published(outcome) && p->storage_failures > 0)
        log_write(LOG_LEVEL_INFO, &fields, "traces can be stored again");
    if (failed)
        p->storage_failures++;
    else if (outcome_published(outcome))
        p->storage_failures = 0;
}

void pipeline_report(struct pipeline *p, struct flight *f, const char *key)
{
    report_storage(p, f);
    report_target(f, key);
}
