/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "cli/advise/advice.h"

#define COST 0.1   /* of the Ps: from here on it is worth memory */
#define ASSIST 0.1 /* of the goroutines' running time, likewise */
#define OFTEN 2    /* collections a second: fewer are no matter of the heap's goal */
#define MEMORY_FULL 0.9

static double share(const struct sample *s)
{
    return s->values[NUMBER_GC_SHARE];
}

static double assist(const struct sample *s)
{
    return s->values[NUMBER_ASSIST];
}

static double cycles(const struct sample *s)
{
    return sample_rate(s, NUMBER_CYCLES);
}

static double goal(const struct sample *s)
{
    return s->values[NUMBER_HEAP_GOAL];
}

static double heap(const struct sample *s)
{
    return s->values[NUMBER_HEAP];
}

static double cpus(const struct sample *s)
{
    return s->values[NUMBER_GC_SHARE] * s->values[NUMBER_PROCS];
}

static double memory(const struct sample *s)
{
    return s->values[NUMBER_MEMORY];
}

static double memory_max(const struct sample *s)
{
    return s->values[NUMBER_MEMORY_MAX];
}

static bool is_costly(const struct sample *s)
{
    return (share(s) >= COST || (assist(s) >= ASSIST && share(s) >= COST / 2)) &&
           cycles(s) >= OFTEN;
}

static void tell(const struct samples *s, struct advice *a, bool (*counts)(const struct sample *))
{
    advice_tell(a, "gc_share", "collector's share", FORM_SHARE, samples_median(s, share, counts));
    advice_tell(a, "assist_share", "mark assist", FORM_SHARE, samples_median(s, assist, counts));
    advice_tell(a, "cycles_per_second", "collections a second", FORM_MEAN,
                samples_median(s, cycles, counts));
    advice_tell(a, "heap_max_bytes", "heap", FORM_BYTES, samples_median(s, heap, counts));
    advice_tell(a, "heap_goal_bytes", "its goal", FORM_BYTES, samples_median(s, goal, counts));
    advice_tell(a, "memory_max_bytes", "memory limit", FORM_BYTES,
                samples_median(s, memory_max, counts));
}

/*
 * A collection begins when what was live, L, has grown to the goal G; what may be allocated in between,
 * G - L, is GOGC percent of L. Twice GOGC is twice as much, so that there are half as many collections,
 * for G - L of memory more, which is less than G.
 */
static void change(const struct samples *s, struct advice *a)
{
    double more = samples_median(s, goal, is_costly),
           max = samples_median(s, memory_max, is_costly),
           now = samples_median(s, memory, is_costly);

    a->weight = 1 + samples_median(s, share, is_costly);
    advice_tell(a, "saved_cpus", "CPUs saved", FORM_MEAN, samples_median(s, cpus, is_costly) / 2);
    advice_tell(a, "more_memory_bytes", "memory for it, at most", FORM_BYTES, more);
    a->verdict = VERDICT_CHANGE;
    if (now + more > MEMORY_FULL * max) {
        advice_say(a->text,
                   "Raise the memory limit by %.0f MB, and then GOGC to twice what it is"
                   " (100, if it is not set); or allocate less.",
                   ceil((now + more) / MEMORY_FULL / 1e6 - max / 1e6));
        advice_say(a->reason,
                   "The collector runs again and again, and there is no room for a larger"
                   " heap.");
    } else {
        advice_say(a->text,
                   "Raise GOGC to twice what it is (200, if it is not set), with GOMEMLIMIT as a"
                   " bound%s; or allocate less.",
                   isnan(max) ? "" : " below the memory limit");
        advice_say(a->reason,
                   "The collector runs again and again for a heap that could be larger.");
    }
    advice_say(
        a->cost,
        "It saves half of the collector's work, some %.2g CPUs, for at most %.3g MB of memory.",
        samples_median(s, cpus, is_costly) / 2, more / 1e6);
}

static void judge(const struct samples *s, struct advice *ret)
{
    size_t costly = 0;

    for (size_t i = 0; i < s->n; i++) {
        ret->of += !isnan(share(&s->list[i])) ? 1U : 0U;
        costly += is_costly(&s->list[i]) ? 1U : 0U;
    }
    ret->samples = ret->of;
    if (ret->of == 0) {
        ret->verdict = VERDICT_UNKNOWN;
        advice_say(ret->text, "No sample has the collector's share.");
    } else if (costly >= advice_enough(ret->of)) {
        ret->samples = costly;
        tell(s, ret, is_costly);
        change(s, ret);
    } else {
        tell(s, ret, NULL);
        advice_say(ret->text, "Leave GOGC and GOMEMLIMIT: a larger heap would save little.");
    }
}

const struct advisor advice_collector = {"gc", "GOGC and GOMEMLIMIT", judge};
