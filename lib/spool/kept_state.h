/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lists of the kept traces that are being made, and access to one kept trace.
 */

#include "lib/record/name.h"
#include "lib/record/record.h"
#include "lib/spool/core/core.h"
#include "lib/spool/core/items.h"
#include "lib/spool/kept.h"

struct kept {
    struct core *core;
    struct items *items;
    struct spool_list *lists; /* lists that are being made */
};

/* A record that is read for what the index needs to know. */
struct kept_reading {
    char key[NAME_KEY_MAX];
    bool pending;
    int result; /* as from record_annotation, or why it could not be read */
    struct record_annotation found;
};

/* Reads the record of `key`. For disk threads. */
void kept_read(const struct tree *t, struct kept_reading *reading);

/* Tells the index what was read, or that there is nothing to read. False: it may be read later, as
 * the error says nothing about the record itself. */
bool kept_take_over(struct items *items, const struct kept_reading *reading);

/* Frees the lists that are not on a disk thread just now, without calling anybody. */
void kept_stop(struct kept *k);

/* As spool_list, spool_open and spool_open_record. */
int kept_list(struct kept *k, const struct spool_query *query, spool_listed_fn fn, void *userdata,
              struct spool_list **ret);
int kept_open(const struct kept *k, const char *key, int *ret_fd);
int kept_open_record(const struct kept *k, const char *key, int *ret_fd);
