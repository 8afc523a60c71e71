/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Brings one trace with its record into the user's directory: all that waits for a disk, and so
 * runs on a disk thread. One thread at a time may use a parcel, but for `bytes` and `cancelled`.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/find/arrival.h"
#include "cli/find/facts.h"
#include "cli/find/local.h"
#include "lib/record/name.h"

enum parcel_end {
    PARCEL_PULLED,
    PARCEL_THERE,     /* the same was there already */
    PARCEL_GOES_ON,   /* nothing stands in the way */
    PARCEL_MISSING,   /* it was not found */
    PARCEL_DIFFERENT, /* a file with other bytes has its name */
    /* Its bytes differ from the hash or size in the record or in the store's metadata. */
    PARCEL_DAMAGED,
    PARCEL_CANCELLED,
    PARCEL_NO_SOURCE, /* `error`: it cannot be read */
    PARCEL_NO_PLACE,  /* `error`: it cannot be written */
};

struct parcel {
    const char *key;         /* borrowed */
    char path[NAME_KEY_MAX]; /* of the trace, below the user's directory */
    int out;                 /* that directory, borrowed */
    bool replace;
    unsigned where; /* where it was found in the spool */
    struct arrival arrival;
    struct buf record;                /* empty: it has none */
    char sha256[ARRIVAL_SHA256_SIZE]; /* the expected hash; "": not known */
    uint64_t most;                    /* the size in the record; 0: not known */
    int error;
    atomic_uint_fast64_t bytes; /* that came so far */
    atomic_bool cancelled;
};

/* `flat`: one file name instead of directories. The key is one that name_parse accepts. */
void parcel_init(struct parcel *p, const char *key, int out, bool flat, bool replace);
void parcel_done(struct parcel *p);

/* Takes the hash from the record, if it has one. */
int parcel_use_record(struct parcel *p);

/* Checks whether the file exists already. GOES_ON, THERE (with the record), DIFFERENT or
 * NO_PLACE. */
enum parcel_end parcel_prepare(struct parcel *p);

/* Copies it out of the spool. Not GOES_ON. */
enum parcel_end parcel_copy(struct parcel *p, const struct local *l);

/* After the last byte: verifies and publishes it. PULLED, THERE, DIFFERENT, DAMAGED, NO_PLACE. */
enum parcel_end parcel_settle(struct parcel *p);

/* Why a parcel did not arrive. */
struct parcel_story {
    const struct parcel *parcel;
    enum parcel_end end;
    const char *directory; /* the user's, as given */
    const char *text;      /* the store's error; NULL: none */
    bool asked_spool, asked_store;
};

/* Both print messages on stderr; `brief`: only those that need attention. */
void parcel_say_success(const struct parcel *p, enum parcel_end end, bool from_store, bool brief);
void parcel_say(const struct parcel_story *story);
