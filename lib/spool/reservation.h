/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Decides which file may write how many bytes. At every moment, kept and reserved traces together
 * are within max_bytes and max_files, and min_free would still be free if every reservation were
 * written in full. A trace that is being deleted counts until it is gone. Requests are answered in
 * the order in which they came.
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

    bool refusing;       /* the last request for a new file was refused */
    bool refusing_said;  /* the log says so, and not yet that there is room again */
    usec quiet;          /* boot time before which a refusal is not logged again */
    uint64_t full_bytes; /* bytes that were kept when a write found the disk full; see limits_now */
    usec full_until;     /* boot time until which full_bytes is a bound */
};

/* All borrowed. */
void reservation_init(struct reservations *s, struct core *core, const struct items *items,
                      const struct facts *facts, struct pass *pass, struct reserved *reserved);

/* Asks for r->wanted bytes in all. 1: granted; 0: the request waits, and r->answer will be called
 * on the event loop; or a negative errno, and it holds what it held before. */
int reservation_request(struct reservations *s, struct reservation *r);

/* Takes back a request that waits, if there is one. */
void reservation_forget(struct reservations *s, struct reservation *r);

/* Gives back all that the reservation holds. */
void reservation_release(struct reservations *s, struct reservation *r);

/* Answers waiting requests as far as possible now. If none waits, deletes what the limits ask
 * for. */
void reservation_advance(struct reservations *s);

/* As spool_refusing and spool_found_full. */
bool reservation_refusing(const struct reservations *s);
void reservation_found_full(struct reservations *s);
