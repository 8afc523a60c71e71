/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/label/growth.h"

/* Whether the sample continues the growth. A process that was restarted begins anew; so does one
 * that has fewer goroutines than before, or makes others. */
static bool continues(const struct lane_growth *g, const struct growth_sample *sample)
{
    return g->samples > 0 && sample->pid == g->pid && sample->goroutines > g->last &&
           (sample->site == 0 || g->site == 0 || sample->site == g->site);
}

static double score(double share)
{
    double beyond = (share - GROWTH_SHARE) / (GROWTH_SEVERE - GROWTH_SHARE);

    return beyond < 1 ? 0.5 + beyond / 2 : 1;
}

bool growth_add(struct lane_growth *state, const struct growth_sample *sample, struct growth *ret)
{
    double share;
    uint64_t more;

    if (state->samples > 0 && sample->time <= state->last_time)
        return false; /* the newest trace is inspected first, and this one is older */
    if (!continues(state, sample))
        *state = (struct lane_growth){
            .pid = sample->pid, .first = sample->goroutines, .first_time = sample->time};
    state->samples++;
    state->last = sample->goroutines;
    state->last_time = sample->time;
    if (sample->site != 0)
        state->site = sample->site;
    more = state->last - state->first;
    share = (double)more / (double)(state->first > 0 ? state->first : 1);
    if (state->samples < GROWTH_SAMPLES || state->last_time - state->first_time < GROWTH_OVER ||
        state->site == 0 || more < GROWTH_MIN || share < GROWTH_SHARE)
        return false;
    *ret = (struct growth){
        .from = state->first,
        .to = state->last,
        .samples = state->samples,
        .over = state->last_time - state->first_time,
        .score = score(share),
    };
    return true;
}
