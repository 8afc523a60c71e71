/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "cli/advise/advice.h"

#define MANY 10000 /* that wait in the poller at any time */
#define STACK 2048 /* bytes: runtime.fixedStack, the least that each has */

static double alive(const struct sample *s)
{
    return s->values[NUMBER_ALIVE];
}

static double polled_of(const struct sample *s)
{
    return sample_mean(s, NUMBER_POLLED);
}

static bool is_crowded(const struct sample *s)
{
    return polled_of(s) >= MANY;
}

static void tell(const struct samples *s, struct advice *a, bool (*counts)(const struct sample *))
{
    advice_tell(a, "polled_mean", "wait for the network", FORM_MEAN,
                samples_median(s, polled_of, counts));
    advice_tell(a, "alive_max", "alive at most", FORM_COUNT, samples_median(s, alive, counts));
}

static void judge(const struct samples *s, struct advice *ret)
{
    size_t crowded = 0;
    double polled;

    for (size_t i = 0; i < s->n; i++) {
        ret->of += !isnan(polled_of(&s->list[i])) ? 1U : 0U;
        crowded += is_crowded(&s->list[i]);
    }
    ret->samples = ret->of;
    if (ret->of == 0) {
        ret->verdict = VERDICT_UNKNOWN;
        advice_say(ret->text, "No sample says what goroutines wait for.");
        return;
    }
    if (crowded < advice_enough(ret->of)) {
        tell(s, ret, NULL);
        advice_say(ret->text, "Leave the number of goroutines: few wait in the network poller.");
        return;
    }
    ret->verdict = VERDICT_CHANGE;
    ret->samples = crowded;
    ret->weight = 0.5;
    tell(s, ret, is_crowded);
    polled = samples_median(s, polled_of, is_crowded);
    advice_tell(ret, "stacks_least_bytes", "their stacks, at least", FORM_BYTES, polled * STACK);
    advice_say(ret->text, "Have fewer goroutines wait in the network poller: close idle connections"
                          " sooner, or read several with one goroutine.");
    advice_say(ret->reason, "Each has a stack, which every collection scans, and its buffers.");
}

const struct advisor advice_goroutines = {"goroutines", "goroutines", judge};
