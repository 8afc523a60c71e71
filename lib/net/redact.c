/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/redact.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/secretname.h"
#include "lib/net/origin.h"
#include "lib/net/proxy.h"

#define SHORT 4 /* bytes; a shorter secret may be a part of an ordinary word */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void redact_init(struct redact *r)
{
    buf_init(&r->secrets, REDACT_MAX);
}

void redact_done(struct redact *r)
{
    buf_wipe(&r->secrets);
}

static int add(struct redact *r, const char *secret, size_t n)
{
    int e = n > 0 ? buf_add(&r->secrets, secret, n) : 0;

    return n > 0 && e == 0 ? buf_add(&r->secrets, "", 1) : e;
}

int redact_add(struct redact *r, const char *secret)
{
    return secret ? add(r, secret, strlen(secret)) : 0;
}

/* Decodes a part of a URL. */
static int decode(const char *text, size_t n, struct buf *plain)
{
    int e = 0;

    for (size_t i = 0; i < n && e == 0; i++) {
        int high = text[i] == '%' && n - i > 2 ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        char c = low >= 0 ? (char)(high * 16 + low) : text[i];

        i += low >= 0 ? 2 : 0;
        if (c != '\0')
            e = buf_add(plain, &c, 1);
    }
    return e;
}

/* Adds "user:password" and the password (the user if that is empty): a peer may repeat either. */
static int add_pair(struct redact *r, const char *pair)
{
    const char *colon = strchr(pair, ':');
    int e = redact_add(r, pair);

    if (e == 0 && colon)
        e = colon[1] ? redact_add(r, colon + 1) : add(r, pair, (size_t)(colon - pair));
    return e;
}

/* RFC 7617 */
static int add_base64(struct redact *r, const char *pair)
{
    size_t n = strlen(pair), size = (n + 2) / 3 * 4 + 1;
    char *text = calloc(1, size);
    int e;

    if (!text)
        return -ENOMEM;
    (void)EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)pair, (int)n);
    e = redact_add(r, text);
    explicit_bzero(text, size);
    free(text);
    return e;
}

/* Text that is not base64 is not added. */
static int add_base64_pair(struct redact *r, const char *text)
{
    size_t n = strlen(text);
    char *pair = calloc(1, n + 4);
    int e = 0;

    if (!pair)
        return -ENOMEM;
    if (EVP_DecodeBlock((unsigned char *)pair, (const unsigned char *)text, (int)n) > 0)
        e = add_pair(r, pair);
    explicit_bzero(pair, n + 4);
    free(pair);
    return e;
}

/* The value of Authorization: a scheme and its credentials, or a token alone. */
static int add_authorization(struct redact *r, const char *value)
{
    static const char *const signatures[] = {"AWS4-HMAC-SHA256", "GOOG4-HMAC-SHA256",
                                             "GOOG4-RSA-SHA256", "SharedKey"};
    size_t n = strcspn(value, " ");
    const char *token = value + n + strspn(value + n, " ");
    int e;

    for (size_t i = 0; i < COUNT(signatures); i++) {
        if (strlen(signatures[i]) == n && strncasecmp(value, signatures[i], n) == 0)
            return 0;
    }
    e = redact_add(r, *token ? token : value);
    if (e == 0 && n == 5 && strncasecmp(value, "Basic", n) == 0)
        e = add_base64_pair(r, token);
    return e;
}

static int add_header(struct redact *r, const char *name, const char *value)
{
    static const char *const secrets[] = {
        "x-amz-security-token",
        "x-amz-sso_bearer_token",
        "X-aws-ec2-metadata-token",
        "X-IDENTITY-HEADER",
    };

    if (!value)
        return 0;
    if (strcasecmp(name, "Authorization") == 0)
        return add_authorization(r, value);
    for (size_t i = 0; i < COUNT(secrets); i++) {
        if (strcasecmp(name, secrets[i]) == 0)
            return redact_add(r, value);
    }
    return 0;
}

static int add_decoded(struct redact *r, const char *text, size_t n, bool pair)
{
    struct buf plain;
    int e;

    buf_init(&plain, REDACT_MAX);
    e = decode(text, n, &plain);
    if (e == 0)
        e = pair ? add_pair(r, buf_str(&plain)) : redact_add(r, buf_str(&plain));
    if (e == 0 && pair)
        e = add_base64(r, buf_str(&plain));
    buf_wipe(&plain);
    return e;
}

static int add_query(struct redact *r, const char *query)
{
    int e = 0;

    while (e == 0 && *query && *query != '#') {
        size_t n = strcspn(query, "&#"), name = strcspn(query, "=&#");

        if (name < n && secretname_is(query, name))
            e = add_decoded(r, query + name + 1, n - name - 1, false);
        query += n;
        query += *query == '&';
    }
    return e;
}

static int add_url(struct redact *r, const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL, *at, *query;
    int e = 0;

    if (!host)
        return 0;
    host += 3;
    at = memrchr(host, '@', strcspn(host, "/?#"));
    query = strchr(host, '?');
    if (at)
        e = add_decoded(r, host, (size_t)(at - host), true);
    return e == 0 && query ? add_query(r, query + 1) : e;
}

static int add_proxy(struct redact *r, const struct http_options *o)
{
    char why[PROXY_WHY_MAX];
    const char *setting;
    struct origin to;
    char *url = NULL;
    int e;

    if (!o->proxy || o->unix_path || origin_parse(o->url, &to) < 0)
        return 0;
    e = proxy_find(o->proxy, &to, &url, &setting, why);
    if (e < 0)
        return e == -ENOMEM ? e : 0; /* the request itself reports the error */
    e = add_url(r, url);
    proxy_free(url);
    return e;
}

int redact_request(struct redact *r, const struct http_options *o)
{
    static const char authorization[] = "Authorization:";
    int e = 0;

    if (o->authorization && strncmp(o->authorization, authorization, strlen(authorization)) == 0) {
        const char *value = o->authorization + strlen(authorization);

        e = add_authorization(r, value + strspn(value, " "));
    }
    for (size_t i = 0; i < o->n_headers && e == 0; i++)
        e = add_header(r, o->headers[i].name, o->headers[i].value);
    if (e == 0)
        e = add_url(r, o->url);
    return e == 0 ? add_proxy(r, o) : e;
}

/* A character as a number: "%2F", "\u002f", "\x2f", "&#47;", "&#x2F;". */
static size_t unquote_number(const char *text, size_t n, char *ret)
{
    static const struct {
        const char *before;
        int base;
        size_t least, most; /* digits */
        const char *behind;
    } forms[] = {
        {"%", 16, 2, 2, ""},    {"\\u00", 16, 2, 2, ""}, {"\\x", 16, 2, 2, ""},
        {"&#x", 16, 1, 4, ";"}, {"&#", 10, 1, 4, ";"},
    };

    for (size_t i = 0; i < COUNT(forms); i++) {
        size_t begin = strlen(forms[i].before), at = begin, behind = strlen(forms[i].behind);
        int value = 0;

        if (n < begin || strncasecmp(text, forms[i].before, begin) != 0)
            continue;
        for (; at < n && at - begin < forms[i].most; at++) {
            int digit = hex_digit(text[at]);

            if (digit < 0 || digit >= forms[i].base)
                break;
            value = value * forms[i].base + digit;
        }
        if (at - begin >= forms[i].least && value <= UCHAR_MAX && n - at >= behind &&
            strncmp(text + at, forms[i].behind, behind) == 0) {
            *ret = (char)value;
            return at + behind;
        }
    }
    return 0;
}

#define QUOTED_MAX 8 /* bytes of one quoted character */

/* Decodes a character that is quoted for a URL, JSON or HTML. Its length in the text; 0: it is not
 * quoted. */
static size_t unquote(const char *text, size_t n, char *ret)
{
    static const struct {
        const char *quoted;
        char plain;
    } table[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''},
    };
    size_t number = unquote_number(text, n, ret);

    if (number > 0)
        return number;
    for (size_t i = 0; i < COUNT(table); i++) {
        size_t len = strlen(table[i].quoted);

        if (len <= n && strncasecmp(text, table[i].quoted, len) == 0) {
            *ret = table[i].plain;
            return len;
        }
    }
    if (text[0] != '\\' || n < 2)
        return 0;
    *ret = text[1];
    return 2;
}

static bool is_alnum(char c)
{
    return isalnum((unsigned char)c);
}

/*
 * How many bytes at `at` are this secret, quoted or not, up to its end or the text's; 0: none.
 */
static size_t match(const char *secret, const char *text, size_t at, size_t n, bool quoted)
{
    bool is_short = strlen(secret) < SHORT;
    size_t i = at, done = 0;

    if (is_short && at > 0 && is_alnum(text[at - 1]))
        return 0;
    while (secret[done] && i < n) {
        char c = text[i];
        size_t len = quoted ? unquote(text + i, n - i, &c) : 0;

        if (len == 0 || c != secret[done]) {
            c = text[i];
            len = 1;
        }
        if (c != secret[done] && quoted && n - i < QUOTED_MAX && strchr("%&\\", c))
            break; /* the text may end within a quoted character */
        if (c != secret[done])
            return 0;
        i += len;
        done++;
    }
    if (secret[done])
        return done >= SHORT ? i - at : 0;
    return is_short && i < n && is_alnum(text[i]) ? 0 : i - at;
}

static size_t known_at(const struct redact *r, const char *text, size_t at, size_t n)
{
    const char *secret = r && r->secrets.len > 0 ? r->secrets.data : NULL;
    const char *end = secret ? secret + r->secrets.len : NULL;
    size_t longest = 0;

    for (; secret < end; secret += strlen(secret) + 1) {
        for (int quoted = 0; quoted < 2; quoted++) {
            size_t len = match(secret, text, at, n, quoted);

            longest = len > longest ? len : longest;
        }
    }
    return longest;
}

static bool in_word(char c)
{
    return is_alnum(c) || (c && strchr("+/=_-%.", c));
}

static size_t word_length(const char *text, size_t at, size_t n)
{
    size_t len = 0;

    if (at > 0 && in_word(text[at - 1]))
        return 0;
    while (at + len < n && in_word(text[at + len]))
        len++;
    return len;
}

/*
 * Whether a word looks like a key or token: long and with a digit, and either with letters of both
 * cases or without the punctuation of paths and names. If answers may be keys, any long word counts
 * that has a digit, '+' or '=', and any very long one.
 */
static bool looks_secret(const char *word, size_t n, unsigned flags)
{
    bool digit = false, upper = false, lower = false, named = false, sign = false;

    for (size_t i = 0; i < n; i++) {
        digit = digit || isdigit((unsigned char)word[i]);
        upper = upper || isupper((unsigned char)word[i]);
        lower = lower || islower((unsigned char)word[i]);
        named = named || strchr("/_-.", word[i]);
        sign = sign || strchr("+=", word[i]);
    }
    if (flags & REDACT_KEYS && (n >= 40 || (n >= 16 && (digit || sign))))
        return true;
    if (n < 16 || !digit)
        return false;
    return (upper && lower) || (!named && (upper || n >= 32));
}

/* The length up to a blank or the end of the value. */
static size_t value_length(const char *text, size_t at, size_t n)
{
    size_t i = at;

    while (i < n && !strchr(" \t\r\n,\"'<>()", text[i]))
        i++;
    return i - at;
}

static bool ends_with(const char *text, size_t n, const char *word)
{
    size_t len = strlen(word);

    return n >= len && strncasecmp(text + n - len, word, len) == 0;
}

/* Whether "Basic" or "Bearer" stands before: the word is a password, whatever it looks like. */
static bool follows_scheme(const char *text, size_t at)
{
    size_t n = at;

    while (n > 0 && text[n - 1] == ' ')
        n--;
    return n < at && (ends_with(text, n, "Basic") || ends_with(text, n, "Bearer"));
}

/* Whether a word for a secret and a colon stand before: "password: x", also in quotation marks. */
static bool follows_name(const char *text, size_t at)
{
    bool colon = false;

    while (at > 0 && strchr(" :\"'", text[at - 1])) {
        colon = colon || text[at - 1] == ':';
        at--;
    }
    for (size_t i = at; i > 0 && !strchr(" \t", text[i - 1]); i--)
        colon = colon && text[i - 1] != '/'; /* a path may end so */
    return colon && secretname_ends(text, at);
}

/* The length of a value behind '=', '?' or "password:", or of what stands before a URL's host; 0:
 * none. */
static size_t pair_at(const char *text, size_t at, size_t n)
{
    size_t run = 0, user;
    char before = at > 0 ? text[at - 1] : ' ';
    const char *close =
        text[at] == '"' || text[at] == '\'' ? memchr(text + at + 1, text[at], n - at - 1) : NULL;

    while (at + run < n && !strchr(" \t\r\n", text[at + run]))
        run++;
    if (before == '=' && close)
        return (size_t)(close + 1 - (text + at));
    if (before == '=' || before == '?' || (run > 0 && follows_name(text, at)))
        return run;
    if (at > 0 && !strchr(" \t\r\n\"'(<", before))
        return 0;
    for (user = run; user > 0 && text[at + user - 1] != '@';)
        user--;
    return user > 1 && memchr(text + at, ':', user) ? user - 1 : 0;
}

static size_t hidden_at(const struct redact *r, unsigned flags, const char *text, size_t at,
                        size_t n)
{
    size_t len = known_at(r, text, at, n), word = word_length(text, at, n);

    if (len > 0 || flags & REDACT_KNOWN)
        return len;
    if (flags & REDACT_PAIRS)
        len = pair_at(text, at, n);
    if (len == 0 && text[at] != ' ' && follows_scheme(text, at))
        len = value_length(text, at, n);
    return len == 0 && looks_secret(text + at, word, flags) ? word : len;
}

void redact_text(const struct redact *r, unsigned flags, const char *text, size_t n, size_t show,
                 struct buf *out)
{
    size_t end = 0; /* end of the secret; if another secret starts in it, the end of that one */

    show = show < n ? show : n;
    for (size_t i = 0; i < show; i++) {
        bool inside = i < end;
        size_t len = inside ? known_at(r, text, i, n) : hidden_at(r, flags, text, i, n);

        end = len > 0 && i + len > end ? i + len : end;
        if (inside)
            continue;
        if (len > 0)
            (void)buf_adds(out, REDACTED);
        else if (flags & REDACT_ESCAPED)
            (void)buf_add(out, text + i, 1);
        else
            buf_add_escaped(out, text + i, 1);
    }
}
