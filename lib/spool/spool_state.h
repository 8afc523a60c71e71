/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The layers of the spool. When a layer is made it gets the layers below it, and it calls no
 * others. Only two things go upwards: answers (a reservation was granted, a timer is due) and the
 * news that an item is idle. Only spool.c, which connects the layers, and tests see them all.
 */

#include "lib/spool/amending.h"
#include "lib/spool/archiving.h"
#include "lib/spool/core/core.h"
#include "lib/spool/core/expiry.h"
#include "lib/spool/core/facts.h"
#include "lib/spool/file_state.h"
#include "lib/spool/core/items.h"
#include "lib/spool/kept_state.h"
#include "lib/spool/pass.h"
#include "lib/spool/pending.h"
#include "lib/spool/queue.h"
#include "lib/spool/reread.h"
#include "lib/spool/reservation.h"
#include "lib/spool/core/reserved.h"
#include "lib/spool/spool.h"

struct spool {
    struct core core;
    struct reserved reserved;
    struct items items;
    struct facts facts;
    struct expiry expiry;
    struct queue queue;
    struct pass pass;
    struct reservations reservations;
    struct files files;
    struct archiving archiving;
    struct pending pending;
    struct amending amending;
    struct kept kept;
    struct reread reread;
};
