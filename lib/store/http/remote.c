/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/http/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/store/http/remote_state.h"

#define STALL_TIMEOUT USEC_PER_MIN /* where none is configured */

static int on_begin(sd_event_source *s, void *userdata)
{
    struct remote_call *c = userdata;

    (void)s;
    c->begin = sd_event_source_disable_unref(c->begin);
    remote_call_begin(c);
    return 0;
}

static int call_new(struct store *s, enum dialect_verb verb, const char *key, const char *after,
                    struct remote_call **ret)
{
    struct remote_call *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->call.store = s;
    c->remote = (struct remote *)s;
    c->verb = verb;
    c->object.fd = -1;
    c->key = strdup(key);
    c->after = after ? strdup(after) : NULL;
    if (!c->key || (after && !c->after) ||
        sd_event_add_defer(c->remote->event, &c->begin, on_begin, c) < 0) {
        remote_call_free(c);
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

static int remote_put(struct store *s, const struct store_object *object, store_done_fn done,
                      void *userdata, struct store_call **ret)
{
    struct remote_call *c;
    int r = call_new(s, DIALECT_PUT, object->key, NULL, &c);

    if (r < 0)
        return r;
    c->object = *object;
    if (object->sha256 && strlen(object->sha256) < sizeof(c->sha256))
        (void)strcpy(c->sha256, object->sha256);
    c->object.sha256 = c->sha256;
    c->done = done;
    c->userdata = userdata;
    *ret = &c->call;
    return 0;
}

static int remote_head(struct store *s, const char *key, store_done_fn done, void *userdata,
                       struct store_call **ret)
{
    struct remote_call *c;
    int r = call_new(s, DIALECT_HEAD, key, NULL, &c);

    if (r < 0)
        return r;
    c->done = done;
    c->userdata = userdata;
    *ret = &c->call;
    return 0;
}

static int remote_get(struct store *s, const char *key, store_body_fn body, store_done_fn done,
                      void *userdata, struct store_call **ret)
{
    struct remote_call *c;
    int r = call_new(s, DIALECT_GET, key, NULL, &c);

    if (r < 0)
        return r;
    c->body = body;
    c->done = done;
    c->userdata = userdata;
    *ret = &c->call;
    return 0;
}

static int remote_list(struct store *s, const char *prefix, const char *after,
                       store_object_fn object, store_done_fn done, void *userdata,
                       struct store_call **ret)
{
    struct remote_call *c;
    int r = call_new(s, DIALECT_LIST, prefix, after, &c);

    if (r < 0)
        return r;
    c->on_object = object;
    c->done = done;
    c->userdata = userdata;
    *ret = &c->call;
    return 0;
}

static void remote_cancel(struct store_call *call)
{
    remote_call_free((struct remote_call *)call);
}

static void remote_free(struct store *s)
{
    struct remote *r = (struct remote *)s;

    identity_free(r->identity);
    r->dialect->ops->free(r->dialect);
    sd_event_unref(r->event);
    free(r->store.description);
    reach_done(&r->reach);
    free(r);
}

static usec remote_expiry(const struct store *s)
{
    const struct remote *r = (const struct remote *)s;

    return r->identity ? identity_expiry(r->identity) : USEC_NEVER;
}

static const struct store_ops remote_ops = {
    .put = remote_put,
    .head = remote_head,
    .get = remote_get,
    .list = remote_list,
    .cancel = remote_cancel,
    .expiry = remote_expiry,
    .free = remote_free,
};

static int find_identity(struct remote *r, const struct upload_config *u)
{
    static const enum identity_kind kinds[] = {
        [DIALECT_IDENTITY_AWS] = IDENTITY_AWS,
        [DIALECT_IDENTITY_GOOGLE] = IDENTITY_GOOGLE,
        [DIALECT_IDENTITY_AZURE] = IDENTITY_AZURE,
    };
    const struct identity_options o = {
        .kind = kinds[r->dialect->identity],
        .access_key_file = u->access_key_file,
        .secret_key_file = u->secret_key_file,
        .session_token_file = u->session_token_file,
        .credentials_file = u->credentials_file,
        .region = u->region,
        .reach = &r->reach,
    };

    if (r->dialect->identity == DIALECT_IDENTITY_NONE)
        return 0;
    return identity_new(r->event, r->http, &o, &r->identity);
}

static int set_up(struct remote *r, const struct upload_config *u)
{
    /* Each concurrent upload gets an equal share, whether the others use theirs or not. */
    r->max_rate = u->max_rate / (u->concurrency > 0 ? u->concurrency : 1);
    if (u->max_rate > 0 && r->max_rate == 0)
        r->max_rate = 1;
    r->stall_timeout = u->stall_timeout > 0 ? u->stall_timeout : STALL_TIMEOUT;
    r->store.description = steal(&r->dialect->description);
    if (!r->store.description || reach_init(&r->reach, u) < 0)
        return -ENOMEM;
    if (!r->reach.access.tls.ca_file)
        r->reach.access.tls.ca_file = steal(&r->dialect->ca_file);
    return find_identity(r, u);
}

int remote_new(const struct store_context *context, const struct upload_config *u,
               struct dialect *dialect, struct store **ret)
{
    struct remote *r = calloc(1, sizeof(*r));
    int error;

    if (!r) {
        dialect->ops->free(dialect);
        return -ENOMEM;
    }
    r->store.ops = &remote_ops;
    r->event = sd_event_ref(context->event);
    r->http = context->http;
    r->disk = context->disk;
    r->dialect = dialect;
    error = set_up(r, u);
    if (error < 0) {
        remote_free(&r->store);
        return error;
    }
    *ret = &r->store;
    return 0;
}
