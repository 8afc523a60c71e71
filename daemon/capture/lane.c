/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/lane.h"

#include <stdlib.h>

const char *reason_name(enum reason reason)
{
    static const char *const names[] = {
        [REASON_SCHEDULE] = "schedule", [REASON_SIGNAL] = "signal",   [REASON_API] = "api",
        [REASON_ALERT] = "alert",       [REASON_TRIGGER] = "trigger",
    };

    return names[reason];
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
