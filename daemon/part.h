/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a part of the daemon is, and how a table of them is run. A row may leave out what it has not.
 * Parts are made in the table's order, and each may use those above it. They end in reverse: who
 * asks others ends before them. parts.h has the table itself.
 */

#include <stdbool.h>
#include <stddef.h>

struct config;
struct daemon;

struct part {
    const char *name;

    /* Makes it. 0; or a negative errno, and nothing is left of it. */
    int (*new)(struct daemon *d);

    /*
     * A configuration is to come into force, at the start and at each reload: all of it that may
     * fail. 0; or a negative errno, and it is set again to the one before.
     */
    int (*set)(struct daemon *d, const struct config *c);

    /* Every part has agreed: what cannot fail. The daemon still has the configuration before it; at
     * the start it has this one. */
    void (*use)(struct daemon *d, const struct config *c);

    /* contraced is stopping: nothing new begins, what is in flight goes on to its end. */
    void (*drain)(struct daemon *d);

    /* shutdown_timeout is over: what is in flight ends now. */
    void (*cut)(struct daemon *d);

    /* Nothing is in flight. Asked after it was drained. */
    bool (*idle)(const struct daemon *d);

    /* Ends what `new` made. */
    void (*free)(struct daemon *d);

    /* It serves until all others are idle, and is drained then. */
    bool last;
};

struct part_table {
    const struct part *rows;
    size_t n;
};

/* Makes all. 0; or the negative errno of the first that failed, and those before it are freed. */
int part_table_new(const struct part_table *t, struct daemon *d);

/*
 * Prepares all for the configuration `c`. 0; or the negative errno of the first that failed. It and
 * those before it were set again to `old` then, unless that is NULL.
 */
int part_table_set(const struct part_table *t, struct daemon *d, const struct config *c,
                   const struct config *old);
void part_table_use(const struct part_table *t, struct daemon *d, const struct config *c);

/* Drains all but the last. */
void part_table_drain(const struct part_table *t, struct daemon *d);
void part_table_cut(const struct part_table *t, struct daemon *d);

/* Whether all have come to their end; to be asked again after each event. It drains the last when
 * the others are idle. */
bool part_table_ended(const struct part_table *t, struct daemon *d);
void part_table_free(const struct part_table *t, struct daemon *d);
