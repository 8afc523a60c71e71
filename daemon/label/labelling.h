/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The way of one trace from published to labelled: hold it back from its upload, have it inspected,
 * write label and summary into its record, offer it. The only place that knows both the spool and
 * the inspector. It reports each end once: meters, the log. Nothing here can fail a capture, or
 * keep a trace from its upload for longer than inspect.timeout and a little.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/outcome/meters.h"
#include "lib/config/config.h"
#include "lib/spool/spool.h"

struct labelling;

/* Event, spool and meters are borrowed. Nothing is labelled before labelling_set. 0 or a negative
 * errno. */
int labelling_new(sd_event *event, struct spool *spool, struct meters *meters,
                  struct labelling **ret);

/* To be called before spool_free; what is under way is dropped. NULL is fine. */
void labelling_free(struct labelling *l);

/* At the start and after a reload. 0 or -ENOMEM, and then it goes on as it was. */
int labelling_set(struct labelling *l, const struct inspect_config *config);

/* What was found out about a trace: borrowed. */
struct labelling_label {
    const char *key;
    const char *label; /* "not-inspected" when it could not be looked at */
    double latency;    /* as in struct digest, both */
    double covered;
};

/* Told on the event loop of each label. `fn` may be NULL. */
typedef void (*labelling_told_fn)(void *userdata, const struct labelling_label *label);
void labelling_set_told(struct labelling *l, labelling_told_fn fn, void *userdata);

/* contraced is stopping: what waits may still be labelled for so long. */
void labelling_drain(struct labelling *l, usec patience);

/* What is under way ships without a label. */
void labelling_cut(struct labelling *l);

/* No trace is being inspected or waits for that. */
bool labelling_idle(const struct labelling *l);
