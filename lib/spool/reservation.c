/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who may write how much. At every moment: kept and reserved together are within max_bytes and
 * max_files, and what is free would still be min_free after every reservation was written. What is
 * being deleted counts until it is gone. Requests are answered in the order in which they came.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "lib/spool/core/space.h"
#include "lib/spool/state.h"

#define NO_ROOM_QUIET (1 * USEC_PER_MIN) /* where room comes and goes it is not said each time */
#define FULL_HOLD (1 * USEC_PER_HOUR)

static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};

/* What would be if `bytes` and `files` more were reserved, taking all reservations as still
 * unwritten. */
static int facts_roughly(const struct spool *s, uint64_t bytes, uint64_t files,
                         struct retention_facts *ret)
{
    struct space space;
    int r;

    r = space_read(s->tree.root, &space);
    if (r < 0)
        return r;
    *ret = (struct retention_facts){
        .items = index_items(&s->kept),
        .n = s->kept.n,
        .now = spool_age_now(s),
        .kept_bytes = s->kept.sums[0].bytes + s->kept.sums[1].bytes,
        .kept_files = s->kept.n,
        .wanted_bytes = s->reserved_bytes + bytes,
        .wanted_files = s->reserved_files + files,
        .free_bytes = space.free_bytes,
        .total_bytes = space.total_bytes,
        .free_inodes = space.free_inodes,
        .total_inodes = space.total_inodes,
        .unwritten_bytes = s->reserved_bytes + s->kept.held * STATE_AMEND_ROOM + bytes,
        .unwritten_inodes = (s->reserved_files + files) * STATE_INODES,
    };
    return 0;
}

int reservation_facts(const struct spool *s, uint64_t bytes, uint64_t files,
                      struct retention_facts *ret)
{
    struct retention_facts f;
    int r;

    r = facts_roughly(s, bytes, files, &f);
    if (r < 0)
        return r;
    f.unwritten_bytes = s->kept.held * STATE_AMEND_ROOM + bytes;
    f.unwritten_inodes = files * STATE_INODES;
    for (const struct spool_file *file = s->files; file; file = file->next) {
        uint64_t unwritten = file_unwritten(file);

        f.unwritten_bytes += unwritten;
        if (unwritten > 0)
            f.unwritten_inodes += STATE_INODES - 1; /* the file itself is there */
    }
    *ret = f;
    return 0;
}

/* What is free beyond the reservations: writing to a reserved file does not change it. */
int64_t reservation_headroom(const struct retention_facts *f)
{
    return (int64_t)f->free_bytes - (int64_t)f->unwritten_bytes;
}

/*
 * Quotas do not show in statvfs: a write fails although there seems to be room. What was kept then
 * is a bound for a while, so that the next trace takes the place of the oldest ones; later it is
 * tried again whether there is more.
 */
static struct retention_limits room_limits(const struct spool *s)
{
    struct retention_limits limits = s->limits;

    if (spool_now_boot(s) < s->full_until && s->full_bytes < limits.max_bytes)
        limits.max_bytes = s->full_bytes;
    return limits;
}

void spool_found_full(struct spool *s)
{
    s->full_bytes = s->kept.sums[0].bytes + s->kept.sums[1].bytes;
    s->full_until = spool_now_boot(s) + FULL_HOLD;
}

/* The same comparison as the plan's, by the plan itself: with no items it only judges. */
static bool bounds_hold(const struct retention_facts *facts, const struct retention_limits *limits)
{
    struct retention_facts f = *facts;
    struct retention_plan plan;
    bool enough;

    f.items = NULL;
    f.n = 0;
    if (retention_plan(&f, limits, &plan) < 0)
        return false;
    enough = plan.enough;
    retention_plan_done(&plan);
    return enough;
}

static uint64_t missing_bytes(const struct spool_file *f)
{
    return f->wanted - f->reserved;
}

static uint64_t missing_files(const struct spool_file *f)
{
    return f->reserved == 0;
}

/* 1: fits as it is; 0: does not; or the errno of looking. */
static int fits(const struct spool_file *file, const struct retention_limits *limits)
{
    const struct spool *s = file->spool;
    uint64_t bytes = missing_bytes(file), files = missing_files(file);
    struct retention_facts f;
    int r;

    r = facts_roughly(s, bytes, files, &f);
    if (r < 0 || bounds_hold(&f, limits))
        return r < 0 ? r : 1;
    /* Only near the bound is it worth asking each open file how much of it is written. */
    r = reservation_facts(s, bytes, files, &f);
    return r < 0 ? r : bounds_hold(&f, limits);
}

/* Without min_free, too, there would not be enough. */
static bool disk_is_full(const struct spool *s, const struct spool_file *file)
{
    struct retention_limits limits = s->limits;
    struct retention_facts f;

    limits.min_free = 0;
    return reservation_facts(s, missing_bytes(file), missing_files(file), &f) == 0 &&
           !bounds_hold(&f, &limits);
}

static const char *lack_text(const struct spool_file *f, enum retention_cause lacking)
{
    switch (lacking) {
    case RETENTION_FILES: return "max_files would be exceeded";
    case RETENTION_BYTES: return "max_bytes would be exceeded";
    default:
        return disk_is_full(f->spool, f) ? "the file system is full"
                                         : "the file system would have less than min_free left";
    }
}

bool spool_refusing(const struct spool *s)
{
    return s->no_room;
}

/* Only requests for a new file change what was said: a single body that is too large does not
 * mean that there is no room for others. */
static void log_refused(struct spool *s, const struct spool_file *f, const char *why)
{
    if (f->state != FILE_WAITS_NEW)
        return;
    s->no_room = true;
    if (s->no_room_said || spool_now_boot(s) < s->no_room_quiet)
        return;
    s->no_room_said = true;
    s->no_room_quiet = spool_now_boot(s) + NO_ROOM_QUIET;
    log_write(LOG_LEVEL_WARN, &storage,
              "no room for another trace in %s: %s, and nothing can be deleted for it now; captures"
              " are dropped until there is",
              s->tree.path, why);
}

static void reserve(struct spool_file *f)
{
    struct spool *s = f->spool;

    if (f->state == FILE_WAITS_NEW) {
        if (s->no_room_said)
            log_write(LOG_LEVEL_INFO, &storage, "%s has room for traces again", s->tree.path);
        s->no_room = s->no_room_said = false;
    }
    s->reserved_bytes += missing_bytes(f);
    s->reserved_files += missing_files(f);
    f->reserved = f->wanted;
}

void reservation_release(struct spool_file *f)
{
    if (f->reserved == 0)
        return;
    f->spool->reserved_bytes -= f->reserved;
    f->spool->reserved_files--;
    f->reserved = 0;
    if (f->spool->waiting)
        spool_wake(f->spool);
}

/* What was learned from one failed write may cost old traces, but not new ones. */
static int plan_room(const struct spool *s, const struct retention_facts *f,
                     struct retention_plan *ret)
{
    const struct retention_limits limits = room_limits(s);
    int r = retention_plan(f, &limits, ret);

    if (r < 0 || ret->enough)
        return r;
    retention_plan_done(ret);
    return retention_plan(f, &s->limits, ret);
}

/* Starts a pass that makes the room if it can be made: 0; 1 when none is needed; -ENOSPC, or
 * another errno. */
static int make_room(struct spool *s, uint64_t bytes, uint64_t files,
                     enum retention_cause *ret_lacking)
{
    struct retention_plan plan = {0};
    struct retention_facts f;
    bool for_space = false;
    int r;

    r = reservation_facts(s, bytes, files, &f);
    if (r >= 0)
        r = plan_room(s, &f, &plan);
    if (r >= 0 && !plan.enough && pass_retry_failed(s, true)) {
        retention_plan_done(&plan);
        r = plan_room(s, &f, &plan);
    }
    if (r < 0)
        return r;
    for (size_t i = 0; i < plan.n; i++)
        for_space = for_space || plan.choices[i].cause == RETENTION_FREE_SPACE;
    if (!plan.enough) {
        *ret_lacking = plan.lacking;
        r = -ENOSPC;
    } else if (for_space && spool_now_boot(s) < s->space_hold_until) {
        *ret_lacking = RETENTION_FREE_SPACE;
        r = -ENOSPC;
    } else {
        r = pass_start(s, &plan, &f, false);
        if (r >= 0)
            r = r == 0; /* nothing to delete: room came by itself since the last look */
    }
    retention_plan_done(&plan);
    return r;
}

static int make_room_for(struct spool *s, const struct spool_file *f)
{
    enum retention_cause lacking = RETENTION_FREE_SPACE;
    int r;

    if (pass_held(s)) {
        r = fits(f, &s->limits); /* as in plan_room */
        if (r == 0)
            log_refused(s, f, "traces cannot be deleted");
        return r == 0 ? -ENOSPC : r;
    }
    r = make_room(s, missing_bytes(f), missing_files(f), &lacking);
    if (r < 0)
        log_refused(s, f, r == -ENOSPC ? lack_text(f, lacking) : strerror(-r));
    return r;
}

int reservation_request(struct spool_file *f)
{
    struct spool *s = f->spool;
    const struct retention_limits limits = room_limits(s);
    int r;

    assert(f->wanted > f->reserved);
    (void)pass_retry_failed(s, false);
    if (!s->waiting) {
        r = fits(f, &limits);
        if (r == 0 && !s->pass)
            r = make_room_for(s, f);
        if (r > 0)
            reserve(f);
        if (r != 0)
            return r;
    }
    f->next_waiting = NULL;
    *s->waiting_end = f;
    s->waiting_end = &f->next_waiting;
    return 0;
}

void reservation_forget(struct spool_file *f)
{
    struct spool *s = f->spool;
    struct spool_file **p = &s->waiting;

    while (*p && *p != f)
        p = &(*p)->next_waiting;
    if (!*p)
        return;
    *p = f->next_waiting;
    if (!*p)
        s->waiting_end = p;
    f->next_waiting = NULL;
    spool_wake(s); /* it may have been in the way of the next */
}

static void answer(struct spool_file *f, int r)
{
    reservation_forget(f);
    if (r > 0)
        reserve(f);
    file_room(f, r < 0 ? r : 0);
}

/* All who wait at once, in one pass if that can be; else the first alone. */
static int make_room_for_waiting(struct spool *s)
{
    uint64_t bytes = 0, files = 0;
    enum retention_cause lacking;

    for (const struct spool_file *f = s->waiting; f; f = f->next_waiting) {
        bytes += missing_bytes(f);
        files += missing_files(f);
    }
    if (s->waiting->next_waiting && !pass_held(s)) {
        int r = make_room(s, bytes, files, &lacking);

        if (r >= 0)
            return r;
    }
    return make_room_for(s, s->waiting);
}

/*
 * What age, a reload or a neighbour asks for when nobody waits. A plan that cannot reach min_free
 * would cost the whole history and still not help: then free space takes nothing. Neither does what
 * a failed write taught: whatever was kept since had its room.
 */
static void keep_bounds(struct spool *s)
{
    struct retention_plan plan = {0};
    struct retention_facts f;
    int r;

    r = reservation_facts(s, 0, 0, &f);
    if (r >= 0)
        r = retention_plan(&f, &s->limits, &plan);
    if (r >= 0 && plan.n > 0)
        r = pass_start(s, &plan, &f,
                       (!plan.enough && plan.lacking == RETENTION_FREE_SPACE) ||
                           spool_now_boot(s) < s->space_hold_until);
    if (r < 0)
        log_write(LOG_LEVEL_WARN, &storage, "no retention in %s now: %s", s->tree.path,
                  strerror(-r));
    retention_plan_done(&plan);
}

void reservation_advance(struct spool *s)
{
    file_retry_stuck(s, false);
    (void)pass_retry_failed(s, false);
    while (s->waiting) {
        const struct retention_limits limits = room_limits(s);
        struct spool_file *f = s->waiting;
        int r = fits(f, &limits);

        if (r == 0 && s->pass)
            break;
        if (r == 0)
            r = make_room_for_waiting(s);
        if (r == 0)
            break; /* the pass wakes us at its end */
        answer(f, r);
    }
    if (!s->waiting && !s->pass && !pass_held(s))
        keep_bounds(s);
    spool_arm_expiry(s);
}
