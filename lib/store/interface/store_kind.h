/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The functions that a kind of store provides. Included only by store.c, kinds.c and the kinds
 * themselves (remote.c, file.c). A kind embeds struct store as the first member of its own struct,
 * and likewise struct store_call.
 */

#include "lib/store/interface/store.h"

struct store_ops {
    int (*put)(struct store *s, const struct store_object *object, store_done_fn done,
               void *userdata, struct store_call **ret);
    int (*head)(struct store *s, const char *key, store_done_fn done, void *userdata,
                struct store_call **ret);
    int (*get)(struct store *s, const char *key, store_body_fn body, store_done_fn done,
               void *userdata, struct store_call **ret);
    int (*list)(struct store *s, const char *prefix, const char *after, store_object_fn object,
                store_done_fn done, void *userdata, struct store_call **ret);
    void (*cancel)(struct store_call *c);
    usec (*expiry)(const struct store *s); /* when its credentials expire; NULL: it has none */
    void (*free)(struct store *s);
};

struct store {
    const struct store_ops *ops;
    char *description;
};

struct store_call {
    struct store *store;
};
