/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/label/labelling.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"
#include "daemon/artifact/artifacts.h"
#include "daemon/label/inspector.h"
#include "lib/process/beside.h"
#include "lib/record/context.h"
#include "trace/findings/code.h"

#define HOLD_SPARE (5 * USEC_PER_SEC) /* added to the timeout, for a short queue and the disk */

struct labelling {
    sd_event *event;
    struct spool *spool;
    struct meters *meters;
    struct inspector *inspector;
    sd_event_source *deadline;
    bool enabled;
    usec hold;
    bool said[INSPECTION_END_COUNT]; /* a failure of this kind was logged above debug level */
    bool amend_failed;               /* the same for records that could not be written */
    labelling_told_fn told;
    void *userdata;
    labelling_growth_fn growth;
    void *growth_userdata;
};

static void report_label(const char *key, const struct inspection *in)
{
    const struct digest *d = &in->digest;
    const struct log_fields fields = {
        .key = key, .label = d->label, .message_id = MESSAGE_ID_INSPECTED};
    char took[PARSE_TEXT_SIZE];

    if (digest_alarming(d))
        log_write(LOG_LEVEL_INFO, &fields, "inspected %s: %s (score %.2g)%s%s", key, d->label,
                  d->score, d->evidence[0] ? ": " : "", d->evidence);
    else
        log_write(LOG_LEVEL_DEBUG, &fields, "inspected %s in %s: %s", key,
                  format_duration(in->took, took), d->label);
}

/* Logs each kind of failure once. A target whose traces all fail would fill the log, and the
 * records tell it anyway. */
static void report_failure(struct labelling *l, const char *key, const struct inspection *in)
{
    const struct log_fields fields = {
        .key = key, .label = CODE_NOT_INSPECTED, .message_id = MESSAGE_ID_INSPECTED};
    bool first = in->end < INSPECTION_GONE && !l->said[in->end];

    l->said[in->end] = true;
    log_write(first ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, &fields, "%s is not inspected: %s%s%s%s",
              key, in->why, in->text[0] ? ": " : "", in->text,
              first ? "; it ships all the same, and others like it are not told of" : "");
}

static void on_amended(int r, const char *key, void *userdata)
{
    struct labelling *l = userdata;
    const struct log_fields fields = {.key = key, .message_id = MESSAGE_ID_STORAGE};

    if (r >= 0) {
        l->amend_failed = false;
        return;
    }
    l->meters->totals->labels_lost++;
    log_write(r == -ENOENT || l->amend_failed ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, &fields,
              "the record of %s stays without its label: %s", key, strerror(-r));
    l->amend_failed = l->amend_failed || r != -ENOENT;
}

/* Adds what only several samples of a target tell. */
static void add_growth(struct labelling *l, const char *key, struct digest *d)
{
    struct growth growth;

    if (d->summary && d->why[0] == '\0' && l->growth &&
        l->growth(l->growth_userdata, key, d, &growth) && digest_add_growth(d, &growth) < 0)
        log_debug("no room or memory to tell of the growth in %s", key);
}

static void on_inspected(void *userdata, const char *key, struct inspection *in)
{
    struct labelling *l = userdata;
    bool ok = in->end == INSPECTION_OK;
    bool digest = in->digest.summary != NULL; /* numbers may exist without a label */
    struct record_amendment what;

    add_growth(l, key, &in->digest);
    what = (struct record_amendment){
        .label = ok ? in->digest.label : CODE_NOT_INSPECTED,
        .not_inspected = ok ? NULL : in->why,
        .summary = in->digest.summary,
        .latency = digest ? in->digest.latency : -1,
        .covered = digest ? in->digest.covered : -1,
    };

    meters_inspected(l->meters, in->end, in->took);
    if (l->told)
        l->told(l->userdata, &(struct labelling_label){key, what.label, what.latency, what.covered,
                                                       what.summary});
    if (ok)
        report_label(key, in);
    else
        report_failure(l, key, in);
    if (in->end == INSPECTION_GONE || in->end == INSPECTION_CUT ||
        spool_amend(l->spool, key, &what, on_amended, l) < 0)
        spool_release(l->spool, key);
}

static int open_trace(void *userdata, const char *key)
{
    struct labelling *l = userdata;
    int fd = -1, r = spool_open(l->spool, key, &fd);

    return r < 0 ? r : fd;
}

/*
 * What the record says of the host, for the child. Numbers only: the arguments of a process can be
 * read by others, and paths of cgroups may have names of users and pods.
 */
static const char *context_of(const char *record, struct buf *out)
{
    struct context context;
    struct jsonwriter w;

    if (context_parse(record, strlen(record), &context) < 0)
        return NULL;
    context.level[0] = context.memory_level[0] = '\0';
    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    context_write(&w, NULL, &context);
    return jsonwriter_finish(&w) == 0 ? buf_str(out) : NULL;
}

/* Queues a trace that was just published. Returns how long it may wait for its label; 0: not at
 * all. */
static usec on_published(void *userdata, const char *key, const char *record)
{
    struct labelling *l = userdata;
    const struct artifact *a = artifacts_of_kind(name_kind(key));
    struct buf context;
    int r;

    if (!l->enabled || !a || !a->inspected)
        return 0;
    buf_init(&context, CONTEXT_JSON_MAX);
    r = inspector_add(l->inspector, key, context_of(record, &context));
    buf_done(&context);
    return r >= 0 ? l->hold : 0;
}

int labelling_set(struct labelling *l, const struct inspect_config *config)
{
    char path[BESIDE_PATH_SIZE];
    const struct inspector_settings settings = {
        .command = config->command ? config->command : beside_find("contrace", path),
        .timeout = config->timeout,
        .memory = config->max_memory,
    };
    int r = inspector_set(l->inspector, &settings);

    if (r < 0)
        return r;
    l->enabled = config->enabled;
    l->hold = config->timeout + HOLD_SPARE;
    memset(l->said, 0, sizeof(l->said));
    return 0;
}

void labelling_set_growth(struct labelling *l, labelling_growth_fn fn, void *userdata)
{
    l->growth = fn;
    l->growth_userdata = userdata;
}

void labelling_set_told(struct labelling *l, labelling_told_fn fn, void *userdata)
{
    l->told = fn;
    l->userdata = userdata;
}

static int on_deadline(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    labelling_cut(userdata);
    return 0;
}

void labelling_drain(struct labelling *l, usec patience)
{
    (void)sd_event_source_set_time_relative(l->deadline, patience);
    (void)sd_event_source_set_enabled(l->deadline, SD_EVENT_ONESHOT);
}

void labelling_cut(struct labelling *l)
{
    inspector_cut(l->inspector);
}

bool labelling_idle(const struct labelling *l)
{
    return inspector_idle(l->inspector);
}

int labelling_new(sd_event *event, struct spool *spool, struct meters *meters,
                  struct labelling **ret)
{
    static const struct inspector_handlers handlers = {open_trace, on_inspected};
    struct labelling *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return -ENOMEM;
    l->event = sd_event_ref(event);
    l->spool = spool;
    l->meters = meters;
    r = inspector_new(event, &handlers, l, &l->inspector);
    if (r >= 0) /* now, because stopping must not need memory */
        r = sd_event_add_time(event, &l->deadline, CLOCK_BOOTTIME, 0, 10 * USEC_PER_MSEC,
                              on_deadline, l);
    if (r >= 0)
        r = sd_event_source_set_enabled(l->deadline, SD_EVENT_OFF);
    if (r < 0) {
        labelling_free(l);
        return r;
    }
    spool_set_hold_fn(spool, on_published, l);
    *ret = l;
    return 0;
}

void labelling_free(struct labelling *l)
{
    if (!l)
        return;
    if (l->inspector)
        spool_set_hold_fn(l->spool, NULL, NULL);
    inspector_free(l->inspector);
    sd_event_source_disable_unref(l->deadline);
    (void)sd_event_unref(l->event);
    free(l);
}
