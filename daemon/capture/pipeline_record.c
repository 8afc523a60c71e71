/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/capture/pipeline_state.h"

char *pipeline_record(const struct capture_job *c, const struct name *name)
{
    const struct target *t = c->target;
    const struct capture_result *result = &c->result;
    const struct artifact_facts *facts = &result->facts;
    struct record_label *labels = calloc(t->n_labels + 1, sizeof(*labels));
    const struct purpose *u = &c->purpose;
    const struct pipeline_samples *samples = pipeline_samples(c);
    struct record_samples sampled = {0};
    char why[PIPELINE_WHY_SIZE];
    struct context context;
    bool known = look_context(c, &context);
    const char *incident = u->incident ? incident_tag_propose(u->incident, name) : NULL;
    char go_version[16], *json;

    if (!labels)
        return NULL;
    for (size_t i = 0; i < t->n_labels; i++)
        labels[i] = (struct record_label){t->labels[i].name, t->labels[i].value};
    if (samples)
        sampled = (struct record_samples){
            .known = samples->sampled != PIPELINE_SAMPLED_MAYBE,
            .sampled = samples->sampled == PIPELINE_SAMPLED,
            .profile = samples->key,
            .why = pipeline_why_unsampled(samples, why),
        };
    (void)snprintf(go_version, sizeof(go_version), "1.%u", facts->go_minor);
    json = record_to_json(&(struct record){
        .artifact = kind_name(name->kind),
        .service = name->service,
        .host = name->host,
        .pid = name->pid,
        .target = target_shown(c->lane),
        .job = c->job->name,
        .labels = labels,
        .n_labels = t->n_labels,
        .reason = u->name ? u->name : reason_name(u->reason),
        .incident = incident,
        .trigger = incident_tag_trigger(u->incident),
        .progress = incident_tag_progress(u->incident),
        .start = c->start,
        .window = c->window,
        .span = facts->span,
        .since_start = facts->since_start,
        .bytes = result->bytes,
        .sha256 = result->sha256,
        .go_version = facts->go_minor > 0 ? go_version : NULL,
        .complete = !result->cut_by,
        .received = result->received,
        .truncated_by = result->cut_by,
        .samples = samples ? &sampled : NULL,
        .counts = &(struct record_count){facts->counted, facts->count},
        .n_counts = 1,
        .context = known ? &context : NULL,
    });
    free(labels);
    return json;
}
