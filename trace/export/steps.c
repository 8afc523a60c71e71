/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/export/steps.h"

static void tell(struct steps *s, int64_t time, int64_t value, struct step *ret, size_t *n)
{
    if (s->known && s->written == value)
        return;
    s->known = true;
    s->written = value;
    ret[(*n)++] = (struct step){time, value};
}

size_t steps_end(struct steps *s, int64_t end, struct step ret[2])
{
    size_t n = 0;

    if (!s->open)
        return 0;
    tell(s, s->span, s->most, ret, &n);
    if (s->span + STEPS_SPAN < end)
        tell(s, s->span + STEPS_SPAN, s->value, ret, &n);
    s->open = false;
    return n;
}

size_t steps_set(struct steps *s, int64_t time, int64_t value, struct step ret[2])
{
    size_t n = 0;

    if (s->open && time - s->span < STEPS_SPAN) {
        s->value = value;
        if (value > s->most)
            s->most = value;
        return 0;
    }
    /* What it was between two spans that nearly touch is not told. */
    if (s->open && time - s->span < 2 * STEPS_SPAN)
        tell(s, s->span, s->most, ret, &n);
    else
        n = steps_end(s, time, ret);
    s->span = time;
    s->open = true;
    s->value = s->most = value;
    return n;
}
