/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <unistd.h>

#include "daemon/api_state.h"

/* {"ok": 12, "timeout": 1}: what occurred. */
static json_t *by_result(const uint64_t *counts, unsigned n, const char *(*name)(unsigned i))
{
    json_t *o = json_object();

    for (unsigned i = 0; i < n; i++) {
        if (counts[i] > 0 && json_object_set_new(o, name(i), api_number(counts[i])) < 0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

static const char *outcome_word(unsigned i)
{
    return outcome_name((enum outcome)i);
}

static const char *store_word(unsigned i)
{
    return store_end_name((enum store_end)i);
}

static const char *inspection_word(unsigned i)
{
    return inspection_end_name((enum inspection_end)i);
}

static json_t *config_object(const struct api *a)
{
    const struct api_context *c = &a->context;

    return json_pack("{s:o, s:o, s:b}", "file", api_text(c->config_file(c->userdata)),
                     "last_reload", api_time(c->counters->last_reload), "last_reload_ok",
                     c->counters->last_reload_ok);
}

static json_t *suspended_object(const struct api *a)
{
    json_t *causes = json_array();

    for (unsigned i = 0; i < SUSPENSION_CAUSES; i++) {
        enum suspension_cause cause = (enum suspension_cause)i;
        const char *text;
        usec since;

        if (suspension_cause(a->context.suspension, cause, &since, &text) &&
            json_array_append_new(causes, json_pack("{s:s, s:o, s:o}", "cause",
                                                    suspension_cause_name(cause), "since",
                                                    api_time(since), "text", api_text(text))) < 0) {
            json_decref(causes);
            return NULL;
        }
    }
    return json_pack("{s:o}", "causes", causes);
}

static json_t *captures_object(const struct api *a)
{
    const struct counters *counters = a->context.counters;

    return json_pack("{s:i, s:o, s:o, s:o}", "in_flight",
                     (int)pipeline_in_flight(a->context.pipeline), "by_result",
                     by_result(counters->captures, OUTCOME_COUNT, outcome_word), "bytes",
                     api_number(counters->bytes), "last_success", api_time(counters->last_success));
}

static json_t *spool_object(const struct api *a, const struct config *config)
{
    const struct storage_config *storage = &config->storage;
    struct spool_stats s;
    struct space space = {0};

    spool_stats(a->context.spool, &s);
    (void)spool_space(a->context.spool, &space); /* zeros say that it is not known */
    return json_pack(
        "{s:o, s:{s:o, s:o}, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
        "path", api_text(storage->path), "archive", "files", api_number(s.archive_files), "bytes",
        api_number(s.archive_bytes), "pending", "files", api_number(s.pending_files), "bytes",
        api_number(s.pending_bytes), "oldest", api_time(s.oldest_pending), "aside_files",
        api_number(s.aside_files), "reserved_bytes", api_number(s.reserved_bytes), "max_bytes",
        api_number(storage->max_bytes), "max_files", api_number(storage->max_files),
        "max_age_seconds", storage->max_age > 0 ? api_seconds(storage->max_age) : json_null(),
        "free_bytes", api_number(space.free_bytes), "total_bytes", api_number(space.total_bytes),
        "oldest", api_time(s.oldest), "newest", api_time(s.newest), "refusing",
        spool_refusing(a->context.spool));
}

/* null without upload.url. */
static json_t *upload_object(const struct api *a, const struct config *config)
{
    struct uploader_stats s;

    if (!config->upload.url)
        return json_null();
    uploader_stats(a->context.uploader, &s);
    return json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:b}", "to", api_text(config->upload.url),
                     "breaker", breaker_state_name(s.breaker), "in_flight", (int)s.in_flight,
                     "by_result", by_result(s.ends, STORE_END_COUNT, store_word), "bytes",
                     api_number(s.bytes), "last_success", api_time(s.last_success), "failing",
                     uploader_failing(a->context.uploader));
}

void api_get_status(void *userdata, struct admin_call *call)
{
    const struct api *a = userdata;
    const struct api_context *c = &a->context;
    const struct config *config = c->config(c->userdata);

    api_reply(
        call, 200,
        json_pack("{s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o,"
                  " s:{s:b, s:o}}",
                  "version", PACKAGE_VERSION, "start", api_time(c->start), "host",
                  api_text(a->host), "pid", (int)getpid(), "now",
                  api_time(api_now(a, CLOCK_REALTIME)), "config", config_object(a), "suspended",
                  suspended_object(a), "targets", "total", api_number(targets_count(c->targets)),
                  "failing", api_number(*c->failing), "captures", captures_object(a), "spool",
                  spool_object(a, config), "upload", upload_object(a, config), "inspections",
                  "enabled", config->inspect.enabled, "by_result",
                  by_result(c->counters->inspections, INSPECTION_END_COUNT, inspection_word)));
}
