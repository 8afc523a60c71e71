/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A streaming parser for the top level of a profile: message Profile of
 * github.com/google/pprof/proto/profile.proto. It learns whether the bytes are a profile, how many
 * samples it has, of which type they are and how long it took. It parses no nested message but
 * sample types, and keeps only one string.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROFILE_FIELDS_TYPES 8 /* sample types that are kept; Go's profiles have four at most */
#define PROFILE_FIELDS_TEXT 32 /* bytes kept of a field */

struct profile_fields {
    /* to be set before the first call */
    const char *wanted; /* the name of the sample type that is wanted; shorter than the text */

    /* to be read by anyone */
    uint64_t samples;
    int64_t duration; /* nanoseconds; 0: not told */
    /* The name of the last sample type, which pprof shows first; it may be cut. "": not known. */
    char type[PROFILE_FIELDS_TEXT];

    /* for profile_fields.c alone */
    int state;
    unsigned shift;  /* bits of `number` already read */
    uint64_t number; /* the number that is being read */
    uint64_t field;
    uint64_t left;                        /* bytes still to skip */
    uint64_t types[PROFILE_FIELDS_TYPES]; /* the names of the sample types, in the string table */
    size_t n_types;
    uint64_t strings;                  /* how many strings were seen */
    uint64_t wanted_at;                /* which of them is `wanted`; 0: none */
    uint8_t text[PROFILE_FIELDS_TEXT]; /* how the sample type or the string begins */
    size_t n_text;
};

/* A struct that is zeroed but for `wanted` is ready for use. */

/* Takes the next bytes. 0, or -EBADMSG if they are no profile; then every later call fails, too. */
int profile_fields_feed(struct profile_fields *p, const void *data, size_t n);

/* Whether all bytes so far are one complete profile. */
bool profile_fields_whole(const struct profile_fields *p);

/* Whether one of the sample types is the one that is wanted. Known at the end only, for the string
 * table may come last. */
bool profile_fields_matches(const struct profile_fields *p);
