/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/timeline/timeline.h"

size_t timeline_pieces(const struct timeline_result *t, size_t most)
{
    size_t pieces = TIMELINE_PIECES;
    int64_t step = t->bins->step;

    /* 10, 50, 100, 500, … ms to a line: 1 and 5 take turns in front of the zeros. */
    while (t->bins->n / pieces >= most) {
        int64_t unit = step;

        while (unit % 10 == 0)
            unit /= 10;
        pieces *= unit % 5 == 0 ? 2 : 5;
        step *= unit % 5 == 0 ? 2 : 5;
    }
    return pieces;
}

bool timeline_line(const struct timeline_result *t, const struct timeline_view *view, size_t i,
                   struct timeline_line *ret)
{
    const struct bins *b = t->bins;
    size_t first = i * view->pieces;
    int64_t from, to;

    if (first >= b->n)
        return false;
    from = b->start + (int64_t)first * b->step;
    to = from + (int64_t)view->pieces * b->step;
    *ret = (struct timeline_line){
        .at = from - t->first,
        .ns = (to < t->end ? to : t->end) - from,
        .sum = bins_sum(b, first, view->pieces),
    };
    return ret->ns > 0;
}

int64_t timeline_most(const struct bin *sum, int64_t ns)
{
    int64_t mean = sum->ns[BINS_RUNNABLE] / ns + (sum->ns[BINS_RUNNABLE] % ns > 0);
    int64_t most = sum->most[BINS_WAITING_TO_RUN];

    return most > mean ? most : mean;
}
