/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "cli/advise/advice.h"

#define HIGH 10e6 /* nanoseconds of the 99th percentile: from here on more CPU is worth it */
#define LOW 1e6   /* below this it is not */
#define FULL 0.5  /* of the window in which all Ps are busy */
/* From here on the collector is what the CPU goes to. */
#define COLLECTOR 0.25
#define THROTTLED 0.1 /* of the periods: what is short is the quota */
#define HOST_FULL 0.9 /* of all CPUs of the machine */

static double latency(const struct sample *s)
{
    return s->values[NUMBER_LATENCY];
}

static double all_busy(const struct sample *s)
{
    return sample_mean(s, NUMBER_ALL_BUSY);
}

static double procs(const struct sample *s)
{
    return s->values[NUMBER_PROCS];
}

/* Goroutines that run or want to, at any time. */
static double demand(const struct sample *s)
{
    return s->values[NUMBER_EXECUTING] * s->values[NUMBER_PROCS] + s->values[NUMBER_RUNNABLE];
}

static double collector(const struct sample *s)
{
    return s->values[NUMBER_GC_SHARE];
}

static double host_busy(const struct sample *s)
{
    return s->values[NUMBER_BUSY] / s->values[NUMBER_CONTEXT_WINDOW] / s->values[NUMBER_CPUS];
}

/* Full, and somebody waits for it. */
static bool is_hot(const struct sample *s)
{
    return latency(s) >= HIGH && all_busy(s) >= FULL;
}

static bool is_slow(const struct sample *s)
{
    return latency(s) >= HIGH;
}

static bool is_known(const struct sample *s)
{
    return !isnan(latency(s)) && !isnan(all_busy(s)) && !isnan(procs(s));
}

static size_t count(const struct samples *s, bool (*is)(const struct sample *))
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += is(&s->list[i]);
    return n;
}

static double most(const struct samples *s, double (*value)(const struct sample *))
{
    double ret = NAN;

    for (size_t i = 0; i < s->n; i++)
        ret = fmax(ret, value(&s->list[i]));
    return ret;
}

static void tell(const struct samples *s, struct advice *a, bool (*counts)(const struct sample *))
{
    advice_tell(a, "gomaxprocs", "GOMAXPROCS", FORM_COUNT, samples_median(s, procs, counts));
    advice_tell(a, "latency_p99_ns", "wait for a P, p99", FORM_DURATION,
                samples_median(s, latency, counts));
    advice_tell(a, "latency_p99_max_ns", "at the peak", FORM_DURATION, most(s, latency));
    advice_tell(a, "all_busy_share", "all Ps busy", FORM_SHARE,
                samples_median(s, all_busy, counts));
    advice_tell(a, "demand", "run or want to", FORM_MEAN, samples_median(s, demand, counts));
    advice_tell(a, "cpus", "CPUs", FORM_MEAN, samples_median(s, sample_cpus, counts));
    advice_tell(a, "host_busy_share", "machine busy", FORM_SHARE,
                samples_median(s, host_busy, counts));
}

/* Why more Ps would not help, although all are full; false: they would. */
static bool is_other(const struct samples *s, struct advice *a)
{
    double gc = samples_median(s, collector, is_hot),
           throttled = samples_median(s, sample_throttled, is_hot);

    if (throttled >= THROTTLED) {
        advice_say(a->text, "Not GOMAXPROCS: the CPU quota is what is short.");
    } else if (gc >= COLLECTOR) {
        advice_say(a->text, "No more CPU before the collector takes less: it has %.0f%% of the Ps.",
                   gc * 100);
        advice_tell(a, "gc_share", "collector's share", FORM_SHARE, gc);
    } else {
        return false;
    }
    return true;
}

/* A step that can be measured: what is wanted, but not more than double. */
static double step(double now, double wanted)
{
    return fmin(fmax(ceil(wanted), now + 1), now * 2);
}

static void raise(const struct samples *s, struct advice *a)
{
    double now = samples_median(s, procs, is_hot), cpus = samples_median(s, sample_cpus, is_hot),
           quota = samples_median(s, sample_quota, is_hot), next;

    if (!isnan(quota))
        cpus = fmin(isnan(cpus) ? quota : cpus, floor(quota));
    next = step(now, samples_median(s, demand, is_hot));
    a->verdict = VERDICT_CHANGE;
    if (isnan(cpus)) {
        advice_say(a->text,
                   "Raise GOMAXPROCS from %.0f to %.0f, or give it more CPUs if it has no more"
                   " than %.0f: no sample says how many there are.",
                   now, next, now);
    } else if (now < cpus && !(samples_median(s, host_busy, is_hot) >= HOST_FULL)) {
        advice_say(a->text, "Raise GOMAXPROCS from %.0f to %.0f.", now, fmin(next, cpus));
    } else {
        advice_say(a->text, "Give it more CPUs, or replicas: GOMAXPROCS=%.0f is %s.", now,
                   now < cpus ? "less than there are, but the machine is full"
                              : "all that there is");
    }
    advice_say(a->reason, "All Ps are busy while goroutines wait over 10 ms for one.");
}

static void judge(const struct samples *s, struct advice *ret)
{
    size_t hot = count(s, is_hot);
    double peak = most(s, latency);

    ret->of = count(s, is_known);
    ret->samples = ret->of;
    if (ret->of == 0) {
        ret->verdict = VERDICT_UNKNOWN;
        advice_say(ret->text, "No sample has the scheduler's latency.");
        return;
    }
    if (hot >= advice_enough(ret->of)) {
        ret->samples = hot;
        ret->weight = 1;
        tell(s, ret, is_hot);
        if (!is_other(s, ret))
            raise(s, ret);
        return;
    }
    tell(s, ret, NULL);
    if (peak < LOW)
        advice_say(ret->text, "Do not raise GOMAXPROCS: nobody waits 1 ms for a P.");
    else if (count(s, is_slow) >= advice_enough(ret->of))
        advice_say(ret->text, "Do not raise GOMAXPROCS: Ps are free while goroutines wait.");
    else
        advice_say(ret->text, "Do not raise GOMAXPROCS: waits for a P stay below 10 ms.");
}

const struct advisor advice_procs = {"cpu", "GOMAXPROCS and CPUs", judge};
