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
    const char *service, *host, *reason, *label, *artifact; /* as given; NULL: not */
    const char *incident;
    const char *since, *until;
    const char *usual;      /* the artifact if none is given; NULL: any */
    catalog_order_fn order; /* NULL: by time */
    bool reverse;
    unsigned limit;    /* 0: none */
    bool with_facts;   /* read the records in the spool, too */
    bool remote_facts; /* and records that are only in the store */
};

#define QUERY_ROWS 8
extern const struct argument query_rows[QUERY_ROWS];

/* Puts the options into the selection, and checks label, artifact, incident and times. An incident's id
 * tells where to look: the selection borrows from `id`. 0, or -EINVAL after a message about the
 * usage. */
int query_selection(const struct query *q, usec now, struct name *id, struct selection *ret);

/*
 * Fills the catalog: merged, sorted, cut to the number wanted. 0; 1 if a source failed (a message
 * was printed, the others' traces are there); -EINTR, or another negative errno after a message.
 */
int query_run(struct sources *s, const struct query *q, const struct selection *selection,
              struct catalog *c);

/* If no trace matched: says on stderr how many traces of the spool the options excluded. */
void query_explain(const struct sources *s, const struct query *q);
