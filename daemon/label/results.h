/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keeps the last results of each lane up to date: `last` in lane.h. The end of a capture sets them
 * at once; the label follows when the trace was inspected. Until then, this remembers which lane
 * the trace belongs to.
 */

#include "daemon/capture/pipeline.h"
#include "daemon/label/labelling.h"
#include "daemon/outcome/meters.h"

#define RESULTS_AWAITED_MAX 1000 /* traces that await a label; beyond it, the oldest is dropped */

struct results;

/* The meters are borrowed. NULL when memory is short. */
struct results *results_new(struct meters *meters);
void results_free(struct results *r);

/* To be called at each end of a capture. `inspected`: inspection is enabled, so a label follows a
 * kept trace. */
void results_ended(struct results *r, const struct pipeline_end *end, bool inspected);

/* To be called for each trace that no lane has: one that a process of the job sent. A label
 * follows. */
void results_sent(struct results *r, const char *job, const char *key);

/* To be called for each digest, before its label: whether it completes a growth of its target's
 * goroutines over several samples. */
bool results_grown(struct results *r, const char *key, const struct digest *digest,
                   struct growth *ret);

/* To be called for each label. Returns a reference to the target of the trace, and why it was
 * captured; NULL if that is not known any more. */
struct target *results_labelled(struct results *r, const struct labelling_label *label,
                                enum reason *ret_reason);
