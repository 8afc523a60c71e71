/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/jsonfields.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "trace/schedtrace/scan.h"

/* Behind the quote that ends a string, whose first one was read; NULL: there is none. */
static const char *behind_string(const char *p)
{
    for (; *p; p++) {
        if (*p == '"')
            return p + 1;
        if (*p == '\\' && *++p == '\0')
            return NULL;
    }
    return NULL;
}

static const char *behind_blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static void note(struct jsonfield *fields, size_t n, const char *name, size_t length, size_t depth,
                 const char *value)
{
    for (size_t i = 0; i < n; i++) {
        struct jsonfield *f = &fields[i];

        if ((!f->value || depth < f->depth) && strlen(f->name) == length &&
            memcmp(f->name, name, length) == 0) {
            f->value = value;
            f->depth = depth;
            return;
        }
    }
}

bool jsonfields_find(const char *text, size_t n, struct jsonfield *fields, size_t n_fields)
{
    const char *p = behind_blanks(text), *end = text + n;
    size_t depth = 0;

    if (*p != '{')
        return false;
    while (p < end && *p) {
        const char *string = p + 1, *behind;

        if (*p == '{' || *p == '[')
            depth++;
        else if ((*p == '}' || *p == ']') && --depth == 0)
            return true;
        if (*p++ != '"')
            continue;
        behind = behind_string(string);
        if (!behind)
            break;
        p = behind_blanks(behind);
        if (*p != ':')
            continue;
        p = behind_blanks(p + 1);
        note(fields, n_fields, string, (size_t)(behind - 1 - string), depth, p);
    }
    return true; /* cut, perhaps; what came before counts */
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | (c >= 'A' && c <= 'F' ? 0x20 : 0)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* "\u003e": what is not ASCII is of no interest here, and one '?'. */
static int add_unicode(const char **at, struct buf *ret)
{
    int code = 0;
    char c;

    for (int i = 0; i < 4; i++) {
        int digit = hex((*at)[i]);

        if (digit < 0)
            return -EINVAL;
        code = code * 16 + digit;
    }
    *at += 4;
    c = code > 0 && code < 0x80 ? (char)code : '?';
    return buf_add(ret, &c, 1);
}

static int add_escape(const char **at, struct buf *ret)
{
    static const char names[] = "nrtbf", meant[] = "\n\r\t\b\f";
    char c = *(*at)++;
    const char *which = c ? strchr(names, c) : NULL;

    if (c == 'u')
        return add_unicode(at, ret);
    if (c == '\0')
        return -EINVAL;
    if (which)
        c = meant[which - names];
    return buf_add(ret, &c, 1);
}

static int add_string(const char *p, struct buf *ret)
{
    int r = 0;

    while (r == 0 && *p && *p != '"') {
        size_t plain = strcspn(p, "\"\\");

        r = plain > 0 ? buf_add(ret, p, plain) : 0;
        p += plain;
        if (r == 0 && *p == '\\') {
            p++;
            r = add_escape(&p, ret);
        }
    }
    return r;
}

static int add_bytes(const char *p, struct buf *ret)
{
    int r = 0;

    while (r == 0) {
        uint64_t value;
        char c;

        p += strspn(p, " ,\t\r\n");
        if (*p == ']')
            return 0;
        if (!scan_number(&p, 255, &value))
            return -EINVAL;
        c = (char)value;
        r = buf_add(ret, &c, 1);
    }
    return r;
}

int jsonfields_text(const struct jsonfield *field, struct buf *ret)
{
    const char *p = field->value;

    if (*p == '"')
        return add_string(p + 1, ret);
    if (*p == '[')
        return add_bytes(p + 1, ret);
    if (*p >= '0' && *p <= '9')
        return buf_add(ret, p, strspn(p, "0123456789"));
    return -EINVAL;
}
