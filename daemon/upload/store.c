/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upload/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/upload/dialect.h"
#include "daemon/upload/file.h"
#include "daemon/upload/kind.h"

#define TAGS_MAX 10 /* S3's own bound for an object */

/* What a kind of store can make use of. What it can't is refused, not passed over in silence. */
enum {
    ENDPOINT = 1 << 0,
    REGION = 1 << 1,
    ADDRESSING = 1 << 2,
    CLASS = 1 << 3,
    ENCRYPTION = 1 << 4,
    TAGS = 1 << 5,
    KEYS = 1 << 6,         /* access_key_file and its like */
    ACCOUNT = 1 << 7,      /* account_key_file, sas_token_file */
    AUTHORIZATION = 1 << 8,
    TLS = 1 << 9,
};

/*
 * The kinds by their URLs' beginning. One that is asked over HTTP has a dialect; one that is not
 * has two functions of its own, which mean what store_check and store_new do.
 */
static const struct kind {
    const char *scheme;
    unsigned uses;
    int (*dialect)(const struct upload_config *u, struct dialect **ret, char *why);
    int (*check)(const struct upload_config *u, char *why);
    int (*make)(const struct store_context *context, const struct upload_config *u,
                struct store **ret);
} kinds[] = {
    {"s3://", ENDPOINT | REGION | ADDRESSING | CLASS | ENCRYPTION | TAGS | KEYS | TLS, s3_dialect,
     NULL, NULL},
    {"gs://", ENDPOINT | CLASS | KEYS | TLS, gs_dialect, NULL, NULL},
    {"az://", ENDPOINT | CLASS | ACCOUNT | TLS, az_dialect, NULL, NULL},
    {"https://", AUTHORIZATION | TLS, plain_dialect, NULL, NULL},
    {"http://", AUTHORIZATION, plain_dialect, NULL, NULL},
    {"file://", 0, NULL, file_check, file_new},
};

static const char *const end_names[] = {
    [STORE_DONE] = "done",
    [STORE_RETRY] = "retry",
    [STORE_PARKED] = "parked",
    [STORE_REFUSED] = "refused",
    [STORE_CHANGED] = "changed",
    [STORE_MISSING] = "missing",
    [STORE_LOCAL] = "local",
};

_Static_assert(sizeof end_names / sizeof end_names[0] == STORE_END_COUNT, "one name each");

const char *store_end_name(enum store_end end)
{
    return end_names[end];
}

/* ---- which store ---------------------------------------------------------------------------- */

static bool any_tls(const struct tls_config *t)
{
    return t->ca_file || t->cert_file || t->key_file || t->server_name || t->insecure_skip_verify;
}

/* The first key that is set and that this kind has no use for; NULL: none. */
static const char *useless_key(const struct upload_config *u, unsigned uses)
{
    const struct {
        bool set;
        unsigned use;
        const char *name;
    } keys[] = {
        {u->endpoint, ENDPOINT, "endpoint"},
        {u->region, REGION, "region"},
        {u->addressing != UPLOAD_ADDRESSING_AUTO, ADDRESSING, "addressing"},
        {u->storage_class, CLASS, "storage_class"},
        {u->sse, ENCRYPTION, "server_side_encryption"},
        {u->sse_kms_key_id, ENCRYPTION, "sse_kms_key_id"},
        {u->n_tags > 0, TAGS, "tags"},
        {u->access_key_file, KEYS, "access_key_file"},
        {u->secret_key_file, KEYS, "secret_key_file"},
        {u->session_token_file, KEYS, "session_token_file"},
        {u->account_key_file, ACCOUNT, "account_key_file"},
        {u->sas_token_file, ACCOUNT, "sas_token_file"},
        {u->auth.basic_username || u->auth.basic_password_file, AUTHORIZATION, "basic_auth"},
        {u->auth.type || u->auth.credentials_file, AUTHORIZATION, "authorization"},
        {any_tls(&u->tls), TLS, "tls_config"},
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].set && !(uses & keys[i].use))
            return keys[i].name;
    }
    return NULL;
}

static int find_kind(const struct upload_config *u, const struct kind **ret, char *why)
{
    const char *key;

    for (size_t i = 0; u->url && i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct kind *k = &kinds[i];

        if (strncmp(u->url, k->scheme, strlen(k->scheme)) != 0)
            continue;
        key = useless_key(u, k->uses);
        if (key) {
            (void)snprintf(why, STORE_TEXT_MAX, "%s: a store at %s has no use for it", key,
                           k->scheme);
            return -EINVAL;
        }
        *ret = k;
        return 0;
    }
    (void)snprintf(why, STORE_TEXT_MAX, "url: must begin with");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t n = strlen(why);

        (void)snprintf(why + n, STORE_TEXT_MAX - n, "%s %s", i > 0 ? "," : "", kinds[i].scheme);
    }
    return -EINVAL;
}

/* What is the same for all kinds. */
static int check_values(const struct upload_config *u, char *why)
{
    if (u->n_tags > TAGS_MAX) {
        (void)snprintf(why, STORE_TEXT_MAX, "tags: an object has at most %d", TAGS_MAX);
        return -EINVAL;
    }
    return 0;
}

int store_check(const struct upload_config *u, char why[static STORE_TEXT_MAX])
{
    const struct kind *k;
    struct dialect *d;
    int r;

    why[0] = '\0';
    r = find_kind(u, &k, why);
    if (r == 0)
        r = check_values(u, why);
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

    if (r == 0)
        r = check_values(u, why);
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

/* ---- what it does --------------------------------------------------------------------------- */

void store_free(struct store *s)
{
    if (s)
        s->ops->free(s);
}

const char *store_describe(const struct store *s)
{
    return s->description;
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
