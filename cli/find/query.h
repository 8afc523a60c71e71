/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The question behind `list` and `pull --last`: which traces there are, here and in the store.
 */

#include "cli/common/arguments.h"
#include "cli/find/catalog.h"
#include "cli/find/selection.h"
#include "cli/find/sources.h"

struct query {
    const char *service, *host, *reason, *label, *since, *until; /* as given; NULL: not */
    catalog_order_fn order;                                      /* NULL: by time */
    bool reverse;
    unsigned limit;    /* 0: none */
    bool with_facts;   /* what the records in the spool say is wanted, too */
    bool remote_facts; /* and what those say that are only in the store */
};

#define QUERY_ROWS 6
extern const struct argument query_rows[QUERY_ROWS];

/* Labels and times as given into a selection. 0, or -EINVAL after a message about the usage. */
int query_selection(const struct query *q, usec now, struct selection *ret);

/*
 * Fills the catalog: merged, in order, cut. 0; 1 when a source failed, which was said and leaves
 * what the others have; -EINTR or another negative errno after a message.
 */
int query_run(struct sources *s, const struct query *q, const struct selection *selection,
              struct catalog *c);

/* For a question that nothing fits: how many traces of the spool its options left out, on stderr. */
void query_explain(const struct sources *s, const struct query *q);
