/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/credential/creddoc_state.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/jsontext.h"
#include "base/parse.h"
#include "lib/net/redact.h"

#define LIFE_MAX ((json_int_t)(10 * 366 * 86400)) /* seconds */
#define TIME_MAX ((json_int_t)253402300799)       /* seconds: the end of the year 9999 */
#define MESSAGE_MAX 300                           /* bytes of a service's message that are quoted */

int creddoc_refuse(char *why, size_t why_size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, why_size, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

int creddoc_no_memory(char *why, size_t why_size)
{
    (void)creddoc_refuse(why, why_size, "%s", strerror(ENOMEM));
    return -ENOMEM;
}

/* A refusal has no keys. If a document has both, its message may contain them and is not quoted. */
static bool has_secret(const struct fields *f)
{
    return f->value[FIELD_ACCESS] || f->value[FIELD_SECRET] || f->value[FIELD_TOKEN];
}

int creddoc_refuse_by_service(const struct fields *f, char *why, size_t why_size)
{
    const char *code = f->value[FIELD_CODE], *message = f->value[FIELD_MESSAGE];
    struct buf out;

    buf_init(&out, MESSAGE_MAX);
    if (code && *code)
        redact_text(NULL, REDACT_KEYS, code, strlen(code), MESSAGE_MAX, &out);
    if (message && *message && !has_secret(f)) {
        if (out.len > 0)
            (void)buf_adds(&out, ": ");
        redact_text(NULL, REDACT_KEYS, message, strlen(message), MESSAGE_MAX, &out);
    }
    (void)creddoc_refuse(why, why_size, "the service refused: %s",
                         out.len > 0 ? buf_str(&out) : "it does not say why");
    buf_wipe(&out);
    return -EINVAL;
}

int creddoc_take(const struct fields *f, bool must_expire, struct secret_set *ret, char *why,
                 size_t why_size)
{
    usec expiry = USEC_NEVER;
    int r;

    if (!f->value[FIELD_ACCESS])
        return creddoc_refuse(why, why_size, "the reply has no AccessKeyId");
    if (!f->value[FIELD_SECRET])
        return creddoc_refuse(why, why_size, "the reply has no SecretAccessKey");
    if (must_expire && !f->value[FIELD_EXPIRATION])
        return creddoc_refuse(why, why_size, "the reply has no Expiration");
    if (must_expire && !f->value[FIELD_TOKEN])
        return creddoc_refuse(why, why_size, "the reply has no SessionToken");
    if (f->value[FIELD_EXPIRATION] && clock_parse_rfc3339(f->value[FIELD_EXPIRATION], &expiry) < 0)
        return creddoc_refuse(why, why_size, "the reply's Expiration is not a time");
    r = secret_make(f->value[FIELD_ACCESS], f->value[FIELD_SECRET], f->value[FIELD_TOKEN], expiry,
                    ret);
    if (r == -ENOMEM)
        return creddoc_no_memory(why, why_size);
    if (r == -E2BIG)
        return creddoc_refuse(why, why_size, "a key or the token in the reply is too long");
    if (r < 0)
        return creddoc_refuse(why, why_size,
                              "a key or the token in the reply is empty or has strange characters");
    return 0;
}

static const struct {
    const char *name;
    int field;
} members[] = {
    {"AccessKeyId", FIELD_ACCESS}, {"SecretAccessKey", FIELD_SECRET},
    {"Token", FIELD_TOKEN},        {"Expiration", FIELD_EXPIRATION},
    {"Code", FIELD_CODE},          {"code", FIELD_CODE},
    {"Message", FIELD_MESSAGE},    {"message", FIELD_MESSAGE},
};

void creddoc_setup(void)
{
    json_set_alloc_funcs(secret_malloc, secret_free);
}

/* A null counts as missing. */
static int read_members(const json_t *root, struct fields *f, char *why, size_t why_size)
{
    if (!json_is_object(root))
        return creddoc_refuse(why, why_size, "the reply is not a JSON object");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *v = json_object_get(root, members[i].name);

        if (!v || json_is_null(v))
            continue;
        if (!json_is_string(v))
            return creddoc_refuse(why, why_size, "the reply's %s is not a string", members[i].name);
        f->value[members[i].field] = json_string_value(v);
    }
    return 0;
}

static int load_json(const char *text, size_t n, json_t **ret, char *why, size_t why_size)
{
    json_error_t error;
    int r;

    if (n > CREDDOC_MAX)
        return creddoc_refuse(why, why_size, "the reply is longer than 64 KiB");
    r = jsontext_parse(text, n, JSON_REJECT_DUPLICATES, &error, ret);
    if (r == 0)
        return 0;
    r = r == -ENOMEM ? creddoc_no_memory(why, why_size)
                     : creddoc_refuse(why, why_size, "the reply is not JSON: line %d", error.line);
    OPENSSL_cleanse(&error, sizeof(error)); /* it quotes the document */
    return r;
}

int creddoc_parse_json(const char *text, size_t n, struct secret_set *ret, char *why,
                       size_t why_size)
{
    struct fields f = {0};
    json_t *root;
    int r = load_json(text, n, &root, why, why_size);

    if (r < 0)
        return r;
    r = read_members(root, &f, why, why_size);
    if (r == 0 && f.value[FIELD_CODE] && strcmp(f.value[FIELD_CODE], "Success") != 0)
        r = creddoc_refuse_by_service(&f, why, why_size);
    else if (r == 0 && !f.value[FIELD_ACCESS] && f.value[FIELD_MESSAGE])
        r = creddoc_refuse_by_service(&f, why, why_size);
    else if (r == 0)
        r = creddoc_take(&f, false, ret, why, why_size);
    json_decref(root);
    return r;
}

/* The output of credential_process: Version, and the member names of AWS's tools. */
static int read_process(const json_t *root, usec now, struct secret_set *ret, char *why,
                        size_t why_size)
{
    const json_t *version = json_object_get(root, "Version");
    const json_t *expiration = json_object_get(root, "Expiration");
    const struct fields f = {
        .value = {
            [FIELD_ACCESS] = json_string_value(json_object_get(root, "AccessKeyId")),
            [FIELD_SECRET] = json_string_value(json_object_get(root, "SecretAccessKey")),
            [FIELD_TOKEN] = json_string_value(json_object_get(root, "SessionToken")),
            [FIELD_EXPIRATION] = json_string_value(expiration),
        }};

    (void)now;
    if (!json_is_integer(version) || json_integer_value(version) != 1)
        return creddoc_refuse(why, why_size, "its Version is not 1");
    if (expiration && !json_is_null(expiration) && !json_is_string(expiration))
        return creddoc_refuse(why, why_size, "the reply's Expiration is not a time");
    return creddoc_take(&f, false, ret, why, why_size);
}

/* The expiration is in milliseconds. */
static int read_sso(const json_t *root, usec now, struct secret_set *ret, char *why,
                    size_t why_size)
{
    const json_t *keys = json_object_get(root, "roleCredentials");
    const json_t *expiration = json_object_get(keys, "expiration");
    char text[CLOCK_RFC3339_SIZE] = "";
    const struct fields f = {
        .value = {
            [FIELD_ACCESS] = json_string_value(json_object_get(keys, "accessKeyId")),
            [FIELD_SECRET] = json_string_value(json_object_get(keys, "secretAccessKey")),
            [FIELD_TOKEN] = json_string_value(json_object_get(keys, "sessionToken")),
            [FIELD_EXPIRATION] = text,
            [FIELD_MESSAGE] = json_string_value(json_object_get(root, "message")),
        }};

    (void)now;
    if (!keys && f.value[FIELD_MESSAGE])
        return creddoc_refuse_by_service(
            &(struct fields){.value[FIELD_MESSAGE] = f.value[FIELD_MESSAGE]}, why, why_size);
    if (!json_is_integer(expiration) || json_integer_value(expiration) <= 0 ||
        json_integer_value(expiration) > TIME_MAX * 1000)
        return creddoc_refuse(why, why_size, "the reply's expiration is not a time");
    (void)clock_rfc3339((usec)json_integer_value(expiration) * USEC_PER_MSEC, text);
    return creddoc_take(&f, true, ret, why, why_size);
}

/* A number, or one in a string; 0: neither, or out of range. */
static usec read_seconds(const json_t *v, json_int_t max)
{
    json_int_t n = json_integer_value(v);
    uint64_t seconds = n > 0 && n <= max ? (uint64_t)n : 0;

    if (json_is_string(v) && parse_unsigned(json_string_value(v), (uint64_t)max, &seconds) < 0)
        seconds = 0;
    return seconds * USEC_PER_SEC;
}

static const char *first_string(const json_t *a, const json_t *b)
{
    return json_is_string(a) ? json_string_value(a) : json_string_value(b);
}

/* "error" is a string in OAuth, and an object with Google. */
static int refuse_token(const json_t *root, char *why, size_t why_size)
{
    const json_t *error = json_object_get(root, "error");
    const struct fields f = {
        .value = {
            [FIELD_CODE] = first_string(error, json_object_get(error, "status")),
            [FIELD_MESSAGE] = json_is_object(error)
                                ? json_string_value(json_object_get(error, "message"))
                                : first_string(json_object_get(root, "error_description"),
                                               json_object_get(root, "message")),
        }};

    return creddoc_refuse_by_service(&f, why, why_size);
}

static int take_token(const char *token, usec expiry, struct secret_set *ret, char *why,
                      size_t why_size)
{
    int r = secret_make_token(token, expiry, ret);

    if (r == -ENOMEM)
        return creddoc_no_memory(why, why_size);
    return r < 0 ? creddoc_refuse(why, why_size,
                                  "the reply's token is empty, too long, or has strange characters")
                 : 0;
}

/* Reads a token of OAuth. It has expires_in or, from Azure's metadata services, expires_on. */
static int read_token(const json_t *root, usec now, struct secret_set *ret, char *why,
                      size_t why_size)
{
    const char *token = json_string_value(json_object_get(root, "access_token"));
    const char *type = json_string_value(json_object_get(root, "token_type"));
    const json_t *life = json_object_get(root, "expires_in");
    usec lives = read_seconds(life, LIFE_MAX);
    usec until = life ? 0 : read_seconds(json_object_get(root, "expires_on"), TIME_MAX);

    if (json_object_get(root, "error") || (!token && json_object_get(root, "message")))
        return refuse_token(root, why, why_size);
    if (!token)
        return creddoc_refuse(why, why_size, "the reply has no access_token");
    if (!type || strcasecmp(type, "Bearer") != 0)
        return creddoc_refuse(why, why_size, "the reply's token_type is not Bearer");
    if (lives == 0 && until == 0)
        return creddoc_refuse(why, why_size, "the reply's expires_in is not a number of seconds");
    return take_token(token, lives ? now + lives : until, ret, why, why_size);
}

static int read_impersonated(const json_t *root, usec now, struct secret_set *ret, char *why,
                             size_t why_size)
{
    const char *token = json_string_value(json_object_get(root, "accessToken"));
    const char *until = json_string_value(json_object_get(root, "expireTime"));
    usec expiry;

    (void)now;
    if (json_object_get(root, "error"))
        return refuse_token(root, why, why_size);
    if (!token)
        return creddoc_refuse(why, why_size, "the reply has no accessToken");
    if (!until || clock_parse_rfc3339(until, &expiry) < 0)
        return creddoc_refuse(why, why_size, "the reply's expireTime is not a time");
    return take_token(token, expiry, ret, why, why_size);
}

typedef int (*reader)(const json_t *root, usec now, struct secret_set *ret, char *why,
                      size_t why_size);

static int parse(reader read, const char *text, size_t n, usec now, struct secret_set *ret,
                 char *why, size_t why_size)
{
    json_t *root;
    int r = load_json(text, n, &root, why, why_size);

    if (r < 0)
        return r;
    r = json_is_object(root) ? read(root, now, ret, why, why_size)
                             : creddoc_refuse(why, why_size, "the reply is not a JSON object");
    json_decref(root);
    return r;
}

int creddoc_parse_process(const char *text, size_t n, struct secret_set *ret, char *why,
                          size_t why_size)
{
    return parse(read_process, text, n, 0, ret, why, why_size);
}

int creddoc_parse_sso(const char *text, size_t n, struct secret_set *ret, char *why,
                      size_t why_size)
{
    return parse(read_sso, text, n, 0, ret, why, why_size);
}

int creddoc_parse_token(const char *text, size_t n, usec now, struct secret_set *ret, char *why,
                        size_t why_size)
{
    return parse(read_token, text, n, now, ret, why, why_size);
}

int creddoc_parse_impersonated(const char *text, size_t n, struct secret_set *ret, char *why,
                               size_t why_size)
{
    return parse(read_impersonated, text, n, 0, ret, why, why_size);
}
