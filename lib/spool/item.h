/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A trace that was taken from pending/ for its upload (spool_take). It is left alone by retention
 * until it is given back in one of four ways, each of which ends the item.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define SPOOL_RECORD_MAX (256u << 10) /* bytes of a record that is uploaded */

struct spool_item;

/* All borrowed until the item is given back. The descriptor stands at the trace's first byte. */
const char *spool_item_key(const struct spool_item *i);
int spool_item_fd(const struct spool_item *i);
uint64_t spool_item_size(const struct spool_item *i);            /* of the trace */
const struct buf *spool_item_record(const struct spool_item *i); /* NULL: it has none */

/* It was to be archived before, which failed: the store has it already. Forgotten by
 * spool_offer_again, after which there may be another store. */
bool spool_item_uploaded(const struct spool_item *i);

/* How often it was put off or aside before, since the last spool_offer_again; at most 255. */
unsigned spool_item_failures(const struct spool_item *i);

/* Not uploaded: may be taken again at once. */
void spool_item_return(struct spool_item *i);

/* Not uploaded: not offered again before `wait` is over, rounded up to whole seconds, at most a
 * day. Retention may delete it. */
void spool_item_put_off(struct spool_item *i, usec wait);

/* The store will never take it: stays in pending/ and is not offered again until spool_offer_again,
 * spool_offer_key or a restart. Retention may delete it. */
void spool_item_put_aside(struct spool_item *i);

/*
 * 0: it is durably in archive/, or deleted. A negative errno: it stays in pending/ and is offered
 * again in a while (-EEXIST: something else has its name in archive/, it is put aside; -ENOENT:
 * somebody removed it). The spool has logged it. `key` is valid during the call.
 */
typedef void (*spool_archived_fn)(int r, const char *key, void *userdata);

/* The store has it: moves it to archive/, or deletes it if not `keep`. fn may be NULL. */
void spool_item_archive(struct spool_item *i, bool keep, spool_archived_fn fn, void *userdata);
