/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/findings.h"

#include <stdio.h>
#include <string.h>

#include "trace/summary/stackclass.h"

/*
 * Each threshold is a pair: the value from which on there is a finding (score 0.5), and the value
 * from which on it is unmistakable (score 1). docs/FINDINGS.md has the reasons and the
 * measurements.
 */
struct scale {
    double there;
    double severe;
};

/* Goroutines that wait for a mutex, on average; and the share of these waits in the time in which
 * goroutines wait for a mutex, are runnable or run. Contention begins to cost when one goroutine
 * waits all the time. */
static const struct scale lock_waiters = {1, 4};
static const struct scale lock_share = {0.3, 0.7};

/* The collector's cost, as a share of all P time. While it marks it takes a quarter by design, so a
 * fifth of the whole window means one cycle after another. Assist: a share of the goroutines'
 * running time. Pauses: a share of the window. */
static const struct scale gc_cost = {0.2, 0.4};
static const struct scale gc_assist = {0.1, 0.3};
static const struct scale gc_pause = {0.05, 0.15};
#define GC_WINDOW 1e9 /* a shorter window must have GC_CYCLES cycles */
#define GC_CYCLES 2
/* Below this cost assists are no finding: a cycle in a service that does nothing else delays
 * nobody. */
#define GC_COST_MIN 0.05

/* The share of the window in which every P has work and more is queued; queued goroutines per P;
 * how long goroutines wait for a P, by the 99th percentile or the mean; the share of P time that
 * the program itself uses, without the collector. */
static const struct scale cpu_queued = {0.5, 0.9};
static const struct scale cpu_queue = {1, 4};
static const struct scale cpu_latency = {1e6, 1e7};
static const struct scale cpu_user = {0.6, 0.8};

/* The share of the window in which a goroutine has waited for more than SUMMARY_OVERDUE
 * although a P is free; and the P time lost so, for each nanosecond that goroutines ran. In
 * every program this happens while threads wake up, but not most of the time, and not for
 * longer than the work takes. */
static const struct scale imbalance_share = {0.4, 0.7};
static const struct scale imbalance_lost = {1, 3};

/* Goroutines in syscalls, on average, per P, where fewer Ps than STORM_MIN_PROCS count as so many;
 * syscalls per second whose P was taken away meanwhile. */
static const struct scale storm_goroutines = {1, 3};
static const struct scale storm_blocked = {50, 300};
#define STORM_MIN_PROCS 4

/* The longest syscall as a share of the window, if it takes at least STUCK_MIN; and the longest
 * run of a goroutine while others were scheduled. The runtime should interrupt a goroutine
 * every 10 ms. */
static const struct scale stuck_share = {0.5, 0.9};
static const struct scale stuck_run = {3e8, 9e8};
#define STUCK_MIN 100000000

/* Goroutines that wait for an answer from the network, on average; the mean length of such a wait;
 * the share of these waits in the time in which goroutines wait so, are runnable or run; and the
 * largest share of P time that the program may use itself. */
static const struct scale net_waiters = {4, 16};
static const struct scale net_duration = {5e6, 2e7};
static const struct scale net_share = {0.8, 0.95};
#define NET_BUSY_MAX 0.5

/* Idle: uses less than this share of the Ps and less than this much of one processor. */
#define IDLE_SHARE 0.05
#define IDLE_PROCESSORS 0.25

/* The values that several rules use. */
struct facts {
    const struct summary *s;
    double window; /* nanoseconds, at least 1 */
    double available;
    double procs;
    double user;   /* running time of goroutines other than the collector's workers */
    double worker; /* running time of the collector's workers, but for the idle ones */
    double assist;
    double lock; /* waits for mutexes */
};

struct rule {
    const char *code;
    double (*score)(const struct facts *, struct finding *);
    double (*events)(const struct facts *); /* that the score rests on; NULL: one is enough */
    double least;                           /* so many events make it more than chance */
    const char *next;
};

/* The score of a value: 0.5 at `there`, 1 at `severe` and beyond, falling to 0 below `there`. */
static double scaled(double value, struct scale scale)
{
    double score;

    if (value < scale.there)
        score = 0.5 * value / scale.there;
    else
        score = 0.5 + 0.5 * (value - scale.there) / (scale.severe - scale.there);
    return score > 1 ? 1 : score > 0 ? score : 0;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void tell(struct finding *f, const char *name, double value)
{
    if (f->n_evidence < FINDING_EVIDENCE)
        f->evidence[f->n_evidence++] = (struct finding_number){name, value};
}

static void point_at(struct finding *f, const struct summary_sites *sites, unsigned classes)
{
    for (size_t i = 0; i < sites->n && f->n_sites < FINDING_SITES; i++) {
        const struct summary_site *site = &sites->list[i];

        if ((classes & STACK_SET(site->class)) != 0 && site->at.func[0] != '\0')
            f->sites[f->n_sites++] = (struct finding_site){site->at, site->count, site->total};
    }
}

static double lock_contention(const struct facts *a, struct finding *f)
{
    const struct summary_class *lock = &a->s->classes.sync[STACK_LOCK];
    double waiters = a->lock / a->window;
    double active = a->lock + a->user + (double)a->s->goroutines.runnable;
    double part = share(a->lock, active);

    tell(f, "waiting_mean", waiters);
    tell(f, "waiting_share", part);
    tell(f, "waits", (double)lock->count);
    tell(f, "wait_mean_ns", share((double)lock->total, (double)lock->count));
    tell(f, "wait_max_ns", (double)lock->max);
    point_at(f, &a->s->delays[SUMMARY_SYNC], STACK_SET(STACK_LOCK));
    return least(scaled(waiters, lock_waiters), scaled(part, lock_share));
}

/* The time of pauses for the collector. There are other pauses, for example for this trace
 * itself. */
static double gc_pauses(const struct summary *s)
{
    double ret = 0;

    for (size_t i = 0; i < s->gc.stw_by_reason.n; i++) {
        const struct summary_row *row = &s->gc.stw_by_reason.list[i];

        if (strstr(row->name, "GC ") != NULL)
            ret += (double)row->times.total;
    }
    return ret;
}

static double gc_pressure(const struct facts *a, struct finding *f)
{
    const struct summary_gc *gc = &a->s->gc;
    double cost = share(a->worker + a->assist, a->available);
    double assist = share(a->assist, a->user);
    double pause = gc_pauses(a->s) / a->window;
    double score = most(scaled(cost, gc_cost), scaled(pause, gc_pause));

    if (cost >= GC_COST_MIN)
        score = most(score, scaled(assist, gc_assist));
    tell(f, "cost_share", cost);
    tell(f, "assist_share", assist);
    tell(f, "assists", (double)gc->assists);
    tell(f, "assist_max_ns", (double)gc->assist_max);
    tell(f, "pause_share", pause);
    tell(f, "cycles", (double)gc->cycles);
    tell(f, "mark_share", share((double)gc->mark, a->window));
    tell(f, "mutator_10ms_share", gc->mmu[1].utilisation);
    tell(f, "heap_max_bytes", (double)gc->heap_max);
    point_at(f, &a->s->sites[SUMMARY_ASSIST], STACK_ALL);
    return score;
}

static double cpu_saturated(const struct facts *a, struct finding *f)
{
    const struct summary_scheduler *sched = &a->s->scheduler;
    double queued = share((double)a->s->procs.queued, a->window);
    double queue = share(sched->runnable_mean, a->procs);
    double user = share(a->user - a->assist, a->available);
    double p99 = (double)sched->latency.p99;
    /* Goroutines that never got to run are in no percentile, but are in this mean. */
    double mean = share((double)a->s->goroutines.runnable,
                        (double)sched->latency.count + sched->runnable_mean);
    double score = least(scaled(queued, cpu_queued), scaled(queue, cpu_queue));

    tell(f, "queued_share", queued);
    tell(f, "runnable_mean", sched->runnable_mean);
    tell(f, "runnable_max", (double)sched->runnable_max);
    tell(f, "procs", a->procs);
    tell(f, "busy_share", user);
    tell(f, "latency_p50_ns", (double)sched->latency.p50);
    tell(f, "latency_p99_ns", p99);
    tell(f, "wait_mean_ns", mean);
    point_at(f, &a->s->sites[SUMMARY_SCHED], STACK_ALL);
    score = least(score, scaled(most(p99, mean), cpu_latency));
    return least(score, scaled(user, cpu_user));
}

static double scheduler_imbalance(const struct facts *a, struct finding *f)
{
    const struct summary_scheduler *sched = &a->s->scheduler;
    double part = share((double)sched->overdue_with_free, a->window);
    double lost = share((double)sched->overdue_lost, a->user);

    tell(f, "overdue_share", part);
    tell(f, "lost_per_run", lost);
    tell(f, "overdue_waits", (double)sched->overdue_count);
    tell(f, "latency_p50_ns", (double)sched->latency.p50);
    tell(f, "latency_p99_ns", (double)sched->latency.p99);
    tell(f, "busy_share", share(a->user, a->available));
    point_at(f, &a->s->sites[SUMMARY_SCHED], STACK_ALL);
    return least(scaled(part, imbalance_share), scaled(lost, imbalance_lost));
}

/* Goroutines in syscalls, on average, without syscalls whose purpose is to wait. */
static double in_syscalls(const struct facts *a)
{
    double ret = 0;

    for (unsigned class = 0; class < STACK_N_CLASSES; class++) {
        if ((STACK_STANDING & STACK_SET(class)) == 0)
            ret += (double)a->s->classes.syscall[class].total;
    }
    return ret / a->window;
}

static double storm_strength(const struct facts *a)
{
    return scaled(in_syscalls(a) / most(a->procs, STORM_MIN_PROCS), storm_goroutines);
}

static double syscall_storm(const struct facts *a, struct finding *f)
{
    const struct summary_syscalls *calls = &a->s->syscalls;
    double blocked = (double)calls->blocked * 1e9 / a->window;

    tell(f, "in_syscall_mean", in_syscalls(a));
    tell(f, "blocked_max", (double)calls->max_blocked_at_once);
    tell(f, "blocked_per_s", blocked);
    tell(f, "syscalls_per_s", (double)calls->count * 1e9 / a->window);
    tell(f, "syscall_p99_ns", (double)calls->times.p99);
    tell(f, "threads", (double)a->s->threads.seen);
    tell(f, "procs", a->procs);
    point_at(f, &a->s->delays[SUMMARY_SYSCALL], STACK_ALL);
    return least(storm_strength(a), scaled(blocked, storm_blocked));
}

static double stuck_proc(const struct facts *a, struct finding *f)
{
    const struct summary_longest *call = &a->s->syscalls.longest_active;
    const struct summary_longest *run = &a->s->longest_hold;
    double by_call = scaled((double)call->duration / a->window, stuck_share);
    double by_run = scaled((double)run->duration, stuck_run);
    const struct summary_longest *worst;

    /* In a syscall storm one that takes long is part of the crowd. */
    if (call->duration < STUCK_MIN || storm_strength(a) >= 0.5)
        by_call = 0;
    worst = by_run > by_call ? run : call;
    tell(f, "longest_syscall_ns", (double)call->duration);
    tell(f, "longest_syscall_share", (double)call->duration / a->window);
    tell(f, "longest_hold_ns", (double)run->duration);
    tell(f, "in_syscall_mean", in_syscalls(a));
    tell(f, "goroutine", (double)worst->g);
    if (worst->at.func != NULL && worst->at.func[0] != '\0')
        f->sites[f->n_sites++] = (struct finding_site){worst->at, 1, worst->duration};
    return most(by_call, by_run);
}

/*
 * A wait counts as a wait for an answer if its stack says so. If the stack says nothing, it counts
 * if it began and ended within the window: an unused connection would be silent for longer.
 */
static double network_bound(const struct facts *a, struct finding *f)
{
    const struct summary_classes *by = &a->s->classes;
    double total = (double)by->network[STACK_OTHER].whole_total +
                   (double)by->network[STACK_CALL].total +
                   (double)by->network[STACK_HANDLER].total + (double)by->sync[STACK_CALL].total;
    double count = (double)by->network[STACK_OTHER].whole + (double)by->network[STACK_CALL].count +
                   (double)by->network[STACK_HANDLER].count + (double)by->sync[STACK_CALL].count;
    double waiters = total / a->window;
    double mean = share(total, count);
    double part = share(total, total + a->user + (double)a->s->goroutines.runnable);
    double busy = share(a->user, a->available);
    double score = least(scaled(waiters, net_waiters), scaled(mean, net_duration));

    tell(f, "waiting_mean", waiters);
    tell(f, "wait_mean_ns", mean);
    tell(f, "waits", count);
    tell(f, "waiting_share", part);
    tell(f, "busy_share", busy);
    point_at(f, &a->s->delays[SUMMARY_NET], STACK_ALL);
    point_at(f, &a->s->delays[SUMMARY_SYNC], STACK_SET(STACK_CALL));
    return busy <= NET_BUSY_MAX ? least(score, scaled(part, net_share)) : 0;
}

/* Waits for mutexes, including those that began before the trace. */
static double lock_events(const struct facts *a)
{
    return (double)a->s->classes.sync[STACK_LOCK].count +
           (double)a->s->classes.unknown[STACK_LOCK].count;
}

/* A cycle takes a quarter of the Ps by design, and one cycle may fill a short window: so there more
 * than one is needed. */
static double gc_events(const struct facts *a)
{
    return a->window < GC_WINDOW ? (double)a->s->gc.cycles : GC_CYCLES;
}

static double storm_events(const struct facts *a)
{
    return (double)a->s->syscalls.blocked;
}

static double imbalance_events(const struct facts *a)
{
    return (double)a->s->scheduler.overdue_count;
}

/* Goroutines that got to run, and those that still wait for it. */
static double cpu_events(const struct facts *a)
{
    return (double)a->s->scheduler.latency.count + a->s->scheduler.runnable_mean;
}

static double net_events(const struct facts *a)
{
    const struct summary_classes *by = &a->s->classes;

    return (double)by->network[STACK_OTHER].whole + (double)by->network[STACK_CALL].count +
           (double)by->network[STACK_HANDLER].count + (double)by->sync[STACK_CALL].count;
}

/* Of two rules with the same score the one that stands first wins: so a cause stands before its
 * consequence. */
static const struct rule rules[] = {
    {"lock-contention", lock_contention, lock_events, 5,
     "Look at who holds the lock at these call sites: hold it for less, split it, or do the slow "
     "part outside."},
    {"gc-pressure", gc_pressure, gc_events, GC_CYCLES,
     "Take an allocation profile (/debug/pprof/allocs) and allocate less, or let the heap grow: "
     "raise GOGC or GOMEMLIMIT."},
    {"syscall-storm", syscall_storm, storm_events, 10,
     "Bound how many goroutines enter these calls at once, and look at the disk or file that they "
     "wait for."},
    {"scheduler-imbalance", scheduler_imbalance, imbalance_events, 100,
     "Look for runtime.LockOSThread at these goroutines; if there is none, for too little CPU time "
     "from the host: throttling, or GOMAXPROCS above the quota."},
    {"stuck-proc", stuck_proc, NULL, 0,
     "Find out what this call waits for (a hung disk or mount, a file lock, a C library), or why "
     "this loop cannot be interrupted."},
    {"cpu-saturated", cpu_saturated, cpu_events, 20,
     "Take a CPU profile; give the process more CPUs (GOMAXPROCS, quota) or less to do at once."},
    {"network-bound", network_bound, net_events, 8,
     "Look at the latency of the peers behind these call sites; the time is spent there, not in "
     "this process."},
};

#define N_RULES (sizeof(rules) / sizeof(rules[0]))

static struct facts facts_of(const struct summary *s)
{
    double user = (double)(s->procs.executing - s->gc.worker - s->gc.idle_worker);

    return (struct facts){
        .s = s,
        .window = s->window > 0 ? (double)s->window : 1,
        .available = (double)s->procs.available,
        .procs = s->procs.mean,
        .user = most(user, 0),
        .worker = (double)s->gc.worker,
        .assist = (double)s->gc.assist_executing,
        .lock = (double)s->classes.sync[STACK_LOCK].total +
                (double)s->classes.unknown[STACK_LOCK].total,
    };
}

/* Adds a finding. The list stays sorted and has at most FINDINGS_MAX findings. */
static void insert(struct findings *list, const struct finding *f)
{
    size_t at = list->n;

    while (at > 0 && list->list[at - 1].score < f->score)
        at--;
    if (at == FINDINGS_MAX)
        return;
    if (list->n < FINDINGS_MAX)
        list->n++;
    memmove(&list->list[at + 1], &list->list[at], (list->n - at - 1) * sizeof(*f));
    list->list[at] = *f;
}

static const char *without_findings(const struct facts *a)
{
    bool idle = share(a->user, a->available) < IDLE_SHARE && a->user / a->window < IDLE_PROCESSORS;

    return idle ? "idle" : "healthy";
}

const char *findings_label(size_t i)
{
    static const char *const others[] = {"healthy", "idle"};

    if (i < N_RULES)
        return rules[i].code;
    return i - N_RULES < sizeof(others) / sizeof(others[0]) ? others[i - N_RULES] : NULL;
}

/* The type of region that was ended in the wrong order most often, or NULL. */
static const char *most_misnested(const struct summary *s)
{
    const struct summary_row *most = NULL;

    for (size_t i = 0; i < s->regions.n; i++) {
        const struct summary_row *row = &s->regions.list[i];

        if (row->misnested > 0 && (!most || row->misnested > most->misnested))
            most = row;
    }
    return most ? most->name : NULL;
}

/* Adds a note if the program ends regions in a wrong order. That does not slow the program down,
 * but Go's tools cannot read such a trace to its end. */
static void note_misnested(const struct summary *s, struct findings *ret)
{
    struct finding *f = &ret->list[ret->n];

    if (s->misnested.count == 0)
        return;
    *f = (struct finding){
        .code = "misnested-regions",
        .subject = most_misnested(s),
        .next = "End regions on the goroutine that began them, once, the last one first (defer "
                "region.End()): Go's own tools stop where the order is another.",
    };
    tell(f, "ends", (double)s->misnested.count);
    tell(f, "ends_share",
         share((double)s->misnested.count, (double)s->events.by_kind[GOTRACE_REGION_END]));
    point_at(f, &s->misnested, STACK_ALL);
    ret->n++;
}

static bool few_events(const struct facts *a, const struct rule *rule)
{
    return rule->events && rule->events(a) < rule->least;
}

static void find(const struct facts *a, struct findings *ret)
{
    const struct rule *short_of = NULL;

    for (size_t i = 0; i < N_RULES; i++) {
        struct finding f = {.code = rules[i].code, .next = rules[i].next};

        f.score = rules[i].score(a, &f);
        if (f.score < 0.5)
            continue;
        if (!few_events(a, &rules[i]))
            insert(ret, &f);
        else if (!short_of)
            short_of = &rules[i];
    }
    ret->label = ret->n > 0 ? ret->list[0].code : without_findings(a);
    if (ret->n > 0 || !short_of)
        return;
    ret->not_inspected = "too-short";
    (void)snprintf(ret->why, sizeof(ret->why), "too few events to tell %s from chance: %.0f",
                   short_of->code, short_of->events(a));
}

/* Whether the numbers rest on too little for any rule. */
static bool too_little(const struct summary *s, struct findings *ret)
{
    double ms = (double)s->window / 1e6;

    if (!s->complete && s->covered < FINDINGS_COVERED) {
        ret->not_inspected = "partial";
        (void)snprintf(ret->why, sizeof(ret->why), "the numbers rest on %.1f ms of %.1f ms, %.1f%%",
                       ms, (double)s->spans / 1e6, s->covered * 100);
    } else if (s->window < FINDINGS_WINDOW) {
        ret->not_inspected = "too-short";
        (void)snprintf(ret->why, sizeof(ret->why), "%.1f ms are too short to tell anything", ms);
    }
    return ret->not_inspected != NULL;
}

void findings_find(const struct summary *s, struct findings *ret)
{
    struct facts a = facts_of(s);

    *ret = (struct findings){.n = 0};
    if (!too_little(s, ret))
        find(&a, ret);
    if (ret->not_inspected)
        ret->label = FINDINGS_NOT_INSPECTED;
    note_misnested(s, ret);
}
