/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lists of the kept traces for people: pages, the newest trace first, with the labels of the
 * traces. Labels come from the index. For traces of an earlier run the index has none at first:
 * when a page needs them, a disk thread reads them from the records, and the index keeps them. Of
 * incidents the index knows when they began: the id is read from the record each time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "lib/record/kind.h"

#define SPOOL_LIST_MAX 1000 /* entries of a page */

/* Strings are copied. */
struct spool_query {
    const char *service, *host; /* as keys spell them; NULL: any */
    const char *label;          /* NULL: any; "": only traces without one */
    const char *incident;       /* an id (see name_is_stem): only what belongs to it; "*": only what
                                 * belongs to any; NULL: all */
    bool one_kind;              /* only traces of `kind` */
    enum kind kind;
    usec since, until; /* real time of keys: since <= time < until; USEC_NEVER: no end */
    /* A key: the page begins with the next older trace; NULL: with the newest. */
    const char *before;
    size_t limit; /* 1 … SPOOL_LIST_MAX */
};

struct spool_entry {
    const char *key;
    /* Size of the trace; from 4 GiB on, the disk space of trace and record instead. */
    uint64_t bytes;
    bool pending;
    const char *label;    /* NULL: it has none */
    const char *incident; /* the id; NULL: it belongs to none, or its record cannot be read */
    double latency;       /* nanoseconds, as struct record_annotation's; < 0: not known */
    double severity;      /* as struct record_annotation's; < 0: not known */
    double covered;       /* as struct record_annotation's, in steps of 0.4 %; < 0: not known */
};

struct spool_page {
    const struct spool_entry *entries;
    size_t n;
    uint64_t total; /* traces that match the query, whatever `before` and `limit` are */
    bool more;      /* more traces match, after the last entry */
};

struct spool_list;

/* Called on the event loop, never from inside spool_list. `page` is valid during the call; the list
 * is freed after it. r is 0; or -ENOMEM, -EMFILE or -ENFILE: records could not be read now, and the
 * page is empty. */
typedef void (*spool_listed_fn)(void *userdata, int r, const struct spool_page *page);

/* Cancels a list: its function is not called any more. */
void spool_list_forget(struct spool_list *l);
