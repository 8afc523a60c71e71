/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which kept traces to delete: a pure plan made from facts. First what is older than max_age, then
 * oldest first from the archive until files, bytes and free space are within bounds, and only then,
 * loudly, from what was not uploaded yet.
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

#define RETENTION_NOT_COVERED UINT8_MAX /* not known */

/* One kept trace as the plan sees it. */
struct retention_item {
    usec time;        /* real time of its key */
    uint64_t bytes;   /* on disk, trace and record, in whole blocks */
    bool pending : 1; /* not uploaded yet */
    bool busy : 1;    /* being uploaded or deleted: not to be touched */
    bool failed : 1;  /* could not be deleted a while ago: not to be touched either */
    bool held : 1;    /* its record will be amended: `bytes` has room for that */
    /* Of pending ones, and nothing to the plan: */
    bool put_off : 1;   /* not offered for its upload before offer_at */
    bool aside : 1;     /* not offered until spool_offer_again */
    bool uploaded : 1;  /* but could not leave pending/ */
    bool annotated : 1; /* what follows of its record is known */
    uint8_t failures;   /* how often it was put off or aside since the last spool_offer_again */
    uint8_t label;      /* see labels.h */
    uint8_t covered;    /* of its record: in 250ths, or RETENTION_NOT_COVERED */
    uint32_t offer_at;  /* seconds of boot time */
    uint32_t size;      /* bytes of the trace; UINT32_MAX: more */
    float latency;      /* of its record: nanoseconds, see record.h; < 0: not known */
};

struct retention_facts {
    const struct retention_item *items; /* oldest first */
    size_t n;
    usec now;              /* real time, guarded against jumps by the caller: see spool.c */
    uint64_t kept_bytes;   /* of all items, also the busy ones being deleted */
    uint64_t kept_files;   /* traces */
    uint64_t wanted_bytes; /* reserved for captures, also those about to start */
    uint64_t wanted_files;
    uint64_t free_bytes, total_bytes;   /* of the file system, for the unprivileged */
    uint64_t free_inodes, total_inodes; /* total 0: the file system does not count them */
    uint64_t unwritten_bytes;           /* part of wanted_bytes that is not on disk yet */
    uint64_t unwritten_inodes;          /* that the wanted files are still going to take */
};

struct retention_limits {
    uint64_t max_bytes;
    usec max_age; /* 0: none */
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
    bool enough;                  /* after the plan is carried out every bound holds */
    enum retention_cause lacking; /* when not enough: the bound that does not hold */
};

/* 0, or -ENOMEM. *ret is to be released with retention_plan_done. */
int retention_plan(const struct retention_facts *f, const struct retention_limits *l,
                   struct retention_plan *ret);
void retention_plan_done(struct retention_plan *p);
