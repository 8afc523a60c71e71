/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upload/creddoc.h"

#include <errno.h>
#include <expat.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/jsontext.h"

#define PATH_SIZE 256
#define MESSAGE_MAX 300 /* bytes of a service's message that are shown */

enum {
    FIELD_ACCESS,
    FIELD_SECRET,
    FIELD_TOKEN,
    FIELD_EXPIRATION,
    FIELD_CODE,
    FIELD_MESSAGE,
    FIELDS
};

struct fields {
    const char *value[FIELDS]; /* NULL: not there */
};

static int __attribute__((format(printf, 3, 4))) refuse(char *why, size_t why_size, const char *fmt,
                                                        ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, why_size, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

static int no_memory(char *why, size_t why_size)
{
    (void)refuse(why, why_size, "%s", strerror(ENOMEM));
    return -ENOMEM;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("+/=_-.%", c));
}

/* The words of keys and tokens are long, and have digits; those of a message have neither. */
static bool looks_secret(const char *word, size_t n)
{
    bool digit = false;

    for (size_t i = 0; i < n; i++)
        digit = digit || (word[i] >= '0' && word[i] <= '9') || word[i] == '+' || word[i] == '=';
    return n >= 40 || (n >= 16 && digit);
}

/* Stops quietly where `out` is full. */
static void add_redacted(struct buf *out, const char *text)
{
    while (*text) {
        size_t n = 0;

        while (is_token_char(text[n]))
            n++;
        if (n == 0) {
            buf_add_escaped(out, text++, 1);
            continue;
        }
        if (looks_secret(text, n))
            (void)buf_adds(out, "[…]");
        else
            (void)buf_add(out, text, n);
        text += n;
    }
}

/* A refusal comes without keys. Of a document that has both, the message is not to be trusted. */
static bool has_secret(const struct fields *f)
{
    return f->value[FIELD_ACCESS] || f->value[FIELD_SECRET] || f->value[FIELD_TOKEN];
}

static int refuse_by_service(const struct fields *f, char *why, size_t why_size)
{
    const char *code = f->value[FIELD_CODE], *message = f->value[FIELD_MESSAGE];
    struct buf out;

    buf_init(&out, MESSAGE_MAX);
    if (code && *code)
        add_redacted(&out, code);
    if (message && *message && !has_secret(f)) {
        if (out.len > 0)
            (void)buf_adds(&out, ": ");
        add_redacted(&out, message);
    }
    (void)refuse(why, why_size, "the service refused: %s",
                 out.len > 0 ? buf_str(&out) : "it does not say why");
    buf_wipe(&out);
    return -EINVAL;
}

static int take(const struct fields *f, bool must_expire, struct secret_set *ret, char *why,
                size_t why_size)
{
    usec expiry = USEC_NEVER;
    int r;

    if (!f->value[FIELD_ACCESS])
        return refuse(why, why_size, "the reply has no AccessKeyId");
    if (!f->value[FIELD_SECRET])
        return refuse(why, why_size, "the reply has no SecretAccessKey");
    if (must_expire && !f->value[FIELD_EXPIRATION])
        return refuse(why, why_size, "the reply has no Expiration");
    if (must_expire && !f->value[FIELD_TOKEN])
        return refuse(why, why_size, "the reply has no SessionToken");
    if (f->value[FIELD_EXPIRATION] && clock_parse_rfc3339(f->value[FIELD_EXPIRATION], &expiry) < 0)
        return refuse(why, why_size, "the reply's Expiration is not a time");
    r = secret_make(f->value[FIELD_ACCESS], f->value[FIELD_SECRET], f->value[FIELD_TOKEN], expiry,
                    ret);
    if (r == -ENOMEM)
        return no_memory(why, why_size);
    if (r == -E2BIG)
        return refuse(why, why_size, "a key or the token in the reply is too long");
    if (r < 0)
        return refuse(why, why_size,
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

/* null is as good as nothing. */
static int read_members(const json_t *root, struct fields *f, char *why, size_t why_size)
{
    if (!json_is_object(root))
        return refuse(why, why_size, "the reply is not a JSON object");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *v = json_object_get(root, members[i].name);

        if (!v || json_is_null(v))
            continue;
        if (!json_is_string(v))
            return refuse(why, why_size, "the reply's %s is not a string", members[i].name);
        f->value[members[i].field] = json_string_value(v);
    }
    return 0;
}

static int load_json(const char *text, size_t n, json_t **ret, char *why, size_t why_size)
{
    json_error_t error;
    int r;

    if (n > CREDDOC_MAX)
        return refuse(why, why_size, "the reply is longer than 64 KiB");
    r = jsontext_parse(text, n, JSON_REJECT_DUPLICATES, &error, ret);
    if (r == 0)
        return 0;
    r = r == -ENOMEM ? no_memory(why, why_size)
                     : refuse(why, why_size, "the reply is not JSON: line %d", error.line);
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
        r = refuse_by_service(&f, why, why_size);
    else if (r == 0 && !f.value[FIELD_ACCESS] && f.value[FIELD_MESSAGE])
        r = refuse_by_service(&f, why, why_size);
    else if (r == 0)
        r = take(&f, false, ret, why, why_size);
    json_decref(root);
    return r;
}

#define GOOGLE_LIFE_MAX ((json_int_t)(10 * 366 * 86400)) /* seconds */

static int read_google(const json_t *root, usec now, struct secret_set *ret, char *why,
                       size_t why_size)
{
    const char *token = json_string_value(json_object_get(root, "access_token"));
    const char *type = json_string_value(json_object_get(root, "token_type"));
    const struct fields f = {
        .value = {
            [FIELD_CODE] = json_string_value(json_object_get(root, "error")),
            [FIELD_MESSAGE] = json_string_value(json_object_get(root, "error_description")),
        }};
    json_int_t life = json_integer_value(json_object_get(root, "expires_in"));
    int r;

    if (f.value[FIELD_CODE])
        return refuse_by_service(&f, why, why_size);
    if (!token)
        return refuse(why, why_size, "the reply has no access_token");
    if (!type || strcasecmp(type, "Bearer") != 0)
        return refuse(why, why_size, "the reply's token_type is not Bearer");
    if (life <= 0 || life > GOOGLE_LIFE_MAX)
        return refuse(why, why_size, "the reply's expires_in is not a number of seconds");
    r = secret_make_token(token, now + (usec)life * USEC_PER_SEC, ret);
    if (r == -ENOMEM)
        return no_memory(why, why_size);
    return r < 0 ? refuse(why, why_size,
                          "the reply's token is empty, too long, or has strange "
                          "characters")
                 : 0;
}

int creddoc_parse_google(const char *text, size_t n, usec now, struct secret_set *ret, char *why,
                         size_t why_size)
{
    json_t *root;
    int r = load_json(text, n, &root, why, why_size);

    if (r < 0)
        return r;
    r = json_is_object(root) ? read_google(root, now, ret, why, why_size)
                             : refuse(why, why_size, "the reply is not a JSON object");
    json_decref(root);
    return r;
}

#define RESULT "/AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/"

static const struct {
    const char *path;
    int field;
} elements[] = {
    {RESULT "AccessKeyId", FIELD_ACCESS},      {RESULT "SecretAccessKey", FIELD_SECRET},
    {RESULT "SessionToken", FIELD_TOKEN},      {RESULT "Expiration", FIELD_EXPIRATION},
    {"/ErrorResponse/Error/Code", FIELD_CODE}, {"/ErrorResponse/Error/Message", FIELD_MESSAGE},
};

struct walk {
    XML_Parser parser;
    char path[PATH_SIZE]; /* of the open element, as far as it may matter */
    size_t path_len;
    unsigned too_deep; /* open elements that the path has no room for */
    int field;         /* that the open element fills; -1 none */
    bool seen[FIELDS];
    struct buf text[FIELDS];
    const char *wrong;
};

static void stop(struct walk *w, const char *wrong)
{
    if (!w->wrong)
        w->wrong = wrong;
    (void)XML_StopParser(w->parser, XML_FALSE);
}

static void on_start(void *userdata, const char *name, const char **attributes)
{
    struct walk *w = userdata;
    size_t n = strlen(name);

    (void)attributes;
    w->field = -1;
    if (w->too_deep > 0 || w->path_len + n + 2 > PATH_SIZE) {
        w->too_deep++;
        return;
    }
    w->path[w->path_len] = '/';
    memcpy(w->path + w->path_len + 1, name, n + 1);
    w->path_len += n + 1;
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        if (strcmp(w->path, elements[i].path) == 0)
            w->field = elements[i].field;
    }
    if (w->field >= 0 && w->seen[w->field])
        stop(w, "the reply has an element twice");
    else if (w->field >= 0)
        w->seen[w->field] = true;
}

static void on_end(void *userdata, const char *name)
{
    struct walk *w = userdata;

    w->field = -1;
    if (w->too_deep > 0) {
        w->too_deep--;
        return;
    }
    w->path_len -= strlen(name) + 1;
    w->path[w->path_len] = '\0';
}

static void on_text(void *userdata, const char *text, int n)
{
    struct walk *w = userdata;

    if (w->field >= 0 && buf_add(&w->text[w->field], text, (size_t)n) < 0)
        stop(w, "an element of the reply is too long");
}

/* Entities come with a document type; STS has none. */
static void on_doctype(void *userdata, const char *name, const char *system, const char *public,
                       int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    stop(userdata, "the reply has a document type");
}

/* Without the blanks and line breaks around it. */
static const char *trimmed(struct buf *b)
{
    static const char blanks[] = " \t\r\n";

    while (b->len > 0 && strchr(blanks, b->data[b->len - 1]))
        b->data[--b->len] = '\0';
    return buf_str(b) + strspn(buf_str(b), blanks);
}

static int finish(struct walk *w, struct secret_set *ret, char *why, size_t why_size)
{
    struct fields f = {0};

    if (w->wrong)
        return refuse(why, why_size, "%s", w->wrong);
    for (int i = 0; i < FIELDS; i++)
        f.value[i] = w->seen[i] ? trimmed(&w->text[i]) : NULL;
    if (w->seen[FIELD_CODE] || w->seen[FIELD_MESSAGE])
        return refuse_by_service(&f, why, why_size);
    return take(&f, true, ret, why, why_size);
}

static int walk_document(struct walk *w, const char *text, size_t n, char *why, size_t why_size)
{
    XML_SetUserData(w->parser, w);
    XML_SetElementHandler(w->parser, on_start, on_end);
    XML_SetCharacterDataHandler(w->parser, on_text);
    XML_SetStartDoctypeDeclHandler(w->parser, on_doctype);
    if (XML_Parse(w->parser, text, (int)n, 1) == XML_STATUS_OK || w->wrong)
        return 0;
    if (XML_GetErrorCode(w->parser) == XML_ERROR_NO_MEMORY)
        return no_memory(why, why_size);
    return refuse(why, why_size, "the reply is not XML: %s",
                  XML_ErrorString(XML_GetErrorCode(w->parser)));
}

int creddoc_parse_xml(const char *text, size_t n, struct secret_set *ret, char *why,
                      size_t why_size)
{
    static const XML_Memory_Handling_Suite memory = {secret_malloc, secret_realloc, secret_free};
    struct walk w = {.field = -1};
    int r;

    if (n > CREDDOC_MAX)
        return refuse(why, why_size, "the reply is longer than 64 KiB");
    w.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (!w.parser)
        return no_memory(why, why_size);
    for (int i = 0; i < FIELDS; i++)
        buf_init(&w.text[i], SECRET_TOKEN_MAX);
    r = walk_document(&w, text, n, why, why_size);
    if (r == 0)
        r = finish(&w, ret, why, why_size);
    XML_ParserFree(w.parser);
    for (int i = 0; i < FIELDS; i++)
        buf_wipe(&w.text[i]);
    return r;
}
