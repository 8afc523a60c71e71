/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonwriter.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define NUMBER_SIZE 40

void jsonwriter_init(struct jsonwriter *w, struct buf *out, struct jsonwriter_style style)
{
    *w = (struct jsonwriter){.out = out, .style = style};
}

static void put(struct jsonwriter *w, const char *text)
{
    (void)buf_adds(w->out, text);
}

static void put_character(struct jsonwriter *w, unsigned char c)
{
    switch (c) {
    case '"': put(w, "\\\""); break;
    case '\\': put(w, "\\\\"); break;
    case '\b': put(w, "\\b"); break;
    case '\f': put(w, "\\f"); break;
    case '\n': put(w, "\\n"); break;
    case '\r': put(w, "\\r"); break;
    case '\t': put(w, "\\t"); break;
    default: (void)buf_addf(w->out, "\\u%04X", c);
    }
}

static bool is_plain(const struct jsonwriter *w, unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || !w->style.ascii);
}

/* A character of UTF-8 beyond ASCII, of `n` bytes: in UTF-16 (RFC 8259, section 7). */
static void put_utf16(struct jsonwriter *w, const char *p, size_t n)
{
    static const unsigned char masks[] = {0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)p[0] & masks[n - 2];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3f);
    if (c < 0x10000)
        (void)buf_addf(w->out, "\\u%04X", (unsigned)c);
    else
        (void)buf_addf(w->out, "\\u%04X\\u%04X", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
                       (unsigned)(0xdc00 + ((c - 0x10000) & 0x3ff)));
}

/* `text` is UTF-8. */
static void put_string(struct jsonwriter *w, const char *text, size_t n)
{
    put(w, "\"");
    for (size_t i = 0; i < n;) {
        size_t plain = i;

        while (plain < n && is_plain(w, (unsigned char)text[plain]))
            plain++;
        (void)buf_add(w->out, text + i, plain - i);
        i = plain;
        if (i == n)
            break;
        plain = utf8_length(text + i, n - i);
        if (plain > 1)
            put_utf16(w, text + i, plain);
        else
            put_character(w, (unsigned char)text[i]);
        i += plain;
    }
    put(w, "\"");
}

static bool is_utf8(const char *text, size_t n)
{
    while (n > 0) {
        size_t length = utf8_length(text, n);

        if (length == 0)
            return false;
        text += length;
        n -= length;
    }
    return true;
}

/* Whether it is ASCII with nothing to escape, as nearly all texts are. */
static bool is_plain_ascii(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            return false;
    }
    return true;
}

static void put_text(struct jsonwriter *w, const char *text, size_t n)
{
    struct buf escaped;

    if (is_plain_ascii(text, n)) {
        put(w, "\"");
        (void)buf_add(w->out, text, n);
        put(w, "\"");
        return;
    }
    if (is_utf8(text, n)) {
        put_string(w, text, n);
        return;
    }
    buf_init(&escaped, w->out->max);
    buf_add_escaped(&escaped, text, n);
    if (buf_error(&escaped) < 0)
        buf_fail(w->out, buf_error(&escaped));
    put_string(w, buf_str(&escaped), escaped.len);
    buf_done(&escaped);
}

static void new_line(struct jsonwriter *w)
{
    if (w->style.indent > 0)
        (void)buf_addf(w->out, "\n%*s", (int)(w->depth * w->style.indent), "");
}

/* Writes what stands before a value: comma, line break and key. */
static void begin(struct jsonwriter *w, const char *key)
{
    if (w->more)
        put(w, ",");
    w->more = true;
    if (w->depth > 0)
        new_line(w);
    if (key) {
        put_text(w, key, strlen(key));
        put(w, w->style.indent > 0 ? ": " : ":");
    }
}

static void open_value(struct jsonwriter *w, const char *key, bool array)
{
    begin(w, key);
    put(w, array ? "[" : "{");
    w->more = false;
    if (w->depth < JSONWRITER_DEPTH_MAX) {
        w->arrays &= ~(UINT32_C(1) << w->depth);
        w->arrays |= (uint32_t)array << w->depth;
    }
    w->depth++;
}

void jsonwriter_object(struct jsonwriter *w, const char *key)
{
    open_value(w, key, false);
}

void jsonwriter_array(struct jsonwriter *w, const char *key)
{
    open_value(w, key, true);
}

void jsonwriter_end(struct jsonwriter *w)
{
    bool array;

    if (w->depth == 0 || w->depth > JSONWRITER_DEPTH_MAX) {
        buf_fail(w->out, -EINVAL);
        return;
    }
    w->depth--;
    array = w->arrays >> w->depth & 1;
    if (w->more)
        new_line(w);
    put(w, array ? "]" : "}");
    w->more = true;
}

void jsonwriter_text(struct jsonwriter *w, const char *key, const char *text)
{
    if (text)
        jsonwriter_textn(w, key, text, strlen(text));
    else
        jsonwriter_null(w, key);
}

void jsonwriter_textn(struct jsonwriter *w, const char *key, const char *text, size_t n)
{
    begin(w, key);
    put_text(w, text, n);
}

void jsonwriter_integer(struct jsonwriter *w, const char *key, int64_t value)
{
    begin(w, key);
    (void)buf_addf(w->out, "%" PRId64, value);
}

void jsonwriter_count(struct jsonwriter *w, const char *key, uint64_t value)
{
    jsonwriter_integer(w, key, value < INT64_MAX ? (int64_t)value : INT64_MAX);
}

/* "1.0" and "1e20", not "1" and "1e+20": it stays a real, and its exponent has no '+' and no zeros
 * in front. */
void jsonwriter_real(struct jsonwriter *w, const char *key, double value)
{
    char text[NUMBER_SIZE], *exponent, *from;

    if (!isfinite(value)) {
        jsonwriter_null(w, key);
        return;
    }
    (void)snprintf(text, sizeof(text) - 2, "%.*g", (int)w->style.digits, value);
    exponent = strchr(text, 'e');
    if (!exponent && !strchr(text, '.'))
        (void)strcat(text, ".0");
    if (exponent) {
        exponent += exponent[1] == '-' ? 2 : 1;
        from = exponent + (*exponent == '+');
        from += strspn(from, "0");
        memmove(exponent, from, strlen(from) + 1);
    }
    begin(w, key);
    put(w, text);
}

void jsonwriter_bool(struct jsonwriter *w, const char *key, bool value)
{
    begin(w, key);
    put(w, value ? "true" : "false");
}

void jsonwriter_null(struct jsonwriter *w, const char *key)
{
    begin(w, key);
    put(w, "null");
}

void jsonwriter_json(struct jsonwriter *w, const char *key, const char *json)
{
    begin(w, key);
    put(w, json);
}

int jsonwriter_finish(const struct jsonwriter *w)
{
    if (buf_error(w->out) < 0)
        return buf_error(w->out);
    return w->depth == 0 && w->more ? 0 : -EINVAL;
}
