/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/incident_tag.h"

#include <stdlib.h>
#include <string.h>

static int copy_trigger(struct incident_tag *e, const struct record_trigger *from)
{
    e->rule = from->rule ? strdup(from->rule) : NULL;
    e->unit = from->unit ? strdup(from->unit) : NULL;
    e->triggered = true;
    e->trigger = (struct record_trigger){
        .rule = e->rule, .value = from->value, .threshold = from->threshold, .unit = e->unit};
    return (from->rule && !e->rule) || (from->unit && !e->unit) ? -1 : 0;
}

static void incident_tag_free(struct incident_tag *e)
{
    free(e->rule);
    free(e->unit);
    free(e);
}

struct incident_tag *incident_tag_new(const struct record_trigger *trigger)
{
    struct incident_tag *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->refs = 1;
    if (trigger && copy_trigger(e, trigger) < 0) {
        incident_tag_free(e);
        return NULL;
    }
    return e;
}

struct incident_tag *incident_tag_ref(struct incident_tag *e)
{
    if (e)
        e->refs++;
    return e;
}

void incident_tag_unref(struct incident_tag *e)
{
    if (e && --e->refs == 0)
        incident_tag_free(e);
}

const char *incident_tag_propose(struct incident_tag *e, const struct name *name)
{
    if (e->id[0])
        return e->id;
    return name_stem(name, e->proposed);
}

void incident_tag_keep(struct incident_tag *e)
{
    if (!e->id[0])
        memcpy(e->id, e->proposed, sizeof(e->id));
}

const struct record_trigger *incident_tag_trigger(const struct incident_tag *e)
{
    return e && e->triggered ? &e->trigger : NULL;
}
