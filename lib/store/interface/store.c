/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/interface/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "lib/store/dialect/dialect.h"
#include "lib/store/file/file.h"
#include "lib/store/interface/kind.h"

/*
 * The kinds by their URLs' beginning. One that is asked over HTTP has a dialect; one that is not
 * has two functions of its own, which mean what store_check and store_new do.
 */
static const struct kind {
    const char *scheme;
    int (*dialect)(const struct upload_config *u, struct dialect **ret, char *why);
    int (*check)(const struct upload_config *u, char *why);
    int (*make)(const struct store_context *context, const struct upload_config *u,
                struct store **ret);
} kinds[] = {
    {"s3://", s3_dialect, NULL, NULL},      {"gs://", gs_dialect, NULL, NULL},
    {"az://", az_dialect, NULL, NULL},      {"https://", plain_dialect, NULL, NULL},
    {"http://", plain_dialect, NULL, NULL}, {"file://", NULL, file_check, file_new},
};

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

static int find_kind(const struct upload_config *u, const struct kind **ret, char *why)
{
    for (size_t i = 0; u->url && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(u->url, kinds[i].scheme, strlen(kinds[i].scheme)) != 0)
            continue;
        *ret = &kinds[i];
        return 0;
    }
    (void)snprintf(why, STORE_TEXT_MAX, "url: must begin with");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(why);

        (void)snprintf(why + n, STORE_TEXT_MAX - n, "%s %s", i > 0 ? "," : "", kinds[i].scheme);
    }
    return -EINVAL;
}

int store_check(const struct upload_config *u, char why[static STORE_TEXT_MAX])
{
    const struct kind *k;
    struct dialect *d;
    int r;

    why[0] = '\0';
    r = find_kind(u, &k, why);
    if (r < 0 || !k->dialect)
        return r < 0 ? r : k->check(u, why);
    r = k->dialect(u, &d, why);
    if (r == 0)
        d->ops->free(d);
    return r;
}

static int make(const struct store_context *context, const struct upload_config *u,
                struct store **ret, char *why)
{
    const struct kind *k;
    struct dialect *d;
    int r = find_kind(u, &k, why);

    if (r < 0)
        return r;
    if (!k->dialect)
        return k->make(context, u, ret);
    r = k->dialect(u, &d, why);
    return r < 0 ? r : remote_new(context, u, d, ret);
}

int store_new(const struct store_context *context, const struct upload_config *u,
              struct store **ret)
{
    char why[STORE_TEXT_MAX] = "";
    int r = make(context, u, ret, why);

    if (r < 0)
        log_error("upload: the store cannot be set up: %s", why[0] ? why : strerror(-r));
    return r;
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
