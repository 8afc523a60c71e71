/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is kept, as the spool shows it: the lists that are being made, and the way to one trace.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/items.h"
#include "lib/spool/kept.h"

struct kept {
    struct core *core;
    struct items *items;
    struct spool_list *lists; /* that are being made */
};

/* Ends the lists that are not on a disk thread just now; nobody is told. */
void kept_stop(struct kept *k);

/* As spool_list, spool_open and spool_open_record. */
int kept_list(struct kept *k, const struct spool_query *query, spool_listed_fn fn, void *userdata,
              struct spool_list **ret);
int kept_open(const struct kept *k, const char *key, int *ret_fd);
int kept_open_record(const struct kept *k, const char *key, int *ret_fd);
