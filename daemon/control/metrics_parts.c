/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/metrics_parts.h"

#include "daemon/control/metrics_sample.h"

#define LIBRARIES_MAX 8

void metrics_write_build(struct exposition *e, const struct metrics_facts *f)
{
    struct exposition_label labels[1 + LIBRARIES_MAX] = {{"version", f->version}};
    size_t n = 1;

    for (size_t i = 0; i < f->n_libraries && i < LIBRARIES_MAX; i++)
        labels[n++] = (struct exposition_label){f->libraries[i].name, f->libraries[i].version};
    exposition_family(e, "contrace_build_info", EXPOSITION_GAUGE,
                      "Always 1; the labels say which contraced this is and what it runs with.");
    exposition_count(e, labels, n, 1);
}

void metrics_write_inspections(struct exposition *e, const struct metrics_facts *f)
{
    const struct counters *c = f->meters->totals;

    metrics_number(e, "contrace_inspection_enabled", "Whether traces are inspected.",
                   f->inspecting);
    exposition_family(e, "contrace_inspections_total", EXPOSITION_COUNTER,
                      "Inspections of traces, by what came of them.");
    for (int i = 0; i < INSPECTION_END_COUNT; i++)
        metrics_classed(e, "result", inspection_end_name((enum inspection_end)i),
                        c->inspections[i]);
    exposition_family(e, "contrace_inspection_duration_seconds", EXPOSITION_HISTOGRAM,
                      "Inspections that succeeded, from the start of the child to its end.");
    metrics_histogram(e, NULL, NULL, &f->meters->inspection);
    exposition_family(e, "contrace_inspection_cpu_seconds_total", EXPOSITION_COUNTER,
                      "CPU time of the children that inspect traces.");
    exposition_sample(e, NULL, 0, f->process.children_cpu_seconds);
    metrics_counter(e, "contrace_labels_lost_total",
                    "Labels that could not be written into the record of their trace.",
                    c->labels_lost);
}

void metrics_write_suspension(struct exposition *e, const struct metrics_facts *f)
{
    bool suspended = false;

    for (size_t i = 0; i < f->n_causes; i++)
        suspended = suspended || f->causes[i].since > 0;
    metrics_number(e, "contrace_suspended", "Whether scheduled captures are suspended.", suspended);
    exposition_family(e, "contrace_suspended_since_timestamp_seconds", EXPOSITION_GAUGE,
                      "Since when each cause suspends scheduled captures; 0: it does not.");
    for (size_t i = 0; i < f->n_causes; i++)
        exposition_sample(e, &(struct exposition_label){"cause", f->causes[i].name}, 1,
                          metrics_seconds(f->causes[i].since));
}

static void write_state(struct exposition *e, const char *name, const char *help, uint64_t archive,
                        uint64_t pending)
{
    exposition_family(e, name, EXPOSITION_GAUGE, help);
    metrics_classed(e, "state", "archive", archive);
    metrics_classed(e, "state", "pending", pending);
}

static void write_kept(struct exposition *e, const struct spool_stats *s)
{
    write_state(e, "contrace_spool_bytes",
                "Bytes on disk of the traces that are kept, with their records; pending: not "
                "uploaded yet.",
                s->archive_bytes, s->pending_bytes);
    write_state(e, "contrace_spool_files", "Traces that are kept; pending: not uploaded yet.",
                s->archive_files, s->pending_files);
    exposition_family(e, "contrace_spool_oldest_timestamp_seconds", EXPOSITION_GAUGE,
                      "When the oldest trace that is kept was taken; 0: there is none.");
    exposition_sample(e, &(struct exposition_label){"state", "archive"}, 1,
                      metrics_seconds(s->oldest_archive));
    exposition_sample(e, &(struct exposition_label){"state", "pending"}, 1,
                      metrics_seconds(s->oldest_pending));
    metrics_number(e, "contrace_spool_aside_files",
                   "Pending traces that were put aside because the store refused them.",
                   s->aside_files);
    metrics_number(e, "contrace_spool_reserved_bytes", "Bytes reserved for captures in flight.",
                   s->reserved_bytes);
}

static void write_limits(struct exposition *e, const struct metrics_facts *f)
{
    metrics_number(e, "contrace_spool_max_bytes", "Bytes that may be kept.", f->limits.max_bytes);
    metrics_number(e, "contrace_spool_max_files", "Traces that may be kept.", f->limits.max_files);
    metrics_gauge(e, "contrace_spool_max_age_seconds", "How long a trace may be kept; 0: no limit.",
                  metrics_seconds(f->limits.max_age));
    metrics_gauge(e, "contrace_spool_min_free_ratio", "Share of the file system that stays free.",
                  f->limits.min_free);
    metrics_number(e, "contrace_spool_filesystem_free_bytes",
                   "Bytes that are free in the file system of the spool, for the unprivileged.",
                   f->space.free_bytes);
    metrics_number(e, "contrace_spool_filesystem_size_bytes",
                   "Size of the file system of the spool.", f->space.total_bytes);
    metrics_number(e, "contrace_spool_refusing",
                   "Whether the last capture that asked for room was refused.", f->refusing);
}

void metrics_write_spool(struct exposition *e, const struct metrics_facts *f)
{
    write_kept(e, &f->spool);
    write_limits(e, f);
    exposition_family(e, "contrace_spool_deleted_total", EXPOSITION_COUNTER,
                      "Traces that were deleted, by the bound that asked for it.");
    for (int c = 0; c < RETENTION_CAUSES; c++)
        metrics_classed(e, "cause", retention_cause_name((enum retention_cause)c),
                        f->spool.deleted[c]);
    metrics_counter(e, "contrace_spool_dropped_unsent_total",
                    "Traces that were deleted before they were uploaded.", f->spool.dropped_unsent);
}

static void write_uploads(struct exposition *e, const struct metrics_facts *f)
{
    const struct metrics_upload *u = &f->upload;

    exposition_family(e, "contrace_uploads_total", EXPOSITION_COUNTER,
                      "Tries to upload a trace with its record, by what came of them.");
    for (int i = 0; i < STORE_END_COUNT; i++)
        metrics_classed(e, "result", store_end_name((enum store_end)i), u->ends[i]);
    metrics_counter(e, "contrace_uploaded_bytes_total", "Bytes of the traces that were uploaded.",
                    u->bytes);
    exposition_family(e, "contrace_upload_duration_seconds", EXPOSITION_HISTOGRAM,
                      "Uploads that succeeded, of a trace and its record.");
    metrics_histogram(e, NULL, NULL, &f->meters->upload);
    metrics_gauge(e, "contrace_upload_last_success_timestamp_seconds",
                  "When the last upload succeeded; 0: none yet.", metrics_seconds(u->last_success));
}

void metrics_write_upload(struct exposition *e, const struct metrics_facts *f)
{
    const struct metrics_upload *u = &f->upload;

    metrics_number(e, "contrace_upload_enabled", "Whether traces are uploaded.", u->enabled);
    write_uploads(e, f);
    metrics_number(e, "contrace_uploads_in_flight", "Uploads under way.", u->in_flight);
    metrics_number(e, "contrace_upload_concurrency", "Uploads that may be under way at once.",
                   u->concurrency);
    exposition_family(e, "contrace_upload_breaker_state", EXPOSITION_GAUGE,
                      "1 for the state that uploads are in: closed: they go; open: the store is in "
                      "trouble; parked: somebody must act.");
    for (int s = BREAKER_CLOSED; s <= BREAKER_PARKED; s++)
        metrics_classed(e, "state", breaker_state_name((enum breaker_state)s),
                        u->enabled && (int)u->breaker == s);
    metrics_gauge(e, "contrace_upload_credentials_expiry_timestamp_seconds",
                  "When the store's credentials in use expire; 0: never, or there are none.",
                  metrics_seconds(u->credentials_expiry));
}

static void write_incidents(struct exposition *e, const struct counters *c)
{
    exposition_family(e, "contrace_incidents_total", EXPOSITION_COUNTER,
                      "Incidents that have ended, or were refused for a budget.");
    for (int i = 0; i < INCIDENT_ENDS; i++)
        metrics_classed(e, "result", incident_end_name((enum incident_end)i), c->incidents[i]);
    exposition_family(e, "contrace_incidents_refused_total", EXPOSITION_COUNTER,
                      "Incidents that were refused, by what allowed no more.");
    for (int i = 0; i < INCIDENT_LIMITS; i++)
        metrics_classed(e, "limit", incident_limit_name((enum incident_limit)i),
                        c->incidents_refused[i]);
    metrics_number(e, "contrace_incidents_under_way", "Incidents under way.",
                   c->incidents_under_way);
}

void metrics_write_config(struct exposition *e, const struct metrics_facts *f)
{
    const struct counters *c = f->meters->totals;

    exposition_family(e, "contrace_config_reloads_total", EXPOSITION_COUNTER,
                      "Reloads of the configuration, by what came of them.");
    metrics_classed(e, "result", "ok", c->reloads);
    metrics_classed(e, "result", "failed", c->reloads_failed);
    write_incidents(e, c);
    exposition_family(e, "contrace_pushes_total", EXPOSITION_COUNTER,
                      "Flight recordings that processes sent, by what came of them.");
    for (int i = 0; i < RECEPTION_COUNT; i++)
        metrics_classed(e, "result", reception_name((enum reception)i), c->pushes[i]);
    metrics_counter(e, "contrace_pushed_bytes_total", "Bytes of these that were kept.",
                    c->pushed_bytes);
    metrics_counter(e, "contrace_alert_notifications_refused_total",
                    "Notifications of alerts that were refused.", c->alerts_refused);
    metrics_number(e, "contrace_config_last_reload_successful",
                   "Whether the last reload, or the start, took the configuration over.",
                   c->last_reload_ok);
    metrics_gauge(e, "contrace_config_last_reload_success_timestamp_seconds",
                  "When the configuration in use was read.", metrics_seconds(c->config_read));
}

void metrics_write_process(struct exposition *e, const struct metrics_facts *f)
{
    const struct process_facts *p = &f->process;

    exposition_family(e, "process_cpu_seconds_total", EXPOSITION_COUNTER,
                      "CPU time of contraced, user and system.");
    exposition_sample(e, NULL, 0, p->cpu_seconds);
    metrics_number(e, "process_resident_memory_bytes", "Resident memory of contraced.",
                   p->resident_bytes);
    metrics_number(e, "process_virtual_memory_bytes", "Virtual memory of contraced.",
                   p->virtual_bytes);
    metrics_number(e, "process_open_fds", "Descriptors that are open.", p->open_fds);
    metrics_number(e, "process_max_fds", "Descriptors that may be open.", p->max_fds);
    metrics_gauge(e, "process_start_time_seconds", "When contraced was started.",
                  metrics_seconds(p->start));
}
