/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Takes each trace from published to labelled: delay its upload, have it inspected, write label and
 * summary into its record, release it for upload. The only place that knows both the spool and the
 * inspector. It reports each end once, to the meters and the log. Nothing here can fail a capture
 * or delay an upload for much longer than inspect.timeout.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/label/digest.h"
#include "daemon/outcome/meters.h"
#include "lib/config/config.h"
#include "lib/spool/spool.h"

struct labelling;

/* Spool and meters are borrowed. Nothing is labelled before labelling_set. 0 or a negative
 * errno. */
int labelling_new(sd_event *event, struct spool *spool, struct meters *meters,
                  struct labelling **ret);

/* To be called before spool_free; drops what is under way. NULL is fine. */
void labelling_free(struct labelling *l);

/* Applies the configuration, at the start and after a reload. 0, or -ENOMEM and nothing changed. */
int labelling_set(struct labelling *l, const struct inspect_config *config);

/* The result of an inspection. Texts are borrowed. */
struct labelling_label {
    const char *key;
    const char *label; /* "not-inspected" if there is none */
    double latency;    /* both as in struct digest */
    double covered;
    const char *summary; /* JSON text; NULL: there is none */
};

/* Called with the result of each inspection. `fn` may be NULL. */
typedef void (*labelling_told_fn)(void *userdata, const struct labelling_label *label);
void labelling_set_told(struct labelling *l, labelling_told_fn fn, void *userdata);

/* Called with each digest before its label is told: whether it completes a growth over several
 * samples. `fn` may be NULL. */
typedef bool (*labelling_growth_fn)(void *userdata, const char *key, const struct digest *digest,
                                    struct growth *ret);
void labelling_set_growth(struct labelling *l, labelling_growth_fn fn, void *userdata);

/* contraced is stopping: traces that wait may still be labelled for this long. */
void labelling_drain(struct labelling *l, usec patience);

/* Ends all inspections; their traces are uploaded without a label. */
void labelling_cut(struct labelling *l);

/* No trace is being inspected or waits for it. */
bool labelling_idle(const struct labelling *l);
