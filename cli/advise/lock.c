/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/advise/advice.h"

#define HELD "held over "

static double longest(const struct sample *s)
{
    return s->values[NUMBER_LOCK_WAIT];
}

static void judge(const struct samples *s, struct advice *ret)
{
    char place[ADVICE_TEXT];
    struct advice_findings f;

    advice_find(s, "lock-contention", NULL, &f);
    ret->of = ret->samples = s->n;
    if (f.n < advice_enough(s->n)) {
        advice_say(ret->text, "Shard no lock: no queue for one is worth it.");
        advice_tell(ret, "wait_max_ns", "longest wait for a lock", FORM_DURATION,
                    samples_median(s, longest, NULL));
        return;
    }
    ret->verdict = VERDICT_CHANGE;
    ret->samples = f.n;
    advice_place(&f, place);
    if (strncmp(f.remark, HELD, strlen(HELD)) == 0) {
        advice_say(ret->text, "Do not hold the lock at %s over %s.", place,
                   f.remark + strlen(HELD));
        advice_say(ret->reason, "Shards would wait for that as well.");
    } else {
        advice_say(ret->text, "Shard the lock at %s, or hold it for less.", place);
        advice_say(ret->reason, "Goroutines queue for it.%s%s", *f.remark ? " Its holders: " : "",
                   f.remark);
    }
    advice_tell(ret, "waiting_mean", "wait for it", FORM_MEAN,
                finding_number(f.worst, "waiting_mean"));
    advice_tell(ret, "waits", "waits", FORM_COUNT, finding_number(f.worst, "waits"));
    advice_tell(ret, "wait_mean_ns", "each", FORM_DURATION,
                finding_number(f.worst, "wait_mean_ns"));
    advice_tell(ret, "wait_max_ns", "longest", FORM_DURATION,
                finding_number(f.worst, "wait_max_ns"));
    ret->weight = 1.5;
}

const struct advisor advice_lock = {"lock", "locks", judge};
