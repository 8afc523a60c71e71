/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rules at work: polls the targets' metrics, hands what comes to the rules, and tells when one
 * fires. One poll of a target serves all rules that read the same page at the same interval. Polls
 * of many targets are spread over the interval, as captures are. What follows when a rule fires is
 * the caller's.
 *
 * A target whose polls fail slowly takes a place from the others for as long as it hangs. So those
 * that did wait in a queue of their own, for at most TRIGGERS_SLOW_AT_ONCE places, and are polled
 * less often.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/capture/targets.h"
#include "daemon/watch/subject.h"
#include "daemon/watch/tally.h"

#define TRIGGERS_AT_ONCE 256     /* polls */
#define TRIGGERS_SLOW_AT_ONCE 64 /* of these, polls of targets that failed slowly */
#define TRIGGERS_KEPT 1000       /* connections that are kept; with more pages, none is */
#define TRIGGERS_TIMEOUT (10 * USEC_PER_SEC) /* of a poll; at most nine tenths of its interval */

struct triggers;

/* A rule fires. Everything is borrowed. */
struct triggers_fire {
    struct target *target;
    const struct trigger_config *rule;
    struct rulestate_view view;
    const char *text; /* why, for people */
};

enum triggers_answer {
    TRIGGERS_TAKEN,   /* it makes an incident */
    TRIGGERS_JOINED,  /* an incident of the target is under way, which takes what it can of it */
    TRIGGERS_REFUSED, /* it makes none; the rule fires again after its cooldown, if it still holds */
};

#define TRIGGERS_WHY_SIZE 320

struct triggers_reply {
    enum triggers_answer answer;
    const char *refused;         /* when refused: by what, in a word or two; static */
    usec retry_after;            /* when refused: before that it would be again; 0: not known */
    char why[TRIGGERS_WHY_SIZE]; /* for people. When joined: what the incident takes or lacks of it,
                                  * after "; ", or "" */
};

/* What follows when a rule fires. */
struct triggers_calls {
    /* Orders an incident. *ret is zeroes before. */
    void (*order)(void *userdata, const struct triggers_fire *fire, struct triggers_reply *ret);
    /* How many more incidents may begin within this hour, of how many (*ret_all). */
    size_t (*room)(void *userdata, size_t *ret_all);
    /* Whether one of this target is under way, so that an order joins it. */
    bool (*under_way)(void *userdata, const struct target *target);
};

/* The targets and the calls are borrowed. 0 or a negative errno. */
int triggers_new(sd_event *event, const char *user_agent, struct targets *targets,
                 const struct triggers_calls *calls, void *userdata, struct triggers **ret);
void triggers_free(struct triggers *t);

/*
 * Takes over the rules of a configuration, which is borrowed until the next call. The targets must
 * have been updated to it. A rule that did not change keeps what it knows of each target; polls
 * under way begin anew. 0; or a negative errno, and then nothing changed.
 */
int triggers_set(struct triggers *t, const struct config *config);

/* The targets have changed. 0; or -ENOMEM, and then nothing changed. */
int triggers_update(struct triggers *t);

/* A trace of the target was inspected. `label` NULL: it has none. `summary`: as JSON text; NULL:
 * there is none. */
void triggers_inspected(struct triggers *t, struct target *target, const char *label,
                        const char *summary);

/* Ends all polls and begins no more. */
void triggers_stop(struct triggers *t);

/* A rule for a target, as people are told. Borrowed. */
struct triggers_row {
    const struct target *target;
    const struct trigger_config *rule;
    const struct subject_page *page; /* NULL: the rule is not polled */
    const struct rulestate *known;   /* all that the rule knows */
    struct rulestate_view view;
    const char *state; /* "ok", "pending", "fired", "refused", "cooling", "blind", "waiting",
                        * "poll_failing" */
};

/* False: enough. */
typedef bool (*triggers_row_fn)(void *userdata, const struct triggers_row *row);

/* All rules of all targets, in the order of the targets. */
void triggers_each(const struct triggers *t, triggers_row_fn fn, void *userdata);

struct triggers_stats {
    uint64_t polls[POLLEND_COUNT];
    uint64_t bytes;        /* of pages that came */
    size_t pages, failing; /* that are polled; whose last poll failed */
    unsigned running;      /* polls under way */
    size_t waiting;        /* due, without a place */
    const struct tally *rules;
};

void triggers_stats(struct triggers *t, struct triggers_stats *ret);
