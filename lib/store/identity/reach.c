/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int reach_init(struct reach *r, const struct upload_config *u)
{
    struct origin o;

    r->store[0] = '\0';
    if (u->endpoint && origin_parse(u->endpoint, &o) > 0)
        origin_name(&o, r->store);
    return access_copy(&u->access, &r->access);
}

void reach_done(struct reach *r)
{
    access_done(&r->access);
}

void reach_store(const struct reach *r, struct http_options *o)
{
    o->tls = r->access.tls;
    o->proxy = &r->access.proxy;
}

static bool is_store(const struct reach *r, const char *url)
{
    char name[ORIGIN_NAME_SIZE];
    struct origin o;

    if (origin_parse(url, &o) < 0)
        return false;
    origin_name(&o, name);
    return strcasecmp(name, r->store) == 0;
}

void reach_beside(const struct reach *r, enum reach_peer peer, struct http_options *o)
{
    const struct access_tls *tls = &r->access.tls;

    o->ca_beside = true;
    o->proxy = peer == REACH_NEAR ? NULL : &r->access.proxy;
    if (peer == REACH_PUBLIC) {
        o->tls = (struct access_tls){.ca_file = tls->ca_file};
        return;
    }
    o->tls = *tls;
    if (!is_store(r, o->url))
        o->tls.server_name = NULL;
}
