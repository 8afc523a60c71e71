/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What stands at the top level of a profile, message Profile of
 * github.com/google/pprof/proto/profile.proto: enough to know that it is one, how many samples it
 * has and how long it took. It streams, keeps no field, and looks into none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile_fields {
    /* to be read by anyone */
    uint64_t samples;
    uint64_t duration; /* nanoseconds; 0: not told */

    /* for profile_fields.c alone */
    int state;
    unsigned shift;  /* bits of `number` already read */
    uint64_t number; /* that is being read */
    uint64_t field;
    uint64_t left;     /* bytes still to skip */
    bool typed, named; /* it has types of samples, and strings */
};

/* Zeros are a beginning. */

/* 0, or -EBADMSG: this is no profile; every later call then fails the same way. */
int profile_fields_feed(struct profile_fields *p, const void *data, size_t n);

/* Whether what came is a whole profile. */
bool profile_fields_whole(const struct profile_fields *p);
