/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What traces have by name: labels, findings, types of tasks and regions, call sites; and what of
 * it only one side has. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum presence_kind {
    PRESENCE_LABEL,
    PRESENCE_FINDING,
    PRESENCE_TASK,
    PRESENCE_REGION,
    PRESENCE_SITE_SCHED,
    PRESENCE_SITE_SYNC,
    PRESENCE_SITE_NET,
    PRESENCE_SITE_SYSCALL,
    PRESENCE_KINDS,
};

#define PRESENCE_MAX 10000 /* names; those beyond are left out */

struct presence {
    enum presence_kind kind;
    char *name;
    size_t in[2];     /* traces of each side */
    size_t last[2];   /* of these traces: the number of the last, from 1 */
    double weight[2]; /* the sum of the times, by the lengths of the traces; 0 if there is none */
};

struct presences {
    struct presence *list;
    size_t n;
    size_t cap;
};

/* Adds what a summary has. 0 or -ENOMEM. */
int presences_add(struct presences *p, const json_t *summary, unsigned side);

/* "finding", "lock or channel", … */
const char *presence_kind_name(enum presence_kind kind);

/*
 * Whether more than half of the traces of one side have it, and none of the other; call sites also
 * need a time. -1: the first side, what went; 1: the second, what came; 0: neither.
 */
int presence_moved(const struct presence *p, const size_t traces[static 2]);
void presences_done(struct presences *p);
