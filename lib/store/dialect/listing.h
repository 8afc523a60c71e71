/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One page of a listing as it arrives: keeps what it says until the page is whole, and then tells
 * it with keys as the caller knows them. A page that is cut or makes no sense tells nothing.
 */

#include <stddef.h>

#include "lib/store/interface/store.h"

struct listing;

/* `prefix` is what stands before each key in the store; borrowed. 0 or -ENOMEM. */
int listing_new(const char *prefix, struct listing **ret);
void listing_free(struct listing *l);

/* The next bytes of the page. As xmlreply_feed. */
int listing_feed(struct listing *l, const void *data, size_t n);

/* The page's end. As xmlreply_finish, and -EBADMSG for a page that goes on nowhere. */
int listing_finish(struct listing *l);

/*
 * After a good end: tells all objects whose keys come after `after` (NULL or "": all). Whatever has
 * no key behind the prefix is passed over. 0, -ENOMEM, or what `object` said.
 */
int listing_tell(const struct listing *l, const char *after, store_object_fn object,
                 void *userdata);

/* After a good end: the next page's token; NULL: this was the last one. Borrowed. */
const char *listing_next(const struct listing *l);
