/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Time, in microseconds. Only this file and the event loop read a clock. Boot time is for
 * intervals: it counts while the machine sleeps and never steps. Real time is for names and
 * records.
 */

#include <stddef.h>
#include <stdint.h>

typedef uint64_t usec;

#define USEC_PER_MSEC ((usec)1000)
#define USEC_PER_SEC ((usec)1000000)
#define USEC_PER_MIN (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MIN)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define USEC_NEVER UINT64_MAX

/* CLOCK_BOOTTIME: since boot, suspend included. */
usec clock_boot(void);

/* CLOCK_REALTIME: since the epoch, UTC. */
usec clock_real(void);

/* CLOCK_MONOTONIC: as clock_boot, without the time spent suspended; what sd_notify(3) speaks. */
usec clock_monotonic(void);

/* "2026-03-14T09:26:53.589Z" and its terminating zero. */
#define CLOCK_RFC3339_SIZE 32

/* Writes `real` as RFC 3339 in UTC with milliseconds into `out` and returns `out`. */
const char *clock_rfc3339(usec real, char out[static CLOCK_RFC3339_SIZE]);

/*
 * Reads RFC 3339: "2026-03-14T09:26:53Z", with a fraction (what is below a microsecond is dropped)
 * or an offset such as "+02:00". 0, or -EINVAL for anything else and for times before the epoch.
 */
int clock_parse_rfc3339(const char *text, usec *ret_real);
