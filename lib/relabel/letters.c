/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/relabel/letters.h"

#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wctype.h>

#include "base/utf8.h"

typedef wint_t (*change_fn)(wint_t letter, locale_t locale);

static locale_t open_locale(void)
{
    return newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

bool letters_known(void)
{
    locale_t locale = open_locale();

    if (locale)
        freelocale(locale);
    return locale != (locale_t)0;
}

static int add(struct buf *out, uint32_t c)
{
    char bytes[UTF8_MAX];
    size_t n = 0;

    if (c < 0x80) {
        bytes[n++] = (char)c;
    } else if (c < 0x800) {
        bytes[n++] = (char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        bytes[n++] = (char)(0xe0 | c >> 12);
        bytes[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    } else {
        bytes[n++] = (char)(0xf0 | c >> 18);
        bytes[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        bytes[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80)
        bytes[n++] = (char)(0x80 | (c & 0x3f));
    return buf_add(out, bytes, n);
}

static int change(const char *text, change_fn fn, struct buf *out)
{
    locale_t locale = open_locale();
    int r = 0;

    while (r == 0 && *text) {
        size_t n = utf8_length(text, UTF8_MAX);
        uint32_t c = (unsigned char)text[0];

        if (n > 1)
            c &= 0xffu >> (n + 1);
        for (size_t i = 1; i < n; i++)
            c = c << 6 | ((unsigned char)text[i] & 0x3fu);
        if (n == 0 || (n > 1 && !locale))
            r = buf_add(out, text, n ? n : 1);
        else if (n == 1)
            r = add(out, (uint32_t)(locale ? fn(c, locale) : c));
        else
            r = add(out, (uint32_t)fn(c, locale));
        text += n ? n : 1;
    }
    if (locale)
        freelocale(locale);
    return r;
}

int letters_lower(const char *text, struct buf *out)
{
    return change(text, towlower_l, out);
}

int letters_upper(const char *text, struct buf *out)
{
    return change(text, towupper_l, out);
}
