/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/relabel_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/config/data.h"
#include "lib/config/keys/scalar.h"
#include "lib/relabel/relabel.h"

#define AT(type, field) .offset = offsetof(struct type, field)
#define SOURCES_MAX 100
#define ACTIONS_SIZE 200 /* bytes of the names of all actions */

static int read_source(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    static const struct table_key key = {
        .name = "source_labels", .type = TABLE_STRING, .flags = TABLE_VERBATIM};
    struct relabel_spec *spec = base;
    char *name = NULL;
    int r;

    if (!spec->source_labels) {
        spec->source_labels = calloc(count, sizeof(char *));
        if (!spec->source_labels)
            return yaml_file_oom(f);
    }
    r = scalar_read(f, node, &key, &name);
    if (r == 0)
        spec->source_labels[spec->n_source_labels++] = name;
    return r;
}

/* In any case, as in Prometheus. */
static int read_action(struct yaml_file *f, const yaml_node_t *node, void *base)
{
    struct relabel_spec *spec = base;
    _cleanup_free_ char *text = NULL;
    struct buf names;
    int r = yaml_verbatim(f, node, "action", &text);

    for (unsigned a = 0; r == 0 && a < RELABEL_ACTIONS; a++) {
        if (strcasecmp(text, relabel_action_name(a)) == 0) {
            spec->action = a;
            return 0;
        }
    }
    if (r < 0)
        return r;
    buf_init(&names, ACTIONS_SIZE);
    for (unsigned a = 0; a < RELABEL_ACTIONS; a++)
        (void)buf_addf(&names, "%s%s", a > 0 ? ", " : "", relabel_action_name(a));
    r = yaml_file_error(f, node, "action: expected one of %s, got `%.60s`", buf_str(&names), text);
    buf_done(&names);
    return r;
}

/* `$` is a group of the regex in these, so no variable is expanded. */
static const struct table_key keys[] = {
    {.name = "source_labels",
     .type = TABLE_LIST,
     AT(relabel_spec, source_labels),
     .max = SOURCES_MAX,
     .item = read_source},
    {.name = "separator",
     .type = TABLE_STRING,
     .flags = TABLE_VERBATIM,
     AT(relabel_spec, separator)},
    {.name = "regex", .type = TABLE_STRING, .flags = TABLE_VERBATIM, AT(relabel_spec, regex)},
    {.name = "modulus",
     .type = TABLE_UINT64,
     AT(relabel_spec, modulus),
     .min = 1,
     .max = UINT64_MAX},
    {.name = "target_label",
     .type = TABLE_STRING,
     .flags = TABLE_VERBATIM,
     AT(relabel_spec, target_label)},
    {.name = "replacement",
     .type = TABLE_STRING,
     .flags = TABLE_VERBATIM,
     AT(relabel_spec, replacement)},
    {.name = "action", .type = TABLE_CUSTOM, AT(relabel_spec, action), .custom = read_action},
};

static const struct table table = {
    .where = "in relabel_configs",
    .keys = keys,
    .n_keys = sizeof(keys) / sizeof(keys[0]),
};

static void spec_done(struct relabel_spec *spec)
{
    for (size_t i = 0; i < spec->n_source_labels; i++)
        free(spec->source_labels[i]);
    free(spec->source_labels);
    free(spec->separator);
    free(spec->regex);
    free(spec->target_label);
    free(spec->replacement);
}

/* The value of the key that is at fault, or else the rule itself. */
static const yaml_node_t *place_of(struct yaml_file *f, const yaml_node_t *rule, const char *key)
{
    const yaml_node_pair_t *first = rule->data.mapping.pairs.start;

    for (const yaml_node_pair_t *p = first; key && p < rule->data.mapping.pairs.top; p++) {
        const yaml_node_t *name = yaml_file_node(f, p->key);

        if (strcmp((const char *)name->data.scalar.value, key) == 0)
            return yaml_file_node(f, p->value);
    }
    return rule;
}

static int add(struct yaml_file *f, const yaml_node_t *node, struct job_config *job,
               const struct relabel_spec *spec)
{
    struct relabel_fault fault = {0};
    struct relabel_rule *rule;
    int r = relabel_rule_new(spec, &rule, &fault);

    if (r == -EINVAL && fault.key)
        return yaml_file_error(f, place_of(f, node, fault.key), "%s: %s", fault.key, fault.why);
    if (r == -EINVAL)
        return yaml_file_error(f, node, "relabel_configs: %s", fault.why);
    if (r < 0)
        return yaml_file_oom(f);
    job->relabel[job->n_relabel++] = rule;
    return 0;
}

int relabel_keys_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct job_config *job = base;
    struct relabel_spec spec = {0};
    int r;

    if (!job->relabel) {
        job->relabel = calloc(count, sizeof(*job->relabel));
        if (!job->relabel)
            return yaml_file_oom(f);
    }
    r = table_read(f, node, &table, &spec);
    if (r == 0)
        r = add(f, node, job, &spec);
    spec_done(&spec);
    return r;
}
