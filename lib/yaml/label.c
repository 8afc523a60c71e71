/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/yaml/label.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int label_copy_all(const struct label *from, size_t n, struct label **ret)
{
    struct label *labels = n > 0 ? calloc(n, sizeof(*labels)) : NULL;
    bool failed = n > 0 && !labels;

    for (size_t i = 0; i < n && !failed; i++) {
        labels[i] = (struct label){.name = strdup(from[i].name), .value = strdup(from[i].value)};
        failed = !labels[i].name || !labels[i].value;
    }
    if (failed) {
        label_clear_all(&labels, &n);
        return -ENOMEM;
    }
    *ret = labels;
    return 0;
}

void label_clear_all(struct label **labels, size_t *n)
{
    for (size_t i = 0; *labels && i < *n; i++) {
        free((*labels)[i].name);
        free((*labels)[i].value);
    }
    free(*labels);
    *labels = NULL;
    *n = 0;
}

static int read_pair(struct yaml_file *f, const yaml_node_pair_t *pair,
                     const struct label_rule *rule, struct label *labels, size_t *n)
{
    const yaml_node_t *value = yaml_file_node(f, pair->value);
    struct label *label = &labels[*n];
    const char *name;
    int r = yaml_key_text(f, pair, &name);

    if (r == 0)
        r = rule->check_key(f, yaml_file_node(f, pair->key), name);
    if (r == 0)
        r = yaml_file_spend(f, value, sizeof(*label) + 2 * strlen(name));
    if (r == 0)
        r = yaml_scalar(f, value, rule->item, &label->value);
    if (r < 0)
        return r;
    (*n)++;
    label->name = strdup(name);
    return label->name ? rule->check_value(f, value, label) : yaml_file_oom(f);
}

int label_read_all(struct yaml_file *f, const yaml_node_t *node, const struct label_rule *rule,
                   struct label **ret, size_t *ret_n)
{
    const yaml_node_pair_t *first, *end;
    bool bad = false;

    if (node->type != YAML_MAPPING_NODE)
        return yaml_file_error(f, node, "%s: expected a mapping, got %s", rule->key,
                               yaml_kind(node));
    first = node->data.mapping.pairs.start;
    end = node->data.mapping.pairs.top;
    if (end - first > rule->max)
        return yaml_file_error(f, node, "%s: %s %d", rule->key, rule->too_many, rule->max);
    *ret = calloc((size_t)rule->max, sizeof(**ret));
    if (!*ret)
        return yaml_file_oom(f);
    for (const yaml_node_pair_t *pair = first; pair < end; pair++) {
        const yaml_node_t *twice = yaml_key_before(f, first, pair);
        int r;

        if (twice)
            r = yaml_file_error(f, yaml_file_node(f, pair->key),
                                "`%.60s` is given twice; the first is in line %zu",
                                (const char *)twice->data.scalar.value, twice->start_mark.line + 1);
        else
            r = read_pair(f, pair, rule, *ret, ret_n);
        if (r < 0 && r != -EINVAL)
            return r;
        bad = bad || r < 0;
    }
    return bad ? -EINVAL : 0;
}
