/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/silence.h"

static bool could_run(const struct silence *one)
{
    return one->runnable > 0 && one->free > 0;
}

/*
 * Whether the goroutines did not run meanwhile. One goroutine that runs alone may be in a long piece
 * of assembly; with a single P it keeps everybody else waiting meanwhile. But of several it is
 * hardly true at once, and nobody waits for long beside a P that could run him. Whoever stops the
 * world may take his time.
 */
static bool is_standstill(const struct silence *one)
{
    int64_t waiting = one->runnable < one->free ? one->runnable : one->free;
    int64_t threads = one->running + (waiting > 0 ? waiting : 0);

    if (one->stopped || one->to - one->from <= threads * SILENCE_TURN)
        return false;
    return one->running > 1 || could_run(one);
}

/* Whether the whole process did not. Where all Ps have a goroutine that computes, each may have had
 * its turn on a busy host. */
static bool is_kept(const struct silence *one)
{
    return is_standstill(one) && (could_run(one) || one->to - one->from > SILENCE_SHARED);
}

/* Whether it is no part of a run that keeps others waiting: beside one that runs alone, somebody
 * would have moved within SILENCE_ALONE. */
static bool interrupts_runs(const struct silence *one)
{
    return is_standstill(one) || (!one->stopped && one->running == 1 && one->free > 0 &&
                                  one->to - one->from >= SILENCE_ALONE);
}

static void add_kept(const struct silence *one, struct summary_kept *sums)
{
    int64_t duration = one->to - one->from;

    sums->count++;
    sums->total += duration;
    if (duration > sums->longest)
        sums->longest = duration;
    if (one->queued)
        sums->queued += duration;
    sums->runnable += one->runnable * duration;
}

void silences_add(struct silences *s, const struct silence *one, struct summary_silences *sums)
{
    int64_t duration = one->to - one->from;
    bool kept = is_kept(one), alone = one->running < 2 && !kept;
    bool apart = one->from - s->last_to >= SILENCE_APART || sums->count == 0;
    uint64_t part = (uint64_t)one->to % SUMMARY_PERIOD * SILENCE_PARTS / SUMMARY_PERIOD;

    if (one->running == 0 && one->runnable == 0) {
        if (!one->stopped && duration >= SUMMARY_HOLE)
            s->hole = (struct silence_hole){.from = one->from, .to = one->to};
        return;
    }
    s->last_to = one->to;
    s->doubtful = false;
    sums->count++;
    sums->total += duration;
    if (duration > sums->longest)
        sums->longest = duration;
    sums->goroutines += duration * (one->running + one->runnable);
    if (!alone || apart) {
        s->parts[part].count++;
        s->parts[part].total += duration;
    }
    if (!interrupts_runs(one))
        return;
    s->doubtful = one->running == 2 && !could_run(one);
    s->without = sums->kept;
    if (kept)
        add_kept(one, &sums->kept);
    s->recent[s->n_recent % SILENCE_RING].from = one->from;
    s->recent[s->n_recent % SILENCE_RING].to = one->to;
    s->n_recent++;
}

static void add_hole(const struct silence_hole *hole, int sign, struct summary_holes *sums)
{
    int64_t duration = hole->to - hole->from;

    sums->count += (uint64_t)sign;
    sums->total += sign * duration;
    if (sign > 0 && duration > sums->longest)
        sums->longest = duration;
}

void silences_late(struct silences *s, bool regular, int64_t time, struct summary_silences *sums)
{
    struct silence_hole *hole = &s->hole;

    if (hole->to == 0 || hole->missed || time - hole->to > SILENCE_LATE)
        return;
    hole->late++;
    if (regular) {
        hole->missed = true;
        if (hole->late > SILENCE_CAUGHT_UP)
            add_hole(hole, -1, &sums->caught_up);
        add_hole(hole, 1, &sums->missed);
    } else if (hole->late == SILENCE_CAUGHT_UP) {
        add_hole(hole, 1, &sums->caught_up);
    }
}

void silences_phase(struct silences *s, int64_t time, struct summary_silences *sums)
{
    if (!s->doubtful || time - s->last_to > SILENCE_DOUBT)
        return;
    sums->kept = s->without;
    s->n_recent--;
    s->doubtful = false;
}

int64_t silences_since(const struct silences *s, int64_t from)
{
    uint64_t n = s->n_recent < SILENCE_RECENT ? s->n_recent : SILENCE_RECENT;
    int64_t sum = 0;

    for (uint64_t i = 1; i <= n; i++) {
        uint64_t at = (s->n_recent - i) % SILENCE_RING;

        if (s->recent[at].to <= from)
            break;
        sum += s->recent[at].to - (s->recent[at].from > from ? s->recent[at].from : from);
    }
    return sum;
}

void silences_finish(const struct silences *s, struct summary_silences *sums)
{
    for (unsigned begin = 0; begin < SILENCE_PARTS; begin++) {
        uint64_t count = 0;
        int64_t total = 0;

        for (unsigned i = 0; i < SILENCE_POINT; i++) {
            count += s->parts[(begin + i) % SILENCE_PARTS].count;
            total += s->parts[(begin + i) % SILENCE_PARTS].total;
        }
        if (total > sums->in_step_total) {
            sums->in_step = count;
            sums->in_step_total = total;
        }
    }
}
