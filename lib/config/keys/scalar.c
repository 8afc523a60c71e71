/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/keys/scalar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "lib/yaml/text.h"

/* A value in a message, cut to 60 bytes. */
#define QUOTED "`%.60s%s`"
#define QUOTE(text) shown(text), strlen(shown(text)) > 60 ? "..." : ""

/* Somebody may have put a URL with a password here. */
static const char *shown(const char *text)
{
    return text_has_password(text, strlen(text)) ? "(not shown)" : text;
}

char *scalar_resolve_path(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    char *resolved;

    if (path[0] == '/' || !slash)
        return strdup(path);
    if (asprintf(&resolved, "%.*s/%s", (int)(slash - file), file, path) < 0)
        return NULL;
    return resolved;
}

/* Reports a value beyond its bounds, which are given as text. */
static int out_of_bounds(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                         const char *text, const char *min, const char *max)
{
    return yaml_file_error(f, node, "%s must be from %s to %s, not " QUOTED, key->name, min, max,
                           QUOTE(text));
}

static int read_duration(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                         const char *text, usec *field)
{
    char min[PARSE_TEXT_SIZE], max[PARSE_TEXT_SIZE];
    usec value = USEC_NEVER;
    int r = parse_duration(text, &value);

    if (r == -EINVAL)
        return yaml_file_error(f, node,
                               "%s: expected a duration such as 30s, 5m or 1h30m, got " QUOTED,
                               key->name, QUOTE(text));
    if (r < 0 || value < key->min || value > key->max)
        return out_of_bounds(f, node, key, text, format_duration(key->min, min),
                             format_duration(key->max, max));
    *field = value;
    return 0;
}

static int read_seconds(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                        const char *text, usec *field)
{
    char min[PARSE_TEXT_SIZE], max[PARSE_TEXT_SIZE];
    double seconds = 1e9;
    usec value = USEC_NEVER;
    int r = parse_decimal(text, &seconds);

    if (r == -EINVAL)
        return yaml_file_error(f, node,
                               "%s: expected a plain number of seconds such as 2 or 1.9, "
                               "got " QUOTED,
                               key->name, QUOTE(text));
    if (r == 0 && seconds < 1e9)
        value = (usec)(seconds * 1e6 + 0.5);
    if (value < key->min || value > key->max) {
        (void)snprintf(min, sizeof(min), "%g", (double)key->min / 1e6);
        (void)snprintf(max, sizeof(max), "%g", (double)key->max / 1e6);
        return out_of_bounds(f, node, key, text, min, max);
    }
    *field = value;
    return 0;
}

static int read_size(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                     const char *text, uint64_t *field)
{
    char min[PARSE_TEXT_SIZE], max[PARSE_TEXT_SIZE];
    uint64_t value = UINT64_MAX;
    int r = parse_size(text, &value);

    if (r == -EINVAL)
        return yaml_file_error(f, node, "%s: expected a size such as 64MiB or 2GB, got " QUOTED,
                               key->name, QUOTE(text));
    if (r < 0 || value < key->min || value > key->max)
        return out_of_bounds(f, node, key, text, format_size(key->min, min),
                             format_size(key->max, max));
    *field = value;
    return 0;
}

/* A word with a special value, such as `off`. NULL: it is none. */
static const struct table_choice *find_choice(const struct table_choice *choices, const char *text)
{
    for (const struct table_choice *c = choices; c && c->name; c++) {
        if (strcmp(c->name, text) == 0)
            return c;
    }
    return NULL;
}

static int read_ratio(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                      const char *text, double *field)
{
    const struct table_choice *word = find_choice(key->choices, text);
    char min[PARSE_TEXT_SIZE], max[PARSE_TEXT_SIZE];
    double value = 2;
    int r = word ? 0 : parse_ratio(text, &value);

    if (word) {
        *field = word->value;
        return 0;
    }
    if (r == -EINVAL)
        return yaml_file_error(f, node, "%s: expected a share such as 10%% or 0.1%s%s, got " QUOTED,
                               key->name, key->choices ? ", or " : "",
                               key->choices ? key->choices->name : "", QUOTE(text));
    if (r < 0 || value < (double)key->min / 1e6 || value > (double)key->max / 1e6) {
        (void)snprintf(min, sizeof(min), "%g%%", (double)key->min / 1e4);
        (void)snprintf(max, sizeof(max), "%g%%", (double)key->max / 1e4);
        return out_of_bounds(f, node, key, text, min, max);
    }
    *field = value;
    return 0;
}

static int read_number(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                       const char *text, void *field)
{
    char min[PARSE_TEXT_SIZE], max[PARSE_TEXT_SIZE];
    uint64_t value;
    int r = parse_unsigned(text, key->max, &value);

    if (r == -EINVAL)
        return yaml_file_error(f, node, "%s: expected a whole number, got " QUOTED, key->name,
                               QUOTE(text));
    if (r < 0 || value < key->min) {
        (void)snprintf(min, sizeof(min), "%llu", (unsigned long long)key->min);
        (void)snprintf(max, sizeof(max), "%llu", (unsigned long long)key->max);
        return out_of_bounds(f, node, key, text, min, max);
    }
    if (key->type == TABLE_UNSIGNED)
        *(unsigned *)field = (unsigned)value;
    else
        *(uint64_t *)field = value;
    return 0;
}

static int read_choice(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                       const char *text, void *field)
{
    static const struct table_choice booleans[] = {
        {"true", true}, {"false", false}, {"yes", true}, {"no", false},
        {"on", true},   {"off", false},   {NULL, 0},
    };
    const struct table_choice *choices = key->choices ? key->choices : booleans;
    char names[128] = "";

    for (const struct table_choice *c = choices; c->name; c++) {
        size_t len = strlen(names);

        if (strcmp(c->name, text) == 0) {
            if (key->type == TABLE_BOOL)
                *(bool *)field = c->value != 0;
            else
                *(int *)field = c->value;
            return 0;
        }
        (void)snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "", c->name);
    }
    return yaml_file_error(f, node, "%s: expected %s%s, got " QUOTED, key->name,
                           choices == booleans ? "" : "one of ",
                           choices == booleans ? "true or false" : names, QUOTE(text));
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    }
    return false;
}

static int read_string(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                       char **text, char **field)
{
    const char *why = NULL;

    if (key->flags & TABLE_VERBATIM) {
        free(*field);
        *field = steal(text);
        return 0;
    }
    if (**text == '\0')
        return yaml_file_error(f, node, "%s must not be empty", key->name);
    if (has_control(*text))
        return yaml_file_error(f, node, "%s must not contain control characters", key->name);
    if (key->max > 0 && strlen(*text) > key->max)
        return yaml_file_error(f, node, "%s is longer than %llu bytes", key->name,
                               (unsigned long long)key->max);
    if (key->check)
        why = key->check(*text);
    if (why)
        return yaml_file_error(f, node, "%s %s", key->name, why);
    if (key->type == TABLE_PATH) {
        char *resolved = scalar_resolve_path(f->name, *text);

        if (!resolved)
            return yaml_file_oom(f);
        free(*text);
        *text = resolved;
    }
    free(*field);
    *field = steal(text);
    return 0;
}

int scalar_read(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                void *field)
{
    _cleanup_free_ char *text = NULL;
    int r = key->flags & TABLE_VERBATIM ? yaml_verbatim(f, node, key->name, &text)
                                        : yaml_scalar(f, node, key->name, &text);

    if (r < 0)
        return r;
    switch (key->type) {
    case TABLE_DURATION: return read_duration(f, node, key, text, field);
    case TABLE_SECONDS: return read_seconds(f, node, key, text, field);
    case TABLE_SIZE: return read_size(f, node, key, text, field);
    case TABLE_RATIO: return read_ratio(f, node, key, text, field);
    case TABLE_UNSIGNED:
    case TABLE_UINT64: return read_number(f, node, key, text, field);
    case TABLE_BOOL:
    case TABLE_CHOICE: return read_choice(f, node, key, text, field);
    case TABLE_STRING:
    case TABLE_PATH: return read_string(f, node, key, &text, field);
    default: return -EOPNOTSUPP;
    }
}
