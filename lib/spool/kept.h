/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is kept, for people who look: pages of it, the newest first, with the labels of the traces;
 * and a record to be read. Labels come from the index. Those of traces that were kept by an earlier
 * run are read from their records when a page needs them, on the disk threads, and then kept.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "lib/record/kind.h"

#define SPOOL_LIST_MAX 1000 /* entries of a page */

/* Strings are copied. */
struct spool_query {
    const char *service, *host; /* as keys have them; NULL: any */
    const char *label;          /* NULL: any; "" those without one */
    bool one_kind;              /* only those of `kind` */
    enum kind kind;
    usec since, until;  /* real time of keys: since <= time < until; USEC_NEVER: no end */
    const char *before; /* a key: what comes after it in a listing; NULL: from the newest */
    size_t limit;       /* 1 … SPOOL_LIST_MAX */
};

struct spool_entry {
    const char *key;
    uint64_t bytes; /* of the trace; where that is 4 GiB or more, what it takes on the disk */
    bool pending;
    const char *label; /* NULL: it has none */
    double latency;    /* nanoseconds, as struct record_annotation's; < 0: not known */
    double covered;    /* likewise, to 0.4 % */
};

struct spool_page {
    const struct spool_entry *entries;
    size_t n;
    uint64_t total; /* that fit the query, `before` and `limit` aside */
    bool more;      /* there are some behind the last entry */
};

struct spool_list;

/* Told on the event loop, never from inside spool_list; `page` is valid during the call, and the
 * list no longer there after it. -ENOMEM: no page. */
typedef void (*spool_listed_fn)(void *userdata, int r, const struct spool_page *page);

/* Nobody is to be told any more. */
void spool_list_forget(struct spool_list *l);
