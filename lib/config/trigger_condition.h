/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From what stands in an item of trigger_configs to one condition: which keys fit together, and what
 * their numbers mean. */

#include "lib/config/data.h"
#include "lib/yaml/yaml.h"

#define TRIGGER_CONDITIONS "histogram, rate, gauge, ratio, value, label"
#define TRIGGER_OVER_MAX USEC_PER_DAY

/* An item as it was read: the values whose meaning depends on other keys are texts; NULL: absent. */
struct trigger_text {
    struct trigger_config t; /* what needs nothing else */
    char *metric[TRIGGER_MEASURES];
    char *ratio[2];
    bool ratio_rate[2];
    size_t n_ratio;
    char *above, *below, *share, *growth, *times_baseline;
    bool short_limit; /* `above` or `below` stood in `value` */
};

/* The node of an item's value, for an error's place; the item itself if it does not have the key. */
const yaml_node_t *trigger_node_of(struct yaml_file *f, const yaml_node_t *item, const char *key);

/* What is wrong with a metric's name; NULL: nothing. */
const char *trigger_check_metric(const char *text);

/* Completes x->t, and takes the texts that it keeps. Errors as in yaml.h. */
int trigger_condition(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x);
