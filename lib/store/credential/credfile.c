/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/credential/credfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/secretfile.h"

enum { KEY_ACCESS = CREDFILE_KEYS, KEY_SECRET, KEY_TOKEN, KEYS, KEY_OTHER = KEYS };

#define NAME_MAX_ 256
#define PATH_MAX_ 1024
#define URL_MAX 1024
#define COMMAND_MAX 8192

enum {
    SECRET = 1 << 0,
    BLANKS = 1 << 1, /* may be within the value */
    WHOLE = 1 << 2,  /* the value extends to the end of the line: '#' starts no comment */
};

static const struct key {
    const char *name;
    const char *parent; /* the key that it is nested below, or NULL */
    size_t max;
    unsigned flags;
} keys[KEYS] = {
    [CREDFILE_REGION] = {"region", NULL, 63, 0},
    [CREDFILE_ROLE_ARN] = {"role_arn", NULL, 2048, 0},
    [CREDFILE_SOURCE_PROFILE] = {"source_profile", NULL, NAME_MAX_, BLANKS},
    [CREDFILE_CREDENTIAL_SOURCE] = {"credential_source", NULL, NAME_MAX_, BLANKS},
    [CREDFILE_EXTERNAL_ID] = {"external_id", NULL, 1224, BLANKS},
    [CREDFILE_ROLE_SESSION_NAME] = {"role_session_name", NULL, NAME_MAX_, BLANKS},
    [CREDFILE_DURATION_SECONDS] = {"duration_seconds", NULL, 32, BLANKS},
    [CREDFILE_MFA_SERIAL] = {"mfa_serial", NULL, NAME_MAX_, BLANKS},
    [CREDFILE_WEB_IDENTITY_TOKEN_FILE] = {"web_identity_token_file", NULL, PATH_MAX_, BLANKS},
    [CREDFILE_CREDENTIAL_PROCESS] = {"credential_process", NULL, COMMAND_MAX, BLANKS | WHOLE},
    [CREDFILE_LOGIN_SESSION] = {"login_session", NULL, URL_MAX, BLANKS},
    [CREDFILE_SSO_SESSION_NAME] = {"sso_session", NULL, NAME_MAX_, BLANKS},
    [CREDFILE_SSO_START_URL] = {"sso_start_url", NULL, URL_MAX, 0},
    [CREDFILE_SSO_REGION] = {"sso_region", NULL, 63, 0},
    [CREDFILE_SSO_ACCOUNT_ID] = {"sso_account_id", NULL, 64, 0},
    [CREDFILE_SSO_ROLE_NAME] = {"sso_role_name", NULL, NAME_MAX_, 0},
    [CREDFILE_ENDPOINT_URL] = {"endpoint_url", NULL, URL_MAX, 0},
    [CREDFILE_SERVICES_NAME] = {"services", NULL, NAME_MAX_, BLANKS},
    [CREDFILE_IGNORE_ENDPOINT_URLS] = {"ignore_configured_endpoint_urls", NULL, 32, 0},
    [CREDFILE_CA_BUNDLE] = {"ca_bundle", NULL, PATH_MAX_, BLANKS},
    [CREDFILE_USE_FIPS] = {"use_fips_endpoint", NULL, 32, 0},
    [CREDFILE_USE_DUALSTACK] = {"use_dualstack_endpoint", NULL, 32, 0},
    [CREDFILE_STS_REGIONAL] = {"sts_regional_endpoints", NULL, 32, 0},
    [CREDFILE_IMDS_ENDPOINT] = {"ec2_metadata_service_endpoint", NULL, URL_MAX, 0},
    [CREDFILE_IMDS_MODE] = {"ec2_metadata_service_endpoint_mode", NULL, 32, 0},
    [CREDFILE_S3_ADDRESSING] = {"addressing_style", "s3", 32, 0},
    [CREDFILE_S3_ACCELERATE] = {"use_accelerate_endpoint", "s3", 32, 0},
    [CREDFILE_S3_DUALSTACK] = {"use_dualstack_endpoint", "s3", 32, 0},
    [CREDFILE_S3_ENDPOINT] = {"endpoint_url", "s3", URL_MAX, 0},
    [CREDFILE_STS_ENDPOINT] = {"endpoint_url", "sts", URL_MAX, 0},
    [CREDFILE_SSO_ENDPOINT] = {"endpoint_url", "sso", URL_MAX, 0},
    [KEY_ACCESS] = {"aws_access_key_id", NULL, SECRET_KEY_MAX, 0},
    [KEY_SECRET] = {"aws_secret_access_key", NULL, SECRET_KEY_MAX, SECRET},
    [KEY_TOKEN] = {"aws_session_token", NULL, SECRET_TOKEN_MAX, SECRET},
};

/* How the names of sections start in the config file. */
static const char *const prefixes[] = {
    [CREDFILE_PROFILE] = "profile",
    [CREDFILE_SSO_SESSION] = "sso-session",
    [CREDFILE_SERVICES] = "services",
};

const char *credfile_key_name(enum credfile_key key)
{
    return keys[key].name;
}

/* A piece of the text. Only values that are wanted are copied. */
struct span {
    const char *p;
    size_t n;
};

struct value {
    struct span span;
    unsigned line; /* 0: the section does not have it */
};

struct reader {
    const char *name;
    const struct credfile_query *q;
    char *why;
    size_t why_size;

    unsigned line;
    bool in_section; /* inside a section; a property before the first section is an error */
    bool in_profile; /* inside the section that is wanted */
    bool found;
    bool has_secret;    /* in any section */
    bool long_form;     /* [profile default] was seen, which takes precedence over [default] */
    int last;           /* the property that a continuation line belongs to; -1: none */
    size_t indent;      /* of that property */
    struct span parent; /* name of a property without a value: nested keys follow */
    struct value values[KEYS];
};

static int refuse(struct reader *r, unsigned line, const char *what)
{
    (void)snprintf(r->why, r->why_size, "%s:%u: %s", r->name, line, what);
    return -EINVAL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_comment(char c)
{
    return c == '#' || c == ';';
}

static struct span trim(struct span s)
{
    for (; s.n > 0 && is_blank(s.p[0]); s.p++)
        s.n--;
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool span_is(struct span s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

/* Cuts a comment, which starts with '#' or ';', at the start or after a blank. Within a word they
 * belong to the value. */
static struct span strip_comment(struct span s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (is_comment(s.p[i]) && is_blank(s.p[i - 1])) {
            s.n = i;
            break;
        }
    }
    if (s.n > 0 && is_comment(s.p[0]))
        s.n = 0;
    return trim(s);
}

static struct span unquote(struct span s)
{
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        return (struct span){s.p + 1, s.n - 2};
    return s;
}

static bool has_prefix(struct span name, const char *prefix)
{
    size_t n = strlen(prefix);

    return name.n > n + 1 && memcmp(name.p, prefix, n) == 0 && is_blank(name.p[n]);
}

/* [default] and [profile default] are the same profile; if both exist, only the latter counts. */
static void open_section(struct reader *r, struct span name)
{
    const struct credfile_query *q = r->q;
    const char *prefix = prefixes[q->section];
    bool prefixed = q->kind == CREDFILE_CONFIG && has_prefix(name, prefix);
    bool is_default = q->section == CREDFILE_PROFILE && span_is(name, "default");

    r->in_section = true;
    r->last = -1;
    if (prefixed) {
        size_t n = strlen(prefix) + 1;

        name = unquote(trim((struct span){name.p + n, name.n - n}));
    }
    r->in_profile = span_is(name, q->name);
    if (q->kind == CREDFILE_CONFIG && !prefixed && !is_default)
        r->in_profile = false;
    if (!r->in_profile)
        return;
    if (prefixed && !r->long_form) {
        if (strcmp(q->name, "default") == 0)
            memset(r->values, 0, sizeof(r->values));
        r->long_form = true;
    } else if (!prefixed && r->long_form) {
        r->in_profile = false;
    }
    r->found = true;
}

static int read_section(struct reader *r, struct span s)
{
    const char *end = memchr(s.p, ']', s.n);
    struct span name, rest;

    if (!end)
        return refuse(r, r->line, "the section has no ]");
    name = trim((struct span){s.p + 1, (size_t)(end - s.p) - 1});
    rest = trim((struct span){end + 1, s.n - (size_t)(end - s.p) - 1});
    if (name.n == 0)
        return refuse(r, r->line, "the section has no name");
    if (rest.n > 0 && !is_comment(rest.p[0]))
        return refuse(r, r->line, "something follows the section's ]");
    open_section(r, name);
    return 0;
}

static bool same_word(struct span word, const char *text)
{
    return word.n == strlen(text) && strncasecmp(word.p, text, word.n) == 0;
}

/* `parent` is empty for a key that is not nested. */
static int key_of(struct span name, struct span parent)
{
    for (int i = 0; i < KEYS; i++) {
        bool below = keys[i].parent ? same_word(parent, keys[i].parent) : parent.n == 0;

        if (below && same_word(name, keys[i].name))
            return i;
    }
    return KEY_OTHER;
}

static size_t find_equals(struct span s)
{
    size_t at = 0;

    while (at < s.n && s.p[at] != '=' && s.p[at] != ':')
        at++;
    return at;
}

static struct span value_of(struct span s, size_t at, int key)
{
    struct span value = {s.p + at + 1, s.n - at - 1};

    return key < KEYS && (keys[key].flags & WHOLE) ? trim(value) : strip_comment(value);
}

static void keep_value(struct reader *r, int key, struct span value)
{
    if (key == KEY_OTHER)
        return;
    if ((keys[key].flags & SECRET) && value.n > 0)
        r->has_secret = true;
    if (r->in_profile)
        r->values[key] = (struct value){value, r->line};
}

static int read_property(struct reader *r, struct span s, size_t indent)
{
    size_t at = find_equals(s);
    struct span name, value;

    if (at == s.n)
        return refuse(r, r->line, "neither a section nor key = value");
    if (at == 0)
        return refuse(r, r->line, "a value without a key");
    if (!r->in_section)
        return refuse(r, r->line, "a key before the first section");
    name = trim((struct span){s.p, at});
    r->last = key_of(name, (struct span){0});
    r->indent = indent;
    value = value_of(s, at, r->last);
    r->parent = value.n == 0 ? name : (struct span){0};
    keep_value(r, r->last, value);
    return 0;
}

/* Indented lines below a key without a value are nested keys; below another key they continue its
 * value, which is an error for keys that are read here, and ignored for others. */
static int read_continuation(struct reader *r, struct span s)
{
    size_t at = find_equals(s);

    if (r->last == KEY_OTHER && r->parent.n > 0 && at > 0 && at < s.n) {
        int key = key_of(trim((struct span){s.p, at}), r->parent);

        keep_value(r, key, value_of(s, at, key));
        return 0;
    }
    if (r->last == KEY_OTHER || !r->in_profile)
        return 0;
    return refuse(r, r->line, "a key or region goes on over a second line");
}

static int read_line(struct reader *r, struct span line)
{
    struct span s = trim(line);
    size_t indent = (size_t)(s.p - line.p);

    if (memchr(line.p, '\0', line.n))
        return refuse(r, r->line, "a zero byte");
    if (s.n == 0 || is_comment(s.p[0]))
        return 0;
    if (r->last >= 0 && indent > r->indent)
        return read_continuation(r, s);
    if (s.p[0] == '[')
        return read_section(r, s);
    return read_property(r, s, indent);
}

static int read_lines(struct reader *r, const char *text, size_t n)
{
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        n -= 3;
    }
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t len = end ? (size_t)(end - text) : n;
        int e;

        r->line++;
        e = read_line(r, (struct span){text, len});
        if (e < 0)
            return e;
        if (!end)
            break;
        text += len + 1;
        n -= len + 1;
    }
    return 0;
}

/* NULL: it is good. */
static const char *wrong_with(const struct key *key, struct span value)
{
    if (value.n == 0)
        return "is empty";
    if (value.n > key->max)
        return "is too long";
    for (size_t at = 0; at < value.n; at++) {
        const char c = value.p[at];

        if (!(c > ' ' && c <= '~') && !((key->flags & BLANKS) && (c == ' ' || c == '\t')))
            return key->flags & BLANKS ? "has characters that are not visible ASCII"
                                       : "has blanks or characters that no key has";
    }
    return NULL;
}

static int check_values(struct reader *r)
{
    const struct value *access = &r->values[KEY_ACCESS], *secret = &r->values[KEY_SECRET];
    char what[128];

    for (int i = 0; i < KEYS; i++) {
        const struct value *v = &r->values[i];
        const char *wrong = v->line > 0 ? wrong_with(&keys[i], v->span) : NULL;
        bool setting = i < CREDFILE_KEYS;

        /* A setting without a value counts as missing. */
        if (!wrong || (setting ? v->span.n == 0 : r->q->settings_only))
            continue;
        (void)snprintf(what, sizeof(what), "%s %s", keys[i].name, wrong);
        return refuse(r, v->line, what);
    }
    if (r->q->settings_only)
        return 0;
    if (access->line > 0 && secret->line == 0)
        return refuse(r, access->line, "aws_access_key_id without aws_secret_access_key");
    if (secret->line > 0 && access->line == 0)
        return refuse(r, secret->line, "aws_secret_access_key without aws_access_key_id");
    return 0;
}

static int copy_value(const struct value *v, char **ret)
{
    if (v->line == 0 || v->span.n == 0)
        return 0;
    *ret = secret_strndup(v->span.p, v->span.n);
    return *ret ? 0 : -ENOMEM;
}

static int copy_secrets(const struct reader *r, struct secret_set *ret)
{
    _cleanup_secret_ char *access = NULL, *secret = NULL, *token = NULL;
    int e = copy_value(&r->values[KEY_ACCESS], &access);

    if (e == 0)
        e = copy_value(&r->values[KEY_SECRET], &secret);
    if (e == 0)
        e = copy_value(&r->values[KEY_TOKEN], &token);
    if (e == 0 && access && secret)
        e = secret_make(access, secret, token, USEC_NEVER, ret);
    return e;
}

static int make_profile(const struct reader *r, struct credfile_profile *ret)
{
    struct credfile_profile p = {.secrets.expiry = USEC_NEVER};
    int e = r->q->settings_only ? 0 : copy_secrets(r, &p.secrets);

    for (int i = 0; i < CREDFILE_KEYS && e == 0; i++)
        e = copy_value(&r->values[i], &p.values[i]);
    if (e < 0)
        credfile_done(&p);
    else
        *ret = p;
    return e;
}

static int parse(struct reader *r, const char *text, size_t n, struct credfile_profile *ret)
{
    int e;

    if (n > CREDFILE_MAX) {
        (void)snprintf(r->why, r->why_size, "%s: it is longer than 256 KiB", r->name);
        return -E2BIG;
    }
    e = read_lines(r, text, n);
    if (e < 0)
        return e;
    if (!r->found) {
        (void)snprintf(r->why, r->why_size, "%s: it has no %s %s", r->name, prefixes[r->q->section],
                       r->q->name);
        return -ENOENT;
    }
    e = check_values(r);
    if (e == 0)
        e = make_profile(r, ret);
    if (e == -ENOMEM)
        (void)snprintf(r->why, r->why_size, "%s: %s", r->name, strerror(ENOMEM));
    return e;
}

int credfile_parse(const char *name, const struct credfile_query *q, const char *text, size_t n,
                   struct credfile_profile *ret, char *why, size_t why_size)
{
    struct reader r = {.name = name, .q = q, .why = why, .why_size = why_size, .last = -1};

    return parse(&r, text, n, ret);
}

static int load(struct reader *r, struct buf *text, struct credfile_profile *ret)
{
    _cleanup_close_ int fd = secretfile_open(r->name);
    struct credfile_profile p = {0};
    int loose, e;

    if (fd < 0)
        return fd;
    loose = secretfile_check(fd);
    if (loose == -EPERM && r->q->settings_only)
        loose = 0;
    if (loose < 0 && (loose != -EPERM || r->q->kind == CREDFILE_CREDENTIALS))
        return loose;
    e = buf_read_fd(text, fd);
    if (e < 0)
        return e;
    e = parse(r, buf_str(text), text->len, &p);
    if (loose < 0 && r->has_secret) {
        credfile_done(&p);
        r->why[0] = '\0';
        return loose;
    }
    if (e == 0)
        *ret = p;
    return e;
}

int credfile_load(const char *path, const struct credfile_query *q, struct credfile_profile *ret,
                  char *why, size_t why_size)
{
    struct reader r = {.name = path, .q = q, .why = why, .why_size = why_size, .last = -1};
    struct buf text;
    int e;

    buf_init(&text, CREDFILE_MAX);
    why[0] = '\0';
    e = load(&r, &text, ret);
    if (e < 0 && why[0] == '\0')
        (void)snprintf(why, why_size, "cannot use the file %s: %s", path, secretfile_explain(e));
    buf_wipe(&text);
    return e;
}

void credfile_done(struct credfile_profile *p)
{
    secret_done(&p->secrets);
    for (int i = 0; i < CREDFILE_KEYS; i++) {
        secret_free(p->values[i]);
        p->values[i] = NULL;
    }
}
