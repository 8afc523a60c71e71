/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The section `trigger_configs`: rules that make incidents. */

#include "lib/config/data.h"
#include "lib/config/trigger_measure.h"
#include "lib/yaml/yaml.h"

#define TRIGGERS_MAX 200
#define TRIGGER_JOBS_MAX 1000
#define TRIGGER_NAME_MAX 100   /* bytes */
#define TRIGGER_METRIC_MAX 200 /* bytes of a metric's name */
#define TRIGGER_MATCH_MAX 16   /* labels of one rule */

struct check;

/* Reads an item of trigger_configs into the struct config at `base`. As table_item_fn. */
int trigger_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count);
void trigger_done(struct trigger_config *t);

/* What the rules must be beside each other, the jobs and a trace's summary. 0; or -ENOMEM. */
int check_triggers(struct check *k);

/* Whether the rule is for targets of this job. */
bool trigger_for_job(const struct trigger_config *t, const char *job);

/* Whether two rules say the same, but for where they stand: then a reload keeps what is known. */
bool trigger_equal(const struct trigger_config *a, const struct trigger_config *b);
