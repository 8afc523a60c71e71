/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/group.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/config/keys/table.h"
#include "lib/relabel/labelset.h"
#include "lib/yaml/text.h"

/* Pairs read in one `labels`; discovery tools add many that start with "__", for relabelling. */
#define PAIRS_MAX 256

struct group {
    struct target_list targets;
    struct label *labels;
    size_t n_labels;
    size_t n_public, label_bytes; /* of those that stay after relabelling */
};

void target_config_done(struct target_config *t)
{
    free(t->address);
    address_done(&t->parsed);
    free(t->path);
    free(t->query);
    free(t->host);
    label_clear_all(&t->labels, &t->n_labels);
    *t = (struct target_config){0};
}

void target_list_done(struct target_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        target_config_done(&l->items[i]);
    free(l->items);
    *l = (struct target_list){0};
}

/* A list's capacity is the next power of two. */
int target_list_add(struct target_list *list, struct target_config *t)
{
    if ((list->n & (list->n - 1)) == 0) {
        size_t cap = list->n ? list->n * 2 : 1;
        struct target_config *items = reallocarray(list->items, cap, sizeof(*items));

        if (!items)
            return -ENOMEM;
        list->items = items;
    }
    list->items[list->n++] = *t;
    *t = (struct target_config){0};
    return 0;
}

static int count_target(struct yaml_file *f, const yaml_node_t *node)
{
    if (f->targets >= CONFIG_TARGETS_MAX) {
        (void)yaml_file_error(f, node, "more than %d targets in one file", CONFIG_TARGETS_MAX);
        return -E2BIG;
    }
    f->targets++;
    return yaml_file_spend(f, node, sizeof(struct target_config) + 64);
}

static int read_target(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct group *g = base;
    struct target_config t = {0};
    const char *why;
    int r;

    (void)count;
    r = count_target(f, node);
    if (r == 0)
        r = yaml_scalar(f, node, "a target", &t.address);
    if (r < 0)
        return r;
    r = address_parse(t.address, &t.parsed, &why);
    if (r == -EINVAL && text_word_may_be_secret(t.address))
        r = yaml_file_error_unseen(f, node, "a target with a user name or a query: %s", why);
    else if (r == -EINVAL)
        r = yaml_file_error(f, node, "target `%.80s`: %s", t.address, why);
    else if (r < 0)
        r = yaml_file_oom(f);
    if (r == 0)
        r = yaml_file_place(f, node, t.address, false);
    if (r == 0 && target_list_add(&g->targets, &t) < 0)
        r = yaml_file_oom(f);
    target_config_done(&t);
    return r;
}

static const char *check_label_name(const char *name)
{
    if (!labelset_is_name(name))
        return "is not a label's name: letters, digits and _, no digit first";
    if (strlen(name) > YAML_SCALAR_MAX)
        return "is too long for a label's name";
    return NULL;
}

/* The label's name if the label is kept; else NULL in *ret and 0, or an error. */
static int label_name(struct yaml_file *f, const yaml_node_pair_t *pair, const char **ret)
{
    const yaml_node_t *value = yaml_file_node(f, pair->value);
    const char *name, *why;
    int r = yaml_key_text(f, pair, &name);

    if (r < 0)
        return r;
    why = check_label_name(name);
    if (why)
        return yaml_file_error(f, yaml_file_node(f, pair->key), "`%.60s` %s", name, why);
    *ret = yaml_is_null(value) ? NULL : name;
    return 0;
}

static int read_label(struct yaml_file *f, const yaml_node_pair_t *pair, struct group *g)
{
    const yaml_node_t *value = yaml_file_node(f, pair->value);
    struct label *l = &g->labels[g->n_labels];
    const char *name = NULL;
    int r = label_name(f, pair, &name);
    bool internal = name && strncmp(name, "__", 2) == 0;

    if (r < 0 || !name)
        return r;
    if (!internal && g->n_public == CONFIG_LABELS_MAX)
        return yaml_file_error(f, value, "more than %d labels", CONFIG_LABELS_MAX);
    r = yaml_file_spend(f, value, sizeof(*l) + 2 * strlen(name));
    if (r == 0)
        r = yaml_scalar(f, value, "a label", &l->value);
    if (r < 0)
        return r;
    if (*l->value == '\0') {
        free(steal(&l->value));
        return 0;
    }
    if (!internal) {
        g->label_bytes += strlen(name) + strlen(l->value);
        g->n_public++;
    }
    if (g->label_bytes > CONFIG_LABELS_BYTES_MAX) {
        free(steal(&l->value));
        return yaml_file_error(f, value, "the labels of a target have more than %u KiB",
                               CONFIG_LABELS_BYTES_MAX >> 10);
    }
    l->name = strdup(name);
    g->n_labels++;
    return l->name ? 0 : yaml_file_oom(f);
}

static int read_labels(struct yaml_file *f, const yaml_node_t *node, void *base)
{
    struct group *g = base;
    const yaml_node_pair_t *first, *end;
    bool bad = false;

    if (node->type != YAML_MAPPING_NODE)
        return yaml_file_error(f, node, "labels: expected a mapping, got %s", yaml_kind(node));
    first = node->data.mapping.pairs.start;
    end = node->data.mapping.pairs.top;
    if (end - first > PAIRS_MAX)
        return yaml_file_error(f, node, "more than %d labels", CONFIG_LABELS_MAX);
    g->labels = calloc(PAIRS_MAX, sizeof(*g->labels));
    if (!g->labels)
        return yaml_file_oom(f);
    for (const yaml_node_pair_t *pair = first; pair < end; pair++) {
        const yaml_node_t *twice = yaml_key_before(f, first, pair);
        int r = yaml_file_spend(f, node, 32);

        if (r == 0 && twice)
            r = yaml_file_error(f, yaml_file_node(f, pair->key),
                                "`%.60s` is given twice; the first is in line %zu",
                                (const char *)twice->data.scalar.value, twice->start_mark.line + 1);
        else if (r == 0)
            r = read_label(f, pair, g);
        if (r < 0 && r != -EINVAL)
            return r;
        bad = bad || r < 0;
    }
    return bad ? -EINVAL : 0;
}

static const struct table_key group_keys[] = {
    {.name = "targets",
     .type = TABLE_LIST,
     .flags = TABLE_REQUIRED,
     .offset = offsetof(struct group, targets),
     .max = CONFIG_TARGETS_MAX,
     .item = read_target},
    {.name = "labels",
     .type = TABLE_CUSTOM,
     .flags = TABLE_NULLABLE,
     .offset = offsetof(struct group, labels),
     .custom = read_labels},
};

static const struct table group_table = {
    .where = "in a group of targets",
    .keys = group_keys,
    .n_keys = sizeof(group_keys) / sizeof(group_keys[0]),
};

static int copy_labels(struct yaml_file *f, const yaml_node_t *node, const struct group *g,
                       struct target_config *t)
{
    size_t bytes = 0;
    int r;

    if (g->n_labels == 0)
        return 0;
    for (size_t i = 0; i < g->n_labels; i++)
        bytes += sizeof(struct label) + 32 + strlen(g->labels[i].name) + strlen(g->labels[i].value);
    r = yaml_file_spend(f, node, bytes);
    if (r < 0)
        return r;
    if (label_copy_all(g->labels, g->n_labels, &t->labels) < 0)
        return yaml_file_oom(f);
    t->n_labels = g->n_labels;
    return 0;
}

/* Moves the group's targets to the list, each with its own copy of the labels. */
static int hand_over(struct yaml_file *f, const yaml_node_t *node, struct group *g,
                     struct target_list *list)
{
    for (size_t i = 0; i < g->targets.n; i++) {
        int r = copy_labels(f, node, g, &g->targets.items[i]);

        if (r < 0)
            return r;
        if (target_list_add(list, &g->targets.items[i]) < 0)
            return yaml_file_oom(f);
    }
    return 0;
}

int group_read(struct yaml_file *f, const yaml_node_t *node, struct target_list *list)
{
    struct group g = {0};
    int r = table_read(f, node, &group_table, &g), s = 0;

    /* Targets that could be read are added in spite of errors, so that rules about them are
     * checked. */
    if (r == 0 || r == -EINVAL)
        s = hand_over(f, node, &g, list);
    target_list_done(&g.targets);
    label_clear_all(&g.labels, &g.n_labels);
    return s < 0 ? s : r;
}
