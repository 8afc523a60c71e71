/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "cli/advise/advice.h"

#define THROTTLED 0.05 /* of the periods */

static double procs(const struct sample *s)
{
    return s->values[NUMBER_PROCS];
}

/* CPUs that it used, and those that it had to wait for. */
static double used(const struct sample *s)
{
    return s->values[NUMBER_USAGE] / s->values[NUMBER_CONTEXT_WINDOW];
}

static double lost(const struct sample *s)
{
    return s->values[NUMBER_THROTTLED] / s->values[NUMBER_CONTEXT_WINDOW];
}

static bool is_bounded(const struct sample *s)
{
    return !isnan(sample_quota(s));
}

static bool is_throttled(const struct sample *s)
{
    return sample_throttled(s) >= THROTTLED;
}

static void tell(const struct samples *s, struct advice *a, bool (*counts)(const struct sample *))
{
    advice_tell(a, "quota_cpus", "quota in CPUs", FORM_MEAN,
                samples_median(s, sample_quota, counts));
    advice_tell(a, "gomaxprocs", "GOMAXPROCS", FORM_COUNT, samples_median(s, procs, counts));
    advice_tell(a, "throttled_share", "periods throttled", FORM_SHARE,
                samples_median(s, sample_throttled, counts));
    advice_tell(a, "used_cpus", "CPUs used", FORM_MEAN, samples_median(s, used, counts));
    advice_tell(a, "lost_cpus", "CPUs lost to it", FORM_MEAN, samples_median(s, lost, counts));
}

static void change(const struct samples *s, struct advice *a)
{
    double quota = samples_median(s, sample_quota, is_throttled),
           now = samples_median(s, procs, is_throttled), fit = fmax(ceil(quota), 1);

    a->verdict = VERDICT_CHANGE;
    a->weight = 2; /* all other numbers are of a program that stands still now and then */
    if (now > fit)
        advice_say(a->text,
                   "Set GOMAXPROCS to %.0f instead of %.0f, or raise the CPU quota of %.3g CPUs to"
                   " that.",
                   fit, now, quota);
    else
        advice_say(a->text, "Raise the CPU quota of %.3g CPUs to %.0f or more.", quota,
                   fmax(floor(quota) + 1, now));
    advice_say(a->reason,
               now > fit
                   ? "More Ps than the quota pays use it up early in each period, and then all"
                     " of them stand still. Go 1.25 and later take GOMAXPROCS from the quota,"
                     " unless it is set."
                   : "The quota is used up before its period is over, and then the program"
                     " stands still.");
}

static void judge(const struct samples *s, struct advice *ret)
{
    size_t hit = 0;
    double known = 0;

    for (size_t i = 0; i < s->n; i++) {
        ret->of += is_bounded(&s->list[i]);
        hit += is_throttled(&s->list[i]);
        known += !isnan(s->list[i].values[NUMBER_USAGE]);
    }
    ret->samples = ret->of;
    if (ret->of == 0 && known < 1) {
        ret->verdict = VERDICT_UNKNOWN;
        advice_say(ret->text, "No sample says what the cgroup's quota is.");
    } else if (ret->of == 0) {
        ret->samples = ret->of = (size_t)known;
        advice_say(ret->text, "There is no CPU quota.");
    } else if (hit >= advice_enough(ret->of)) {
        ret->samples = hit;
        tell(s, ret, is_throttled);
        change(s, ret);
    } else {
        tell(s, ret, is_bounded);
        advice_say(ret->text, "Leave the CPU quota: it is hardly ever used up.");
    }
}

const struct advisor advice_quota = {"quota", "the CPU quota", judge};
