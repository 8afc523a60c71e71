/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads one page of a listing as it arrives. Its objects are told only when the page is complete,
 * with keys as the caller knows them. A page that is cut or invalid tells none.
 */

#include <stddef.h>

#include "lib/store/interface/store.h"

struct listing;

/* `prefix` is in front of each key in the store; borrowed. 0 or -ENOMEM. */
int listing_new(const char *prefix, struct listing **ret);
void listing_free(struct listing *l);

/* The next bytes of the page. As xmlreply_feed. */
int listing_feed(struct listing *l, const void *data, size_t n);

/* The page's end. As xmlreply_finish; also -EBADMSG if it says that there is more but not where. */
int listing_finish(struct listing *l);

/*
 * After a good end: tells all objects with keys after `after` (NULL or "": all). Objects without a
 * key behind the prefix are skipped. 0, -ENOMEM, or the error of `object`.
 */
int listing_tell(const struct listing *l, const char *after, store_object_fn object,
                 void *userdata);

/* After a good end: the next page's token; NULL: this was the last page. Borrowed. */
const char *listing_next(const struct listing *l);
