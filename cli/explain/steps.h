/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What to do next, in order: what the label asks for, then the commands that show more. Pure. */

#include <stddef.h>

#include "cli/explain/subject.h"
#include "trace/findings/findings.h"

#define STEPS_MAX 7

struct step {
    char *command; /* owned, for a shell; NULL: it is no command */
    const char *text;
};

struct steps {
    struct step list[STEPS_MAX];
    size_t n;
};

/* 0 or -ENOMEM; then there is nothing to free. Texts are constants. */
int steps_find(const struct subject *s, const struct summary *summary, const struct findings *f,
               struct steps *ret);
void steps_done(struct steps *steps);
