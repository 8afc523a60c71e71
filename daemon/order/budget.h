/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bounds incidents: so many an hour of all targets together and of one target, and a share of the
 * time for which they trace a target. An hour is always the last one, not one of the clock. An
 * incident that alone traces for longer than that share of an hour is allowed when the target had
 * none that traced within the hour. Pure: times are passed in.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define BUDGET_SPAN USEC_PER_HOUR

struct budget_limits {
    unsigned incidents; /* of all targets, within an hour */
    unsigned of_target; /* of one target, within an hour */
    double traced;      /* share of the time */
};

struct budget_entry {
    usec at;         /* boot time */
    uint64_t target; /* as allowance_id */
    usec traced;
};

struct budget {
    struct budget_entry *entries; /* oldest first */
    size_t n, cap;
};

enum budget_answer {
    BUDGET_FREE,
    BUDGET_OF_ALL,    /* all targets together had as many as may be within an hour */
    BUDGET_OF_TARGET, /* this target had */
    BUDGET_TRACED,    /* this target was traced for too long */
};

void budget_init(struct budget *b);
void budget_done(struct budget *b);

/* Whether an incident of this target that traces it for `traced` may begin now. If not, *ret_wait
 * is how long until it may. */
enum budget_answer budget_ask(const struct budget *b, const struct budget_limits *l,
                              uint64_t target, usec traced, usec now, usec *ret_wait);

/* How many began within the last hour, of all targets. */
size_t budget_taken(const struct budget *b, usec now);

/* Notes that one begins, whether it is allowed or not. 0, or -ENOMEM and nothing is noted. */
int budget_take(struct budget *b, uint64_t target, usec traced, usec now);

/* The target's last incident traces it for so much longer. Without one, nothing is noted: the
 * operator's are not. */
void budget_lengthen(struct budget *b, uint64_t target, usec traced);
