/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The dialect of Azure's Blob service: az://account/container/prefix. Block blobs are put in one
 * request (up to 5000 MiB), with the account's key, a shared access signature or a token of Entra
 * ID. Source: Azure Storage REST API: Put Blob, Get Blob Properties, Get Blob, List Blobs.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/segments.h"
#include "lib/net/credentials.h"
#include "lib/store/credential/sharedkey.h"
#include "lib/store/credential/sigv4.h"
#include "lib/store/dialect/bucket.h"
#include "lib/store/dialect/dialect.h"

#define SCHEME "az://"
#define API_VERSION "2021-12-02"
#define PATH_SIZE 4096     /* an encoded path */
#define NAME_SIZE_MAX 1024 /* of a blob */
#define QUERY_MAX 8
#define DATE_SIZE 32
#define PAGE_BLOBS "1000" /* of 5000 at most: a page must fit into XMLREPLY_LIST_MAX */

struct az {
    struct dialect dialect;
    char *account, *container, *prefix;
    char *origin; /* "https://account.blob.core.windows.net" */
    char *root;   /* the path of the container: "/container", "/account/container" */
    char *tier;
    char *account_key_file, *sas_token_file;
};

struct resource {
    struct buf path;   /* encoded */
    struct buf prefix; /* of a listing */
    struct sharedkey_pair query[QUERY_MAX];
    size_t n_query;
};

static void target_done(struct resource *t)
{
    buf_done(&t->path);
    buf_done(&t->prefix);
}

static void add_query(struct resource *t, const char *name, const char *value)
{
    t->query[t->n_query++] = (struct sharedkey_pair){name, value};
}

/* The protocol has no "after": every listing starts with the first key. */
static int aim_list(const struct az *a, const struct dialect_request *q, struct resource *t)
{
    int r = buf_addf(&t->prefix, "%s%s", a->prefix, q->key);

    add_query(t, "restype", "container");
    add_query(t, "comp", "list");
    add_query(t, "maxresults", PAGE_BLOBS);
    if (r == 0 && t->prefix.len > 0)
        add_query(t, "prefix", buf_str(&t->prefix));
    if (q->token)
        add_query(t, "marker", q->token);
    return r;
}

static int aim(const struct az *a, const struct dialect_request *q, struct resource *t)
{
    int r;

    *t = (struct resource){0};
    buf_init(&t->path, PATH_SIZE);
    buf_init(&t->prefix, PATH_SIZE);
    r = buf_adds(&t->path, a->root);
    if (r < 0 || q->verb == DIALECT_LIST)
        return r < 0 ? r : aim_list(a, q, t);
    if (strlen(a->prefix) + strlen(q->key) > NAME_SIZE_MAX)
        return -E2BIG;
    r = buf_adds(&t->path, "/");
    if (r == 0)
        r = sigv4_add_path(&t->path, a->prefix);
    return r < 0 ? r : sigv4_add_path(&t->path, q->key);
}

static int add_url(const struct az *a, const struct resource *t, struct buf *url)
{
    struct sigv4_pair query[QUERY_MAX];
    int r = buf_addf(url, "%s%s", a->origin, buf_str(&t->path));

    for (size_t i = 0; i < t->n_query; i++)
        query[i] = (struct sigv4_pair){t->query[i].name, t->query[i].value};
    if (r == 0 && t->n_query > 0)
        r = buf_adds(url, "?");
    return r < 0 ? r : sigv4_add_query(url, query, t->n_query);
}

/* As RFC 9110 prefers it, in English whatever the locale is. */
static void write_date(usec now, char out[static DATE_SIZE])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(now / USEC_PER_SEC);
    struct tm tm = {0};

    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(out, DATE_SIZE, "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
                   tm.tm_mday, months[tm.tm_mon % 12], 1900 + tm.tm_year, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
}

/* Metadata names must be C# identifiers: '-' becomes '_'. */
static int add_meta(const struct az *a, const struct store_meta *meta, struct message *m)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%s", meta->name);
    for (char *c = name; *c; c++) {
        if (*c == '-')
            *c = '_';
    }
    return message_add_meta(m, a->dialect.meta_prefix, name, meta->value);
}

static int add_object_headers(const struct az *a, const struct store_object *o, struct message *m)
{
    int r = message_add(m, "x-ms-blob-type", "BlockBlob");

    if (r == 0)
        r = message_add_if(m, "Content-Type", o->content_type);
    if (r == 0)
        r = message_add_if(m, "If-None-Match", a->dialect.conditional && !o->replace ? "*" : NULL);
    if (r == 0)
        r = message_add_if(m, "x-ms-access-tier", a->tier);
    for (size_t i = 0; i < o->n_meta && r == 0; i++)
        r = add_meta(a, &o->meta[i], m);
    return r;
}

static int add_headers(const struct az *a, const struct dialect_request *q, usec now,
                       struct message *m)
{
    char date[DATE_SIZE];
    int r;

    write_date(now, date);
    r = message_add(m, "x-ms-version", API_VERSION);
    if (r == 0)
        r = message_add(m, "x-ms-date", date);
    return r < 0 || q->verb != DIALECT_PUT ? r : add_object_headers(a, q->object, m);
}

static int sign(const struct az *a, const struct dialect_request *q, const struct resource *t,
                const char *key, struct message *m)
{
    struct sharedkey_pair headers[MESSAGE_HEADERS_MAX];
    const struct sharedkey_request request = {
        .method = m->method,
        .account = a->account,
        .path = buf_str(&t->path),
        .query = t->query,
        .n_query = t->n_query,
        .headers = headers,
        .n_headers = m->n_headers,
        .content_length = q->verb == DIALECT_PUT ? q->object->size : 0,
    };
    struct buf authorization;
    int r;

    for (size_t i = 0; i < m->n_headers; i++)
        headers[i] = (struct sharedkey_pair){m->headers[i].name, m->headers[i].value};
    buf_init(&authorization, 512);
    r = sharedkey_sign(&request, key, &authorization);
    if (r == 0)
        r = message_add(m, "Authorization", buf_str(&authorization));
    buf_wipe(&authorization);
    return r;
}

/* The SAS token is a query string, already encoded. */
static int add_sas(const struct resource *t, const char *token, struct buf *url)
{
    token += token[0] == '?';
    for (const char *c = token; *c; c++) {
        if (*c <= ' ' || *c >= 0x7f || *c == '#')
            return -EINVAL;
    }
    if (!strstr(token, "sig="))
        return -EINVAL;
    return buf_addf(url, "%s%s", t->n_query > 0 ? "&" : "?", token);
}

/* Read again for each request, so that a rotated secret is used from the next one on. */
static int authorize(const struct az *a, const struct dialect_request *q, const struct resource *t,
                     const struct secret_set *secrets, struct message *m, char *why)
{
    const char *path = a->sas_token_file ? a->sas_token_file : a->account_key_file;
    struct buf secret;
    int r;

    if (!path)
        return message_add_bearer(m, secrets->session_token);
    buf_init(&secret, CREDENTIALS_SECRET_MAX);
    r = credentials_read(path, &secret, why, STORE_TEXT_MAX);
    if (r == 0) {
        r = a->sas_token_file ? add_sas(t, buf_str(&secret), &m->url)
                              : sign(a, q, t, buf_str(&secret), m);
        if (r == -EINVAL)
            (void)snprintf(why, STORE_TEXT_MAX, "the file %s holds no %s", path,
                           a->sas_token_file ? "shared access signature: sv=…&sig=…"
                                             : "account key: one line of base64");
    }
    buf_wipe(&secret);
    return r;
}

static int az_compose(const struct dialect *d, const struct dialect_request *q,
                      const struct secret_set *secrets, usec now, struct message *ret, char *why)
{
    const struct az *a = (const struct az *)d;
    struct message m;
    struct resource t;
    int r;

    message_init(&m, dialect_method(q->verb));
    why[0] = '\0';
    r = aim(a, q, &t);
    if (r == 0)
        r = add_url(a, &t, &m.url);
    if (r == 0)
        r = add_headers(a, q, now, &m);
    if (r == 0)
        r = authorize(a, q, &t, secrets, &m, why);
    target_done(&t);
    return dialect_composed(r, &m, ret, why);
}

static bool lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static const char *check_account(const char *account)
{
    size_t n = strlen(account);

    for (const char *c = account; *c; c++) {
        if (!lower_or_digit(*c))
            return "url: an account's name has only lower-case letters and digits";
    }
    return n < 3 || n > 24 ? "url: an account's name has 3 to 24 letters" : NULL;
}

static const char *check_container(const char *container)
{
    size_t n = strlen(container);

    if (n < 3 || n > 63)
        return "url: must be az://account/container, the container's name with 3 to 63 letters";
    for (const char *c = container; *c; c++) {
        if (!lower_or_digit(*c) && *c != '-')
            return "url: a container's name has only lower-case letters, digits and hyphens";
    }
    if (container[0] == '-' || container[n - 1] == '-' || strstr(container, "--"))
        return "url: each hyphen of a container's name stands between letters or digits";
    return NULL;
}

static const char *check_prefix(const char *prefix)
{
    const char *wrong = bucket_check_prefix(prefix);

    return !wrong && strchr(prefix, '\\') ? "url: the prefix has no '\\'" : wrong;
}

static const char *check_endpoint(const char *endpoint)
{
    const char *host = strncmp(endpoint, "https://", 8) == 0 ? endpoint + 8
                     : strncmp(endpoint, "http://", 7) == 0  ? endpoint + 7
                                                             : NULL;

    if (!host)
        return "endpoint: must begin with https:// or http://";
    if (strcspn(host, ":/") == 0)
        return "endpoint: names no host";
    for (const char *c = host; *c; c++) {
        if (*c <= ' ' || *c >= 0x7f || strchr("?#@%\\", *c))
            return "endpoint: must be a host, or a host and a path";
    }
    return segments_check(strchrnul(host, '/'), false) != SEGMENTS_FINE
             ? "endpoint: its path has an empty part, `.` or `..`: write it without"
             : NULL;
}

static const char *check_section(const struct upload_config *u)
{
    if (strncmp(u->url, SCHEME, strlen(SCHEME)) != 0)
        return "url: must begin with az://";
    if (u->account_key_file && u->sas_token_file)
        return "account_key_file: account_key_file and sas_token_file exclude each other";
    for (const char *c = u->storage_class ? u->storage_class : ""; *c; c++) {
        if (!lower_or_digit((char)(*c | 0x20)))
            return "storage_class: must be an access tier: Hot, Cool, Cold or Archive";
    }
    return u->endpoint ? check_endpoint(u->endpoint) : NULL;
}

/* "az://account/container/prefix"; the prefix ends with '/' unless it is empty. */
static int split_url(struct az *a, const char *url, const char **ret_why)
{
    const char *account = url + strlen(SCHEME);
    const char *slash = strchrnul(account, '/');
    const char *container = *slash ? slash + 1 : slash;
    const char *end = strchrnul(container, '/');
    const char *prefix = *end ? end + 1 : end;
    size_t n = strlen(prefix);

    a->account = strndup(account, (size_t)(slash - account));
    a->container = strndup(container, (size_t)(end - container));
    if (asprintf(&a->prefix, "%s%s", prefix, n && prefix[n - 1] != '/' ? "/" : "") < 0)
        a->prefix = NULL;
    if (!a->account || !a->container || !a->prefix)
        return -ENOMEM;
    *ret_why = check_account(a->account);
    if (!*ret_why)
        *ret_why = check_container(a->container);
    if (!*ret_why)
        *ret_why = check_prefix(a->prefix);
    return *ret_why ? -EINVAL : 0;
}

/* The path's length without a slash at its end and the account's name, which is added later. */
static size_t root_len(const char *path, const char *account)
{
    size_t len = strlen(path), n = strlen(account);

    len -= len > 0 && path[len - 1] == '/';
    if (len > n && path[len - n - 1] == '/' && strncmp(path + len - n, account, n) == 0)
        len -= n + 1;
    return len;
}

/*
 * Azure's hosts are named after the account; where the host is not, as with emulators, the account
 * is a part of the path. Connection strings write it there, and so may the endpoint, behind what a
 * gateway has before it.
 */
static int set_endpoint(struct az *a, const char *endpoint, const char **ret_why)
{
    size_t n = strlen(a->account), len;
    const char *host, *path;
    bool named;

    if (!endpoint) {
        if (asprintf(&a->origin, "https://%s.blob.core.windows.net", a->account) < 0)
            a->origin = NULL;
        if (asprintf(&a->root, "/%s", a->container) < 0)
            a->root = NULL;
        return a->origin && a->root ? 0 : -ENOMEM;
    }
    host = strstr(endpoint, "://") + 3;
    path = strchrnul(host, '/');
    len = root_len(path, a->account);
    named = strncmp(host, a->account, n) == 0 && host[n] == '.';
    if (named && len + n < strlen(path)) {
        *ret_why = "endpoint: has the account's name twice, in its host and behind it";
        return -EINVAL;
    }
    a->origin = strndup(endpoint, (size_t)(path - endpoint));
    if (asprintf(&a->root, "%.*s%s%s/%s", (int)len, path, named ? "" : "/", named ? "" : a->account,
                 a->container) < 0)
        a->root = NULL;
    return a->origin && a->root ? 0 : -ENOMEM;
}

static int describe(struct az *a, const char *endpoint)
{
    size_t n = strlen(a->prefix);

    if (asprintf(&a->dialect.description, SCHEME "%s/%s%s%.*s%s%s%s", a->account, a->container,
                 n > 0 ? "/" : "", (int)(n > 0 ? n - 1 : 0), a->prefix, endpoint ? " (" : "",
                 endpoint ? endpoint : "", endpoint ? ")" : "") < 0) {
        a->dialect.description = NULL;
        return -ENOMEM;
    }
    a->dialect.prefix = a->prefix;
    return 0;
}

static void az_free(struct dialect *d)
{
    struct az *a = (struct az *)d;

    free(a->account);
    free(a->container);
    free(a->prefix);
    free(a->origin);
    free(a->root);
    free(a->tier);
    free(a->account_key_file);
    free(a->sas_token_file);
    free(a->dialect.description);
    free(a);
}

static const struct dialect_ops az_ops = {
    .compose = az_compose,
    .free = az_free,
};

static int fill(struct az *a, const struct upload_config *u, const char **ret_why)
{
    int r = split_url(a, u->url, ret_why);

    if (r == 0)
        r = set_endpoint(a, u->endpoint, ret_why);
    if (r == 0)
        r = dialect_copy(&a->tier, u->storage_class);
    if (r == 0)
        r = dialect_copy(&a->account_key_file, u->account_key_file);
    if (r == 0)
        r = dialect_copy(&a->sas_token_file, u->sas_token_file);
    return r < 0 ? r : describe(a, u->endpoint);
}

int az_dialect(const struct upload_config *u, struct dialect **ret, char *why)
{
    const char *wrong = check_section(u);
    struct az *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return -ENOMEM;
    a->dialect = (struct dialect){
        .ops = &az_ops,
        .identity = u->account_key_file || u->sas_token_file ? DIALECT_IDENTITY_NONE
                                                             : DIALECT_IDENTITY_AZURE,
        .meta_prefix = "x-ms-meta-",
        .access_hint = "check the credentials, and that they permit it (the role Storage Blob Data "
                       "Contributor, or a SAS for create, write, read and list)",
        .lists = true,
        .conditional = u->if_none_match,
        .expect_continue = true,
    };
    r = wrong ? -EINVAL : fill(a, u, &wrong);
    return dialect_made(r, &a->dialect, wrong, ret, why);
}
