/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/relabel/pattern.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"

#define REPEAT_MAX 1000 /* as in RE2 */
#define DEPTH_MAX 200
#define LETTER_MAX 0x10ffff

struct parser {
    const char *at;
    struct buf *out;
    struct pattern_names *names;
    char *why;
    unsigned depth;
    bool item;     /* a quantifier may follow */
    bool repeated; /* what stands before is a quantifier */
};

static int refuse(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct parser *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(p->why, PATTERN_WHY_MAX, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

static void item(struct parser *p, bool is)
{
    p->item = is;
    p->repeated = false;
}

/* The names of the classes that stand for sets of letters; both programs have them alike. */
static bool is_category(const char *name, size_t n)
{
    static const char *const categories[] = {
        "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd",
        "Nl", "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S",  "Sm",
        "Sc", "Sk", "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Co", "Cs",
    };

    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        if (strlen(categories[i]) == n && strncmp(categories[i], name, n) == 0)
            return true;
    }
    return false;
}

/* \pL, \p{Lu}, \p{^Lu}, \PL, at the letter p. Scripts such as \p{Greek} are not there. */
static int property(struct parser *p)
{
    bool not = p->at[0] == 'P';
    const char *name = p->at + 1;
    size_t n = 1, skip = 2;

    if (*name == '{') {
        name++;
        if (*name == '^') {
            not = !not;
            name++;
        }
        n = strcspn(name, "}");
        skip = (size_t)(name - p->at) + n + 1;
        if (name[n] != '}')
            return refuse(p, "\\p{ without its closing brace");
    } else if (*name == '\0') {
        return refuse(p, "\\p without the name of a class");
    }
    if (!is_category(name, n))
        return refuse(p, "\\p{%.*s}: only general categories such as L, Lu and Nd are known",
                      (int)(n < 40 ? n : 40), name);
    p->at += skip;
    return buf_addf(p->out, "\\%c{%.*s}", not ? 'P' : 'p', (int)n, name);
}

/* \d and its like, as the inside of a bracket; NULL: no such class. */
static const char *perl_class(char letter)
{
    switch (letter) {
    case 'd':
    case 'D': return "0-9";
    case 's':
    case 'S': return "\\t\\n\\f\\r ";
    case 'w':
    case 'W': return "0-9A-Za-z_";
    default: return NULL;
    }
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static int hex_letter(struct parser *p, uint32_t *ret)
{
    bool braces = *p->at == '{';
    uint32_t value = 0;
    unsigned n = 0;

    p->at += braces;
    for (; hex_digit(*p->at) >= 0 && (braces || n < 2) && value <= LETTER_MAX; p->at++, n++)
        value = value * 16 + (uint32_t)hex_digit(*p->at);
    if (n == 0 || (!braces && n != 2) || (braces && *p->at != '}') || value > LETTER_MAX)
        return refuse(p, "\\x needs two hexadecimal digits, or \\x{10FFFF} at most");
    p->at += braces;
    *ret = value;
    return 0;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A letter after a backslash that stands for one character. */
static int escaped(struct parser *p, uint32_t *ret)
{
    static const struct {
        char letter, means;
    } controls[] = {{'a', '\a'}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'v', '\v'}};
    char c = *p->at;

    if (c == '\0')
        return refuse(p, "a backslash at the end");
    if (c == '0' || (is_octal(c) && is_octal(p->at[1]))) {
        *ret = 0;
        for (unsigned n = 0; n < 3 && is_octal(*p->at); n++)
            *ret = *ret * 8 + (uint32_t)(*p->at++ - '0');
        return 0;
    }
    if (c >= '1' && c <= '9')
        return refuse(p, "\\%c: RE2 has no backreferences", c);
    p->at++;
    if (c == 'x')
        return hex_letter(p, ret);
    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
        if (controls[i].letter == c) {
            *ret = (unsigned char)controls[i].means;
            return 0;
        }
    }
    if ((unsigned char)c >= 0x80 || (is_word(c) && c != '_'))
        return refuse(p, "\\%.1s is not known to RE2", (unsigned char)c >= 0x80 ? "?" : &c);
    *ret = (unsigned char)c;
    return 0;
}

/* One character of UTF-8. */
static int plain(struct parser *p, uint32_t *ret)
{
    size_t n = utf8_length(p->at, strlen(p->at));
    const unsigned char *b = (const unsigned char *)p->at;

    if (n == 0)
        return refuse(p, "not UTF-8");
    *ret = n == 1 ? b[0] : b[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        *ret = *ret << 6 | (b[i] & 0x3fu);
    p->at += n;
    return 0;
}

static int class_letter(struct parser *p, uint32_t *ret)
{
    if (*p->at == '\0')
        return refuse(p, "[ without its closing bracket");
    if (*p->at != '\\')
        return plain(p, ret);
    p->at++;
    return escaped(p, ret);
}

static int class_range(struct parser *p)
{
    uint32_t low, high;
    int r = class_letter(p, &low);

    high = low;
    if (r == 0 && p->at[0] == '-' && p->at[1] != ']' && p->at[1] != '\0') {
        p->at++;
        r = class_letter(p, &high);
    }
    if (r < 0)
        return r;
    if (high < low)
        return refuse(p, "a range in brackets ends before it begins");
    return buf_addf(p->out, "\\x{%x}-\\x{%x}", low, high);
}

/* [:alpha:] within brackets, at its beginning. 1: it was one. */
static int posix_class(struct parser *p)
{
    static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                        "digit", "graph", "lower", "print", "punct",
                                        "space", "upper", "word",  "xdigit"};
    const char *end = strstr(p->at + 2, ":]"), *name = p->at + 2;
    bool not;

    if (!end)
        return 0;
    not = *name == '^';
    name += not;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) != (size_t)(end - name) ||
            strncmp(names[i], name, strlen(names[i])) != 0)
            continue;
        p->at = end + 2;
        return buf_addf(p->out, "[:%s%s:]", not ? "^" : "", names[i]) < 0 ? buf_error(p->out) : 1;
    }
    return refuse(p, "[:%.*s:] is not a class of letters", (int)(end - name < 40 ? end - name : 40),
                  name);
}

static int class_item(struct parser *p)
{
    const char *inside;

    if (p->at[0] == '[' && p->at[1] == ':') {
        int r = posix_class(p);

        if (r != 0)
            return r < 0 ? r : 0;
    }
    if (p->at[0] != '\\')
        return class_range(p);
    if (p->at[1] == 'p' || p->at[1] == 'P') {
        p->at++;
        return property(p);
    }
    inside = perl_class(p->at[1]);
    if (!inside)
        return class_range(p);
    p->at += 2;
    /* A negated one stands by its own name: no member of it is beyond what both mean alike. */
    switch (p->at[-1]) {
    case 'D': return buf_adds(p->out, "\\D");
    case 'W': return buf_adds(p->out, "\\W");
    case 'S': return buf_adds(p->out, "\\S\\x{b}");
    default: return buf_adds(p->out, inside);
    }
}

static int bracket(struct parser *p)
{
    bool first = true;
    int r;

    p->at++;
    r = buf_adds(p->out, "[");
    if (*p->at == '^') {
        p->at++;
        r = buf_adds(p->out, "^");
    }
    while (r == 0 && (first || *p->at != ']')) {
        first = false;
        r = class_item(p);
    }
    if (r < 0)
        return r;
    p->at++;
    item(p, true);
    return buf_adds(p->out, "]");
}

/* \Q…\E */
static int quoted(struct parser *p)
{
    const char *end = strstr(p->at, "\\E");
    int r = end ? 0 : refuse(p, "\\Q without its \\E");

    while (r == 0 && p->at < end) {
        uint32_t letter;

        r = plain(p, &letter);
        if (r == 0)
            r = buf_addf(p->out, "\\x{%x}", letter);
        item(p, true);
    }
    p->at += r == 0 ? 2 : 0;
    return r;
}

static int backslash(struct parser *p)
{
    uint32_t letter;
    const char *inside;
    int r;

    p->at++;
    switch (*p->at) {
    case 'A':
    case 'z':
    case 'b':
    case 'B': item(p, true); return buf_addf(p->out, "(?:\\%c)", *p->at++);
    case 'Q': p->at++; return quoted(p);
    case 'p':
    case 'P': item(p, true); return property(p);
    default: break;
    }
    item(p, true);
    inside = perl_class(*p->at);
    if (inside) {
        bool not = *p->at++ < 'a';

        return buf_addf(p->out, "[%s%s]", not ? "^" : "", inside);
    }
    r = escaped(p, &letter);
    return r < 0 ? r : buf_addf(p->out, "\\x{%x}", letter);
}

static int group_name(struct parser *p)
{
    const char *name = p->at;
    size_t n = 0;
    char *copy;

    while (is_word(name[n]))
        n++;
    if (n == 0 || n > 64 || name[n] != '>')
        return refuse(p, "a group's name is letters, digits and _, and ends with >");
    copy = strndup(name, n);
    if (!copy)
        return -ENOMEM;
    p->names->of[p->names->n] = copy;
    p->at += n + 1;
    return 0;
}

/* (?i), (?i-s:…), at the first flag. */
static int flags(struct parser *p)
{
    size_t n = strspn(p->at, "imsU-");
    const char *minus = memchr(p->at, '-', n);
    char end = p->at[n];
    int r;

    if (n == 0 || (end != ')' && end != ':') || p->at[n - 1] == '-' ||
        (minus && strchr(minus + 1, '-') && strchr(minus + 1, '-') < p->at + n))
        return refuse(p,
                      "(?%.1s: RE2 knows (?:…), (?P<name>…), (?<name>…) and the flags i, m, s "
                      "and U; it has no lookaround",
                      p->at);
    r = buf_addf(p->out, "(?%.*s%c", (int)n, p->at, end);
    p->at += n + 1;
    p->depth += end == ':';
    item(p, false);
    return r;
}

static int open_group(struct parser *p)
{
    bool named;

    if (p->depth >= DEPTH_MAX)
        return refuse(p, "groups are nested more than %d deep", DEPTH_MAX);
    p->at++;
    named = strncmp(p->at, "?P<", 3) == 0 ||
            (strncmp(p->at, "?<", 2) == 0 && p->at[2] != '=' && p->at[2] != '!');
    if (*p->at == '?' && !named) {
        p->at++;
        if (*p->at == ':') {
            p->at++;
            p->depth++;
            item(p, false);
            return buf_adds(p->out, "(?:");
        }
        return flags(p);
    }
    if (p->names->n == PATTERN_GROUPS_MAX)
        return refuse(p, "more than %d groups", PATTERN_GROUPS_MAX);
    p->names->n++;
    if (named) {
        int r;

        p->at += p->at[1] == 'P' ? 3 : 2;
        r = group_name(p);
        if (r < 0)
            return r;
    }
    p->depth++;
    item(p, false);
    return buf_adds(p->out, "(");
}

static int close_group(struct parser *p)
{
    if (p->depth == 0)
        return refuse(p, ") without its opening parenthesis");
    p->depth--;
    p->at++;
    item(p, true);
    return buf_adds(p->out, ")");
}

static bool number(const char **at, unsigned *ret)
{
    const char *s = *at;
    unsigned value = 0;

    if (*s < '0' || *s > '9' || (s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
        return false;
    for (; *s >= '0' && *s <= '9'; s++)
        value = value > REPEAT_MAX ? value : value * 10 + (unsigned)(*s - '0');
    *at = s;
    *ret = value;
    return true;
}

/* {2}, {2,}, {2,5}: how long it is; 0: none, the brace stands for itself. */
static size_t count_of(const char *at, unsigned *low, unsigned *high)
{
    const char *s = at + 1;

    if (!number(&s, low))
        return 0;
    *high = *low;
    if (*s == ',') {
        s++;
        if (*s == '}')
            *high = REPEAT_MAX;
        else if (!number(&s, high))
            return 0;
    }
    return *s == '}' ? (size_t)(s - at) + 1 : 0;
}

static int quantifier(struct parser *p)
{
    unsigned low = 0, high = 0;
    size_t n = *p->at == '{' ? count_of(p->at, &low, &high) : 1;
    int r;

    if (n == 0) {
        p->at++;
        item(p, true);
        return buf_adds(p->out, "\\{");
    }
    if (p->repeated)
        return refuse(p, "a quantifier behind a quantifier: %.*s", (int)n, p->at);
    if (!p->item)
        return refuse(p, "nothing stands before the quantifier %.*s", (int)n, p->at);
    if (low > REPEAT_MAX || high > REPEAT_MAX || low > high)
        return refuse(p, "%.*s: at most %d times, and the lower number first", (int)n, p->at,
                      REPEAT_MAX);
    r = buf_add(p->out, p->at, n);
    p->at += n;
    if (r == 0 && *p->at == '?') {
        p->at++;
        r = buf_adds(p->out, "?");
    }
    p->repeated = true;
    return r;
}

static int step(struct parser *p)
{
    uint32_t letter;
    const char *from = p->at;
    int r;

    switch (*p->at) {
    case '\\': return backslash(p);
    case '[': return bracket(p);
    case '(': return open_group(p);
    case ')': return close_group(p);
    case '*':
    case '+':
    case '?':
    case '{': return quantifier(p);
    case '|':
        p->at++;
        item(p, false);
        return buf_adds(p->out, "|");
    case '^':
    case '$': item(p, true); return buf_addf(p->out, "(?:%c)", *p->at++);
    default: break;
    }
    r = plain(p, &letter);
    item(p, true);
    return r < 0 ? r : buf_add(p->out, from, (size_t)(p->at - from));
}

int pattern_translate(const char *re, struct buf *out, struct pattern_names *names,
                      char why[static PATTERN_WHY_MAX])
{
    struct parser p = {.at = re, .out = out, .names = names, .why = why};
    int r = 0;

    while (r == 0 && *p.at)
        r = step(&p);
    if (r == 0 && p.depth > 0)
        r = refuse(&p, "( without its closing parenthesis");
    return r;
}

void pattern_names_done(struct pattern_names *names)
{
    for (size_t i = 1; i <= names->n; i++)
        free(names->of[i]);
    *names = (struct pattern_names){0};
}
