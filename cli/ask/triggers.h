/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The text of `contrace triggers`, from contraced's answers. Pure. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"

struct triggers_options {
    unsigned width; /* of the terminal; 0: no bound */
    bool colour;
    bool utf8;
    bool chosen; /* only some rules, targets or states were asked for */
};

/* `list`: an array of rules at targets, as many as were asked for, of `total`; `now`: real time. 0 or
 * -ENOMEM. The caller checks the stream for errors. */
int triggers_print(FILE *out, const json_t *list, uint64_t total, usec now,
                   const struct triggers_options *o);
