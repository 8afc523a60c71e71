/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Plans which kept traces to delete, from plain facts. First come traces of the archive that are
 * older than max_age, then the oldest of the archive until files, bytes and free space are within
 * bounds. Only if that is not enough, traces that were not uploaded yet follow; each of those is
 * logged as a warning. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum retention_cause {
    RETENTION_AGE,
    RETENTION_FILES,
    RETENTION_BYTES,
    RETENTION_FREE_SPACE,
    RETENTION_CAUSES,
};

const char *retention_cause_name(enum retention_cause cause);

#define RETENTION_NOT_COVERED UINT8_MAX /* the share is not known */

/* One kept trace as the plan sees it. */
struct retention_item {
    usec time;        /* real time of its key */
    uint64_t bytes;   /* on disk, trace and record, in whole blocks */
    bool pending : 1; /* not uploaded yet */
    bool busy : 1;    /* in use (being uploaded, moved, amended or deleted): not to be touched */
    bool failed : 1;  /* could not be deleted lately and rests: not to be touched either */
    bool held : 1;    /* its record will be amended: `bytes` includes room for that */
    /* The plan does not use the following. The first three are of pending items. */
    bool put_off : 1;   /* not offered for its upload before offer_at */
    bool aside : 1;     /* not offered until spool_offer_again or spool_offer_key */
    bool uploaded : 1;  /* the store has it, but it could not leave pending/ */
    bool annotated : 1; /* label, covered and latency are known from its record */
    uint8_t failures;   /* how often it was put off or aside since the last spool_offer_again */
    uint8_t label;      /* see labels.h */
    uint8_t covered;    /* from its record: in 250ths, or RETENTION_NOT_COVERED */
    uint32_t offer_at;  /* seconds of boot time */
    uint32_t size;      /* bytes of the trace; UINT32_MAX: more */
    float latency;      /* from its record: nanoseconds, see record.h; < 0: not known */
};

struct retention_facts {
    const struct retention_item *items; /* sorted, oldest first */
    size_t n;
    usec now;              /* real time; the caller guards it against jumps: see core_age_now */
    uint64_t kept_bytes;   /* of all items, also of those that are being deleted */
    uint64_t kept_files;   /* traces */
    uint64_t wanted_bytes; /* reserved for captures, also for those about to start */
    uint64_t wanted_files;
    /* Of the file system, as far as unprivileged users may use it. */
    uint64_t free_bytes, total_bytes;
    uint64_t free_inodes, total_inodes; /* total 0: the file system does not count them */
    uint64_t unwritten_bytes;           /* part of wanted_bytes that is not on disk yet */
    uint64_t unwritten_inodes;          /* inodes that the wanted files are still going to take */
};

struct retention_limits {
    uint64_t max_bytes;
    usec max_age; /* 0: no limit */
    uint64_t max_files;
    double min_free;
};

struct retention_choice {
    size_t index; /* into items */
    enum retention_cause cause;
};

struct retention_plan {
    struct retention_choice *choices;
    size_t n;
    bool enough;                  /* every bound holds after the plan is carried out */
    enum retention_cause lacking; /* when not enough: the bound that does not hold */
};

/* 0 or -ENOMEM. Release *ret with retention_plan_done. */
int retention_plan(const struct retention_facts *f, const struct retention_limits *l,
                   struct retention_plan *ret);
void retention_plan_done(struct retention_plan *p);
