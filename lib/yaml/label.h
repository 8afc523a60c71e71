/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Pairs of a name and a value: labels of targets, tags of objects, headers of a request. */

#include <stddef.h>

#include "lib/yaml/yaml.h"

struct label {
    char *name;
    char *value;
};

/* A copy of `n` labels, to be released with label_clear_all; NULL for none. 0 or -ENOMEM. */
int label_copy_all(const struct label *from, size_t n, struct label **ret);

/* Frees them all; *labels is NULL then, and *n is 0. */
void label_clear_all(struct label **labels, size_t *n);

/* What a mapping from text to text may have. */
struct label_rule {
    const char *key, *item; /* "tags", "a tag" */
    const char *too_many;   /* the error for more than `max` pairs */
    int max;
    int (*check_key)(struct yaml_file *f, const yaml_node_t *node, const char *key);
    int (*check_value)(struct yaml_file *f, const yaml_node_t *node, const struct label *pair);
};

/* Reads the mapping into an array that it allocates, to be freed by label_clear_all also after an
 * error. Errors as in yaml.h. */
int label_read_all(struct yaml_file *f, const yaml_node_t *node, const struct label_rule *rule,
                   struct label **ret, size_t *ret_n);
