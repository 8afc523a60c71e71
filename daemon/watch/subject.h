/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A target for which there are rules: what each rule knows of it, and when its pages are polled.
 * Plain data; triggers.c moves it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/capture/schedule.h"
#include "daemon/capture/target.h"
#include "daemon/trigger/rule/rulestate.h"
#include "daemon/watch/plan.h"
#include "daemon/watch/poll.h"
#include "daemon/watch/tally.h"

/* A rule for one target. */
struct subject_rule {
    const struct trigger_config *rule; /* borrowed from the configuration */
    struct rulestate *state;
    struct tally_rule *numbers; /* of the rule, at all targets; borrowed */
};

enum subject_poll_state {
    SUBJECT_IDLE,    /* its timer is set */
    SUBJECT_WAITING, /* due; it waits for a place */
    SUBJECT_RUNNING,
};

/* One page of a target, and its next poll. */
struct subject_page {
    struct subject *subject;
    const struct plan_page *page; /* borrowed from the plan */
    char *shown;                  /* where it is, for logs */
    sd_event_source *timer;
    struct schedule schedule;
    enum subject_poll_state state;
    struct subject_page *previous, *next; /* in the queue of those that wait */
    struct poll *poll;                    /* while it runs */
    usec started;                         /* boot time of the last poll; 0: none yet */
    usec took;                            /* the last poll */
    bool slow;                            /* the last poll failed, and took its time over it */
    unsigned failures;                    /* in a row */
    bool told;                            /* there was a poll: `end` counts */
    enum pollend end;                     /* of the last poll */
    enum pollend said;      /* the end that was said last; POLLEND_OK: nothing, or that it works */
    unsigned run;           /* polls in a row with this end */
    unsigned lost;          /* polls that failed since it was said to fail */
    char *text;             /* of the last poll, if it failed; or NULL */
    usec polled;            /* real time of the last poll's end; 0: none yet */
    uint64_t bytes, series; /* of the last page that came */
};

struct subject {
    void *owner;
    struct target *target;
    const struct plan_job *job; /* borrowed from the plan */
    struct subject_rule *rules; /* as those of the job */
    struct subject_page *pages; /* as those of the job */
};

/* Takes a reference to the target. The pages have no timers yet. NULL when memory is short. */
struct subject *subject_new(struct target *target, const struct plan_job *job);
void subject_free(struct subject *s);

/*
 * Makes the states of all rules of `s`, as far as `old` (NULL: none) has no equal rule: those are
 * taken over by subject_take. 0 or -ENOMEM.
 */
int subject_prepare(struct subject *s, const struct subject *old, usec now);

/* Takes over what `old` knows: the states of rules and of pages that did not change. `old` is of no
 * further use. Cannot fail. */
void subject_take(struct subject *s, struct subject *old);
