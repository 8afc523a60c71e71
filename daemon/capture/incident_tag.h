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
    char *rule, *unit;             /* its texts */
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
