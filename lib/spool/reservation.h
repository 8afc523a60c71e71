/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who may write how much. At every moment: kept and reserved together are within max_bytes and
 * max_files, and what is free would still be min_free after every reservation was written. What is
 * being deleted counts until it is gone. Requests are answered in the order in which they came.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/facts.h"
#include "lib/spool/core/items.h"
#include "lib/spool/pass.h"
#include "lib/spool/core/reserved.h"

struct reservations {
    struct core *core;
    const struct items *items;
    const struct facts *facts;
    struct pass *pass;
    struct reserved *reserved;

    bool refusing;       /* the last who asked for a new file was refused */
    bool refusing_said;  /* in the log, not yet taken back */
    usec quiet;          /* boot time before which it is not said again */
    uint64_t full_bytes; /* what was kept when a write found the disk full; see limits_now */
    usec full_until;     /* boot time until which that is a bound */
};

/* All borrowed. */
void reservation_init(struct reservations *s, struct core *core, const struct items *items,
                      const struct facts *facts, struct pass *pass, struct reserved *reserved);

/* Asks for r->wanted bytes in all. 1: has them; 0: waits, and r->answer will be called on the event
 * loop; or a negative errno, and it has what it had. */
int reservation_request(struct reservations *s, struct reservation *r);

/* Asks no more, if it does. */
void reservation_forget(struct reservations *s, struct reservation *r);

/* Has nothing any more. */
void reservation_release(struct reservations *s, struct reservation *r);

/* Gives what can be given now, and keeps the bounds when nobody waits. */
void reservation_advance(struct reservations *s);

/* See spool_refusing and spool_found_full. */
bool reservation_refusing(const struct reservations *s);
void reservation_found_full(struct reservations *s);
