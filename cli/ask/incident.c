/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/incident.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask/fields.h"

static int flatten_one(json_t *captures, json_t *incident)
{
    static const char *const names[] = {"target", "service", "host", "job", "incident", "reason"};
    json_t *artifact;
    size_t i;

    json_array_foreach(json_object_get(incident, "artifacts"), i, artifact) {
        json_t *capture = json_copy(artifact);

        if (json_array_append_new(captures, capture) < 0)
            return -ENOMEM;
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            json_t *value = json_object_get(incident, names[n]);

            if (value && json_object_set(capture, names[n], value) < 0)
                return -ENOMEM;
        }
    }
    return 0;
}

int incident_flatten(json_t *answer)
{
    json_t *incidents = json_object_get(answer, "incidents"), *captures, *incident;
    size_t i;
    int r = 0;

    if (!json_is_array(incidents))
        return 0;
    captures = json_array();
    if (json_object_set_new(answer, "captures", captures) < 0)
        return -ENOMEM;
    json_array_foreach(incidents, i, incident) {
        if (r == 0)
            r = flatten_one(captures, incident);
    }
    return r;
}

bool incident_lacks(const json_t *capture)
{
    const char *outcome = json_string_value(json_object_get(capture, "outcome"));

    if (json_is_true(json_object_get(capture, "for_cpu_samples")))
        return true;
    return json_object_get(capture, "incident") && outcome && strcmp(outcome, "missing") == 0;
}

/* What was wanted of an incident that was under way, and cannot be had any more. */
static void tell_lacks(const json_t *incident)
{
    const json_t *name, *lacks = json_object_get(incident, "lacks");
    char limit[FIELD_SIZE];
    size_t i;

    if (json_array_size(lacks) == 0)
        return;
    (void)fputs("the incident was under way and goes without", stderr);
    json_array_foreach(lacks, i, name) {
        const char *kind = json_string_value(name);

        if (kind && kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz")] == '\0')
            (void)fprintf(stderr, "%s %s", i > 0 ? "," : "", kind);
    }
    (void)field_text(incident, "limit", limit);
    (void)fprintf(stderr, "%s%s\n", *limit ? ": " : "", limit);
}

void incident_tell(const json_t *answer)
{
    const json_t *incident;
    size_t i;

    json_array_foreach(json_object_get(answer, "incidents"), i, incident) {
        char id[FIELD_SIZE];

        if (*field_text(incident, "incident", id))
            (void)fprintf(stderr, "incident %s\n", id);
        tell_lacks(incident);
    }
}
