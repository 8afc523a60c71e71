/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/turns.h"

static unsigned places_of_ill(unsigned max)
{
    return max > TURNS_ILL_SHARE ? max / TURNS_ILL_SHARE : 1;
}

static bool may_fly(const struct turns *t, unsigned max, unsigned turn)
{
    return t->waiting[turn] > 0 && (turn != TURN_ILL || t->flying[turn] < places_of_ill(max));
}

static bool passed_too_often(const struct turns *t, unsigned turn)
{
    static const unsigned patience[TURNS] = {[TURN_NEW] = TURNS_PATIENCE_NEW,
                                             [TURN_ILL] = TURNS_PATIENCE_ILL};

    return t->passed[turn] >= patience[turn];
}

bool turns_next(const struct turns *t, unsigned max, enum turn *ret)
{
    bool found = false;
    unsigned flying = 0;

    for (unsigned i = 0; i < TURNS; i++)
        flying += t->flying[i];
    if (flying >= max)
        return false;
    for (unsigned i = 0; i < TURNS; i++) {
        if (!may_fly(t, max, i) || (found && !passed_too_often(t, i)))
            continue;
        *ret = (enum turn)i;
        found = true;
    }
    return found;
}

void turns_take(struct turns *t, enum turn turn)
{
    t->waiting[turn]--;
    t->flying[turn]++;
    t->passed[turn] = 0;
    for (unsigned i = (unsigned)turn + 1; i < TURNS; i++)
        t->passed[i] += t->waiting[i] > 0;
}
