/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which traces are wanted, and which listings of the store find them. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "lib/record/name.h"

struct selection {
    const char *service, *host, *reason, *label; /* globs (fnmatch(3)) or NULL: any */
    const char *incident;                        /* likewise: the id in the record */
    const char *artifact;                        /* likewise: of the kind's name */
    usec since;                                  /* real time */
    usec until; /* the first that is too late; USEC_NEVER: no end */
};

/* Whether the key matches everything but reason, label and incident, which are in the record. */
bool selection_match(const struct selection *s, const struct name *n);

/* The same, of any artifact. */
bool selection_covers(const struct selection *s, const struct name *n);
bool selection_needs_record(const struct selection *s);
bool selection_match_record(const struct selection *s, const char *reason, const char *label,
                            const char *incident);

/* Both service and host are plain names. */
bool selection_one_host(const struct selection *s);

/* One listing: the keys that start with `prefix` and come after `after`. */
struct range {
    char prefix[NAME_KEY_MAX];
    char after[NAME_KEY_MAX];
};

/*
 * The listings that find all keys of the selection. Those by day end a day after `now`, as clocks
 * differ. The caller frees them. 0 or -ENOMEM.
 */
int selection_plan(const struct selection *s, usec now, struct range **ret, size_t *ret_n);

/*
 * For a key that does not match: a position, never before the key, behind which the next match may
 * be. False: no later key of the listing can match.
 */
bool selection_skip(const struct selection *s, const struct name *n, char out[static NAME_KEY_MAX]);
