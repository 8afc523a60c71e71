/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/dialect/bucket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/net/origin.h"
#include "base/segments.h"
#include "lib/store/credential/partition.h"
#include "lib/store/credential/sigv4.h"

#define DEFAULT_REGION "us-east-1"
#define NAME_MAX_AMAZON 63
#define NAME_MAX_OTHERS 255
#define PREFIX_MAX 512 /* a key has up to 280 bytes, an object's name up to 1024 */
#define OBJECT_MAX 1024

static bool lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool name_byte(char c, bool amazon)
{
    return lower_or_digit(c) || c == '.' || c == '-' ||
           (!amazon && ((c >= 'A' && c <= 'Z') || c == '_'));
}

/* Checks by Amazon's rules, or by laxer ones for other servers. */
static const char *check_name(const char *name, bool amazon)
{
    size_t n = strlen(name);

    if (n < (amazon ? 3u : 1u) || n > (amazon ? NAME_MAX_AMAZON : NAME_MAX_OTHERS))
        return "url: the bucket's name must have 3 to 63 letters";
    for (const char *p = name; *p; p++) {
        if (!name_byte(*p, amazon))
            return "url: a bucket's name has only lower-case letters, digits, dots and hyphens";
    }
    if (amazon && (!lower_or_digit(name[0]) || !lower_or_digit(name[n - 1])))
        return "url: a bucket's name begins and ends with a letter or a digit";
    return strstr(name, "..") ? "url: a bucket's name has no two dots in a row" : NULL;
}

const char *bucket_check_prefix(const char *prefix)
{
    enum segments s = segments_check(prefix, false);

    if (strlen(prefix) > PREFIX_MAX)
        return "url: the prefix is longer than 512 bytes";
    if (prefix[0] == '/' || s == SEGMENTS_EMPTY)
        return "url: the prefix has an empty part: two slashes in a row";
    if (s == SEGMENTS_DOTS)
        return "url: the prefix has a part `.` or `..`, which servers take for another place: "
               "write it without";
    for (const char *p = prefix; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return "url: the prefix has a control character";
        if (*p == '?' || *p == '#')
            return "url: no query and no fragment can stand behind the prefix";
    }
    return NULL;
}

/* "s3://name/prefix" into its two parts; the prefix ends with '/' unless it is empty. */
static int split_url(struct bucket *b, const char *url, bool amazon, const char **ret_why)
{
    const char *name = url + strlen("s3://"), *slash, *prefix;
    size_t n;

    if (strncmp(url, "s3://", strlen("s3://")) != 0) {
        *ret_why = "url: must begin with s3://";
        return -EINVAL;
    }
    slash = strchrnul(name, '/');
    prefix = *slash ? slash + 1 : slash;
    n = strlen(prefix);
    b->name = strndup(name, (size_t)(slash - name));
    if (!b->name || asprintf(&b->prefix, "%s%s", prefix, n && prefix[n - 1] != '/' ? "/" : "") < 0)
        return -ENOMEM;
    *ret_why = check_name(b->name, amazon);
    if (!*ret_why)
        *ret_why = bucket_check_prefix(b->prefix);
    return *ret_why ? -EINVAL : 0;
}

/* Characters that every server treats alike, encoded or not. */
static const char *check_root(const char *path)
{
    for (const char *p = path; *p; p++) {
        if (*p == '?' || *p == '#')
            return "endpoint: must have no query and no fragment";
        if (!lower_or_digit((char)(*p | 0x20)) && !strchr("/-._~", *p))
            return "endpoint: its path has only letters, digits and - . _ ~";
    }
    return segments_check(path, false) != SEGMENTS_FINE
             ? "endpoint: its path has an empty part, `.` or `..`: write it without"
             : NULL;
}

/* The reason why origin_parse refuses a URL. */
static const char *check_endpoint_host(const char *endpoint)
{
    const char *host = strstr(endpoint, "://");
    size_t n;

    if (!host || (strncmp(endpoint, "https://", 8) != 0 && strncmp(endpoint, "http://", 7) != 0))
        return "endpoint: must begin with https:// or http://";
    host += 3;
    n = strcspn(host, "/?#");
    if (memchr(host, '@', n))
        return "endpoint: must not hold a user or a password";
    for (size_t i = 0; i < n; i++) {
        if (host[i] <= ' ' || host[i] >= 0x7f)
            return "endpoint: has a blank or a letter outside ASCII";
    }
    return n == 0 || host[0] == ':' ? "endpoint: names no host" : "endpoint: has no port like this";
}

static int use_endpoint(struct bucket *b, const char *endpoint, char **ret_host,
                        const char **ret_why)
{
    char name[ORIGIN_NAME_SIZE];
    struct origin o;
    int n = origin_parse(endpoint, &o);
    size_t len;

    *ret_why = n < 0 ? check_endpoint_host(endpoint) : check_root(endpoint + n);
    if (*ret_why)
        return -EINVAL;
    len = strlen(endpoint + n);
    len -= len > 0 && endpoint[(size_t)n + len - 1] == '/';
    origin_name(&o, name);
    b->https = o.https;
    b->root = strndup(endpoint + n, len);
    *ret_host = strdup(name);
    return b->root && *ret_host ? 0 : -ENOMEM;
}

static int use_amazon(struct bucket *b, unsigned wishes, char **ret_host, const char **ret_why)
{
    char name[PARTITION_HOST_SIZE];
    int r = partition_s3_host(b->region, wishes, name);

    if (r < 0) {
        *ret_why = r == -EOPNOTSUPP ? "region: has no FIPS endpoint of S3: unset "
                                      "AWS_USE_FIPS_ENDPOINT"
                                    : "region: is not a name of a region, as in eu-west-1";
        return -EINVAL;
    }
    b->https = true;
    b->root = strdup("");
    *ret_host = strdup(name);
    return b->root && *ret_host ? 0 : -ENOMEM;
}

static const char *check_region(const char *region)
{
    for (const char *p = region; *p; p++) {
        if (!lower_or_digit(*p) && *p != '-')
            return "region: has only lower-case letters, digits and hyphens, as in eu-west-1";
    }
    return region[0] ? NULL : "region: is empty";
}

/* A wildcard certificate does not match a bucket name with a dot. */
static bool path_style(const struct bucket *b, const struct bucket_options *o)
{
    if (o->style == BUCKET_STYLE_AUTO)
        return o->endpoint || strchr(b->name, '.');
    return o->style == BUCKET_STYLE_PATH;
}

static bool is_address(const char *host)
{
    return host[0] == '[' || !host[strspn(host, "0123456789.:")];
}

/* Whether a path such as "/s3/traces" ends with the bucket "traces". */
static bool ends_with_part(const char *path, const char *name)
{
    const char *last = strrchr(path, '/');

    return last && strcmp(last + 1, name) == 0;
}

static int compose(struct bucket *b, const struct bucket_options *o, const char *host,
                   const char **ret_why)
{
    bool path = path_style(b, o);
    int r;

    if (path && ends_with_part(b->root, b->name)) {
        *ret_why = "endpoint: ends with the bucket's name, which url has already: write it without";
        return -EINVAL;
    }
    if (!path && is_address(host)) {
        *ret_why = "endpoint: virtual-hosted addressing needs a name, not an address";
        return -EINVAL;
    }
    r = path ? asprintf(&b->host, "%s", host) : asprintf(&b->host, "%s.%s", b->name, host);

    if (r < 0) {
        b->host = NULL;
        return -ENOMEM;
    }
    r = path ? asprintf(&b->base, "%s/%s/%s", b->root, b->name, b->prefix)
             : asprintf(&b->base, "%s/%s", b->root, b->prefix);
    if (r < 0) {
        b->base = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int build(struct bucket *b, const struct bucket_options *o, const char **ret_why)
{
    _cleanup_free_ char *host = NULL;
    int r;

    r = split_url(b, o->url, !o->endpoint, ret_why);
    if (r < 0)
        return r;
    b->region = strdup(o->region ? o->region : DEFAULT_REGION);
    if (!b->region)
        return -ENOMEM;
    *ret_why = check_region(b->region);
    if (*ret_why)
        return -EINVAL;
    r = o->endpoint ? use_endpoint(b, o->endpoint, &host, ret_why)
                    : use_amazon(b, o->wishes, &host, ret_why);
    return r < 0 ? r : compose(b, o, host, ret_why);
}

int bucket_init(struct bucket *b, const struct bucket_options *o, const char **ret_why)
{
    struct bucket fresh = {0};
    int r = build(&fresh, o, ret_why);

    if (r < 0)
        bucket_done(&fresh);
    else
        *b = fresh;
    return r;
}

void bucket_done(struct bucket *b)
{
    free(b->host);
    free(b->root);
    free(b->base);
    free(b->region);
    free(b->name);
    free(b->prefix);
    *b = (struct bucket){0};
}

int bucket_add_path(const struct bucket *b, const char *key, struct buf *out)
{
    if (strlen(b->prefix) + strlen(key) > OBJECT_MAX)
        return -E2BIG;
    return buf_addf(out, "%s%s", b->base, key);
}

int bucket_add_own_path(const struct bucket *b, struct buf *out)
{
    size_t n = strlen(b->base) - strlen(b->prefix), least = strlen(b->root) + 1;

    return buf_add(out, b->base, n > least ? n - 1 : n);
}

int bucket_add_url(const struct bucket *b, const char *key, struct buf *out)
{
    struct buf path;
    int r;

    buf_init(&path, 2 * OBJECT_MAX);
    r = bucket_add_path(b, key, &path);
    if (r == 0)
        r = buf_addf(out, "%s://%s", b->https ? "https" : "http", b->host);
    if (r == 0)
        r = sigv4_add_path(out, buf_str(&path));
    buf_done(&path);
    return r;
}
