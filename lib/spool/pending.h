/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Gives out what is on offer in pending/, the newest first, and takes it back.
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
