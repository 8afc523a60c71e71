/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/upload_url.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/segments.h"
#include "lib/config/address.h"
#include "lib/yaml/text.h"

#define SCHEME_MAX 16 /* length of a scheme for which a hint is looked up */

static const struct scheme {
    enum upload_scheme scheme;
    const char *name;
} schemes[] = {
    {UPLOAD_S3, "s3://"},       {UPLOAD_GS, "gs://"},     {UPLOAD_AZ, "az://"},
    {UPLOAD_HTTPS, "https://"}, {UPLOAD_HTTP, "http://"}, {UPLOAD_FILE, "file://"},
};

/* Names that other programs use for these stores. */
static const struct synonym {
    const char *name, *hint;
} synonyms[] = {
    {"s3a", "write s3://BUCKET/PREFIX"},
    {"s3n", "write s3://BUCKET/PREFIX"},
    {"aws", "write s3://BUCKET/PREFIX"},
    {"arn", "write s3://BUCKET/PREFIX"},
    {"minio", "write s3://BUCKET/PREFIX, and the server as `endpoint`"},
    {"ceph", "write s3://BUCKET/PREFIX, and the server as `endpoint`"},
    {"r2", "write s3://BUCKET/PREFIX, and the server as `endpoint`"},
    {"gcs", "write gs://BUCKET/PREFIX"},
    {"gcp", "write gs://BUCKET/PREFIX"},
    {"azure", "write az://ACCOUNT/CONTAINER/PREFIX"},
    {"azblob", "write az://ACCOUNT/CONTAINER/PREFIX"},
    {"abfs", "write az://ACCOUNT/CONTAINER/PREFIX"},
    {"abfss", "write az://ACCOUNT/CONTAINER/PREFIX"},
    {"wasb", "write az://ACCOUNT/CONTAINER/PREFIX"},
    {"wasbs", "write az://ACCOUNT/CONTAINER/PREFIX"},
    {"dav", "write http://HOST/PATH/"},
    {"webdav", "write http://HOST/PATH/"},
    {"davs", "write https://HOST/PATH/"},
    {"webdavs", "write https://HOST/PATH/"},
};

/* Hosts that refuse a plain PUT, as it is not signed. */
static const struct synonym signing_hosts[] = {
    {".amazonaws.com", "is Amazon's S3, which takes signed requests: write s3://BUCKET/PREFIX"},
    {".amazonaws.eu", "is Amazon's S3, which takes signed requests: write s3://BUCKET/PREFIX"},
    {".c2s.ic.gov", "is Amazon's S3, which takes signed requests: write s3://BUCKET/PREFIX"},
    {".sc2s.sgov.gov", "is Amazon's S3, which takes signed requests: write s3://BUCKET/PREFIX"},
    {".amazonaws.com.cn", "is Amazon's S3, which takes signed requests: write s3://BUCKET/PREFIX"},
    {".googleapis.com", "is Google's storage, which takes signed requests: write "
                        "gs://BUCKET/PREFIX"},
    {".blob.core.windows.net", "is Azure's storage, which takes signed requests: write "
                               "az://ACCOUNT/CONTAINER/PREFIX"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum upload_scheme upload_url_scheme(const char *url)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (strncmp(url, schemes[i].name, strlen(schemes[i].name)) == 0)
            return schemes[i].scheme;
    }
    return 0;
}

const char *upload_scheme_name(enum upload_scheme scheme)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (schemes[i].scheme == scheme)
            return schemes[i].name;
    }
    return "";
}

/* The part after "://", or the whole text. */
static const char *behind_scheme(const char *url)
{
    const char *colon = strstr(url, "://");

    return colon ? colon + 3 : url;
}

/* Finds "user@" and "user:password@", also if the password has a slash: then the text after ':' is
 * no port. */
static bool has_user(const char *authority)
{
    size_t n = strcspn(authority, "/"), colon = strcspn(authority, ":");

    if (memchr(authority, '@', n))
        return true;
    if (colon >= n || authority[0] == '[')
        return false;
    return strspn(authority + colon + 1, "0123456789") < n - colon - 1 && strchr(authority, '@');
}

bool upload_url_has_secret(const char *url, const char **ret_why)
{
    enum upload_scheme scheme = upload_url_scheme(url);
    const char *authority = behind_scheme(url);
    bool query = strchr(authority, '?') != NULL;
    bool user = has_user(authority);

    /* A directory may have such a name. */
    if ((!query && !user) || scheme == UPLOAD_FILE || url[0] == '/')
        return false;
    if (scheme == UPLOAD_AZ)
        *ret_why = query ? "must not have a query: put the SAS token into a file of its own and "
                           "name that with `sas_token_file`"
                         : "must not have an @: write az://ACCOUNT/CONTAINER/PREFIX, and name the "
                           "key's file with `account_key_file`";
    else if (scheme == UPLOAD_HTTPS || scheme == UPLOAD_HTTP)
        *ret_why = query ? "must not have a query, which may be a secret: put a token into a file "
                           "of its own and name that with `credentials_file` in `authorization`"
                         : "must not have a user or a password: use `basic_auth`, and name the "
                           "password's file with `password_file`";
    else
        *ret_why = query ? "must not have a query, which may be a secret"
                         : "must not have a key or a password: put them into files of their own "
                           "and name these with `access_key_file` and `secret_key_file`";
    return true;
}

/* The URL as messages may show it, as it may contain a key. */
static const char *shown(const char *url)
{
    return text_word_may_be_secret(url) ? "(not shown)" : url;
}

__attribute__((format(printf, 2, 3))) static int say(char *why, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, UPLOAD_WHY_MAX, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

/* The hint for an unknown scheme; NULL: none. */
static const char *hint_of(const char *name)
{
    for (size_t i = 0; i < COUNT(synonyms); i++) {
        if (strcasecmp(synonyms[i].name, name) == 0)
            return synonyms[i].hint;
    }
    return NULL;
}

/* The known scheme that differs by one letter or by capitals. */
static const char *meant(const char *name)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        char known[SCHEME_MAX];

        (void)snprintf(known, sizeof(known), "%.*s", (int)strcspn(schemes[i].name, ":"),
                       schemes[i].name);
        if (strcasecmp(known, name) == 0 || (strlen(known) > 2 && text_distance(known, name) == 1))
            return schemes[i].name;
    }
    return NULL;
}

static int no_scheme(const char *url, char *why)
{
    char name[SCHEME_MAX] = "";
    size_t n = strcspn(url, ":");
    const char *hint = NULL, *scheme = NULL;

    if (url[n] && n > 0 && n < sizeof(name)) {
        (void)snprintf(name, sizeof(name), "%.*s", (int)n, url);
        hint = hint_of(name);
        scheme = meant(name);
    }
    if (url[0] == '/')
        return say(why, "`%.80s` is a path: write file://%.80s", shown(url), shown(url));
    if (scheme && strcmp(scheme, "file://") == 0)
        return say(why, "`%.80s`: a directory is written file:///DIR", shown(url));
    if (hint)
        return say(why, "`%.80s`: %s", shown(url), hint);
    if (scheme)
        return say(why, "`%.80s`: did you mean %s?", shown(url), scheme);
    return say(why,
               "`%.80s` names no kind of store: it begins with s3://, gs://, az://, https://, "
               "http:// or file://",
               shown(url));
}

/* http(s)://HOST… to its host. 0, -ENOMEM, or -EINVAL with a static text. */
static int parse_host(const char *url, struct address *ret, const char **ret_why)
{
    const char *host = behind_scheme(url);
    _cleanup_free_ char *text = strndup(host, strcspn(host, "/?#"));
    int r;

    if (!text)
        return -ENOMEM;
    *ret_why = "names no host";
    if (text[0] == '\0')
        return -EINVAL;
    r = address_parse(text, ret, ret_why);
    if (r == 0 && ret->unix_path) {
        address_done(ret);
        *ret_why = "names no host";
        return -EINVAL;
    }
    /* Allowed for a target, not in a URL. */
    if (r == 0 && text[0] == '[' && !strchr(ret->host, ':')) {
        address_done(ret);
        *ret_why = "not an IPv6 address in the brackets";
        return -EINVAL;
    }
    return r;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcasecmp(text + n - m, end) == 0;
}

static int check_host(const char *url, char *why)
{
    struct address a = {0};
    const char *static_why;
    int r = parse_host(url, &a, &static_why);

    if (r == -EINVAL)
        return say(why, "`%.80s`: %s", shown(url), static_why);
    for (const char *p = url; r == 0 && *p; p++) {
        if (*p <= ' ' || *p >= 0x7f)
            r = say(why, "`%.80s` has a blank or a letter outside ASCII: write it as %%XX",
                    shown(url));
        else if (*p == '#')
            r = say(why, "`%.80s` must not have a fragment: write # as %%23", shown(url));
    }
    for (size_t i = 0; r == 0 && i < COUNT(signing_hosts); i++) {
        if (ends_with(a.host, signing_hosts[i].name))
            r = say(why, "`%.80s` %s", shown(url), signing_hosts[i].hint);
    }
    address_done(&a);
    return r;
}

int upload_url_is_open(const char *url)
{
    struct address a = {0};
    const char *why;
    int r = upload_url_scheme(url) == UPLOAD_HTTP ? parse_host(url, &a, &why) : -EINVAL;

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    r = !address_is_local(&a);
    address_done(&a);
    return r;
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    }
    return false;
}

int upload_url_check(const char *url, char why[static UPLOAD_WHY_MAX])
{
    const char *rest = behind_scheme(url);

    if (has_control(url))
        return say(why, "must not contain control characters");
    switch (upload_url_scheme(url)) {
    case UPLOAD_S3:
    case UPLOAD_GS:
        if (*rest == '\0' || *rest == '/')
            return say(why, "`%.80s` names no bucket: write %sBUCKET/PREFIX", shown(url),
                       upload_scheme_name(upload_url_scheme(url)));
        return 0;
    case UPLOAD_AZ:
        if (*rest == '\0' || *rest == '/')
            return say(why, "`%.80s` names no account: write az://ACCOUNT/CONTAINER/PREFIX",
                       shown(url));
        return 0;
    case UPLOAD_FILE:
        if (*rest != '/')
            return say(why, "`%.80s`: a directory is written file:///DIR, with three slashes",
                       shown(url));
        if (segments_within("/", rest))
            return say(why, "`%.80s` is the root of all: name a directory", shown(url));
        return 0;
    case UPLOAD_HTTPS:
    case UPLOAD_HTTP: return check_host(url, why);
    }
    return no_scheme(url, why);
}

int upload_endpoint_check(const char *endpoint, char why[static UPLOAD_WHY_MAX])
{
    enum upload_scheme scheme = upload_url_scheme(endpoint);
    const char *rest = behind_scheme(endpoint), *static_why;
    const char *path = rest + strcspn(rest, "/?#");
    struct address a = {0};
    int r;

    if (has_control(endpoint))
        return say(why, "must not contain control characters");
    if (scheme != UPLOAD_HTTPS && scheme != UPLOAD_HTTP)
        return say(why, "`%.80s` must begin with https:// or http://%s%.80s", shown(endpoint),
                   rest == endpoint ? ": write https://" : "", rest == endpoint ? shown(rest) : "");
    r = parse_host(endpoint, &a, &static_why);
    if (r == -EINVAL)
        return say(why, "`%.80s`: %s", shown(endpoint), static_why);
    address_done(&a);
    if (r == 0 && path[strcspn(path, "?#")])
        return say(why, "`%.80s` must have no query and no fragment", shown(endpoint));
    if (r == 0 && segments_check(path, true) != SEGMENTS_FINE)
        return say(why, "`%.80s` has an empty part, `.` or `..` in its path: write it without",
                   shown(endpoint));
    return r;
}
