/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What never moved: waits for the whole trace that nobody seems to be going to end. Each stack that
 * waited so is held against all others: whether a wait at the same call site ended, and whether
 * somebody with a function in common was in a call, a sleep or a syscall all the time, or in one
 * call or sleep after the other for half of it, which would be what it waits for.
 *
 * All stacks are looked at once. What they share with stacks that waited so is found by its name: so
 * the work grows with the stacks, and not with their pairs.
 */

#include <string.h>

#include "trace/stack/kin.h"
#include "trace/stack/owner.h"
#include "trace/summary/accumulator.h"

/* Candidates: stacks that waited for the whole trace and are looked at. */
#define STILL_MAX 256

/* A set of candidates, by their place in the list. */
struct set {
    uint64_t bits[STILL_MAX / 64];
};

/* What stacks can have in common. */
enum {
    BY_SITE,     /* class and call site */
    BY_PACKAGE,  /* the package of the call site */
    BY_OUTER,    /* the function that their goroutines began within */
    BY_RECEIVER, /* of the method that is the call site */
    BY_LOOP,     /* the method that their goroutines began with, and wait in */
    N_BY,
};

/* Stacks that have something in common with a candidate: what is known of any of them. */
struct group {
    bool ended;       /* a wait of theirs ended */
    bool joined;      /* others joined it, within the trace */
    bool busy;        /* somebody had something else to wait for all the time */
    bool many;        /* there are several senders that still wait, */
    bool differ;      /* at different call sites, or in different methods */
    uint32_t sender;  /* the first of them, and its call site or method */
    uint64_t its_own; /* of no sender while `sender` is SITES_NO_STACK */
};

struct still {
    struct accumulator *s;
    uint32_t n;
    uint32_t stacks[STILL_MAX]; /* the candidates, ascending */
    uint32_t groups[STILL_MAX][N_BY];
    uint32_t kept_by[STILL_MAX]; /* who may have what it waits for; SITES_NO_STACK: nobody */
    struct idmap ids[N_BY];
    struct group list[N_BY][STILL_MAX];
    struct kin kin;
    struct set of_name[2 * STILL_MAX]; /* by the numbers of kin.h */
    bool *apart; /* functions that are known to belong to no candidate's, by their texts */
    uint32_t n_apart;
    struct set passed_on; /* others that have a function in common gave back a mutex, */
    struct set doubtful;  /* stopped while they ran, or woke somebody, */
    struct set awaited;   /* or wait to send; */
    struct set alive;     /* did anything but wait all the time; */
    struct set worked;    /* or are workers, who serve no request themselves, whose waits ended */
};

static uint64_t counted(const struct sites_stack *stack, unsigned column)
{
    return sites_tally(stack, column)->count;
}

static int64_t total_of(const struct sites_stack *stack, unsigned column)
{
    return sites_tally(stack, column)->total;
}

static uint64_t whole(const struct sites_stack *stack)
{
    return counted(stack, SITES_OPEN + SUMMARY_OPEN_UNKNOWN);
}

static const struct sites_stack *stack_of(const struct still *t, uint32_t n)
{
    return &t->s->sites.stacks[n];
}

static bool is_candidate(const struct sites_stack *stack)
{
    return whole(stack) > 0 && (stack->class == STACK_LOCK || stack->class == STACK_JOIN ||
                                ((stack->traits & STACK_SENDS) && stack->class != STACK_TRACER));
}

/* What a goroutine in this stack did all the time that others may wait for; SUMMARY_RAN: nothing. */
static enum summary_before did_throughout(const struct accumulator *s,
                                          const struct sites_stack *stack)
{
    const struct tally *call = sites_tally(stack, SITES_OPEN + SUMMARY_OPEN_SYSCALL);

    if ((STACK_SET(stack->class) & STACK_STANDING) != 0)
        return whole(stack) > 0 && (stack->traits & STACK_POLLS) ? SUMMARY_IN_NETWORK : SUMMARY_RAN;
    if (call->count > 0 && call->max * 10 >= (s->last - s->first) * 9)
        return SUMMARY_IN_SYSCALL;
    if (whole(stack) == 0)
        return SUMMARY_RAN;
    if (stack->traits & STACK_SLEEPS)
        return SUMMARY_ASLEEP;
    return stack->class == STACK_CALL || stack->class == STACK_CONN || (stack->traits & STACK_POLLS)
             ? SUMMARY_IN_NETWORK
             : SUMMARY_RAN;
}

/* What goroutines in this stack waited for during half of the trace, in one wait after the other. */
static enum summary_before mostly_did(const struct accumulator *s, const struct sites_stack *stack)
{
    int64_t half = (s->last - s->first) / 2;
    bool calls = stack->class == STACK_CALL || stack->class == STACK_CONN;
    bool stands = (STACK_SET(stack->class) & STACK_STANDING) != 0;
    int64_t waits =
        stands ? 0 : total_of(stack, SUMMARY_NET) + total_of(stack, SITES_OPEN + SUMMARY_OPEN_NET);

    if (calls)
        waits += total_of(stack, SUMMARY_SYNC) + total_of(stack, SITES_OPEN + SUMMARY_OPEN_SYNC) +
                 total_of(stack, SITES_UNKNOWN);
    if (waits >= half)
        return SUMMARY_IN_NETWORK;
    return (stack->traits & STACK_SLEEPS) && total_of(stack, SITES_SLEEP) >= half ? SUMMARY_ASLEEP
                                                                                  : SUMMARY_RAN;
}

static enum summary_before did(const struct accumulator *s, const struct sites_stack *stack)
{
    enum summary_before ret = did_throughout(s, stack);

    return ret != SUMMARY_RAN ? ret : mostly_did(s, stack);
}

static uint64_t hash_text(uint64_t seed, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        seed = texts_mix(seed, (uint8_t)text[i]);
    return seed;
}

/* A frame, by its number or IDMAP_NONE, as one number. */
static uint64_t number_of(const struct sites *s, uint32_t frame)
{
    const struct sites_frame *f = frame != IDMAP_NONE ? &s->frames[frame] : NULL;

    return f ? texts_mix(texts_mix(texts_mix(s->seed, f->func), f->file), f->line) : 0;
}

/* A stack's call site as one number. */
static uint64_t site_of(const struct still *t, uint32_t n)
{
    return number_of(&t->s->sites, sites_at(&t->s->sites, n, SUMMARY_SYNC));
}

/* A number of what a stack, whose call site is the frame `at`, can have in common with others;
 * false: it has nothing of the kind. */
static bool has_in_common(const struct still *t, uint32_t n, uint32_t at, unsigned by,
                          uint64_t *ret)
{
    const struct sites *s = &t->s->sites;
    bool outer = by == BY_OUTER || by == BY_LOOP;
    const char *func = outer ? sites_outermost(s, n) : sites_frame_text(s, at).func;
    size_t len = 0;

    switch (by) {
    case BY_SITE: *ret = texts_mix(number_of(s, at), s->stacks[n].class); return true;
    case BY_PACKAGE: len = owner_package(func); break;
    case BY_OUTER: len = kin_outer(func); break;
    case BY_RECEIVER: len = kin_receiver(func); break;
    case BY_LOOP:
        if (kin_receiver(func) > 0 && strcmp(func, sites_frame_text(s, at).func) == 0)
            len = strlen(func);
        break;
    default: break;
    }
    *ret = hash_text(s->seed, func, len);
    return len > 0;
}

static int add_candidate(struct still *t, uint32_t n)
{
    uint32_t names[2], c = t->n++, at = sites_at(&t->s->sites, n, SUMMARY_SYNC);
    int r = kin_add(&t->kin, sites_frame_text(&t->s->sites, at).func, names);

    t->stacks[c] = n;
    for (unsigned i = 0; r == 0 && i < 2; i++)
        if (names[i] != IDMAP_NONE)
            t->of_name[names[i]].bits[c / 64] |= UINT64_C(1) << c % 64;
    for (unsigned by = 0; r == 0 && by < N_BY; by++) {
        uint64_t hash;

        t->groups[c][by] = IDMAP_NONE;
        if (!has_in_common(t, n, at, by, &hash))
            continue;
        t->groups[c][by] = idmap_find(&t->ids[by], hash);
        if (t->groups[c][by] != IDMAP_NONE)
            continue;
        t->groups[c][by] = c;
        r = idmap_add(&t->ids[by], hash, c);
    }
    return r;
}

static void add_set(struct set *to, const struct set *from)
{
    for (unsigned k = 0; k < STILL_MAX / 64; k++)
        to->bits[k] |= from->bits[k];
}

/* Adds the candidates whose call site is this function, a text, or has the same receiver. Nearly
 * all functions belong to none: then the name is read once, in however many stacks it is. */
static void add_related(struct still *t, uint32_t func, struct set *to)
{
    struct kin_walk walk;
    bool apart = true;

    if (func < t->n_apart && t->apart[func])
        return;
    walk = kin_walk(&t->kin, texts_get(&t->s->texts, func));
    for (uint32_t name; (name = kin_next(&t->kin, &walk)) != IDMAP_NONE; apart = false)
        add_set(to, &t->of_name[name]);
    if (func < t->n_apart)
        t->apart[func] = apart;
}

/* The candidates whose call site is a function of the stack, or has the same receiver. */
static struct set related(struct still *t, uint32_t n)
{
    const struct sites *s = &t->s->sites;
    const struct sites_stack *stack = stack_of(t, n);
    struct set ret = {0};

    for (uint32_t i = 0; i < stack->n; i++)
        add_related(t, s->frames[s->rows[stack->row + i]].func, &ret);
    return ret;
}

static bool is_in(const struct set *set, uint32_t c)
{
    return set->bits[c / 64] >> c % 64 & 1;
}

/* So many senders at one place are not one that was left behind. */
#define SENDERS 3

/* A stack waits to send since before the trace. */
static void note_sender(struct still *t, uint32_t n, unsigned by, struct group *group)
{
    uint64_t own = by == BY_RECEIVER
                     ? t->s->sites.frames[sites_at(&t->s->sites, n, SUMMARY_SYNC)].func
                     : site_of(t, n);

    if ((by == BY_PACKAGE && whole(stack_of(t, n)) < SENDERS) ||
        (by == BY_RECEIVER && whole(stack_of(t, n)) < 2))
        return;
    group->many = group->many || group->sender != SITES_NO_STACK;
    group->differ = group->differ || (group->sender != SITES_NO_STACK && group->its_own != own);
    if (group->sender == SITES_NO_STACK) {
        group->sender = n;
        group->its_own = own;
    }
}

static bool has_ended(const struct sites_stack *stack)
{
    return counted(stack, SUMMARY_SYNC) + counted(stack, SITES_UNKNOWN) > 0;
}

static void note_in_group(struct still *t, uint32_t n, unsigned by, struct group *group)
{
    const struct sites_stack *stack = stack_of(t, n);

    group->ended = group->ended || has_ended(stack);
    group->joined = group->joined || counted(stack, SITES_OPEN + SUMMARY_OPEN_SYNC) > 0;
    group->busy = group->busy || (did_throughout(t->s, stack) != SUMMARY_RAN &&
                                  (STACK_SET(stack->class) & STACK_STANDING) == 0 &&
                                  !sites_of_main(&t->s->sites, n));
    if (whole(stack) > 0 && (stack->traits & STACK_SENDS))
        note_sender(t, n, by, group);
}

/* Whether a goroutine did anything in this stack but to wait all the time. */
static bool is_alive(const struct sites_stack *stack)
{
    uint64_t n = 0;

    for (unsigned column = 0; column < SITES_N_TALLIES; column++)
        n += column == SITES_OPEN + SUMMARY_OPEN_UNKNOWN ? 0 : counted(stack, column);
    return n > 0;
}

/* Takes the candidate out whose own stack this is. */
static struct set without(const struct still *t, struct set set, uint32_t n)
{
    for (uint32_t c = 0; c < t->n && t->stacks[c] <= n; c++)
        if (t->stacks[c] == n)
            set.bits[c / 64] &= ~(UINT64_C(1) << c % 64);
    return set;
}

static void look_at(struct still *t, uint32_t n)
{
    const struct sites_stack *stack = stack_of(t, n);
    uint32_t at = sites_at(&t->s->sites, n, SUMMARY_SYNC);
    struct set set = related(t, n), others;

    if (counted(stack, SUMMARY_SCHED) > 0) {
        add_set(&t->doubtful, &set);
        if (stack->traits & STACK_UNLOCKS)
            add_set(&t->passed_on, &set);
    }
    if (is_alive(stack))
        add_set(&t->alive, &set);
    if (!(stack->traits & STACK_SERVES) && stack->class != STACK_LOCK && has_ended(stack)) {
        others = without(t, set, n);
        add_set(&t->worked, &others);
    }
    if (whole(stack) > 0 && (stack->traits & STACK_SENDS)) {
        others = without(t, set, n);
        add_set(&t->awaited, &others);
    }
    for (uint32_t c = 0; did(t->s, stack) != SUMMARY_RAN && c < t->n; c++)
        if (t->kept_by[c] == SITES_NO_STACK && is_in(&set, c))
            t->kept_by[c] = n;
    for (unsigned by = 0; by < N_BY; by++) {
        uint64_t hash;
        uint32_t group = IDMAP_NONE;

        if (has_in_common(t, n, at, by, &hash))
            group = idmap_find(&t->ids[by], hash);
        if (group != IDMAP_NONE)
            note_in_group(t, n, by, &t->list[by][group]);
    }
}

/* What a candidate's group is known to have; nothing where it has none. */
static struct group group_of(const struct still *t, uint32_t c, unsigned by)
{
    uint32_t group = t->groups[c][by];

    return group == IDMAP_NONE ? (struct group){0} : t->list[by][group];
}

/* Whether waits at the stack's site ended; or, of a sender, others joined it. A request that waits to
 * send waits for a worker, and where that moves, it may be the next. Of waits for a mutex that began
 * before the trace and ended, nothing else tells what they were for than that somebody gave one
 * back. */
static bool moves(const struct still *t, uint32_t c)
{
    const struct sites_stack *stack = stack_of(t, t->stacks[c]);
    bool sends = stack->traits & STACK_SENDS, serves = stack->traits & STACK_SERVES;
    struct group at_site = group_of(t, c, BY_SITE);

    return at_site.ended || (sends && !serves && at_site.joined) ||
           (sends && serves && is_in(&t->worked, c)) ||
           (stack->class == STACK_LOCK && is_in(&t->passed_on, c));
}

/* Whether somebody may have what the stack waits for and be busy with something else all the time.
 * Of a lock, that is told as if that one had given it back. */
static bool is_kept(struct still *t, uint32_t c)
{
    struct accumulator *s = t->s;
    uint32_t n = t->stacks[c], by = t->kept_by[c];
    int64_t total = sites_tally(stack_of(t, n), SITES_OPEN + SUMMARY_OPEN_UNKNOWN)->total;
    struct wakers_pair pair = {n, SITES_NO_STACK, did(s, stack_of(t, by)), TEXTS_EMPTY, by};

    if (by == SITES_NO_STACK)
        return group_of(t, c, BY_PACKAGE).busy;
    if (stack_of(t, n)->class == STACK_LOCK) {
        wakers_add(&s->wakers, &pair, total);
        s->out->wakers.lock[pair.before] += total;
    }
    return true;
}

/* Whether goroutines wait to send that this one waits for: with a function in common, or many of
 * the same package. */
static bool joins(const struct still *t, uint32_t c)
{
    struct group package = group_of(t, c, BY_PACKAGE);

    if (is_in(&t->awaited, c))
        return true;
    return package.sender != SITES_NO_STACK && (package.many || package.sender != t->stacks[c]) &&
           !sites_of_main(&t->s->sites, t->stacks[c]);
}

/* Whether others wait to send that belong to this one: one function, which is not main, began both
 * and they are at different sites; or they are several workers each, at two stages of the same; or they are in
 * one method, at different lines, and nothing of that type moves: each sends to the other. */
static bool has_siblings(const struct still *t, uint32_t c)
{
    uint32_t n = t->stacks[c];
    struct group outer = group_of(t, c, BY_OUTER), receiver = group_of(t, c, BY_RECEIVER);
    struct group loop = group_of(t, c, BY_LOOP);
    const char *main = "main.main.";
    bool of_main = strncmp(sites_outermost(&t->s->sites, n), main, strlen(main)) == 0;

    if (!of_main && outer.sender != SITES_NO_STACK &&
        (outer.differ || outer.its_own != site_of(t, n)))
        return true;
    if (loop.differ && !is_in(&t->alive, c))
        return true;
    return receiver.sender != SITES_NO_STACK && whole(stack_of(t, n)) > 1 &&
           (receiver.differ ||
            receiver.its_own != t->s->sites.frames[sites_at(&t->s->sites, n, SUMMARY_SYNC)].func);
}

static bool has_partner(const struct still *t, uint32_t c)
{
    return stack_of(t, t->stacks[c])->class == STACK_JOIN ? joins(t, c) : has_siblings(t, c);
}

static void count(struct still *t, uint32_t c)
{
    struct summary_still *out = &t->s->out->still;
    struct sites_stack *stack = &t->s->sites.stacks[t->stacks[c]];
    bool serves = stack->traits & STACK_SERVES;
    uint64_t *sum;

    if (stack->class == STACK_LOCK)
        sum = &out->locks;
    else if (stack->class == STACK_JOIN)
        sum = serves ? &out->joins_serving : &out->joins;
    else
        sum = serves ? &out->sends_serving : &out->sends;
    if (sum == &out->joins && !has_partner(t, c))
        return;
    if (sum == &out->sends && has_partner(t, c))
        out->sends_to_each_other += whole(stack);
    *sum += whole(stack);
    out->doubtful += is_in(&t->doubtful, c) ? whole(stack) : 0;
    *sites_tally_of(&t->s->sites, t->stacks[c], SITES_STILL) =
        *sites_tally(stack, SITES_OPEN + SUMMARY_OPEN_UNKNOWN);
}

/* Without memory each function's name is read in every stack. */
static void init_apart(struct still *t)
{
    uint32_t n = t->s->texts.n;

    if (memory_new(&t->s->mem, n * sizeof(*t->apart), &t->apart) == 0)
        t->n_apart = n;
}

static int survey(struct still *t)
{
    const struct sites *s = &t->s->sites;
    int r = 0;

    init_apart(t);
    kin_init(&t->kin, &t->s->mem, s->seed);
    for (unsigned by = 0; by < N_BY; by++)
        idmap_init(&t->ids[by], &t->s->mem, s->seed);
    for (uint32_t i = SITES_FIRST; r == 0 && i < s->n_stacks && t->n < STILL_MAX; i++)
        if (is_candidate(&s->stacks[i]))
            r = add_candidate(t, i);
    for (uint32_t i = SITES_FIRST; r == 0 && t->n > 0 && i < s->n_stacks; i++)
        look_at(t, i);
    for (uint32_t c = 0; r == 0 && c < t->n; c++)
        if (!moves(t, c) && !is_kept(t, c))
            count(t, c);
    for (unsigned by = 0; by < N_BY; by++)
        idmap_done(&t->ids[by]);
    kin_done(&t->kin);
    memory_free(&t->s->mem, t->apart, t->n_apart * sizeof(*t->apart));
    return r;
}

int accumulator_still_finish(struct accumulator *s)
{
    struct still *t;
    int r = memory_new(&s->mem, sizeof(*t), &t);

    if (r < 0)
        return r;
    t->s = s;
    r = survey(t);
    memory_free(&s->mem, t, sizeof(*t));
    return r;
}
