/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A row of a table: a key's type, its bounds, and where its value is stored. */

#include <stddef.h>
#include <stdint.h>

#include "lib/yaml/yaml.h"

enum table_type {
    TABLE_DURATION, /* usec; min and max in usec */
    TABLE_SECONDS,  /* usec, written as a plain number of seconds; min and max in usec */
    TABLE_SIZE,     /* uint64_t; min and max in bytes */
    TABLE_RATIO,    /* double; max and min in millionths; `choices` may name values as words */
    TABLE_UNSIGNED, /* unsigned; min and max */
    TABLE_UINT64,   /* uint64_t; min and max */
    TABLE_STRING,   /* char *; not empty, no control characters; max: bytes, 0: no bound */
    TABLE_PATH,     /* char *; a string that is relative to the configuration file's directory */
    TABLE_BOOL,     /* bool; `choices` may give other names for the two values */
    TABLE_CHOICE,   /* an enum, by its name in `choices` */
    TABLE_MAPPING,  /* `table`, its offsets counted from this row's */
    TABLE_LIST,     /* `item` for each; at most `max` items. The offset serves the place only */
    TABLE_CUSTOM,   /* `custom`; the offset as for a list */
    TABLE_REFUSED,  /* an error that says `hint` */
};

enum {
    TABLE_REQUIRED = 1 << 0,
    TABLE_NULLABLE = 1 << 1,  /* null leaves the default */
    TABLE_NONEMPTY = 1 << 2,  /* a list that has an item */
    TABLE_SECRET = 1 << 3,    /* refused, as it would hold a secret: its line is not shown */
    TABLE_CLEARABLE = 1 << 4, /* null removes a string's default */
    /* A string as it stands: `$` is no variable, it may be empty and have control characters. */
    TABLE_VERBATIM = 1 << 5,
};

struct table_choice {
    const char *name;
    int value;
};

struct table;

/* `base` is the struct that the table fills, `count` the number of items in the list. There is no
 * index, as invalid items are left out. */
typedef int (*table_item_fn)(struct yaml_file *f, const yaml_node_t *node, void *base,
                             size_t count);
typedef int (*table_custom_fn)(struct yaml_file *f, const yaml_node_t *node, void *base);

struct table_key {
    const char *name;
    enum table_type type;
    unsigned flags;
    size_t offset;
    uint64_t min, max;
    const struct table_choice *choices; /* ends with a NULL name */
    const struct table *table;
    table_item_fn item;
    table_custom_fn custom;
    const char *hint;
    const char *(*check)(const char *text); /* what is wrong with a string; NULL: nothing */
};

#define TABLE_KEYS_MAX 48

struct table {
    const char *where; /* "in global", "at the top level" */
    const struct table_key *keys;
    size_t n_keys;
};
