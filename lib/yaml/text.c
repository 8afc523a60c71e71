/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/yaml/text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/secretname.h"
#include "base/utf8.h"

bool text_is_utf8(const char *s)
{
    size_t n = strlen(s);

    while (n > 0) {
        size_t len = utf8_length(s, n);

        if (len == 0)
            return false;
        s += len;
        n -= len;
    }
    return true;
}

/* Characters that change the direction of writing: a line could look like another one. */
static bool is_bidi(const char *p, size_t len)
{
    unsigned char last = (unsigned char)p[len - 1];

    if (len == 2)
        return memcmp(p, "\xd8\x9c", 2) == 0; /* ALM */
    if (len != 3 || (unsigned char)p[0] != 0xe2)
        return false;
    if ((unsigned char)p[1] == 0x80)
        return last == 0x8e || last == 0x8f ||
               (last >= 0xaa && last <= 0xae);                          /* marks, LRE … RLO */
    return (unsigned char)p[1] == 0x81 && last >= 0xa6 && last <= 0xa9; /* LRI … PDI */
}

static bool is_control(const char *p, size_t len)
{
    unsigned char c = (unsigned char)p[0];

    if (len == 1)
        return (c < 0x20 && c != '\t') || c == 0x7f;
    return (len == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0) || /* C1 */
           is_bidi(p, len);
}

void text_make_printable(char *s)
{
    size_t n = strlen(s);

    while (n > 0) {
        size_t len = utf8_length(s, n);

        if (len == 0 || is_control(s, len)) {
            len = len ? len : 1;
            memset(s, '?', len);
        }
        s += len;
        n -= len;
    }
}

size_t text_break_length(const char *p)
{
    if (p[0] == '\r')
        return p[1] == '\n' ? 2 : 1;
    if (p[0] == '\n')
        return 1;
    if (p[0] == '\xc2' && p[1] == '\x85')
        return 2;
    if (p[0] == '\xe2' && p[1] == '\x80' && (p[2] == '\xa8' || p[2] == '\xa9'))
        return 3;
    return 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b)
{
    size_t rows[3][TEXT_WORD_MAX + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > TEXT_WORD_MAX || m > TEXT_WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        const size_t *before = rows[(i + 1) % 3]; /* two rows up */
        const size_t *above = rows[(i - 1) % 3];
        size_t *row = rows[i % 3];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1);
            row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

/* "%3A" may be the colon of a password. */
static bool has_encoded(const char *text, size_t n)
{
    for (size_t i = 0; i + 2 < n; i++) {
        if (text[i] == '%' && isxdigit((unsigned char)text[i + 1]) &&
            isxdigit((unsigned char)text[i + 2]))
            return true;
    }
    return false;
}

/* A URL with a fragment; a comment has a blank before it. */
static bool has_fragment(const char *text, size_t n)
{
    const char *end = text + n, *at = memmem(text, n, "://", 3);

    while (at && (at = memchr(at, '#', (size_t)(end - at)))) {
        if (at[-1] != ' ' && at[-1] != '\t')
            return true;
        at++;
    }
    return false;
}

static bool is_key_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Whether a key of the line is named like a secret, or like a section that has some. */
static bool has_secret_key(const char *text, size_t n)
{
    size_t begin = 0;

    for (size_t i = 0; i < n; i++) {
        size_t end = i;

        if (text[i] != ':')
            continue;
        while (end > 0 && strchr(" \t\"'", text[end - 1]))
            end--;
        for (begin = end; begin > 0 && is_key_char(text[begin - 1]);)
            begin--;
        if (secretname_is_section(text + begin, end - begin))
            return true;
    }
    return false;
}

/* The column where the content of a line starts, behind the dashes of lists. */
static size_t indentation(const char *line, size_t n)
{
    size_t i = 0;

    while (i < n && (line[i] == ' ' || (line[i] == '-' && i + 1 < n && line[i + 1] == ' ')))
        i++;
    return i;
}

/* The line before the one at `at`, or NULL. */
static const char *line_before(const char *text, const char *at, size_t *ret_n)
{
    const char *end = at;

    if (end == text)
        return NULL;
    end--;
    if (end > text && *end == '\n' && end[-1] == '\r')
        end--;
    for (at = end; at > text && at[-1] != '\n' && at[-1] != '\r';)
        at--;
    *ret_n = (size_t)(end - at);
    return at;
}

bool text_may_be_secret(const char *text, const char *line, size_t n)
{
    size_t limit = indentation(line, n);

    if (text_has_password(line, n) || has_encoded(line, n) || has_fragment(line, n) ||
        has_secret_key(line, n))
        return true;
    while (limit > 0 && (line = line_before(text, line, &n))) {
        size_t at = indentation(line, n);

        if (at >= limit || at == n || line[at] == '#')
            continue;
        if (has_secret_key(line, n))
            return true;
        limit = at;
    }
    return false;
}

bool text_word_may_be_secret(const char *word)
{
    /* Those in front stand for control characters. */
    const char *query = strchr(word + strspn(word, "?"), '?');

    return text_has_password(word, strlen(word)) || strpbrk(word, "#%") || (query && query[1]) ||
           (strchr(word, '@') && strncmp(word, "unix:@", 6) != 0);
}

bool text_has_password(const char *text, size_t n)
{
    const char *end = text + n, *colon = text, *last = memrchr(text, '@', n);
    const char *query = memchr(text, '?', n);

    if (query && memchr(query, '=', (size_t)(end - query)))
        return true;
    while (last && (colon = memchr(colon, ':', (size_t)(end - colon)))) {
        const char *word = ++colon;

        if (word < end && *word == '@') /* of unix:@abstract */
            word++;
        if (word < end && *word != ' ' && *word != '\t' && last >= word)
            return true;
    }
    return false;
}
