/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Gives the traces of pending/ that are on offer to the uploader, the newest first, and takes them
 * back.
 */

#include "lib/spool/archiving.h"
#include "lib/spool/item.h"
#include "lib/spool/core/items.h"
#include "lib/spool/queue.h"

struct pending {
    struct items *items;
    struct queue *queue;
    struct archiving *archiving;
};

/* As spool_take. */
int pending_take(const struct pending *p, struct spool_item **ret);
