/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/reservation.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"

#define QUIET (1 * USEC_PER_MIN) /* shortest time between two log lines about missing room */
#define FULL_HOLD (1 * USEC_PER_HOUR)

static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};

void reservation_init(struct reservations *s, struct core *core, const struct items *items,
                      const struct facts *facts, struct pass *pass, struct reserved *reserved)
{
    *s = (struct reservations){
        .core = core, .items = items, .facts = facts, .pass = pass, .reserved = reserved};
}

/*
 * statvfs does not show quotas: a write may fail although there seems to be room. Then, for
 * FULL_HOLD, max_bytes is at most what was kept at that moment, so that the next trace takes the
 * place of the oldest ones. After that the configured limit is tried again.
 */
static struct retention_limits limits_now(const struct reservations *s)
{
    struct retention_limits limits = s->facts->limits;

    if (core_now(s->core) < s->full_until && s->full_bytes < limits.max_bytes)
        limits.max_bytes = s->full_bytes;
    return limits;
}

void reservation_found_full(struct reservations *s)
{
    s->full_bytes = items_bytes(s->items);
    s->full_until = core_now(s->core) + FULL_HOLD;
}

/* Whether all bounds hold. Asks retention_plan, so that both compare in the same way; without items
 * it only judges. */
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

/* 1: the request fits without deleting anything; 0: it does not; or a negative errno if free space
 * cannot be read. */
static int fits(const struct reservations *s, const struct reservation *one,
                const struct retention_limits *limits)
{
    uint64_t bytes = reserved_missing_bytes(one), files = reserved_missing_files(one);
    struct retention_facts f;
    int r;

    r = facts_roughly(s->facts, bytes, files, &f);
    if (r < 0 || bounds_hold(&f, limits))
        return r < 0 ? r : 1;
    /* To ask each open file how much of it is written is worth it only near a bound. */
    r = facts_exactly(s->facts, bytes, files, &f);
    return r < 0 ? r : bounds_hold(&f, limits);
}

/* True if there would not be enough room even if min_free were 0. */
static bool disk_is_full(const struct reservations *s, const struct reservation *one)
{
    struct retention_limits limits = s->facts->limits;
    struct retention_facts f;

    limits.min_free = 0;
    return facts_exactly(s->facts, reserved_missing_bytes(one), reserved_missing_files(one), &f) ==
               0 &&
           !bounds_hold(&f, &limits);
}

static const char *lack_text(const struct reservations *s, const struct reservation *one,
                             enum retention_cause lacking)
{
    switch (lacking) {
    case RETENTION_FILES: return "max_files would be exceeded";
    case RETENTION_BYTES: return "max_bytes would be exceeded";
    default:
        return disk_is_full(s, one) ? "the file system is full"
                                    : "the file system would have less than min_free left";
    }
}

bool reservation_refusing(const struct reservations *s)
{
    return s->refusing;
}

/* Only requests for a new file decide whether the spool counts as refusing: one capture that is too
 * large to grow does not mean that there is no room for others. */
static bool is_new(const struct reservation *one)
{
    return one->held == 0;
}

static void log_refused(struct reservations *s, const struct reservation *one, const char *why)
{
    if (!is_new(one))
        return;
    s->refusing = true;
    if (s->refusing_said || core_now(s->core) < s->quiet)
        return;
    s->refusing_said = true;
    s->quiet = core_now(s->core) + QUIET;
    log_write(LOG_LEVEL_WARN, &storage,
              "no room for another trace in %s: %s, and nothing can be deleted for it now; captures"
              " are dropped until there is",
              s->core->tree.path, why);
}

static void grant(struct reservations *s, struct reservation *one)
{
    if (is_new(one)) {
        if (s->refusing_said)
            log_write(LOG_LEVEL_INFO, &storage, "%s has room for traces again", s->core->tree.path);
        s->refusing = s->refusing_said = false;
    }
    reserved_grant(s->reserved, one);
}

void reservation_release(struct reservations *s, struct reservation *one)
{
    if (one->held == 0)
        return;
    reserved_release(s->reserved, one);
    if (s->reserved->waiting)
        core_wake(s->core);
}

/* The bound that one failed write has set (limits_now) may cost old traces, but must not refuse new
 * ones: if the plan does not suffice with it, the plan is made with the configured limits. */
static int plan_room(const struct reservations *s, const struct retention_facts *f,
                     struct retention_plan *ret)
{
    const struct retention_limits limits = limits_now(s);
    int r = retention_plan(f, &limits, ret);

    if (r < 0 || ret->enough)
        return r;
    retention_plan_done(ret);
    return retention_plan(f, &s->facts->limits, ret);
}

static bool takes_for_space(const struct retention_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->choices[i].cause == RETENTION_FREE_SPACE)
            return true;
    }
    return false;
}

/* Plans; if that would not be enough, plans again with the items whose deletion had failed before,
 * if they may be tried again. */
static int plan_hard(struct reservations *s, const struct retention_facts *f,
                     struct retention_plan *ret)
{
    int r = plan_room(s, f, ret);

    if (r < 0 || ret->enough || !pass_retry_failed(s->pass, true))
        return r;
    retention_plan_done(ret);
    return plan_room(s, f, ret);
}

/* Starts a pass that makes the room. 0: it has started; 1: nothing has to be deleted; -ENOSPC: the
 * room cannot be made; or another negative errno. */
static int make_room(struct reservations *s, uint64_t bytes, uint64_t files,
                     enum retention_cause *ret_lacking)
{
    struct retention_plan plan = {0};
    struct retention_facts f;
    int r;

    r = facts_exactly(s->facts, bytes, files, &f);
    if (r >= 0)
        r = plan_hard(s, &f, &plan);
    if (r < 0)
        return r;
    if (!plan.enough) {
        *ret_lacking = plan.lacking;
        r = -ENOSPC;
    } else if (takes_for_space(&plan) && pass_space_held(s->pass)) {
        *ret_lacking = RETENTION_FREE_SPACE;
        r = -ENOSPC;
    } else {
        r = pass_start(s->pass, &plan, &f, false);
        if (r >= 0)
            r = r == 0; /* nothing to delete: room has become free since fits() looked */
    }
    retention_plan_done(&plan);
    return r;
}

static int make_room_for(struct reservations *s, const struct reservation *one)
{
    enum retention_cause lacking = RETENTION_FREE_SPACE;
    int r;

    if (pass_held(s->pass)) {
        r = fits(s, one, &s->facts->limits); /* the configured limits, as in plan_room */
        if (r == 0)
            log_refused(s, one, "traces cannot be deleted");
        return r == 0 ? -ENOSPC : r;
    }
    r = make_room(s, reserved_missing_bytes(one), reserved_missing_files(one), &lacking);
    if (r < 0)
        log_refused(s, one, r == -ENOSPC ? lack_text(s, one, lacking) : strerror(-r));
    return r;
}

int reservation_request(struct reservations *s, struct reservation *one)
{
    const struct retention_limits limits = limits_now(s);
    int r;

    assert(one->wanted > one->held);
    (void)pass_retry_failed(s->pass, false);
    if (!s->reserved->waiting) {
        r = fits(s, one, &limits);
        if (r == 0 && !pass_running(s->pass))
            r = make_room_for(s, one);
        if (r > 0)
            grant(s, one);
        if (r != 0)
            return r;
    }
    reserved_wait(s->reserved, one);
    return 0;
}

void reservation_forget(struct reservations *s, struct reservation *one)
{
    if (reserved_leave(s->reserved, one))
        core_wake(s->core); /* the next request may have waited behind this one */
}

static void answer(struct reservations *s, struct reservation *one, int r)
{
    reservation_forget(s, one);
    if (r > 0)
        grant(s, one);
    one->answer(one->userdata, r < 0 ? r : 0);
}

/* Makes room for all waiting requests in one pass if possible, else for the first alone. */
static int make_room_for_waiting(struct reservations *s)
{
    struct reservation *first = s->reserved->waiting;
    uint64_t bytes = 0, files = 0;
    enum retention_cause lacking;

    for (const struct reservation *one = first; one; one = one->next_waiting) {
        bytes += reserved_missing_bytes(one);
        files += reserved_missing_files(one);
    }
    if (first->next_waiting && !pass_held(s->pass)) {
        int r = make_room(s, bytes, files, &lacking);

        if (r >= 0)
            return r;
    }
    return make_room_for(s, first);
}

/*
 * Deletes what the limits ask for while no request waits: traces came of age, a reload lowered
 * limits, or another program filled the disk. A plan that cannot reach min_free would delete the
 * whole history and still not help, so then nothing is deleted for free space. The bound of
 * limits_now does not count here: everything that was kept since had its room.
 */
static void keep_bounds(struct reservations *s)
{
    struct retention_plan plan = {0};
    struct retention_facts f;
    int r;

    r = facts_exactly(s->facts, 0, 0, &f);
    if (r >= 0)
        r = retention_plan(&f, &s->facts->limits, &plan);
    if (r >= 0 && plan.n > 0)
        r = pass_start(s->pass, &plan, &f,
                       (!plan.enough && plan.lacking == RETENTION_FREE_SPACE) ||
                           pass_space_held(s->pass));
    if (r < 0)
        log_write(LOG_LEVEL_WARN, &storage, "no retention in %s now: %s", s->core->tree.path,
                  strerror(-r));
    retention_plan_done(&plan);
}

void reservation_advance(struct reservations *s)
{
    (void)pass_retry_failed(s->pass, false);
    while (s->reserved->waiting) {
        const struct retention_limits limits = limits_now(s);
        struct reservation *first = s->reserved->waiting;
        int r = fits(s, first, &limits);

        if (r == 0 && pass_running(s->pass))
            break;
        if (r == 0)
            r = make_room_for_waiting(s);
        if (r == 0)
            break; /* the pass calls core_wake at its end */
        answer(s, first, r);
    }
    if (!s->reserved->waiting && !pass_running(s->pass) && !pass_held(s->pass))
        keep_bounds(s);
}
