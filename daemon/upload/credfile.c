/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upload/credfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/secretfile.h"

enum { KEY_ACCESS, KEY_SECRET, KEY_TOKEN, KEY_REGION, KEYS, KEY_OTHER = KEYS };

static const struct {
    const char *name;
    size_t max;
    bool secret;
} keys[KEYS] = {
    [KEY_ACCESS] = {"aws_access_key_id", SECRET_KEY_MAX, false},
    [KEY_SECRET] = {"aws_secret_access_key", SECRET_KEY_MAX, true},
    [KEY_TOKEN] = {"aws_session_token", SECRET_TOKEN_MAX, true},
    [KEY_REGION] = {"region", CREDFILE_REGION_SIZE - 1, false},
};

/* A piece of the text; no copy is made before a value is known to be wanted. */
struct span {
    const char *p;
    size_t n;
};

struct value {
    struct span span;
    unsigned line; /* 0: the profile does not have it */
};

struct reader {
    const char *name;
    enum credfile_kind kind;
    const char *profile;
    char *why;
    size_t why_size;

    unsigned line;
    bool in_section; /* a section was opened; a property before the first has no place */
    bool in_profile; /* … and it is the one that is asked for */
    bool found;
    bool has_secret; /* in any section */
    bool long_form;  /* [profile default] was seen: it goes before [default] */
    int last;        /* the property that a continuation would belong to; -1 none */
    size_t indent;   /* of that property */
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

/* Without the comment that follows a blank; '#' within a word is part of the value. */
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

/* [default] and [profile default] are one profile: the latter alone counts where there are both. */
static void open_section(struct reader *r, struct span name)
{
    bool prefixed = r->kind == CREDFILE_CONFIG && name.n > 8 && memcmp(name.p, "profile", 7) == 0 &&
                    is_blank(name.p[7]);

    r->in_section = true;
    r->last = -1;
    if (prefixed)
        name = unquote(trim((struct span){name.p + 8, name.n - 8}));
    r->in_profile = span_is(name, r->profile);
    if (r->kind == CREDFILE_CONFIG && !prefixed && !span_is(name, "default"))
        r->in_profile = false;
    if (!r->in_profile)
        return;
    if (prefixed && !r->long_form) {
        if (strcmp(r->profile, "default") == 0)
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

static int key_of(struct span name)
{
    for (int i = 0; i < KEYS; i++) {
        if (name.n == strlen(keys[i].name) && strncasecmp(name.p, keys[i].name, name.n) == 0)
            return i;
    }
    return KEY_OTHER;
}

static int read_property(struct reader *r, struct span s, size_t indent)
{
    size_t at = 0;
    struct span value;
    int key;

    while (at < s.n && s.p[at] != '=' && s.p[at] != ':')
        at++;
    if (at == s.n)
        return refuse(r, r->line, "neither a section nor key = value");
    if (at == 0)
        return refuse(r, r->line, "a value without a key");
    if (!r->in_section)
        return refuse(r, r->line, "a key before the first section");
    key = key_of(trim((struct span){s.p, at}));
    value = strip_comment((struct span){s.p + at + 1, s.n - at - 1});
    r->last = key;
    r->indent = indent;
    if (key == KEY_OTHER)
        return 0;
    if (keys[key].secret && value.n > 0)
        r->has_secret = true;
    if (r->in_profile)
        r->values[key] = (struct value){value, r->line};
    return 0;
}

/* Other keys have nested ones below them, or more lines; those that are read here have neither. */
static int read_continuation(struct reader *r)
{
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
        return read_continuation(r);
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

static int check_values(struct reader *r)
{
    const struct value *access = &r->values[KEY_ACCESS], *secret = &r->values[KEY_SECRET];
    char what[96];

    for (int i = 0; i < KEYS; i++) {
        const struct value *v = &r->values[i];
        bool bad = v->span.n > keys[i].max || (v->line > 0 && v->span.n == 0);

        for (size_t at = 0; !bad && at < v->span.n; at++)
            bad = v->span.p[at] <= ' ' || v->span.p[at] > '~';
        if (!bad)
            continue;
        (void)snprintf(what, sizeof(what), "%s %s", keys[i].name,
                       v->span.n == 0            ? "is empty"
                       : v->span.n > keys[i].max ? "is too long"
                                                 : "has blanks or characters that no key has");
        return refuse(r, v->line, what);
    }
    if (access->line > 0 && secret->line == 0)
        return refuse(r, access->line, "aws_access_key_id without aws_secret_access_key");
    if (secret->line > 0 && access->line == 0)
        return refuse(r, secret->line, "aws_secret_access_key without aws_access_key_id");
    return 0;
}

static int copy_value(const struct value *v, char **ret)
{
    if (v->line == 0)
        return 0;
    *ret = secret_strndup(v->span.p, v->span.n);
    return *ret ? 0 : -ENOMEM;
}

static int make_profile(const struct reader *r, struct credfile_profile *ret)
{
    _cleanup_secret_ char *access = NULL, *secret = NULL, *token = NULL;
    const struct span region = r->values[KEY_REGION].span;
    struct credfile_profile p = {.secrets.expiry = USEC_NEVER};
    int e = copy_value(&r->values[KEY_ACCESS], &access);

    if (e == 0)
        e = copy_value(&r->values[KEY_SECRET], &secret);
    if (e == 0)
        e = copy_value(&r->values[KEY_TOKEN], &token);
    if (e == 0 && access && secret)
        e = secret_make(access, secret, token, USEC_NEVER, &p.secrets);
    if (e < 0)
        return e;
    if (region.n > 0)
        memcpy(p.region, region.p, region.n);
    *ret = p;
    return 0;
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
        (void)snprintf(r->why, r->why_size, "%s: it has no profile %s", r->name, r->profile);
        return -ENOENT;
    }
    e = check_values(r);
    if (e == 0)
        e = make_profile(r, ret);
    if (e == -ENOMEM)
        (void)snprintf(r->why, r->why_size, "%s: %s", r->name, strerror(ENOMEM));
    return e;
}

int credfile_parse(const char *name, enum credfile_kind kind, const char *text, size_t n,
                   const char *profile, struct credfile_profile *ret, char *why, size_t why_size)
{
    struct reader r = {.name = name,
                       .kind = kind,
                       .profile = profile,
                       .why = why,
                       .why_size = why_size,
                       .last = -1};

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
    if (loose < 0 && (loose != -EPERM || r->kind == CREDFILE_CREDENTIALS))
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

int credfile_load(const char *path, enum credfile_kind kind, const char *profile,
                  struct credfile_profile *ret, char *why, size_t why_size)
{
    struct reader r = {.name = path,
                       .kind = kind,
                       .profile = profile,
                       .why = why,
                       .why_size = why_size,
                       .last = -1};
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
    p->region[0] = '\0';
}
