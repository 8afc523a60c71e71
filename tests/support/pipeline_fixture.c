/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pipeline_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

#define LONG USEC_PER_HOUR

static void on_ended(void *userdata, const struct pipeline_end *end)
{
    struct world *w = userdata;

    assert_ptr_equal(end->target, w->target);
    w->ended++;
}

void pipeline_configure(struct world *w, const char *path)
{
    const struct job_config config = {
        .name = TEXT("shop"),
        .path = TEXT(path),
        .interval = LONG,
        .window = 2 * USEC_PER_SEC,
        .timeout = LONG,
        .body_size_limit = 64 << 20,
    };
    struct target_job *job = target_job_new(&config, NULL);
    struct target_config from = {.address = w->target->address};
    const char *why;

    assert_non_null(job);
    assert_int_equal(address_parse(from.address, &from.parsed, &why), 0);
    assert_int_equal(target_fill(w->target, job, &from, "web-1", false), 0);
    target_job_unref(job);
    address_done(&from.parsed);
}

void pipeline_make_target(struct world *w)
{
    char address[64];

    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", loopback_port(w->server));
    w->target = target_new(address);
    assert_non_null(w->target);
    pipeline_configure(w, "/debug/pprof/trace");
}

int pipeline_setup(void **state)
{
    static const struct retention_limits limits = {.max_bytes = 1ULL << 30, .max_files = 100};
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    log_set_level(LOG_LEVEL_ERROR);
    w->dir = scratch_new(NULL);
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(disk_new(w->event, &w->disk), 0);
    assert_int_equal(spool_new(w->event, w->disk, w->dir, &limits, false, &w->spool), 0);
    assert_int_equal(meters_new(&w->counters, &w->meters), 0);
    assert_int_equal(http_new(w->event, "contraced/test", &w->http), 0);
    assert_int_equal(pipeline_new(w->event, w->http, w->disk, w->spool, w->meters, false, on_ended,
                                  w, &w->pipeline),
                     0);
    w->server = loopback_new(NULL);
    traces_make(&w->trace, 26, 2, 500);
    pipeline_make_target(w);
    *state = w;
    return 0;
}

int pipeline_teardown(void **state)
{
    struct world *w = *state;

    assert_true(pipeline_idle(w->pipeline));
    for (const struct lane *l = w->target->lanes; l; l = l->next)
        assert_null(l->capture_job);
    target_unref(w->target);
    pipeline_free(w->pipeline);
    http_free(w->http);
    spool_free(w->spool);
    disk_free(w->disk);
    meters_free(w->meters);
    sd_event_unref(w->event);
    loopback_free(w->server);
    traces_done(&w->trace);
    scratch_free(w->dir);
    free(w);
    return 0;
}

void pipeline_step(struct world *w)
{
    assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}

void pipeline_finish(struct world *w, unsigned n)
{
    while (w->ended < n)
        pipeline_step(w);
    assert_true(pipeline_idle(w->pipeline));
}

char *pipeline_record_of(struct world *w, const char *key)
{
    char path[NAME_KEY_MAX + 16], *record;
    struct buf b;

    (void)snprintf(path, sizeof(path), "archive/%.*s.json", (int)(strlen(key) - strlen(".trace")),
                   key);
    buf_init(&b, RECORD_MAX);
    assert_int_equal(buf_read_file(&b, scratch_path(w->dir, path)), 0);
    record = strdup(buf_str(&b));
    assert_non_null(record);
    buf_done(&b);
    return record;
}
