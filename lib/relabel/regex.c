/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/relabel/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/relabel/pattern.h"

#define TRANSLATED_MAX (64u << 10) /* bytes of a pattern in PCRE2's words */
#define HEAP_MAX 1024              /* KiB that a match may take */

struct regex {
    pcre2_code *code;
    pcre2_match_data *found;
    pcre2_match_context *limits;
    struct pattern_names names;
    const char *text; /* that was matched; borrowed */
};

void regex_free(struct regex *re)
{
    if (!re)
        return;
    pcre2_code_free(re->code);
    pcre2_match_data_free(re->found);
    pcre2_match_context_free(re->limits);
    pattern_names_done(&re->names);
    free(re);
}

/* The options make PCRE2's `$`, `^` and newline those of RE2. */
static int compile(struct regex *re, const char *pattern, char why[static REGEX_WHY_MAX])
{
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_INVALID_UTF;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    PCRE2_SIZE at;
    int error;

    if (!context || pcre2_set_newline(context, PCRE2_NEWLINE_LF) != 0) {
        pcre2_compile_context_free(context);
        return -ENOMEM;
    }
    re->code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (re->code)
        return 0;
    if (error == PCRE2_ERROR_HEAP_FAILED || error == PCRE2_ERROR_NOMEMORY)
        return -ENOMEM;
    if (pcre2_get_error_message(error, (PCRE2_UCHAR *)why, REGEX_WHY_MAX) < 0)
        (void)snprintf(why, REGEX_WHY_MAX, "not a regular expression");
    return -EINVAL;
}

static int prepare(struct regex *re)
{
    re->found = pcre2_match_data_create_from_pattern(re->code, NULL);
    re->limits = pcre2_match_context_create(NULL);
    if (!re->found || !re->limits)
        return -ENOMEM;
    (void)pcre2_set_match_limit(re->limits, REGEX_STEPS_MAX);
    (void)pcre2_set_heap_limit(re->limits, HEAP_MAX);
    return 0;
}

static int build(struct regex *re, const char *text, char why[static REGEX_WHY_MAX])
{
    struct buf pattern;
    int r;

    buf_init(&pattern, TRANSLATED_MAX);
    r = buf_adds(&pattern, "\\A(?s:");
    if (r == 0)
        r = pattern_translate(text, &pattern, &re->names, why);
    if (r == 0)
        r = buf_adds(&pattern, ")\\z");
    if (r == -E2BIG) {
        (void)snprintf(why, REGEX_WHY_MAX, "the regular expression is too long");
        r = -EINVAL;
    }
    if (r == 0)
        r = compile(re, buf_str(&pattern), why);
    buf_done(&pattern);
    return r < 0 ? r : prepare(re);
}

int regex_new(const char *text, struct regex **ret, char why[static REGEX_WHY_MAX])
{
    struct regex *re = calloc(1, sizeof(*re));
    int r = re ? build(re, text, why) : -ENOMEM;

    if (r < 0)
        regex_free(re);
    else
        *ret = re;
    return r;
}

int regex_match(struct regex *re, const char *text)
{
    int r = pcre2_match(re->code, (PCRE2_SPTR)text, strlen(text), 0, 0, re->found, re->limits);

    re->text = text;
    if (r >= 0)
        return 1;
    if (r == PCRE2_ERROR_NOMATCH)
        return 0;
    return r == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -ELOOP;
}

static bool has_matched(const struct regex *re, size_t i)
{
    return i <= re->names.n && pcre2_get_ovector_pointer(re->found)[2 * i] != PCRE2_UNSET;
}

static int add_group(const struct regex *re, size_t i, struct buf *out)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(re->found);

    if (!has_matched(re, i))
        return 0;
    return buf_add(out, re->text + ends[2 * i], ends[2 * i + 1] - ends[2 * i]);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A number without a leading zero means the group of that number, all else a group's name; of groups
 * with the same name, the first that has matched. */
static int add_named(const struct regex *re, const char *name, size_t n, struct buf *out)
{
    size_t number = 0;

    if (strspn(name, "0123456789") >= n && (n == 1 || name[0] != '0')) {
        for (size_t i = 0; i < n && number <= PATTERN_GROUPS_MAX; i++)
            number = number * 10 + (size_t)(name[i] - '0');
        return add_group(re, number, out);
    }
    for (size_t i = 1; i <= re->names.n; i++) {
        if (re->names.of[i] && strlen(re->names.of[i]) == n &&
            strncmp(re->names.of[i], name, n) == 0 && has_matched(re, i))
            return add_group(re, i, out);
    }
    return 0;
}

int regex_expand(const struct regex *re, const char *template, struct buf *out)
{
    int r = 0;

    while (r == 0 && *template) {
        size_t plain = strcspn(template, "$"), n = 0;
        const char *name;
        bool braces;

        r = buf_add(out, template, plain);
        template += plain;
        if (r < 0 || *template == '\0')
            break;
        template++;
        braces = *template == '{';
        name = template + braces;
        while (is_word(name[n]))
            n++;
        if (*template == '$') {
            r = buf_adds(out, "$");
            template++;
        } else if (n == 0 || (braces && name[n] != '}')) {
            r = buf_adds(out, "$");
        } else {
            r = add_named(re, name, n, out);
            template = name + n + braces;
        }
    }
    return r;
}
