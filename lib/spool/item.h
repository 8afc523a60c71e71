/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_ITEM_H
#define CONTRACE_SPOOL_ITEM_H

/*
 * A trace that was taken out of the queue: what pending.c, which gives it out, and archiving.c, which
 * moves it to the archive, share.
 */

#include "base/buf.h"
#include "lib/spool/disk/archival.h"
#include "lib/spool/state.h"

struct spool_item {
    struct spool *spool;
    const char *key; /* the index's: nobody else removes a busy item */
    usec time;
    int fd;
    uint64_t size;
    struct buf record;
    bool has_record;

    /* From spool_item_archive on. */
    struct archival archival;
    struct spool_item *next;
    bool keep;
    spool_archived_fn fn;
    void *userdata;
};

/* All in pending.c; `i` and `at` are places in the index. */
struct retention_item *item_at(struct spool *s, size_t i);
size_t item_place(const struct spool_item *i);
void item_free(struct spool_item *i);

/* Nobody has it any more: neither the uploader nor a disk thread. */
void item_free_again(struct spool *s, size_t at);

/* It is no longer there. */
void item_drop(struct spool *s, size_t at);
void item_log_gone(const struct spool *s, uint64_t n, const char *first);

#endif
