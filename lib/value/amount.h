/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Numbers as people write them beside a value of a summary or a metric: 50ms, 1%, 4MiB, 20k, -3.
 * The value's own unit is in its name: p99_ns, idle_share, heap_max_bytes. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

enum amount_unit {
    AMOUNT_PLAIN,
    AMOUNT_SHARE, /* of one */
    AMOUNT_TIME,  /* nanoseconds */
    AMOUNT_SIZE,  /* bytes */
};

struct amount {
    double value;
    enum amount_unit unit;
};

/*
 * A number with k, M, G, %, a unit of time (ns us µs ms s m h d w y, also 1h30m) or of size (B kB
 * MB GB TB KiB MiB GiB TiB). 0 or -EINVAL.
 */
int amount_parse(const char *text, struct amount *ret);

/* The unit that a value's name says. */
enum amount_unit amount_unit(const char *name);

/* Whether such an amount is sensibly held against the value of that name: a plain number always is,
 * a share or a size also against what names no unit. */
bool amount_fits(const struct amount *a, const char *name);

/* In the unit of the value `name`: 50ms is 50000000 for p99_ns. Times are in seconds, if the name
 * says nothing. */
double amount_in(const struct amount *a, const char *name);
