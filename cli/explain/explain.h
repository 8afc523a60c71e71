/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* All that is said of one trace, and how: private to explain*.c. */

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/explain/earlier.h"
#include "cli/explain/steps.h"
#include "cli/explain/subject.h"
#include "cli/explain/usual.h"
#include "trace/findings/findings.h"
#include "trace/summary/summary.h"

#define EXPLAIN_SCHEMA 1
#define EXPLAIN_SITES 3
#define EXPLAIN_LINES 30 /* at most; what must not be cut, such as a command, may be wider */
#define EXPLAIN_WIDTH 100

struct explanation {
    const struct subject *subject;
    const struct summary *summary;
    const struct context *context; /* NULL: nothing is known */
    struct findings findings;
    struct finding_site sites[EXPLAIN_SITES];
    size_t n_sites;
    const struct earlier_list *earlier;
    const char *usual_label; /* NULL: there is nothing to compare with */
    size_t usual_label_times;
    struct usual_move moves[USUAL_MOVES];
    size_t n_moves;
    struct before before;                 /* its incident */
    struct usual_move since[USUAL_MOVES]; /* moved since then */
    size_t n_since;
    struct steps steps;
    bool utf8;
};

/* 0 or -ENOMEM; then nothing is printed. The caller checks the stream for errors. */
int explain_text(FILE *out, const struct explanation *e);

/* Appends one object. 0, -ENOMEM, or -E2BIG when that is more than the buffer may hold. */
int explain_json(const struct explanation *e, struct buf *out);
