/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A streaming parser for the top level of a profile: message Profile of
 * github.com/google/pprof/proto/profile.proto. It learns whether the bytes are a profile, how many
 * samples it has and how long it took. It keeps no field and parses no nested message.
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
    uint64_t number; /* the number that is being read */
    uint64_t field;
    uint64_t left;     /* bytes still to skip */
    bool typed, named; /* a sample type was seen; a string was seen */
};

/* A zeroed struct is ready for use. */

/* Takes the next bytes. 0, or -EBADMSG if they are no profile; then every later call fails, too. */
int profile_fields_feed(struct profile_fields *p, const void *data, size_t n);

/* Whether all bytes so far are one complete profile. */
bool profile_fields_whole(const struct profile_fields *p);
