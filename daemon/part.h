/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The functions of a part of the daemon, and how a table of parts is run. A row leaves out the
 * functions that it does not need. Parts are made in the order of the table, and each may use those
 * above it. They end in reverse order, so a part ends before those that it uses. parts.h has the
 * table itself.
 */

#include <stdbool.h>
#include <stddef.h>

struct config;
struct daemon;

struct part {
    const char *name;

    /* Makes the part. 0; or a negative errno, and nothing of it is left. */
    int (*new)(struct daemon *d);

    /*
     * Prepares for a new configuration, at the start and at each reload: every step that may fail.
     * 0; or a negative errno, and then the part is set again with the previous configuration.
     */
    int (*set)(struct daemon *d, const struct config *c);

    /* Puts the configuration into force, after `set` of every part has succeeded. Cannot fail.
     * d->config is still the previous configuration; at the start it is this one. */
    void (*use)(struct daemon *d, const struct config *c);

    /* contraced is stopping: begins nothing new; work in flight goes on to its end. */
    void (*drain)(struct daemon *d);

    /* shutdown_timeout is over: ends work in flight now. */
    void (*cut)(struct daemon *d);

    /* True if no work is in flight. Asked after the part was drained. */
    bool (*idle)(const struct daemon *d);

    /* Ends what `new` made. */
    void (*free)(struct daemon *d);

    /* This part goes on until all others are idle, and is drained only then. */
    bool last;
};

struct part_table {
    const struct part *rows;
    size_t n;
};

/* Makes all parts. 0; or the negative errno of the first that failed, and those before it are
 * freed. */
int part_table_new(const struct part_table *t, struct daemon *d);

/*
 * Prepares all parts for the configuration `c`. 0; or the negative errno of the first that failed.
 * Then that part and those before it have been set again to `old`, unless that is NULL.
 */
int part_table_set(const struct part_table *t, struct daemon *d, const struct config *c,
                   const struct config *old);
void part_table_use(const struct part_table *t, struct daemon *d, const struct config *c);

/* Drains all parts but the `last` ones. */
void part_table_drain(const struct part_table *t, struct daemon *d);
void part_table_cut(const struct part_table *t, struct daemon *d);

/* Whether all parts have ended their work; to be asked again after each event. Drains the `last`
 * parts when all others are idle. */
bool part_table_ended(const struct part_table *t, struct daemon *d);
void part_table_free(const struct part_table *t, struct daemon *d);
