/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The traces that were found, each once, and where it is. The catalog grows with each find; a
 * caller that needs only the newest cuts it now and then.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/find/facts.h"
#include "lib/record/name.h"

enum where {
    WHERE_PENDING = 1,
    WHERE_ARCHIVE = 2,
    WHERE_LOCAL = WHERE_PENDING | WHERE_ARCHIVE,
    WHERE_REMOTE = 4,
};

struct entry {
    char *key; /* owned */
    struct name name;
    uint64_t size;
    unsigned where;      /* set of enum where */
    struct facts *facts; /* owned; NULL: not read, or there is no record */
    bool asked;          /* its record was looked for */
    bool here;           /* it is in the directory of the pull */
};

struct catalog {
    struct entry *items;
    size_t n, capacity;
    bool keep_records; /* facts keep the whole record: set it before they are read */
};

/* 0, -ENOMEM, or -EINVAL for what is no key. */
int catalog_add(struct catalog *c, const char *key, uint64_t size, unsigned where);

/* Merges entries with the same key. A local size takes precedence over a remote one. */
void catalog_merge(struct catalog *c);

/* Drops the entries for which `keep` is false. */
void catalog_filter(struct catalog *c, bool (*keep)(const struct entry *e, const void *userdata),
                    const void *userdata);

/* Negative, 0, positive; ties are broken by time, the newest first, and key. */
typedef int (*catalog_order_fn)(const struct entry *a, const struct entry *b);
void catalog_sort(struct catalog *c, catalog_order_fn order, bool reverse);

/* Keeps the first n. */
void catalog_cut(struct catalog *c, size_t n);

void catalog_done(struct catalog *c);

/* "archive,remote": returns `out`. */
#define WHERE_TEXT_SIZE 32
const char *where_text(unsigned where, char out[static WHERE_TEXT_SIZE]);

/* The order for a column of the table, in any case; NULL if no column has that name. The newest, the
 * oldest for the age, and the largest come first. */
catalog_order_fn order_find(const char *name);
int order_by_time(const struct entry *a, const struct entry *b);

/* "age, time, …": the columns, for messages; static. */
const char *order_names(void);

/* The order needs fields of the records. */
bool order_needs_facts(catalog_order_fn order);
