/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int copy(char **to, const char *from)
{
    if (!from)
        return 0;
    *to = strdup(from);
    return *to ? 0 : -ENOMEM;
}

int reach_init(struct reach *r, const struct upload_config *u)
{
    const struct tls_config *t = &u->tls;
    const struct proxy_config *p = &u->proxy;
    struct origin o;

    *r = (struct reach){.insecure_skip_verify = t->insecure_skip_verify};
    if (copy(&r->ca_file, t->ca_file) < 0 || copy(&r->cert_file, t->cert_file) < 0 ||
        copy(&r->key_file, t->key_file) < 0 || copy(&r->server_name, t->server_name) < 0 ||
        copy(&r->proxy_url, p->url) < 0 || copy(&r->no_proxy, p->no_proxy) < 0)
        return -ENOMEM;
    if (u->endpoint && origin_parse(u->endpoint, &o) > 0)
        origin_name(&o, r->store);
    r->proxy = (struct proxy){
        .url = r->proxy_url, .no_proxy = r->no_proxy, .from_environment = p->from_environment};
    return 0;
}

void reach_done(struct reach *r)
{
    free(r->ca_file);
    free(r->cert_file);
    free(r->key_file);
    free(r->server_name);
    free(r->proxy_url);
    free(r->no_proxy);
    *r = (struct reach){0};
}

void reach_store(const struct reach *r, struct http_options *o)
{
    o->ca_file = r->ca_file;
    o->cert_file = r->cert_file;
    o->key_file = r->key_file;
    o->server_name = r->server_name;
    o->insecure_skip_verify = r->insecure_skip_verify;
    o->proxy = &r->proxy;
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
    o->ca_file = r->ca_file;
    o->ca_beside = true;
    o->proxy = peer == REACH_NEAR ? NULL : &r->proxy;
    if (peer == REACH_PUBLIC)
        return;
    o->cert_file = r->cert_file;
    o->key_file = r->key_file;
    o->insecure_skip_verify = r->insecure_skip_verify;
    o->server_name = is_store(r, o->url) ? r->server_name : NULL;
}
