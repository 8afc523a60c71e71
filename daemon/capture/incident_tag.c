/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/incident_tag.h"

#include <stdlib.h>
#include <string.h>

static int copy_trigger(struct incident_tag *e, const struct record_trigger *from)
{
    e->rule = from->rule ? strdup(from->rule) : NULL;
    e->unit = from->unit ? strdup(from->unit) : NULL;
    e->text = from->text ? strdup(from->text) : NULL;
    e->triggered = true;
    e->trigger = (struct record_trigger){.rule = e->rule,
                                         .value = from->value,
                                         .threshold = from->threshold,
                                         .unit = e->unit,
                                         .text = e->text};
    if ((from->rule && !e->rule) || (from->unit && !e->unit) || (from->text && !e->text))
        return -1;
    return 0;
}

static void incident_tag_free(struct incident_tag *e)
{
    free(e->rule);
    free(e->unit);
    free(e->text);
    for (size_t i = 0; i < e->n_joined; i++)
        free(e->joined[i]);
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

void incident_tag_takes(struct incident_tag *e, enum kind kind)
{
    e->progress.takes |= 1u << kind;
}

void incident_tag_without(struct incident_tag *e, enum kind kind, const char *why)
{
    e->progress.without[kind] = why;
}

void incident_tag_joins(struct incident_tag *e, const char *reason)
{
    for (size_t i = 0; i < e->n_joined; i++) {
        if (strcmp(e->joined[i], reason) == 0)
            return;
    }
    if (e->n_joined == RECORD_JOINED_MAX)
        return;
    e->joined[e->n_joined] = strdup(reason);
    e->progress.joined[e->n_joined] = e->joined[e->n_joined];
    e->n_joined += e->joined[e->n_joined] != NULL;
}

const struct record_progress *incident_tag_progress(const struct incident_tag *e)
{
    return e ? &e->progress : NULL;
}
