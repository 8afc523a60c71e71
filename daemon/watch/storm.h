/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A rule that fires at many targets at about the same time would use up the budget of incidents by
 * whom it happened to poll first. So while more than half of the budget is left, an incident begins
 * at once. From then on those that fire within one poll interval are gathered here, and the worst
 * of them have what is left. Of more than STORM_MAX the mildest are forgotten. Pure: it holds and
 * orders.
 */

#include <stdbool.h>
#include <stddef.h>

#define STORM_MAX 1000

struct target;

/* Worst is who exceeds the threshold by the largest factor. */
struct storm_entry {
    struct target *target; /* a reference */
    char *rule;            /* its name */
    double severity;
    size_t order; /* in which it came */
};

struct storm {
    struct storm_entry *entries;
    size_t n, cap;
    size_t came; /* since the last storm_clear, the forgotten ones included */
};

void storm_init(struct storm *s);
void storm_clear(struct storm *s);

/* How far beyond the threshold the value is: a factor, 1 and more. 0 for what cannot be compared,
 * such as labels. */
double storm_severity(double value, double threshold, bool below);

/* Whether one that fires now has to be gathered: `room` incidents of `all` an hour are left. */
bool storm_gathers(const struct storm *s, size_t room, size_t all);

/* Adds one: refers to the target and copies the name. 0; -ENOSPC if it is the mildest of too many;
 * or -ENOMEM. *ret_out is the one that gave way, to be released by storm_release; or its target is
 * NULL. */
int storm_add(struct storm *s, struct target *target, const char *rule, double severity,
              struct storm_entry *ret_out);

/* Takes the worst out, to be released. False: none is left. */
bool storm_worst(struct storm *s, struct storm_entry *ret);

void storm_release(struct storm_entry *e);
