/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/lane.h"

#include <stdlib.h>

#include "daemon/capture/target.h"

const char *reason_name(enum reason reason)
{
    static const char *const names[] = {
        [REASON_SCHEDULE] = "schedule", [REASON_SIGNAL] = "signal",   [REASON_API] = "api",
        [REASON_ALERT] = "alert",       [REASON_TRIGGER] = "trigger",
    };

    return names[reason];
}

bool lane_failing(const struct lane *l)
{
    if (l->state != OUTCOME_MISSING)
        return outcome_failed(l->state);
    for (const struct lane *other = l->target->lanes; other; other = other->next) {
        if (other->wanted && other->state != OUTCOME_MISSING)
            return false;
    }
    return l->wanted;
}

struct lane *lane_new(struct target *target, const struct artifact *artifact)
{
    struct lane *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->target = target;
    l->artifact = artifact;
    l->last.latency = l->last.covered = -1;
    l->due = USEC_NEVER;
    return l;
}

void lane_free(struct lane *l)
{
    if (!l)
        return;
    free(l->shown);
    free(l->due_name);
    free(l->last.text);
    free(l->last.key);
    free(l->last.label);
    free(l);
}
