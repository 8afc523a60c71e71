/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How often and how long goroutines were in a state, by the stack where they entered it: the
 * profiles of `go tool trace -pprof=`, by the rules of Go's cmd/trace (pprof.go). A state that was
 * not left before the trace's end does not count, nor does anything before a goroutine's first run,
 * unless it never runs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/gotrace.h"
#include "trace/profile/sums.h"

enum profile_kind {
    PROFILE_SCHED,   /* runnable: waiting for a P */
    PROFILE_SYNC,    /* waiting on a channel, select, or package sync */
    PROFILE_NET,     /* waiting on the network */
    PROFILE_SYSCALL, /* in a system call */
};

/* Who sees what counts, one by one. */
struct profile_observer {
    void *userdata;
    void (*begin)(void *userdata); /* profile_count begins: nothing counts yet */
    /* Of what the goroutine that `e` is about was in since then, so much counts. NULL: that is found
     * out only now, as the goroutine never ran. */
    void (*counted)(void *userdata, const struct gotrace_event *e, int64_t since, int64_t ns);
    /* Each event, after that. An error of memory.h ends the pass. */
    int (*event)(void *userdata, const struct gotrace *trace, const struct gotrace_event *e);
};

struct profile_options {
    enum profile_kind kind;
    const struct profile_observer *observer; /* borrowed; or NULL */
    uint64_t since, until; /* nanoseconds from the trace's first event; `until` 0: to its end */
    const char *task;      /* only within regions of tasks of this type; borrowed; NULL: any */
    const char *region;    /* only within regions of this type */
    size_t max_memory;     /* 0: 256 MiB */
    /*
     * Samples of one stack are told apart by the task that the goroutine worked for and the region
     * that it was in when the state began (marks.h), and by the reason: of a wait, of leaving a P,
     * or, of what became runnable after a wait, of that wait.
     */
    bool labels;
};

struct profile;

/* The options' texts are borrowed. 0 or -ENOMEM. */
int profile_new(const struct profile_options *options, struct profile **ret);
void profile_free(struct profile *p);

/* Whether the trace must be read by profile_scan before it is read by profile_count. */
bool profile_needs_scan(const struct profile *p);

/*
 * Both read the trace from its beginning to its end. profile_count returns 1 if only now it turns
 * out that a scan is needed: then let it scan and count the trace anew.
 *
 * 0; an error of gotrace, with the whole generations before it counted; or, when
 * gotrace_last_error knows of none, -E2BIG over the bound on memory, or -ENOMEM.
 */
int profile_scan(struct profile *p, struct gotrace *trace);
int profile_count(struct profile *p, struct gotrace *trace);

/*
 * After an error of gotrace: from now on profile_count ends where the last whole generation does. An
 * observer has seen what follows it, which does not count, and so must see the trace again. False:
 * there is no whole generation.
 */
bool profile_cut(struct profile *p);

/* The sums; stacks with count 0 are not part of the profile. Valid as long as the profile. */
const struct sums *profile_sums(const struct profile *p);
