/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/value/path.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "lib/value/amount.h"

/* Members that not every summary has, or whose own members are named by what happened. */
static const char *const optional[] = {
    "because",           "by_kind", "by_type",   "context", "evidence",
    "format_newer",      "grouped", "misnested", "near",    "not_inspected",
    "not_inspected_why", "own",     "remark",    "subject",
};

/* By which member an item of a list is called. */
static const char *const naming[] = {"type", "reason", "code", "func", "name"};

/* What items of a list have, of which a trace may have none to look at: docs/summary.schema.json. */
#define TIMES " count total_ns p50_ns p90_ns p99_ns p999_ns max_ns exact open grouped misnested "

static const struct {
    const char *list;
    const char *members; /* between blanks */
} items[] = {
    {"tasks", " type" TIMES},
    {"regions", " type" TIMES},
    {"stw_by_reason", " reason" TIMES},
    {"waits", " reason count total_ns max_ns "},
    {"findings", " code score subject evidence sites remark because lost_ns lost_share next "},
    {"top",
     " func file line own class count total_ns max_ns open older stacks stack_total_ns stack "},
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* What is being read, and how much of the path's room is used. */
struct scan {
    const char *at;
    struct path *path;
    size_t used; /* of path->keys */
};

static int begin_part(struct scan *s, bool quoted)
{
    struct path *p = s->path;

    if (p->n == PATH_PARTS_MAX || s->used >= PATH_SIZE)
        return -EINVAL;
    p->parts[p->n++] = (struct path_part){.key = (unsigned short)s->used, .quoted = quoted};
    return 0;
}

static int add(struct scan *s, char c)
{
    if (s->used >= PATH_SIZE)
        return -EINVAL;
    s->path->keys[s->used++] = c;
    return 0;
}

static int scan_name(struct scan *s)
{
    int r = is_of_name(*s->at) ? begin_part(s, false) : -EINVAL;

    while (r == 0 && is_of_name(*s->at))
        r = add(s, *s->at++);
    return r < 0 ? r : add(s, '\0');
}

/* A backslash takes the next character as it is. */
static int scan_quoted(struct scan *s)
{
    char quote = *s->at++;
    int r = begin_part(s, true);

    for (; r == 0 && *s->at != quote; s->at++) {
        s->at += *s->at == '\\';
        r = *s->at == '\0' ? -EINVAL : add(s, *s->at);
    }
    if (r < 0)
        return r;
    s->at++;
    return add(s, '\0');
}

static int scan_bracket(struct scan *s)
{
    int r;

    s->at++;
    if (*s->at == '"' || *s->at == '\'')
        r = scan_quoted(s);
    else
        r = *s->at >= '0' && *s->at <= '9' ? scan_name(s) : -EINVAL;
    if (r < 0 || *s->at != ']')
        return -EINVAL;
    s->at++;
    return 0;
}

int path_scan(const char *text, struct path *ret)
{
    struct scan s = {.at = text, .path = ret};
    size_t n;
    int r;

    ret->n = 0;
    r = scan_name(&s);
    while (r == 0 && (*s.at == '.' || *s.at == '[')) {
        if (*s.at == '[') {
            r = scan_bracket(&s);
        } else {
            s.at++;
            r = scan_name(&s);
        }
    }
    n = (size_t)(s.at - text);
    if (r < 0 || n >= PATH_SIZE)
        return -EINVAL;
    memcpy(ret->text, text, n);
    ret->text[n] = '\0';
    return (int)n;
}

int path_parse(const char *text, struct path *ret)
{
    int n = path_scan(text, ret);

    return n < 0 || text[n] != '\0' ? -EINVAL : 0;
}

static bool is_optional(const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
        if (strcmp(key, optional[i]) == 0)
            return true;
    }
    return false;
}

static bool is_called(const json_t *item, const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(naming); i++) {
        const char *name = json_string_value(json_object_get(item, naming[i]));

        if (name && strcmp(name, key) == 0)
            return true;
    }
    return false;
}

static const json_t *item_of(const json_t *list, const char *key, bool quoted)
{
    uint64_t place;
    const json_t *item;
    size_t i;

    if (!quoted && parse_unsigned(key, UINT32_MAX, &place) == 0)
        return json_array_get(list, (size_t)place);
    json_array_foreach(list, i, item) {
        if (is_called(item, key))
            return item;
    }
    return NULL;
}

static const char *key_of(const struct path *path, size_t i)
{
    return path->keys + path->parts[i].key;
}

/* Whether an item of the list that part i - 1 names could have the member that part i + 1 names. */
static bool could_have(const struct path *path, size_t i)
{
    if (i == 0 || i + 1 >= path->n)
        return true;
    for (size_t k = 0; k < ARRAY_SIZE(items); k++) {
        const char *member = key_of(path, i + 1), *at = items[k].members + 1;
        size_t n = strlen(member);

        if (strcmp(items[k].list, key_of(path, i - 1)) != 0)
            continue;
        while (n > 0 && (at = strstr(at, member)) && (at[-1] != ' ' || at[n] != ' '))
            at++;
        return n > 0 && at;
    }
    return true;
}

enum path_found path_find(const struct path *path, const json_t *document, const json_t **ret)
{
    const json_t *at = document;
    bool absent = false, loose = false;

    for (size_t i = 0; i < path->n; i++) {
        const char *key = key_of(path, i);
        const json_t *next = NULL;

        /* A key that is itself a path with a key in it: of what happened. */
        loose = loose || is_optional(key) || (path->parts[i].quoted && strchr(key, '['));
        if (json_is_null(at))
            return PATH_ABSENT;
        if (json_is_array(at)) {
            next = item_of(at, key, path->parts[i].quoted);
            /* What is misspelled behind an item that is not there, another item tells. */
            absent = absent || !next;
            next = next ? next : json_array_get(at, 0);
            if (!next)
                return could_have(path, i) ? PATH_ABSENT : PATH_UNKNOWN;
        } else {
            next = json_object_get(at, key); /* NULL of what is no object */
        }
        if (!next)
            return loose ? PATH_ABSENT : PATH_UNKNOWN;
        at = next;
    }
    if (absent || json_is_null(at))
        return PATH_ABSENT;
    *ret = at;
    return PATH_FOUND;
}

const char *path_unit(const struct path *path)
{
    for (size_t i = path->n; i-- > 0;) {
        const char *key = key_of(path, i);

        if (amount_unit(key) != AMOUNT_PLAIN)
            return key;
    }
    return path->n > 0 ? key_of(path, path->n - 1) : "";
}

bool path_number(const struct path *path, const json_t *document, double *ret)
{
    const json_t *value;

    if (path_find(path, document, &value) != PATH_FOUND)
        return false;
    if (json_is_boolean(value))
        *ret = json_is_true(value);
    else if (json_is_number(value))
        *ret = json_number_value(value);
    else
        return false;
    return true;
}
