/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What retention decides on: the limits, and what is kept, reserved and free at this moment.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/items.h"
#include "lib/spool/core/reserved.h"
#include "lib/spool/core/retention.h"

struct facts {
    const struct core *core;
    const struct items *items;
    const struct reserved *reserved;
    struct retention_limits limits;
};

/*
 * What would be if `bytes` and `files` more were reserved. Both 0, or the errno of looking.
 * facts_roughly takes all reservations as still unwritten; facts_exactly asks each open file how
 * much of it is.
 */
int facts_roughly(const struct facts *s, uint64_t bytes, uint64_t files,
                  struct retention_facts *ret);
int facts_exactly(const struct facts *s, uint64_t bytes, uint64_t files,
                  struct retention_facts *ret);

/* What is free beyond the reservations: writing to a reserved file does not change it. */
int64_t facts_headroom(const struct retention_facts *f);
