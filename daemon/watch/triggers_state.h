/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by the files of the triggers only. triggers.c matches rules with targets and hears of
 * traces, triggers_find.c finds a target's, triggers_polls.c polls, triggers_fire.c does what a rule's event asks for, triggers_log.c
 * says what people should know.
 */

#include "daemon/watch/storm.h"
#include "daemon/watch/triggers.h"
#include "lib/net/http.h"

/* Pages that are due and wait for a place, first come, first served. */
struct triggers_queue {
    struct subject_page *first, *last;
    size_t n;
};

struct triggers {
    sd_event *event;
    struct http *http;
    struct targets *targets;
    const struct triggers_calls *calls;
    void *userdata;
    struct plan *plan;
    struct subject **subjects; /* those targets for which there are rules, in the targets' order */
    size_t n;
    size_t pages;
    struct triggers_queue queues[2]; /* [1]: those that failed slowly */
    unsigned running[2];             /* polls under way, the same */
    bool stopped;
    uint64_t polls[POLLEND_COUNT];
    uint64_t bytes;
    struct tally tally;
    struct storm storm;
    sd_event_source *gathered; /* the end of a storm's gathering */
};

/* triggers_find.c */
/* Which of two comes first in the targets' order. */
int triggers_compare(const struct target *a, const struct target *b);
/* NULL: there is no rule for the target. */
struct subject *triggers_subject(const struct triggers *t, const struct target *target);

/* triggers_polls.c */
/* Makes the timers of a subject's pages, which are off. 0 or a negative errno. */
int triggers_add_timers(struct triggers *t, struct subject *s);
/* Sets when each page of a subject is polled next. */
void triggers_schedule(struct triggers *t, struct subject *s);
/* Ends all polls of a subject, and takes it out of the queues. */
void triggers_quiet(struct triggers *t, struct subject *s);

/* triggers_fire.c */
int triggers_fire_init(struct triggers *t);
void triggers_fire_done(struct triggers *t);
/* Does what an event of a rule asks for. */
void triggers_event(struct triggers *t, struct subject *s, struct subject_rule *r,
                    enum rulestate_event event);

/* triggers_log.c: says how a poll ended, if that is news. */
#define TRIGGERS_LASTS 3 /* polls in a row that end in the same way */
void triggers_log_poll(struct subject_page *p, const struct poll_result *result);
void triggers_log_blind(const struct subject *s, const struct subject_rule *r);
void triggers_log_sees(const struct subject_rule *r);
void triggers_log_fires(const struct triggers_fire *fire, enum triggers_answer answer,
                        const char *why);
void triggers_log_storm(size_t came, size_t made, size_t dropped);
