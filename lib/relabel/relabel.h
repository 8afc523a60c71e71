/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * relabel_configs: rules that keep, drop and change targets by their labels, with Prometheus's
 * actions and their meaning.
 * https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/relabel/labelset.h"

#define RELABEL_WHY_MAX 256
#define RELABEL_VALUE_MAX 4096 /* bytes of a value, and of what a regex is matched against */

enum relabel_action {
    RELABEL_REPLACE,
    RELABEL_KEEP,
    RELABEL_DROP,
    RELABEL_KEEPEQUAL,
    RELABEL_DROPEQUAL,
    RELABEL_HASHMOD,
    RELABEL_LABELMAP,
    RELABEL_LABELDROP,
    RELABEL_LABELKEEP,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE,
    RELABEL_ACTIONS,
};

/* A rule as it is written; NULL: not given. */
struct relabel_spec {
    enum relabel_action action;
    char **source_labels;
    size_t n_source_labels;
    char *separator, *regex, *target_label, *replacement;
    uint64_t modulus; /* 0: not given */
};

struct relabel_rule;

/* What is wrong with a rule: the key ("regex"), or NULL for the rule as a whole, and why. */
struct relabel_fault {
    const char *key;
    char why[RELABEL_WHY_MAX];
};

/* 0, -ENOMEM, or -EINVAL and the fault is told. The rule keeps nothing of `spec`. */
int relabel_rule_new(const struct relabel_spec *spec, struct relabel_rule **ret,
                     struct relabel_fault *fault);
void relabel_rule_free(struct relabel_rule *rule);

/* "replace", …; NULL beyond the last. */
const char *relabel_action_name(enum relabel_action action);
enum relabel_action relabel_rule_action(const struct relabel_rule *rule);

/*
 * Applies the rules in their order. 1: the target is kept, with its labels changed; 0: it is
 * dropped; -ENOMEM; -E2BIG: its labels or one of them grew too large; -ELOOP: a regex was given up
 * (regex.h). *ret_rule is the rule that dropped it or failed.
 */
int relabel_apply(struct relabel_rule *const *rules, size_t n, struct labelset *ls,
                  size_t *ret_rule);
