/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One rule for one target: what it saw last, and whether it fires now. Pure: readings, labels and
 * times are passed in, and the caller does what follows.
 *
 *   WAITING   nothing yet to judge: no read, only one of a counter, or too little of the past
 *   CALM      judged, and not beyond the threshold
 *   OVER      beyond it, but not yet `for` times in a row, or within the cooldown
 *   FIRED     it has fired, and has not yet fallen clearly below: by a quarter of the threshold,
 *             `for` times in a row
 *   BLIND     what it names was not served for an hour
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/trigger/rule/reading.h"
#include "lib/config/data.h"

#define RULESTATE_BLIND_AFTER USEC_PER_HOUR
/* Reads farther apart than this many poll intervals do not belong together. */
#define RULESTATE_GAP_POLLS 5
#define RULESTATE_BASELINE USEC_PER_HOUR
#define RULESTATE_MEMORY_MAX (4u << 10) /* bytes of one rulestate, with all that it refers to */

enum rulestate_phase {
    RULESTATE_WAITING,
    RULESTATE_CALM,
    RULESTATE_OVER,
    RULESTATE_FIRED,
    RULESTATE_BLIND,
};

enum rulestate_event {
    RULESTATE_NOTHING,
    RULESTATE_FIRES,         /* an incident is to be ordered */
    RULESTATE_BECOMES_BLIND, /* said once */
    RULESTATE_SEES_AGAIN,    /* said once, after BECOMES_BLIND */
};

struct rulestate;

/*
 * `rule` is borrowed. `now`, here and below, is boot time; it never goes back. 0 or -ENOMEM. After
 * a reload, rulestate_move gives the state to an equal rule (trigger_equal) of the new
 * configuration.
 */
int rulestate_new(const struct trigger_config *rule, usec now, struct rulestate **ret);
void rulestate_free(struct rulestate *s);
void rulestate_move(struct rulestate *s, const struct trigger_config *rule);

/* A poll succeeded: `r` is what it told. Only for rules that are polled (trigger_polled). May
 * allocate; if memory is short, the next read is the first again. */
enum rulestate_event rulestate_poll(struct rulestate *s, const struct reading *r, usec now);

/* A poll failed: nothing is known of this time. Never fires. */
enum rulestate_event rulestate_miss(struct rulestate *s, usec now);

/* A trace of the target was inspected, for a rule `value`: the number at the rule's path (see
 * rulestate_number), or `found` is false. */
enum rulestate_event rulestate_value(struct rulestate *s, bool found, double value, usec now);

/* The same for a rule `label`: the trace's label, "healthy" also if nothing was found; NULL: it has
 * none, as it could not be read. */
enum rulestate_event rulestate_label(struct rulestate *s, const char *label, usec now);

/* What was ordered when it fired was refused (by a budget, or as another incident is under way):
 * if it still holds, it fires again after its cooldown. `by` says what refused it, static; `until`:
 * before that time it will be refused again; 0: nobody knows. */
void rulestate_refused(struct rulestate *s, const char *by, usec until);

/* As people and the API are told. */
struct rulestate_view {
    enum rulestate_phase phase;
    bool has_value;
    double value;        /* the last that was judged: a share, a rate a second, a gauge, …; for
                       * times_baseline, the number itself; for growth, the growth (0.5 is 50%) */
    double threshold;    /* that the value is held against, baseline included; NaN: not known yet */
    double baseline;     /* the median; NaN: none */
    double edge;         /* of a histogram, in its unit; NaN: not known */
    double count;        /* of a histogram: observations since the last read */
    unsigned over;       /* times in a row, at most `for` */
    usec judged;         /* when the value was judged; 0: never */
    usec seen;           /* when what it names was there; 0: never */
    usec fired;          /* last; 0: never */
    uint64_t fires;      /* how often */
    const char *refused; /* what refused it when it fired last; NULL: nothing. Static */
    usec again;          /* if refused: before that, it makes no incident */
    const char *why;     /* why nothing is judged, such as "the first read"; "" if it is. Static */
    const char *label;   /* of a rule `label`: the last; borrowed until the next call; or NULL */
};

void rulestate_look(const struct rulestate *s, struct rulestate_view *ret);

/* "waiting", "calm", "over", "fired", "blind". */
const char *rulestate_phase_name(enum rulestate_phase phase);

/* All bytes that it takes now, with what it refers to. */
size_t rulestate_memory(const struct rulestate *s);

/*
 * One line why it fired, or what it is at, such as
 *   "go_sched_latencies_seconds: 3.2% of 1840 above 0.0105, more than 1%".
 * Returns `out`.
 */
#define RULESTATE_TEXT_SIZE 560
const char *rulestate_text(const struct rulestate *s, char out[static RULESTATE_TEXT_SIZE]);
