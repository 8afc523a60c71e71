/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the records of one incident have in common: its id and the rule that asked for it. The id is
 * the key of the first capture that was kept, without the suffix. So it is not known before that.
 * It counts references, as a capture may outlive the incident that ordered it.
 */

#include "lib/record/name.h"
#include "lib/record/record.h"

struct incident_tag {
    unsigned refs;
    char id[NAME_KEY_MAX];       /* "": nothing was kept yet */
    char proposed[NAME_KEY_MAX]; /* the id in the record that is being published; "": none */
    bool triggered;
    struct record_trigger trigger; /* if triggered */
    char *rule, *unit, *text;      /* its texts */
    struct record_progress progress;
    char *joined[RECORD_JOINED_MAX]; /* the progress's texts */
    size_t n_joined;
};

/* One reference. `trigger` is copied; NULL: no rule asked. NULL when memory is short. */
struct incident_tag *incident_tag_new(const struct record_trigger *trigger);
struct incident_tag *incident_tag_ref(struct incident_tag *e); /* NULL is fine */
void incident_tag_unref(struct incident_tag *e);

/*
 * The id for the record of a capture that is about to be published under `name`: the known one, or
 * the one that it will be if this capture is kept. Borrowed.
 */
const char *incident_tag_propose(struct incident_tag *e, const struct name *name);

/* The capture whose record has the proposed id was kept. */
void incident_tag_keep(struct incident_tag *e);

/* The trigger for a record; NULL: none. */
const struct record_trigger *incident_tag_trigger(const struct incident_tag *e);

/* The incident takes this kind; of a kind it has nothing, for this reason (static; NULL: it may have
 * yet). Later records say so. */
void incident_tag_takes(struct incident_tag *e, enum kind kind);
void incident_tag_without(struct incident_tag *e, enum kind kind, const char *why);

/* Somebody joins the incident, for this reason: copied, once each. Beyond RECORD_JOINED_MAX, or when
 * memory is short, the records do not say so. */
void incident_tag_joins(struct incident_tag *e, const char *reason);

/* For a record; NULL: it belongs to no incident. */
const struct record_progress *incident_tag_progress(const struct incident_tag *e);
