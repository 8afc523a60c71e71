/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Plans which kept traces to delete, from plain facts. First come traces of the archive that are
 * older than max_age, then the oldest of the archive until files, bytes and free space are within
 * bounds. Only if that is not enough, traces that were not uploaded yet follow; each of those is
 * logged as a warning. Pure.
 *
 * Some are worth more than others: the worst of each label and service, which no age ends, and what
 * belongs to an incident, which has an age of its own. Bounds take these last, as long as they take
 * no more than half of max_bytes and max_files; beyond that, their oldest count as any other.
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
    /* The plan does not use the next three, which are of pending items. */
    bool put_off : 1;   /* not offered for its upload before offer_at */
    bool aside : 1;     /* not offered until spool_offer_again or spool_offer_key */
    bool uploaded : 1;  /* the store has it, but it could not leave pending/ */
    bool annotated : 1; /* what follows from its record is known */
    bool worst : 1;     /* one of the worst of its label and service: see retention_rank */
    uint8_t failures;   /* how often it was put off or aside since the last spool_offer_again */
    uint8_t label;      /* see labels.h */
    uint8_t covered;    /* from its record: in 250ths, or RETENTION_NOT_COVERED */
    uint16_t incident;  /* from its record, see retention_incident */
    uint32_t offer_at;  /* seconds of boot time */
    uint32_t size;      /* bytes of the trace; UINT32_MAX: more */
    float latency;      /* from its record: nanoseconds, see record.h; < 0: not known */
    float severity;     /* from its record, see record.h; 0: nothing is wrong, or not known */
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
    unsigned keep_worst; /* so many of each label and service are not deleted for their age */
    usec keep_incidents; /* from its beginning on, an incident is kept so long at least */
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

/* How an item tells when its incident began: 0 if it belongs to none, or to one that began more
 * than half a day before the item. Real times; `begin` 0: it belongs to none. */
uint16_t retention_incident(usec time, usec begin);

/*
 * Marks the `keep` worst items of each label and service: those with the highest severity, of equal
 * ones the newest. The service is the first part of a key; keys[i] is that of items[i]. 0, or
 * -ENOMEM and the marks are as before.
 */
int retention_rank(struct retention_item *items, const char *const *keys, size_t n, unsigned keep);

/* Real time from which on the item is deleted for its age. USEC_NEVER: there is no such time, or it
 * is not known as long as the item's record was not read. */
usec retention_end(const struct retention_item *item, const struct retention_limits *l);

/* 0 or -ENOMEM. Release *ret with retention_plan_done. */
int retention_plan(const struct retention_facts *f, const struct retention_limits *l,
                   struct retention_plan *ret);
void retention_plan_done(struct retention_plan *p);
