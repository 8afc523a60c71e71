/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints the times at which each target of a contraced was due, if that contraced was started between
 * two given moments. Uses the daemon's own daemon/capture/schedule.c. A line is `address due due …`,
 * boot time in µs.
 *
 *   due JOB HOST INTERVAL REAL_BEFORE BOOT_BEFORE REAL_AFTER BOOT_AFTER UNTIL < addresses
 *
 * If a target's phase lies between the two moments, its first cycle depends on which side of it the
 * start was. Such a target is left out.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/capture/schedule.h"

static usec number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    char address[256];
    usec interval, until;

    if (argc != 9)
        return 2;
    interval = number(argv[3]);
    until = number(argv[8]);
    while (scanf("%255s", address) == 1) {
        uint64_t hash = schedule_hash(argv[1], address, argv[2]);
        struct schedule before, after;

        schedule_init(&before, hash, interval, number(argv[4]), number(argv[5]));
        schedule_init(&after, hash, interval, number(argv[6]), number(argv[7]));
        if (after.origin > before.origin + interval / 2)
            continue;
        (void)printf("%s", address);
        for (uint64_t cycle = 0; schedule_due(&before, cycle) < until; cycle++)
            (void)printf(" %llu", (unsigned long long)schedule_due(&before, cycle));
        (void)printf("\n");
    }
    return 0;
}
