/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The dialect of Google Cloud Storage, by its XML API. With HMAC keys requests are those of S3,
 * whose signatures and x-amz- headers Google accepts. With an OAuth token their headers are x-goog-
 * ones. One request must not have both kinds. Source: Google Cloud Storage, XML API reference;
 * "Simple migration from Amazon S3".
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/credential/sigv4.h"
#include "lib/store/dialect/bucket.h"
#include "lib/store/dialect/dialect.h"

#define SCHEME "gs://"
#define ENDPOINT "https://storage.googleapis.com"
#define REGION "auto" /* is signed, but has no meaning for Google */
#define QUERY_MAX 6
#define TEXT_MAX 2048
#define PAGE_KEYS "1000"

struct gs {
    struct dialect dialect;
    struct bucket bucket;
    char *storage_class;
};

static int add_list_query(const struct gs *g, const struct dialect_request *q, struct buf *url)
{
    struct sigv4_pair query[QUERY_MAX] = {
        {"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", PAGE_KEYS}};
    struct buf prefix, after;
    size_t n = 3;
    int r;

    buf_init(&prefix, TEXT_MAX);
    buf_init(&after, TEXT_MAX);
    r = buf_addf(&prefix, "%s%s", g->bucket.prefix, q->key);
    if (r == 0 && q->after && q->after[0])
        r = buf_addf(&after, "%s%s", g->bucket.prefix, q->after);
    if (prefix.len > 0)
        query[n++] = (struct sigv4_pair){"prefix", buf_str(&prefix)};
    if (q->token)
        query[n++] = (struct sigv4_pair){"continuation-token", q->token};
    else if (after.len > 0)
        query[n++] = (struct sigv4_pair){"start-after", buf_str(&after)};
    if (r == 0)
        r = buf_adds(url, "?");
    if (r == 0)
        r = sigv4_add_query(url, query, n);
    buf_done(&prefix);
    buf_done(&after);
    return r;
}

static int add_url(const struct gs *g, const struct dialect_request *q, struct buf *url)
{
    int r;

    if (q->verb != DIALECT_LIST)
        return bucket_add_url(&g->bucket, q->key, url);
    r = buf_addf(url, "%s://%s", g->bucket.https ? "https" : "http", g->bucket.host);
    if (r == 0)
        r = bucket_add_own_path(&g->bucket, url);
    return r < 0 ? r : add_list_query(g, q, url);
}

static int add_object_headers(const struct gs *g, const struct store_object *o, struct message *m)
{
    int r = message_add_if(m, "Content-Type", o->content_type);

    /* Generation 0: there is no such object. */
    if (r == 0)
        r = message_add_if(m, "x-goog-if-generation-match",
                           g->dialect.conditional && !o->replace ? "0" : NULL);
    if (r == 0)
        r = message_add_if(m, "x-goog-storage-class", g->storage_class);
    for (size_t i = 0; i < o->n_meta && r == 0; i++)
        r = message_add_meta(m, g->dialect.meta_prefix, o->meta[i].name, o->meta[i].value);
    return r;
}

static int gs_compose(const struct dialect *d, const struct dialect_request *q,
                      const struct secret_set *secrets, usec now, struct message *ret, char *why)
{
    const struct gs *g = (const struct gs *)d;
    struct message m;
    int r;

    (void)now;
    message_init(&m, dialect_method(q->verb));
    why[0] = '\0';
    r = add_url(g, q, &m.url);
    if (r == 0 && q->verb == DIALECT_PUT)
        r = add_object_headers(g, q->object, &m);
    if (r == 0)
        r = message_add_bearer(&m, secrets->session_token);
    return dialect_composed(r, &m, ret, why);
}

static void gs_free(struct dialect *d)
{
    struct gs *g = (struct gs *)d;

    bucket_done(&g->bucket);
    free(g->storage_class);
    free(g->dialect.description);
    free(g);
}

static const struct dialect_ops gs_ops = {
    .compose = gs_compose,
    .free = gs_free,
};

/* Sets the description, also in place of the one that S3's dialect made. */
static int describe(struct dialect *d, const struct upload_config *u)
{
    size_t n = strlen(u->url);
    char *text;

    n -= u->url[n - 1] == '/';
    if (asprintf(&text, "%.*s%s%s%s", (int)n, u->url, u->endpoint ? " (" : "",
                 u->endpoint ? u->endpoint : "", u->endpoint ? ")" : "") < 0)
        return -ENOMEM;
    free(d->description);
    d->description = text;
    return 0;
}

/* S3's dialect with Google's endpoint. */
static int with_keys(const struct upload_config *u, char *url, struct dialect **ret, char *why)
{
    struct upload_config s3 = *u;
    char region[] = REGION, endpoint[] = ENDPOINT;
    struct dialect *d;
    int r;

    s3.url = url;
    s3.region = region;
    s3.addressing = UPLOAD_ADDRESSING_PATH;
    s3.checksum = false; /* Google refuses its header: ExcessHeaderValues */
    if (!u->endpoint)
        s3.endpoint = endpoint;
    r = s3_compatible(&s3, &d, why);
    if (r < 0)
        return r;
    r = describe(d, u);
    if (r < 0)
        d->ops->free(d);
    else
        *ret = d;
    return r;
}

static int with_token(const struct upload_config *u, const char *url, struct dialect **ret,
                      char *why)
{
    const struct bucket_options o = {
        .url = url,
        .endpoint = u->endpoint ? u->endpoint : ENDPOINT,
        .region = REGION,
        .style = BUCKET_STYLE_PATH,
    };
    const char *wrong = NULL;
    struct gs *g = calloc(1, sizeof(*g));
    int r;

    if (!g)
        return -ENOMEM;
    r = bucket_init(&g->bucket, &o, &wrong);
    g->dialect = (struct dialect){
        .ops = &gs_ops,
        .identity = DIALECT_IDENTITY_GOOGLE,
        .meta_prefix = "x-goog-meta-",
        .access_hint = "check the credentials, and that they permit it "
                       "(storage.objects.create; to read, .get and .list)",
        .prefix = g->bucket.prefix,
        .lists = true,
        .conditional = u->if_none_match,
        .expect_continue = true,
    };
    if (r == 0)
        r = dialect_copy(&g->storage_class, u->storage_class);
    if (r == 0)
        r = describe(&g->dialect, u);
    return dialect_made(r, &g->dialect, wrong, ret, why);
}

static const char *check_section(const struct upload_config *u)
{
    if (strncmp(u->url, SCHEME, strlen(SCHEME)) != 0)
        return "url: must begin with gs://";
    if (u->session_token_file)
        return "session_token_file: HMAC keys have no session token";
    if (u->credentials_file && u->access_key_file)
        return "credentials_file: excludes access_key_file and secret_key_file";
    if (u->if_none_match && u->access_key_file)
        return "if_none_match: has an effect at gs:// with workload identity only, not with HMAC "
               "keys";
    return NULL;
}

int gs_dialect(const struct upload_config *u, struct dialect **ret, char *why)
{
    const char *wrong = check_section(u);
    char *url;
    int r;

    if (wrong) {
        (void)snprintf(why, STORE_TEXT_MAX, "%s", wrong);
        return -EINVAL;
    }
    if (asprintf(&url, "s3://%s", u->url + strlen(SCHEME)) < 0)
        return -ENOMEM;
    r = u->access_key_file || u->secret_key_file ? with_keys(u, url, ret, why)
                                                 : with_token(u, url, ret, why);
    free(url);
    return r;
}
