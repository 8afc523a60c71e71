/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A trace that was taken from pending/ for its upload (spool_take). Retention leaves it alone until
 * the uploader gives it back. There are four calls for that: return, put_off, put_aside and
 * archive; each ends the item.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define SPOOL_RECORD_MAX (256u << 10) /* bytes; a longer record is not uploaded */

struct spool_item;

/* All borrowed until the item is given back. The descriptor stands at the trace's first byte. */
const char *spool_item_key(const struct spool_item *i);
int spool_item_fd(const struct spool_item *i);
uint64_t spool_item_size(const struct spool_item *i);            /* of the trace */
const struct buf *spool_item_record(const struct spool_item *i); /* NULL: it has none */

/* True if the store has the trace already: it was uploaded before, but could not be archived then.
 * spool_offer_again clears this, as the store may be another one afterwards. */
bool spool_item_uploaded(const struct spool_item *i);

/* How often the trace was put off or aside since the last spool_offer_again; at most 255. */
unsigned spool_item_failures(const struct spool_item *i);

/* Not uploaded: the trace may be taken again at once. */
void spool_item_return(struct spool_item *i);

/* Not uploaded: the trace is not offered again before `wait` is over, rounded up to whole seconds,
 * at most a day. Meanwhile retention may delete it. */
void spool_item_put_off(struct spool_item *i, usec wait);

/* The store will never take it: the trace stays in pending/ and is not offered again until
 * spool_offer_again, spool_offer_key or a restart. Meanwhile retention may delete it. */
void spool_item_put_aside(struct spool_item *i);

/*
 * r is 0 when the trace is durably in archive/, or deleted. -EEXIST: something else has its name in
 * archive/, so it is put aside. -ENOENT: somebody removed it. Any other negative errno: it stays in
 * pending/ and is offered again later. The spool has logged the error. `key` is valid during the
 * call.
 */
typedef void (*spool_archived_fn)(int r, const char *key, void *userdata);

/* Uploaded: moves the trace to archive/, or deletes it if not `keep`. fn may be NULL. */
void spool_item_archive(struct spool_item *i, bool keep, spool_archived_fn fn, void *userdata);
