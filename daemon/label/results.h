/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is last known of each lane: lane.h's `last`. A capture's end tells it at once, the label
 * of its trace follows when that was inspected; until then this remembers whose it is.
 */

#include "daemon/capture/pipeline.h"
#include "daemon/label/labelling.h"
#include "daemon/outcome/meters.h"

#define RESULTS_AWAITED_MAX 1000 /* traces whose label may follow; the oldest is given up first */

struct results;

/* The meters are borrowed. NULL when memory is short. */
struct results *results_new(struct meters *meters);
void results_free(struct results *r);

/* To be told of each end of a capture; `inspected`: a label follows a trace that was kept. */
void results_ended(struct results *r, const struct pipeline_end *end, bool inspected);

/* To be told of each label. */
void results_labelled(struct results *r, const struct labelling_label *label);
