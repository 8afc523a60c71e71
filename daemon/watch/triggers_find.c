/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/watch/triggers_state.h"

int triggers_compare(const struct target *a, const struct target *b)
{
    int r = strcmp(a->job->name, b->job->name);

    return r != 0 ? r : strcmp(a->address, b->address);
}

struct subject *triggers_subject(const struct triggers *t, const struct target *target)
{
    for (size_t low = 0, high = t->n; low < high;) {
        size_t middle = low + (high - low) / 2;
        int r = triggers_compare(t->subjects[middle]->target, target);

        if (r == 0)
            return t->subjects[middle]->target == target ? t->subjects[middle] : NULL;
        if (r < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
