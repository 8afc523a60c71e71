/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <unistd.h>

#include "base/loop.h"
#include "daemon/api/api_state.h"

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

static void put_config(struct jsonwriter *w, const struct api_context *c)
{
    jsonwriter_object(w, "config");
    jsonwriter_text(w, "file", c->config_file(c->userdata));
    api_put_time(w, "last_reload", c->counters->last_reload);
    jsonwriter_bool(w, "last_reload_ok", c->counters->last_reload_ok);
    jsonwriter_end(w);
}

static void put_suspended(struct jsonwriter *w, const struct suspension *s)
{
    jsonwriter_object(w, "suspended");
    jsonwriter_array(w, "causes");
    for (unsigned i = 0; i < SUSPENSION_CAUSES; i++) {
        enum suspension_cause cause = (enum suspension_cause)i;
        const char *text;
        usec since;

        if (!suspension_cause(s, cause, &since, &text))
            continue;
        jsonwriter_object(w, NULL);
        jsonwriter_text(w, "cause", suspension_cause_name(cause));
        api_put_time(w, "since", since);
        jsonwriter_text(w, "text", text);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
    jsonwriter_end(w);
}

static void put_targets(struct jsonwriter *w, const struct api_context *c)
{
    jsonwriter_object(w, "targets");
    jsonwriter_count(w, "total", targets_count(c->targets));
    jsonwriter_count(w, "failing", *c->failing);
    jsonwriter_end(w);
}

static void put_captures(struct jsonwriter *w, const struct api_context *c)
{
    const struct counters *counters = c->counters;

    jsonwriter_object(w, "captures");
    jsonwriter_integer(w, "in_flight", pipeline_in_flight(c->pipeline));
    api_put_counts(w, "by_result", counters->captures, OUTCOME_COUNT, outcome_word);
    jsonwriter_count(w, "bytes", counters->bytes);
    api_put_time(w, "last_success", counters->last_success);
    jsonwriter_end(w);
}

static void put_kept(struct jsonwriter *w, const struct spool_stats *s)
{
    jsonwriter_object(w, "archive");
    jsonwriter_count(w, "files", s->archive_files);
    jsonwriter_count(w, "bytes", s->archive_bytes);
    jsonwriter_end(w);
    jsonwriter_object(w, "pending");
    jsonwriter_count(w, "files", s->pending_files);
    jsonwriter_count(w, "bytes", s->pending_bytes);
    api_put_time(w, "oldest", s->oldest_pending);
    jsonwriter_end(w);
    jsonwriter_count(w, "aside_files", s->aside_files);
    jsonwriter_count(w, "reserved_bytes", s->reserved_bytes);
}

static void put_spool(struct jsonwriter *w, const struct api_context *c,
                      const struct storage_config *storage)
{
    struct spool_stats s;
    struct space space = {0};

    spool_stats(c->spool, &s);
    (void)spool_space(c->spool, &space); /* zeros if it is not known */
    jsonwriter_object(w, "spool");
    jsonwriter_text(w, "path", storage->path);
    put_kept(w, &s);
    jsonwriter_count(w, "max_bytes", storage->max_bytes);
    jsonwriter_count(w, "max_files", storage->max_files);
    if (storage->max_age > 0)
        api_put_seconds(w, "max_age_seconds", storage->max_age);
    else
        jsonwriter_null(w, "max_age_seconds");
    jsonwriter_count(w, "free_bytes", space.free_bytes);
    jsonwriter_count(w, "total_bytes", space.total_bytes);
    api_put_time(w, "oldest", s.oldest);
    api_put_time(w, "newest", s.newest);
    jsonwriter_bool(w, "refusing", spool_refusing(c->spool));
    jsonwriter_end(w);
}

/* Writes null if upload.url is not set. */
static void put_upload(struct jsonwriter *w, const struct api_context *c, const char *url)
{
    struct uploader_stats s;

    if (!url) {
        jsonwriter_null(w, "upload");
        return;
    }
    uploader_stats(c->uploader, &s);
    jsonwriter_object(w, "upload");
    jsonwriter_text(w, "to", url);
    jsonwriter_text(w, "breaker", breaker_state_name(s.breaker));
    jsonwriter_integer(w, "in_flight", s.in_flight);
    api_put_counts(w, "by_result", s.ends, STORE_END_COUNT, store_word);
    jsonwriter_count(w, "bytes", s.bytes);
    api_put_time(w, "last_success", s.last_success);
    jsonwriter_bool(w, "failing", uploader_failing(c->uploader));
    jsonwriter_end(w);
}

static void put_inspections(struct jsonwriter *w, const struct api_context *c,
                            const struct config *config)
{
    jsonwriter_object(w, "inspections");
    jsonwriter_bool(w, "enabled", config->inspect.enabled);
    api_put_counts(w, "by_result", c->counters->inspections, INSPECTION_END_COUNT, inspection_word);
    jsonwriter_end(w);
}

void api_get_status(void *userdata, struct admin_call *call)
{
    const struct api *a = userdata;
    const struct api_context *c = &a->context;
    const struct config *config = c->config(c->userdata);
    struct api_body body;
    struct jsonwriter *w = &body.json;

    api_body_init(&body);
    jsonwriter_text(w, "version", PACKAGE_VERSION);
    api_put_time(w, "start", c->start);
    jsonwriter_text(w, "host", a->host);
    jsonwriter_integer(w, "pid", getpid());
    api_put_time(w, "now", loop_now(a->context.event, CLOCK_REALTIME));
    put_config(w, c);
    put_suspended(w, c->suspension);
    put_targets(w, c);
    put_captures(w, c);
    put_spool(w, c, &config->storage);
    put_upload(w, c, config->upload.url);
    put_inspections(w, c, config);
    api_reply(call, 200, &body);
}
