/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/scrapeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 60

const char scrapeline_too_many[] = "too many labels";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == ':';
}

/* {"http.requests", code="200"} 1: names of any letters, as Prometheus 3 writes them. */
static const char *quoted_name(const char *line, size_t n, struct scrapeline_name *ret)
{
    size_t i = 1, from;

    while (i < n && is_blank(line[i]))
        i++;
    if (i == n || line[i] != '"')
        return "expected a metric's name";
    from = ++i;
    while (i < n && line[i] != '"')
        i += line[i] == '\\' ? 2 : 1;
    if (i >= n)
        return "a quoted name does not end";
    *ret = (struct scrapeline_name){line + from, i - from, i + 1, true};
    return NULL;
}

const char *scrapeline_name(const char *line, size_t n, struct scrapeline_name *ret)
{
    size_t i = 0;

    if (n > 0 && line[0] == '{')
        return quoted_name(line, n, ret);
    if (n > 0 && (is_letter(line[0]) || line[0] == ':')) {
        while (i < n && is_name(line[i]))
            i++;
    }
    if (i == 0)
        return "expected a metric's name";
    if (i == n || (line[i] != '{' && !is_blank(line[i])))
        return "expected { or a blank after the metric's name";
    *ret = (struct scrapeline_name){line, i, i, false};
    return NULL;
}

static bool begins_number(char c)
{
    return (c >= '0' && c <= '9') || strchr("+-.NnIi{", c) != NULL;
}

bool scrapeline_plausible(const char *rest, size_t n)
{
    size_t i = 0;

    while (n > 0 && is_blank(rest[n - 1]))
        n--;
    while (i < n && is_blank(rest[i]))
        i++;
    if (i == n || rest[i] == '\0')
        return false;
    /* With labels, the value is what the line ends with, or a timestamp or an exemplar's number. */
    if (rest[i] != '{' && rest[i] != ',' && rest[i] != '}')
        return begins_number(rest[i]);
    return is_name(rest[n - 1]) || rest[n - 1] == '.' || rest[n - 1] == '}';
}

static char *skip_blanks(char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* Reads the text after an opening quote, in place. Returns what follows the closing quote; NULL:
 * there is none. */
static char *unescape(char *p, char **ret)
{
    char *to = p;

    *ret = p;
    for (; *p != '"'; p++) {
        if (*p == '\\' && (p[1] == '\\' || p[1] == '"' || p[1] == 'n')) {
            p++;
            *to++ = *p == 'n' ? '\n' : *p;
        } else if (*p == '\0') {
            return NULL;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return p + 1;
}

/* The name of a label and its sign of equality. Returns what follows; NULL: something is wrong. */
static char *label_name(char *p, char **ret)
{
    char *end = p;

    if (*p == '"') {
        end = unescape(p + 1, ret);
        if (!end)
            return NULL;
    } else {
        if (!is_letter(*p))
            return NULL;
        while (is_name(*end))
            end++;
        *ret = p;
    }
    p = skip_blanks(end);
    if (*p != '=')
        return NULL;
    *p = '\0'; /* ends the name, if it is not quoted and no blank follows it */
    *end = '\0';
    return skip_blanks(p + 1);
}

/* The labels up to the closing brace. *p moves behind it. */
static const char *read_labels(char **p, struct scrape_label *labels, size_t *ret_n)
{
    char *at = skip_blanks(*p), *name, *value;
    size_t n = 0;

    while (*at != '}') {
        at = label_name(at, &name);
        if (!at)
            return "expected a label's name and =";
        if (*at != '"')
            return "expected a label's value in quotes";
        at = unescape(at + 1, &value);
        if (!at)
            return "a label's value does not end";
        if (n == SCRAPE_LABELS_MAX)
            return scrapeline_too_many;
        labels[n++] = (struct scrape_label){name, value};
        at = skip_blanks(at);
        if (*at == ',')
            at = skip_blanks(at + 1);
        else if (*at != '}')
            return "expected , or } after a label";
    }
    *p = at + 1;
    *ret_n = n;
    return NULL;
}

/* As Go's strconv.ParseFloat: NaN, Inf, +Inf, 1e3. *p moves behind it. */
static bool read_number(char **p, double *ret)
{
    char *end, *at = *p;
    size_t n = strcspn(at, " \t");

    if (n == 0 || n > NUMBER_MAX || !begins_number(*at) || *at == '{' || memchr(at, '(', n))
        return false;
    *ret = strtod(at, &end);
    if (end != at + n)
        return false;
    *p = end;
    return true;
}

/* A timestamp and an exemplar, which are of no use here. */
static const char *read_rest(char *p)
{
    double ignored;

    p = skip_blanks(p);
    if (*p != '\0' && *p != '#' && !read_number(&p, &ignored))
        return "expected a timestamp after the value";
    p = skip_blanks(p);
    return *p == '\0' || *p == '#' ? NULL : "something follows the value";
}

/* {count:3,sum:1.5,schema:0,…}: a native histogram, where a value or labels may stand. */
static bool is_native(const char *p)
{
    if (*p++ != '{')
        return false;
    while (is_letter(*p))
        p++;
    return *p == ':';
}

const char *scrapeline_sample(char *rest, bool in_braces, struct scrape_label *labels,
                              struct scrape_sample *ret)
{
    const char *wrong = NULL;
    char *p = skip_blanks(rest);
    double value = NAN;
    size_t n = 0;

    if (in_braces) {
        if (*p == ',')
            p++;
        else if (*p != '}')
            return "expected , or } after the metric's name";
        wrong = read_labels(&p, labels, &n);
    } else if (*p == '{' && !is_native(p)) {
        p++;
        wrong = read_labels(&p, labels, &n);
    }
    if (wrong)
        return wrong;
    ret->labels = labels;
    ret->n_labels = n;
    p = skip_blanks(p);
    ret->native = is_native(p);
    if (!ret->native) {
        if (!read_number(&p, &value))
            return "expected a number as the value";
        wrong = read_rest(p);
    }
    ret->value = value;
    return wrong;
}
