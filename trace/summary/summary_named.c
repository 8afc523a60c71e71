/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the names of functions in a stack tell: that a goroutine yields, that it was woken together
 * with others, that a connection was opened or could not be. Computed at the trace's end from the
 * sums by stack.
 */

#include <string.h>

#include "trace/summary/accumulator.h"
#include "trace/summary/ranking.h"

/* Functions that tell something. */
enum {
    YIELDS = 1, /* calls runtime.Gosched */
    BROADCASTS = 2,
    DIALS = 4,    /* opens a connection to another, of any kind */
    NO_DELAY = 8, /* is called once for each new TCP connection */
    CLOSES = 16,  /* a descriptor; while a connection is opened: since that failed */
    SLEEPS = 32,
    SYNCS = 64,     /* makes a file last */
    COLLECTS = 128, /* calls for a collection */
};

/* So many are woken together, on average: a broadcast to a single one is a signal. */
#define TOGETHER 10

static const struct {
    const char *func;
    uint8_t tells;
} names[] = {
    {"sync.(*Cond).Broadcast", BROADCASTS},
    {"net.(*sysDialer).dialSingle", DIALS},
    {"net.setNoDelay", NO_DELAY},
    {"syscall.Close", CLOSES},
    {"time.Sleep", SLEEPS},
    {"syscall.Fsync", SYNCS},
    {"syscall.Fdatasync", SYNCS},
    {"syscall.Sync", SYNCS},
    {"golang.org/x/sys/unix.Fsync", SYNCS},
    {"golang.org/x/sys/unix.Fdatasync", SYNCS},
    {"golang.org/x/sys/unix.Msync", SYNCS},
    {"golang.org/x/sys/unix.Sync", SYNCS},
    {"golang.org/x/sys/unix.Syncfs", SYNCS},
    {"golang.org/x/sys/unix.SyncFileRange", SYNCS},
    {"runtime.GC", COLLECTS},
    {"runtime/debug.FreeOSMemory", COLLECTS},
};

static uint8_t told_by(const char *func)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(func, names[i].func) == 0)
            return names[i].tells;
    }
    return 0;
}

/* What each frame tells. Functions have many frames: what a name tells is found once. */
static int read_frames(const struct sites *s, uint8_t *ret)
{
    uint8_t *known = NULL; /* by text: told_by; 255: not read yet */
    int r = memory_new(s->mem, s->texts->n, &known);

    if (r < 0)
        return r;
    memset(known, 255, s->texts->n);
    for (uint32_t i = 0; i < s->n_frames; i++) {
        uint8_t *one = &known[s->frames[i].func];

        if (*one == 255)
            *one = told_by(texts_get(s->texts, s->frames[i].func));
        ret[i] = *one;
    }
    memory_free(s->mem, known, s->texts->n);
    return 0;
}

/* What all frames of a stack tell. That it yields is told by the events, since the function itself is
 * not in all stacks. */
static uint8_t told_by_stack(const struct sites *s, uint32_t stack, const uint8_t *frames)
{
    const struct sites_stack *k = &s->stacks[stack];
    bool yields = k->class != STACK_RUNTIME && !(k->traits & STACK_COLLECTS) &&
                  2 * k->yields > sites_tally(k, SUMMARY_SCHED)->count;
    uint8_t ret = yields ? YIELDS : 0;

    for (uint32_t i = 0; i < k->n; i++)
        ret |= frames[s->rows[k->row + i]];
    if (sites_tally(k, SUMMARY_SCHED)->count < TOGETHER * k->turns)
        ret &= (uint8_t)~BROADCASTS;
    return ret;
}

/* Lists the sites of those stacks that tell all of this. */
static int list(struct sites *s, unsigned column, const uint8_t *told, uint8_t all, bool *picked,
                struct summary_sites *ret)
{
    for (uint32_t i = 0; i < s->n_stacks; i++)
        picked[i] = (told[i] & all) == all;
    return ranking_of_picked(s, column, picked, ret);
}

static int list_all(struct accumulator *s, const uint8_t *told, bool *picked)
{
    struct summary *out = s->out;
    const struct {
        unsigned column;
        uint8_t all;
        struct summary_sites *ret;
    } lists[] = {
        {SITES_SLEEP, SLEEPS, &out->sleeps},
        {SUMMARY_SCHED, YIELDS, &out->yields},
        {SUMMARY_SCHED, BROADCASTS, &out->woken_together},
        {SUMMARY_SYSCALL, DIALS | NO_DELAY, &out->dials},
        {SUMMARY_SYSCALL, DIALS | CLOSES, &out->failed_dials},
        {SUMMARY_SYSCALL, SYNCS, &out->syncs},
        {SUMMARY_SCHED, COLLECTS, &out->forced},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(lists) / sizeof(lists[0]); i++)
        r = list(&s->sites, lists[i].column, told, lists[i].all, picked, lists[i].ret);
    return r;
}

int accumulator_named_finish(struct accumulator *s)
{
    uint32_t n_frames = s->sites.n_frames, n_stacks = s->sites.n_stacks;
    uint8_t *frames = NULL, *told = NULL;
    bool *picked = NULL;
    int r = memory_new(&s->mem, n_frames + 1, &frames);

    if (r == 0)
        r = memory_new(&s->mem, n_stacks, &told);
    if (r == 0)
        r = memory_new(&s->mem, n_stacks * sizeof(*picked), &picked);
    if (r == 0)
        r = read_frames(&s->sites, frames);
    for (uint32_t i = 0; r == 0 && i < n_stacks; i++)
        told[i] = told_by_stack(&s->sites, i, frames);
    if (r == 0)
        r = list_all(s, told, picked);
    for (uint32_t i = 0; r == 0 && i < n_stacks; i++)
        s->out->syncs_slow +=
            told[i] & SYNCS ? sites_tally(&s->sites.stacks[i], SITES_SLOW)->total : 0;
    memory_free(&s->mem, picked, n_stacks * sizeof(*picked));
    memory_free(&s->mem, told, n_stacks);
    memory_free(&s->mem, frames, n_frames + 1);
    return r;
}
