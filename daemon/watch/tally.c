/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch/tally.h"

#include <stdlib.h>
#include <string.h>

struct tally_rule *tally_rule(struct tally *t, const char *name)
{
    struct tally_rule *other = &t->rules[TALLY_MAX];
    char *copy;

    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->rules[i].name, name) == 0)
            return &t->rules[i];
    }
    if (t->n == TALLY_MAX)
        return other;
    copy = strdup(name);
    if (!copy)
        return other;
    t->rules[t->n] = (struct tally_rule){.name = copy};
    return &t->rules[t->n++];
}

void tally_done(struct tally *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->rules[i].name);
    *t = (struct tally){0};
}
