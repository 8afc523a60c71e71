/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The dialect of Amazon S3 and compatible stores. All headers are signed, with the hash of the
 * bytes that are sent. Source: Amazon S3 API Reference: PutObject, HeadObject, GetObject,
 * ListObjectsV2.
 */

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "lib/store/credential/sigv4.h"
#include "lib/store/dialect/bucket.h"
#include "lib/store/dialect/dialect.h"
#include "lib/store/identity/s3settings.h"

#define PATH_MAX_ 2048   /* bytes of an object's path: the prefix and the key are bounded, too */
#define TAGGING_MAX 8192 /* bytes of all tags, encoded */
#define PAGE_KEYS "1000" /* what S3 gives at most */
#define SHA256_BYTES 32
#define QUERY_MAX 6

struct s3 {
    struct dialect dialect;
    struct bucket bucket;
    char *url, *endpoint;
    enum bucket_style style;
    unsigned wishes; /* PARTITION_…, of Amazon's hosts */
    char *storage_class, *sse, *sse_kms_key_id, *acl;
    char *sse_context; /* base64 of its JSON; NULL: none */
    bool requester_pays;
    char *tagging; /* NULL: no tags */
};

/* Query and path of a request. */
struct resource {
    struct buf path;
    struct buf prefix, after; /* of a listing */
    struct sigv4_pair query[QUERY_MAX];
    size_t n_query;
};

static void add_query(struct resource *t, const char *name, const char *value)
{
    t->query[t->n_query++] = (struct sigv4_pair){name, value};
}

static int aim_list(const struct s3 *s, const struct dialect_request *q, struct resource *t)
{
    int r = bucket_add_own_path(&s->bucket, &t->path);

    if (r == 0)
        r = buf_addf(&t->prefix, "%s%s", s->bucket.prefix, q->key);
    if (r == 0 && q->after && q->after[0])
        r = buf_addf(&t->after, "%s%s", s->bucket.prefix, q->after);
    if (r < 0)
        return r;
    add_query(t, "list-type", "2");
    add_query(t, "encoding-type", "url");
    add_query(t, "max-keys", PAGE_KEYS);
    if (t->prefix.len > 0)
        add_query(t, "prefix", buf_str(&t->prefix));
    if (q->token)
        add_query(t, "continuation-token", q->token);
    else if (t->after.len > 0)
        add_query(t, "start-after", buf_str(&t->after));
    return 0;
}

static int aim(const struct s3 *s, const struct dialect_request *q, struct resource *t)
{
    *t = (struct resource){0};
    buf_init(&t->path, PATH_MAX_);
    buf_init(&t->prefix, PATH_MAX_);
    buf_init(&t->after, PATH_MAX_);
    return q->verb == DIALECT_LIST ? aim_list(s, q, t)
                                   : bucket_add_path(&s->bucket, q->key, &t->path);
}

static void target_done(struct resource *t)
{
    buf_done(&t->path);
    buf_done(&t->prefix);
    buf_done(&t->after);
}

static int add_url(const struct s3 *s, const struct resource *t, struct buf *url)
{
    int r = buf_addf(url, "%s://%s", s->bucket.https ? "https" : "http", s->bucket.host);

    if (r == 0)
        r = sigv4_add_path(url, buf_str(&t->path));
    if (r == 0 && t->n_query > 0)
        r = buf_adds(url, "?");
    return r < 0 ? r : sigv4_add_query(url, t->query, t->n_query);
}

/*
 * The hash again, in base64: buckets with a default retention, and some policies, demand this
 * header and ignore x-amz-content-sha256. The algorithm's name is sent with it, as by Amazon's own
 * clients; moto reads only that.
 */
static int add_checksum(const char *sha256, struct message *m)
{
    unsigned char bytes[SHA256_BYTES];
    char text[4 * ((SHA256_BYTES + 2) / 3) + 1];
    int r;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (sscanf(sha256 + 2 * i, "%2hhx", &bytes[i]) != 1)
            return -EINVAL;
    }
    (void)EVP_EncodeBlock((unsigned char *)text, bytes, sizeof(bytes));
    r = message_add(m, "x-amz-checksum-sha256", text);
    return r < 0 ? r : message_add(m, "x-amz-sdk-checksum-algorithm", "SHA256");
}

static int add_object_headers(const struct s3 *s, const struct store_object *o, struct message *m)
{
    int r = message_add_if(m, "Content-Type", o->content_type);

    if (r == 0)
        r = message_add_if(m, "If-None-Match", s->dialect.conditional && !o->replace ? "*" : NULL);
    if (r == 0)
        r = message_add_if(m, "x-amz-storage-class", s->storage_class);
    if (r == 0)
        r = message_add_if(m, "x-amz-server-side-encryption", s->sse);
    if (r == 0)
        r = message_add_if(m, "x-amz-server-side-encryption-aws-kms-key-id", s->sse_kms_key_id);
    if (r == 0)
        r = message_add_if(m, "x-amz-server-side-encryption-context", s->sse_context);
    if (r == 0)
        r = message_add_if(m, "x-amz-acl", s->acl);
    if (r == 0)
        r = message_add_if(m, "x-amz-tagging", s->tagging);
    for (size_t i = 0; i < o->n_meta && r == 0; i++)
        r = message_add_meta(m, s->dialect.meta_prefix, o->meta[i].name, o->meta[i].value);
    return r;
}

/* Signs all headers so far, and then adds those of the signature. */
static int sign(const struct s3 *s, const struct resource *t, const struct secret_set *secrets,
                const char *sha256, usec now, struct message *m)
{
    struct sigv4_pair signed_headers[MESSAGE_HEADERS_MAX];
    const struct sigv4_credentials credentials = {
        .access_key = secrets->access_key,
        .secret_key = secrets->secret_key,
        .session_token = secrets->session_token,
    };
    struct sigv4_request q = {
        .method = m->method,
        .host = s->bucket.host,
        .path = buf_str(&t->path),
        .query = t->query,
        .n_query = t->n_query,
        .headers = signed_headers,
        .n_headers = m->n_headers,
        .payload_sha256 = sha256,
        .region = s->bucket.region,
        .service = "s3",
        .time = now,
    };
    struct sigv4_signature signature;
    int r;

    for (size_t i = 0; i < m->n_headers; i++)
        signed_headers[i] = (struct sigv4_pair){m->headers[i].name, m->headers[i].value};
    r = sigv4_sign(&q, &credentials, &signature);
    if (r < 0)
        return r;
    r = message_add(m, "x-amz-date", signature.date);
    if (r == 0)
        r = message_add(m, "x-amz-content-sha256", sha256);
    if (r == 0)
        r = message_add_if(m, "x-amz-security-token", secrets->session_token);
    if (r == 0)
        r = message_add(m, "Authorization", buf_str(&signature.authorization));
    sigv4_signature_done(&signature);
    return r;
}

static int s3_compose(const struct dialect *d, const struct dialect_request *q,
                      const struct secret_set *secrets, usec now, struct message *ret, char *why)
{
    const struct s3 *s = (const struct s3 *)d;
    const char *sha256 = q->verb == DIALECT_PUT ? q->object->sha256 : SIGV4_EMPTY_SHA256;
    struct message m;
    struct resource t;
    int r;

    message_init(&m, dialect_method(q->verb));
    r = aim(s, q, &t);
    if (r == 0)
        r = add_url(s, &t, &m.url);
    if (r == 0 && q->verb == DIALECT_PUT)
        r = add_object_headers(s, q->object, &m);
    if (r == 0 && q->checksum)
        r = add_checksum(sha256, &m);
    if (r == 0 && s->requester_pays)
        r = message_add(&m, "x-amz-request-payer", "requester");
    if (r == 0)
        r = sign(s, &t, secrets, sha256, now, &m);
    target_done(&t);
    if (r < 0) {
        message_done(&m);
        (void)snprintf(why, STORE_TEXT_MAX, "the request cannot be signed: %s", strerror(-r));
        return r;
    }
    *ret = m;
    return 0;
}

static int set_bucket(struct s3 *s, const char *region, const char **ret_why)
{
    const struct bucket_options o = {
        .url = s->url,
        .endpoint = s->endpoint,
        .region = region,
        .style = s->style,
        .wishes = s->wishes,
    };
    struct bucket b;
    int r = bucket_init(&b, &o, ret_why);

    if (r < 0)
        return r;
    bucket_done(&s->bucket);
    s->bucket = b;
    s->dialect.region = s->bucket.region;
    s->dialect.prefix = s->bucket.prefix;
    return 0;
}

/* Checks the region's name and builds the host from it. A host that the store names is never
 * used. */
static int s3_move(struct dialect *d, const char *region)
{
    const char *why;

    return set_bucket((struct s3 *)d, region, &why);
}

static int add_tags(struct s3 *s, const struct upload_config *u)
{
    struct sigv4_pair *pairs = calloc(u->n_tags + 1, sizeof(*pairs));
    struct buf text;
    int r;

    if (!pairs)
        return -ENOMEM;
    for (size_t i = 0; i < u->n_tags; i++)
        pairs[i] = (struct sigv4_pair){u->tags[i].name, u->tags[i].value};
    buf_init(&text, TAGGING_MAX);
    r = sigv4_add_query(&text, pairs, u->n_tags);
    if (r == 0 && u->n_tags > 0) {
        s->tagging = strdup(buf_str(&text));
        r = s->tagging ? 0 : -ENOMEM;
    }
    buf_done(&text);
    free(pairs);
    return r;
}

/* JSON of texts alone, in base64, as the header has it. */
static int add_context(struct s3 *s, const struct upload_config *u)
{
    json_t *object = json_object();
    char *text = NULL;
    size_t n;
    int r = object ? 0 : -ENOMEM;

    for (size_t i = 0; i < u->n_sse_context && r == 0; i++)
        r = json_object_set_new(object, u->sse_context[i].name,
                                json_string(u->sse_context[i].value));
    if (r == 0)
        text = jsontext_print(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    n = text ? strlen(text) : 0;
    s->sse_context = text ? malloc(4 * ((n + 2) / 3) + 1) : NULL;
    if (s->sse_context)
        (void)EVP_EncodeBlock((unsigned char *)s->sse_context, (unsigned char *)text, (int)n);
    free(text);
    json_decref(object);
    return s->sse_context ? 0 : -ENOMEM;
}

static int copy_options(struct s3 *s, const struct upload_config *u)
{
    if (dialect_copy(&s->url, u->url) < 0 || dialect_copy(&s->endpoint, u->endpoint) < 0 ||
        dialect_copy(&s->storage_class, u->storage_class) < 0 ||
        dialect_copy(&s->sse, u->sse) < 0 ||
        dialect_copy(&s->sse_kms_key_id, u->sse_kms_key_id) < 0 ||
        dialect_copy(&s->acl, u->acl) < 0 || (u->n_sse_context > 0 && add_context(s, u) < 0))
        return -ENOMEM;
    s->requester_pays = u->requester_pays;
    switch (u->addressing) {
    case UPLOAD_ADDRESSING_PATH: s->style = BUCKET_STYLE_PATH; break;
    case UPLOAD_ADDRESSING_VIRTUAL: s->style = BUCKET_STYLE_VIRTUAL; break;
    case UPLOAD_ADDRESSING_AUTO: s->style = BUCKET_STYLE_AUTO; break;
    }
    return add_tags(s, u);
}

static const char *check_section(const struct upload_config *u)
{
    if (u->sse_context && (!u->sse || strncmp(u->sse, "aws:kms", 7) != 0))
        return "sse_kms_context: needs server_side_encryption: aws:kms";
    if (u->sse && strcmp(u->sse, "AES256") != 0 && strncmp(u->sse, "aws:kms", 7) != 0)
        return "server_side_encryption: must be AES256 or aws:kms";
    if (u->sse_kms_key_id && (!u->sse || strncmp(u->sse, "aws:kms", 7) != 0))
        return "sse_kms_key_id: needs server_side_encryption: aws:kms";
    if (!u->access_key_file != !u->secret_key_file)
        return "access_key_file: access_key_file and secret_key_file go together";
    if (u->session_token_file && !u->access_key_file)
        return "session_token_file: needs access_key_file and secret_key_file";
    return NULL;
}

static int describe(struct s3 *s)
{
    const struct bucket *b = &s->bucket;
    size_t n = strlen(b->prefix);
    int r = asprintf(&s->dialect.description, "s3://%s%s%.*s (%s%s%s)", b->name, n > 0 ? "/" : "",
                     (int)(n > 0 ? n - 1 : 0), b->prefix, b->region, s->endpoint ? ", " : "",
                     s->endpoint ? s->endpoint : "");

    if (r >= 0)
        return 0;
    s->dialect.description = NULL;
    return -ENOMEM;
}

static void s3_free(struct dialect *d)
{
    struct s3 *s = (struct s3 *)d;

    bucket_done(&s->bucket);
    free(s->url);
    free(s->endpoint);
    free(s->storage_class);
    free(s->sse);
    free(s->sse_kms_key_id);
    free(s->sse_context);
    free(s->acl);
    free(s->tagging);
    free(s->dialect.ca_file);
    free(s->dialect.description);
    free(s);
}

static const struct dialect_ops s3_ops = {
    .compose = s3_compose,
    .move = s3_move,
    .free = s3_free,
};

static int make(const struct upload_config *u, const struct s3settings *settings,
                struct dialect **ret, char *why)
{
    const char *wrong = check_section(u);
    struct s3 *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->dialect = (struct dialect){
        .ops = &s3_ops,
        .identity = DIALECT_IDENTITY_AWS,
        .meta_prefix = "x-amz-meta-",
        .s3 = true,
        .lists = true,
        .conditional = u->if_none_match,
        .expect_continue = true,
        .checksum = u->checksum,
    };
    r = wrong ? -EINVAL : copy_options(s, u);
    if (r == 0)
        r = dialect_copy(&s->dialect.ca_file, settings->ca_file[0] ? settings->ca_file : NULL);
    s->wishes = settings->wishes;
    if (r == 0)
        r = set_bucket(s, u->region, &wrong);
    if (r == 0)
        r = describe(s);
    if (r < 0) {
        bool region = wrong && settings->region[0] && u->region == settings->region &&
                      strncmp(wrong, "region: ", 8) == 0;

        if (wrong)
            (void)snprintf(why, STORE_TEXT_MAX, "%s%s%s", region ? settings->region_from : "",
                           region ? ": " : "", region ? wrong + 8 : wrong);
        s3_free(&s->dialect);
        return r;
    }
    *ret = &s->dialect;
    return 0;
}

int s3_compatible(const struct upload_config *u, struct dialect **ret, char *why)
{
    static const struct s3settings none;

    return make(u, &none, ret, why);
}

/* Settings that the section lacks come from where AWS's tools have them. */
int s3_dialect(const struct upload_config *u, struct dialect **ret, char *why)
{
    struct upload_config filled = *u;
    struct s3settings settings;
    int r = s3settings_load(u, &settings, why, STORE_TEXT_MAX);

    if (r < 0)
        return r == -ENOMEM ? r : -EINVAL;
    if (!u->endpoint && settings.endpoint[0])
        filled.endpoint = settings.endpoint;
    if (!u->region && settings.region[0])
        filled.region = settings.region;
    filled.addressing = settings.addressing;
    return make(&filled, &settings, ret, why);
}
