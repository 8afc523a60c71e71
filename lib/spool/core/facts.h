/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The facts that retention decides on: the limits, and what is kept, reserved and free at this
 * moment.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/items.h"
#include "lib/spool/core/reserved.h"
#include "lib/spool/core/retention.h"

struct facts {
    const struct core *core;
    struct items *items;
    const struct reserved *reserved;
    struct retention_limits limits;
};

/*
 * The facts as they would be if `bytes` and `files` more were reserved. facts_roughly counts all
 * reservations as still unwritten; facts_exactly asks each open file how much of it is written, and
 * marks the worst traces, as a plan needs them. Both return 0, or a negative errno if the free space
 * cannot be read or memory is short.
 */
int facts_roughly(const struct facts *s, uint64_t bytes, uint64_t files,
                  struct retention_facts *ret);
int facts_exactly(const struct facts *s, uint64_t bytes, uint64_t files,
                  struct retention_facts *ret);

/* Free bytes minus the unwritten bytes of reservations. Writing to a reserved file does not change
 * this number. */
int64_t facts_headroom(const struct retention_facts *f);
