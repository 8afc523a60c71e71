/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/interface/store.h"

#include "lib/store/interface/store_kind.h"

static const char *const end_names[] = {
    [STORE_DONE] = "done",       [STORE_RETRY] = "retry",     [STORE_PARKED] = "parked",
    [STORE_REFUSED] = "refused", [STORE_CHANGED] = "changed", [STORE_MISSING] = "missing",
    [STORE_LOCAL] = "local",
};

_Static_assert(sizeof(end_names) / sizeof(end_names[0]) == STORE_END_COUNT, "one name each");

const char *store_end_name(enum store_end end)
{
    return end_names[end];
}

void store_free(struct store *s)
{
    if (s)
        s->ops->free(s);
}

const char *store_describe(const struct store *s)
{
    return s->description;
}

usec store_credentials_expiry(const struct store *s)
{
    return s->ops->expiry ? s->ops->expiry(s) : USEC_NEVER;
}

int store_put(struct store *s, const struct store_object *object, store_done_fn done,
              void *userdata, struct store_call **ret)
{
    return s->ops->put(s, object, done, userdata, ret);
}

int store_head(struct store *s, const char *key, store_done_fn done, void *userdata,
               struct store_call **ret)
{
    return s->ops->head(s, key, done, userdata, ret);
}

int store_get(struct store *s, const char *key, store_body_fn body, store_done_fn done,
              void *userdata, struct store_call **ret)
{
    return s->ops->get(s, key, body, done, userdata, ret);
}

int store_list(struct store *s, const char *prefix, const char *after, store_object_fn object,
               store_done_fn done, void *userdata, struct store_call **ret)
{
    return s->ops->list(s, prefix, after, object, done, userdata, ret);
}

void store_cancel(struct store_call *c)
{
    if (c)
        c->store->ops->cancel(c);
}
