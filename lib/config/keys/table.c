/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/keys/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lib/config/keys/scalar.h"
#include "lib/yaml/text.h"

#define KNOWN_TEXT_MAX 512

/* The keys of the table that one mapping has. */
struct seen {
    unsigned line[TABLE_KEYS_MAX]; /* from 1; 0: not there */
};

/* The row with the most similar name, if it is similar enough; else NULL. */
static const struct table_key *nearest(const struct table *t, const char *name)
{
    const struct table_key *best = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < t->n_keys; i++) {
        size_t distance = text_distance(name, t->keys[i].name);

        if (t->keys[i].type != TABLE_REFUSED && distance < least) {
            best = &t->keys[i];
            least = distance;
        }
    }
    return best && (least == 1 || least <= strlen(best->name) / 3) ? best : NULL;
}

/* "{token:SECRET}", without a blank, is a key as well. */
static int key_length(const char *name)
{
    size_t n = strcspn(name, ":");

    return (int)(n < 60 ? n : 60);
}

static int unknown_key(struct yaml_file *f, const yaml_node_t *node, const struct table *t,
                       const char *name)
{
    /* No text is made for errors that will not be shown. */
    const struct table_key *near = f->diags->n < DIAG_MAX ? nearest(t, name) : NULL;
    size_t at = f->diags->n;
    struct buf known;
    int r;

    if (near) {
        r = yaml_file_error(f, node, "unknown key `%.*s` %s; did you mean `%s`?", key_length(name),
                            name, t->where, near->name);
        diags_mask_value(f->diags, at);
        return r;
    }
    buf_init(&known, KNOWN_TEXT_MAX);
    for (size_t i = 0; i < t->n_keys; i++) {
        if (t->keys[i].type != TABLE_REFUSED)
            (void)buf_addf(&known, "%s%s", known.len ? ", " : "", t->keys[i].name);
    }
    r = yaml_file_error(f, node, "unknown key `%.*s` %s; it may have: %s", key_length(name), name,
                        t->where, buf_str(&known));
    diags_mask_value(f->diags, at);
    buf_done(&known);
    return r;
}

/* Reading goes on after an error, so that all errors of a file are shown at once. */
static int collect(int r, bool *bad)
{
    if (r == -EINVAL) {
        *bad = true;
        return 0;
    }
    return r;
}

static int read_list(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                     void *base)
{
    const yaml_node_item_t *item, *end;
    size_t count;
    bool bad = false;

    if (node->type != YAML_SEQUENCE_NODE)
        return yaml_file_error(f, node, "%s: expected a list, got %s%s", key->name, yaml_kind(node),
                               yaml_is_null(node) ? " (null): an empty one is written as []" : "");
    item = node->data.sequence.items.start;
    end = node->data.sequence.items.top;
    count = (size_t)(end - item);
    if (count == 0 && (key->flags & TABLE_NONEMPTY))
        return yaml_file_error(f, node, "%s must not be empty", key->name);
    if (count > key->max)
        return yaml_file_error(f, node, "%s has more than %llu items", key->name,
                               (unsigned long long)key->max);
    for (; item < end; item++) {
        const yaml_node_t *value = yaml_file_node(f, *item);
        int r = yaml_file_spend(f, value, 32);

        if (r == 0)
            r = collect(key->item(f, value, base, count), &bad);
        if (r < 0)
            return r;
    }
    return bad ? -EINVAL : 0;
}

static int read_value(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                      char *base)
{
    void *field = base + key->offset;

    if ((key->flags & TABLE_NULLABLE) && yaml_is_null(node))
        return 0;
    if ((key->flags & TABLE_CLEARABLE) && yaml_is_null(node)) {
        free(*(char **)field);
        *(char **)field = NULL;
        return 0;
    }
    switch (key->type) {
    case TABLE_MAPPING: return table_read(f, node, key->table, field);
    case TABLE_LIST: return read_list(f, node, key, base);
    case TABLE_CUSTOM: return key->custom(f, node, base);
    default: return scalar_read(f, node, key, field);
    }
}

/* The row of a pair's key; reports errors of the key. */
static int find_row(struct yaml_file *f, const yaml_node_pair_t *pair, const struct table *t,
                    struct seen *seen, const struct table_key **ret)
{
    const yaml_node_t *key = yaml_file_node(f, pair->key);
    const char *name;
    int r = yaml_key_text(f, pair, &name);

    if (r < 0)
        return r;
    for (size_t i = 0; i < t->n_keys; i++) {
        if (strcmp(t->keys[i].name, name) != 0)
            continue;
        if (t->keys[i].type == TABLE_REFUSED)
            return (t->keys[i].flags & TABLE_SECRET ? yaml_file_error_unseen : yaml_file_error)(
                f, key, "%s: %s", name, t->keys[i].hint);
        if (seen->line[i] > 0)
            return yaml_file_error(f, key, "`%s` is given twice; the first is in line %u", name,
                                   seen->line[i]);
        seen->line[i] = (unsigned)key->start_mark.line + 1;
        *ret = &t->keys[i];
        return 0;
    }
    return unknown_key(f, key, t, name);
}

static int read_pair(struct yaml_file *f, const yaml_node_pair_t *pair, const struct table *t,
                     struct seen *seen, char *base)
{
    const yaml_node_t *value = yaml_file_node(f, pair->value);
    const struct table_key *key = NULL;
    int r = yaml_file_spend(f, value, 32), s = 0;

    if (r == 0)
        r = find_row(f, pair, t, seen, &key);
    if (r < 0)
        return r;
    r = read_value(f, value, key, base);
    /* A mapping has the same address as its first field, which remembers its own place. */
    if (key->type != TABLE_MAPPING)
        s = yaml_file_place(f, value, base + key->offset, r < 0);
    return s < 0 ? s : r;
}

static int check_required(struct yaml_file *f, const yaml_node_t *node, const struct table *t,
                          const struct seen *seen, char *base)
{
    int result = 0;

    for (size_t i = 0; i < t->n_keys; i++) {
        const struct table_key *key = &t->keys[i];
        int r;

        if (!(key->flags & TABLE_REQUIRED) || seen->line[i] > 0)
            continue;
        result = yaml_file_error(f, node, "`%s` is missing %s", key->name, t->where);
        r = yaml_file_place(f, node, base + key->offset, true);
        if (r < 0)
            return r;
    }
    return result;
}

int table_read(struct yaml_file *f, const yaml_node_t *node, const struct table *t, void *base)
{
    struct seen seen = {0};
    bool bad = false;
    int r;

    if (node->type != YAML_MAPPING_NODE)
        return yaml_file_error(f, node, "expected a mapping %s, got %s", t->where, yaml_kind(node));
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        r = collect(read_pair(f, pair, t, &seen, base), &bad);
        if (r < 0)
            return r;
    }
    r = collect(check_required(f, node, t, &seen, base), &bad);
    return r < 0 ? r : bad ? -EINVAL : 0;
}
