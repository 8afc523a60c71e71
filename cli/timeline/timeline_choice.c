/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/timeline/timeline_choice.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "cli/common/screen.h"
#include "cli/read/failure.h"
#include "cli/read/summary.h"

/* What is shown before and behind an outlier: half its length, and at least this. */
#define MARGIN 10000000

static void add(struct timeline_choice *c, const struct summary_outlier *o, size_t most)
{
    if (o->g == GOTRACE_NONE || c->n >= most)
        return;
    for (size_t i = 0; i < c->n; i++)
        if (c->goroutines[i] == o->g)
            return;
    c->goroutines[c->n++] = o->g;
}

static void choose(const struct summary *s, size_t most, struct timeline_choice *c)
{
    for (size_t i = 0; i < SUMMARY_SLOWEST; i++)
        for (unsigned kind = 0; kind < SUMMARY_N_SLOW; kind++)
            if (i < s->slowest[kind].n)
                add(c, &s->slowest[kind].list[i], most);
}

static void surround(const struct summary_outlier *o, struct timeline_choice *c)
{
    int64_t margin = o->duration / 2 > MARGIN ? o->duration / 2 : MARGIN;

    c->since = o->at > margin ? o->at - margin : 0;
    c->until = o->at + o->duration + margin;
}

/* 0, or -EINVAL after a message. */
static int find(const struct summary *s, unsigned around, struct timeline_choice *c, size_t most)
{
    const struct summary_outlier *o = summary_outlier(s, around - 1);
    size_t n = 0;

    if (o) {
        surround(o, c);
        add(c, o, most);
        return 0;
    }
    while (summary_outlier(s, n))
        n++;
    if (n == 0)
        complain("timeline: the trace has no outlier; 'contrace summary' says what it shows");
    else
        complain("timeline: there is no outlier:%u; the last is outlier:%zu", around, n);
    return -EINVAL;
}

int timeline_choose(const char *file, int fd, gotrace_spill_fn spill, unsigned around, size_t most,
                    struct timeline_choice *ret)
{
    struct gotrace *trace = NULL;
    struct failure failure;
    struct summary s;
    int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : gotrace_open_mapped(NULL, fd, &trace);

    if (r == 0) {
        gotrace_spill(trace, spill, NULL);
        r = summary_run(trace, &s);
        failure = failure_of_trace(trace, r);
    } else {
        failure = failure_of(r);
    }
    if (r < 0) {
        failure_complain(file, &failure, "");
        gotrace_close(trace);
        return r == -EINVAL ? -EIO : r;
    }
    if (most > TIMELINE_GOROUTINES_MAX)
        most = TIMELINE_GOROUTINES_MAX;
    r = around > 0 ? find(&s, around, ret, most) : 0;
    if (r == 0)
        choose(&s, most, ret);
    summary_done(&s);
    gotrace_close(trace);
    return r;
}
