/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How flight recordings end that processes send by themselves. */

enum reception {
    RECEPTION_KEPT,        /* all of it, or what of it is whole generations */
    RECEPTION_NOT_A_TRACE, /* something else, or nothing of it was whole */
    RECEPTION_TOO_LARGE,   /* more than body_size_limit */
    RECEPTION_CUT,         /* it broke off, or took too long */
    RECEPTION_UNKNOWN,     /* of a service that is not configured */
    RECEPTION_BUSY,        /* one of the service was being received */
    RECEPTION_LIMITED,     /* the service's allowance was used up */
    RECEPTION_REFUSED,     /* no room, too many at once, or contraced was stopping */
    RECEPTION_FAILED,      /* the disk, or no memory */
    RECEPTION_COUNT,
};

/* One word for counters, metrics and the log: "not_a_trace". */
const char *reception_name(enum reception reception);
