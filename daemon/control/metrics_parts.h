/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The families without labels for jobs and targets. Those with such labels are in metrics.c.
 */

#include "daemon/control/exposition.h"
#include "daemon/control/metrics_facts.h"

void metrics_write_build(struct exposition *e, const struct metrics_facts *f);
void metrics_write_inspections(struct exposition *e, const struct metrics_facts *f);
void metrics_write_suspension(struct exposition *e, const struct metrics_facts *f);
/* metrics_triggers.c */
void metrics_write_triggers(struct exposition *e, const struct metrics_facts *f);

void metrics_write_spool(struct exposition *e, const struct metrics_facts *f);
void metrics_write_upload(struct exposition *e, const struct metrics_facts *f);
void metrics_write_config(struct exposition *e, const struct metrics_facts *f);
void metrics_write_process(struct exposition *e, const struct metrics_facts *f);
