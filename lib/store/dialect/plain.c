/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any server that accepts PUT: WebDAV, nginx, your own receiver. The key is appended to the URL. A
 * server that stores no metadata ignores those headers, as it must (RFC 9110, section 5.1). A
 * receiver can verify the bytes by x-contrace-sha256; if it returns that header, two objects with
 * one key can be told apart.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/segments.h"
#include "lib/net/credentials.h"
#include "lib/store/credential/sigv4.h"
#include "lib/store/dialect/dialect.h"

#define URL_LENGTH_MAX 2048

struct plain {
    struct dialect dialect;
    char *base;           /* the URL in front of the key: ends with '/' */
    struct access access; /* only its `auth` is used */
};

/* Secrets are read again for each request, so that a rotated one is used from the next one on. */
static int add_authorization(const struct plain *p, struct message *m, char *why)
{
    struct buf header;
    int r;

    credentials_init(&header);
    r = credentials_header(&p->access.auth, &header, why, STORE_TEXT_MAX);
    if (r == 0 && header.len > 0)
        r = message_add(m, "Authorization", buf_str(&header) + strlen("Authorization: "));
    buf_wipe(&header);
    return r;
}

static int add_object_headers(const struct plain *p, const struct store_object *o,
                              struct message *m)
{
    int r = message_add_if(m, "Content-Type", o->content_type);

    if (r == 0)
        r = message_add_if(m, "If-None-Match", p->dialect.conditional && !o->replace ? "*" : NULL);
    for (size_t i = 0; i < o->n_meta && r == 0; i++)
        r = message_add_meta(m, p->dialect.meta_prefix, o->meta[i].name, o->meta[i].value);
    return r;
}

static int plain_compose(const struct dialect *d, const struct dialect_request *q,
                         const struct secret_set *secrets, usec now, struct message *ret, char *why)
{
    const struct plain *p = (const struct plain *)d;
    struct message m;
    int r;

    (void)secrets;
    (void)now;
    if (q->verb == DIALECT_LIST) {
        (void)snprintf(why, STORE_TEXT_MAX, "a server that takes PUT has no listings");
        return -EOPNOTSUPP;
    }
    message_init(&m, dialect_method(q->verb));
    why[0] = '\0';
    r = buf_adds(&m.url, p->base);
    if (r == 0)
        r = sigv4_add_path(&m.url, q->key);
    if (r == 0 && q->verb == DIALECT_PUT)
        r = add_object_headers(p, q->object, &m);
    if (r == 0)
        r = add_authorization(p, &m, why);
    return dialect_composed(r, &m, ret, why);
}

static void plain_free(struct dialect *d)
{
    struct plain *p = (struct plain *)d;

    free(p->base);
    access_done(&p->access);
    free(p->dialect.description);
    free(p);
}

static const struct dialect_ops plain_ops = {
    .compose = plain_compose,
    .free = plain_free,
};

static const char *check_url(const char *url)
{
    const char *host = NULL;

    if (strncmp(url, "https://", 8) == 0)
        host = url + 8;
    else if (strncmp(url, "http://", 7) == 0)
        host = url + 7;
    if (!host)
        return "url: must begin with https:// or http://";
    if (strlen(url) > URL_LENGTH_MAX)
        return "url: is longer than 2048 bytes";
    if (host[strcspn(host, "/@")] == '@')
        return "url: must not hold a user or a password: use basic_auth";
    if (strcspn(host, "/:") == 0)
        return "url: names no host";
    if (strpbrk(url, "?#"))
        return "url: keys are put behind it, so that it has no query and no fragment";
    switch (segments_check(host + strcspn(host, "/"), true)) {
    case SEGMENTS_EMPTY: return "url: its path has an empty part: two slashes in a row";
    case SEGMENTS_DOTS:
        return "url: its path has a part `.` or `..`, which servers take for another place: write "
               "it without";
    case SEGMENTS_FINE: break;
    }
    for (const char *c = url; *c; c++) {
        if (*c <= ' ' || *c >= 0x7f)
            return "url: has a blank or a letter outside ASCII: percent-encode it";
    }
    return NULL;
}

static const char *check_section(const struct upload_config *u)
{
    const struct access_auth *a = &u->access.auth;

    if (!a->basic_username != !a->basic_password_file)
        return "basic_auth: username and password_file go together";
    if (a->basic_username && strchr(a->basic_username, ':'))
        return "basic_auth: a username has no colon";
    if (a->type && !a->credentials_file)
        return "authorization: needs credentials_file";
    return a->basic_username && a->credentials_file ? "authorization: not beside basic_auth" : NULL;
}

static int copy_options(struct plain *p, const struct upload_config *u)
{
    size_t n = strlen(u->url);

    if (asprintf(&p->base, "%s%s", u->url, u->url[n - 1] == '/' ? "" : "/") < 0) {
        p->base = NULL;
        return -ENOMEM;
    }
    p->dialect.description = strdup(p->base);
    return p->dialect.description ? access_copy(&u->access, &p->access) : -ENOMEM;
}

int plain_dialect(const struct upload_config *u, struct dialect **ret, char *why)
{
    const char *wrong = check_url(u->url);
    struct plain *p;

    if (!wrong)
        wrong = check_section(u);
    if (wrong) {
        (void)snprintf(why, STORE_TEXT_MAX, "%s", wrong);
        return -EINVAL;
    }
    p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    /* No Expect header: with a server that does not know it, each upload waits for a second. */
    p->dialect = (struct dialect){
        .ops = &plain_ops,
        .identity = DIALECT_IDENTITY_NONE,
        .meta_prefix = "x-contrace-",
        .access_hint = "check the credentials, and that the server permits them PUT and GET there",
        .forgets_meta = true,
        .prefix = "",
        .conditional = u->if_none_match,
    };
    return dialect_made(copy_options(p, u), &p->dialect, NULL, ret, why);
}
