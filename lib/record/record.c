/* SPDX-License-Identifier: Apache-2.0 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "lib/record/record.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsontext.h"
#include "base/utf8.h"
#include "lib/record/abridge.h"
#include "lib/record/name.h"
#include "lib/record/context.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* A copy in which each byte that is not UTF-8 is replaced by U+FFFD: a bad label must not prevent
 * the record of a trace. */
static char *text_clean(const char *text)
{
    const char *p = text;
    char *out = malloc(3 * strlen(text) + 1), *q = out;

    if (!out)
        return NULL;
    while (*p) {
        size_t n = utf8_length(p, UTF8_MAX);

        if (n > 0) {
            memcpy(q, p, n);
            q += n;
            p += n;
        } else {
            memcpy(q, UTF8_REPLACEMENT, 3);
            q += 3;
            p++;
        }
    }
    *q = '\0';
    return out;
}

/* The setters return false when memory is short. A NULL string is left out. */
static bool set_string(json_t *object, const char *key, const char *text)
{
    _cleanup_free_ char *clean = NULL;

    if (!text)
        return true;
    clean = text_clean(text);
    return clean && json_object_set_new(object, key, json_string(clean)) == 0;
}

static bool set_number(json_t *object, const char *key, uint64_t value)
{
    json_int_t number = value < INT64_MAX ? (json_int_t)value : INT64_MAX;

    return json_object_set_new(object, key, json_integer(number)) == 0;
}

/* Four decimal places, rounded down, so that only a fully covered trace has 1. */
static bool set_covered(json_t *object, double covered)
{
    if (covered < 0)
        return true;
    return json_object_set_new(object, "covered", json_real(floor(covered * 1e4 + 1e-9) / 1e4)) ==
           0;
}

static bool set_seconds(json_t *object, const char *key, usec value)
{
    return json_object_set_new(object, key, json_real((double)value / (double)USEC_PER_SEC)) == 0;
}

static bool set_labels(json_t *object, const struct record *r)
{
    json_t *labels = json_object();

    if (json_object_set_new(object, "labels", labels) < 0)
        return false;
    for (size_t i = 0; i < r->n_labels; i++) {
        _cleanup_free_ char *name = text_clean(r->labels[i].name);

        if (!name || !set_string(labels, name, r->labels[i].value))
            return false;
    }
    return true;
}

static bool set_counts(json_t *object, const struct record *r)
{
    for (size_t i = 0; i < r->n_counts; i++) {
        if (!set_number(object, r->counts[i].name, r->counts[i].value))
            return false;
    }
    return true;
}

static bool set_truncated(json_t *object, const struct record *r)
{
    json_t *truncated;

    if (r->complete)
        return true;
    truncated = json_object();
    return json_object_set_new(object, "truncated", truncated) == 0 &&
           set_number(truncated, "received", r->received) &&
           set_string(truncated, "by", r->truncated_by);
}

static bool set_samples(json_t *object, const struct record_samples *s)
{
    if (!s)
        return true;
    return json_object_set_new(object, "cpu_samples",
                               s->known ? json_boolean(s->sampled) : json_null()) == 0 &&
           set_string(object, "cpu_profile", s->profile) &&
           set_string(object, "no_cpu_profile", s->why && s->why[0] ? s->why : NULL);
}

static bool set_value(json_t *object, const char *key, double value)
{
    return json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null()) == 0;
}

static bool set_trigger(json_t *object, const struct record_trigger *t)
{
    json_t *trigger;

    if (!t)
        return true;
    trigger = json_object();
    return json_object_set_new(object, "trigger", trigger) == 0 &&
           set_string(trigger, "rule", t->rule) && set_value(trigger, "value", t->value) &&
           set_value(trigger, "threshold", t->threshold) && set_string(trigger, "unit", t->unit) &&
           set_string(trigger, "text", t->text);
}

static bool add_text(json_t *array, const char *text)
{
    return json_array_append_new(array, json_string(text)) == 0;
}

static bool set_progress(json_t *object, const struct record_progress *p)
{
    json_t *progress, *takes, *without, *joined;
    bool ok;

    if (!p)
        return true;
    progress = json_object();
    takes = json_array();
    without = json_object();
    joined = json_array();
    ok = json_object_set_new(progress, "artifacts", takes) == 0;
    ok = json_object_set_new(progress, "without", without) == 0 && ok;
    ok = json_object_set_new(progress, "joined", joined) == 0 && ok;
    ok = json_object_set_new(object, "incident_so_far", progress) == 0 && ok;
    for (unsigned k = 0; ok && k < KINDS; k++) {
        if (p->takes & 1u << k)
            ok = add_text(takes, kind_name((enum kind)k)) &&
                 set_string(without, kind_name((enum kind)k), p->without[k]);
    }
    for (size_t i = 0; ok && i < RECORD_JOINED_MAX && p->joined[i]; i++)
        ok = add_text(joined, p->joined[i]);
    return ok;
}

/* What cannot be written is null: that must not prevent the record of a trace. */
static bool set_context(json_t *object, const struct record *r)
{
    struct jsonwriter w;
    struct buf text;
    json_t *context = NULL;
    int error;

    if (!r->context || !context_tells(r->context))
        return true;
    buf_init(&text, CONTEXT_JSON_MAX);
    jsonwriter_init(&w, &text, (struct jsonwriter_style){.digits = 15});
    context_write(&w, NULL, r->context);
    error = jsonwriter_finish(&w);
    if (error == 0)
        error = jsontext_parse(buf_str(&text), text.len, 0, NULL, &context);
    buf_done(&text);
    if (error == -ENOMEM)
        return false;
    return json_object_set_new(object, "context", error < 0 ? json_null() : context) == 0;
}

/*
 * If the trace spans all that was asked for, `seconds` is what was asked for and not the exact
 * span, which may be a millisecond longer: people group by this number. It is null if it spans
 * something else.
 */
static bool set_times(json_t *object, const struct record *r)
{
    bool all = r->complete || r->span == 0 || r->span > r->window;

    if (r->window == 0)
        return r->span > 0 && !r->since_start
                 ? set_seconds(object, "seconds", r->span)
                 : json_object_set_new(object, "seconds", json_null()) == 0;
    return (r->since_start ? json_object_set_new(object, "seconds", json_null()) == 0
                           : set_seconds(object, "seconds", all ? r->window : r->span)) &&
           set_seconds(object, "requested_seconds", r->window);
}

/* Numbers have 15 digits, so every configured decimal comes out as it was written: 1.9 and not
 * 1.8999…. */
static char *to_text(const json_t *o)
{
    _cleanup_free_ char *text = jsontext_print(o, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    size_t n;
    char *line;

    if (!text)
        return NULL;
    n = strlen(text);
    line = realloc(text, n + 2);
    if (!line)
        return NULL;
    text = NULL;
    line[n] = '\n';
    line[n + 1] = '\0';
    return line;
}

char *record_to_json(const struct record *r)
{
    _cleanup_json_ json_t *o = json_object();
    char start[CLOCK_RFC3339_SIZE];

    if (!o || !set_string(o, "artifact", r->artifact) || !set_string(o, "service", r->service) ||
        !set_string(o, "host", r->host) || (r->pid && !set_number(o, "pid", r->pid)) ||
        !set_string(o, "target", r->target) || !set_string(o, "job", r->job) || !set_labels(o, r) ||
        !set_string(o, "reason", r->reason) || !set_string(o, "incident", r->incident) ||
        !set_trigger(o, r->trigger) || !set_progress(o, r->progress) ||
        !set_string(o, "start", clock_rfc3339(r->start, start)) || !set_times(o, r) ||
        !set_number(o, "bytes", r->bytes) || !set_string(o, "sha256", r->sha256) ||
        !set_string(o, "go_version", r->go_version) ||
        json_object_set_new(o, "complete", json_boolean(r->complete)) < 0 || !set_truncated(o, r) ||
        !set_samples(o, r->samples) || !set_counts(o, r) || !set_context(o, r) ||
        !set_string(o, "contraced_version", PACKAGE_VERSION))
        return NULL;
    return to_text(o);
}

static bool is_label(const char *text)
{
    size_t n = text ? strlen(text) : 0;

    return n > 0 && n < RECORD_LABEL_SIZE &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static double covered_in(const json_t *o)
{
    const json_t *covered = json_object_get(o, "covered");
    double value = json_number_value(covered);

    return json_is_number(covered) && value >= 0 && value <= 1 ? value : -1;
}

/* The first finding of the label's code; NULL: the record has none. */
static const json_t *finding_of(const json_t *summary, const char *label)
{
    const json_t *list = json_object_get(summary, "findings");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *finding = json_array_get(list, i);
        const char *code = json_string_value(json_object_get(finding, "code"));

        if (code && strcmp(code, label) == 0)
            return finding;
    }
    return NULL;
}

/* A number of the object in that range, else 0. */
static double number_in(const json_t *o, const char *name, double most)
{
    double value = json_number_value(json_object_get(o, name));

    return value > 0 && value <= most ? value : 0;
}

#define LOST_MAX 1e18       /* nanoseconds */
#define SEVERITY_LEAST 1e-6 /* of a trace with a label whose record does not tell how bad it is */

static double severity_of(const json_t *o, const char *label)
{
    static const char *const well[] = {"", "healthy", "idle", "not-inspected"};
    const json_t *summary = json_object_get(o, "summary"), *finding;
    double lost, window, severity;

    for (size_t i = 0; i < sizeof(well) / sizeof(well[0]); i++) {
        if (strcmp(label, well[i]) == 0)
            return 0;
    }
    finding = finding_of(summary, label);
    lost = number_in(finding, "lost_ns", LOST_MAX);
    window = number_in(summary, "window_ns", LOST_MAX);
    severity = lost > 0 && window > 0 ? lost / window : number_in(finding, "score", 1);
    return severity > SEVERITY_LEAST ? severity : SEVERITY_LEAST;
}

/* The id is the key of the incident's first artifact, without the suffix. */
static usec incident_begin(const char *id)
{
    char key[NAME_KEY_MAX];
    struct name name;

    if (!id || snprintf(key, sizeof(key), "%s%s", id, kind_suffix(KIND_TRACE)) >= NAME_KEY_MAX ||
        name_parse(key, &name) < 0)
        return 0;
    return name.time;
}

#define LATENCY_MAX 1e18 /* nanoseconds: thirty years */

int record_annotation(const char *json, size_t n, struct record_annotation *ret)
{
    _cleanup_json_ json_t *o = NULL;
    const json_t *scheduler, *latency;
    const char *label, *incident;
    double value;
    int r = jsontext_parse(json, n, 0, NULL, &o);

    if (r < 0)
        return r;
    if (!json_is_object(o))
        return -EINVAL;
    label = json_string_value(json_object_get(o, "label"));
    scheduler = json_object_get(json_object_get(o, "summary"), "scheduler");
    latency = json_object_get(json_object_get(scheduler, "latency"), "p99_ns");
    value = json_number_value(latency);
    *ret = (struct record_annotation){.latency = -1, .covered = covered_in(o)};
    if (is_label(label))
        (void)snprintf(ret->label, sizeof(ret->label), "%s", label);
    ret->severity = json_object_get(o, "not_inspected") ? 0 : severity_of(o, ret->label);
    incident = json_string_value(json_object_get(o, "incident"));
    ret->incident = incident_begin(incident);
    if (ret->incident > 0)
        (void)snprintf(ret->incident_id, sizeof(ret->incident_id), "%s", incident);
    /* The numbers of a trace that was not inspected rest on too little data. */
    if (!json_object_get(o, "not_inspected") && json_is_number(latency) && value >= 0 &&
        value <= LATENCY_MAX)
        ret->latency = value;
    return 0;
}

/* 0 also when `text` is NULL. */
static int set_summary(json_t *o, const char *text)
{
    json_t *summary = NULL;
    int r;

    if (!text)
        return 0;
    r = jsontext_parse(text, strlen(text), 0, NULL, &summary);
    if (r < 0)
        return r;
    if (!json_is_object(summary)) {
        json_decref(summary);
        return -EINVAL;
    }
    return json_object_set_new(o, "summary", summary) < 0 ? -ENOMEM : 0;
}

/* Makes the text, and the summary shorter until it fits. */
static int to_text_within(json_t *o, size_t max, char **ret)
{
    for (;;) {
        char *text = to_text(o);
        json_t *summary = json_object_get(o, "summary");

        if (!text)
            return -ENOMEM;
        if (strlen(text) <= max) {
            *ret = text;
            return 0;
        }
        free(text);
        if (!summary)
            return -E2BIG;
        if (!abridge(summary) || json_object_size(summary) == 0)
            (void)json_object_del(o, "summary");
    }
}

int record_amend(const char *json, size_t n, const struct record_amendment *a, size_t max,
                 char **ret)
{
    static const char *const names[] = {"label", "not_inspected", "covered", "summary"};
    _cleanup_json_ json_t *o = NULL;
    int r = jsontext_parse(json, n, 0, NULL, &o);

    if (r < 0)
        return r;
    if (!json_is_object(o))
        return -EINVAL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)json_object_del(o, names[i]);
    if (!set_string(o, "label", a->label) || !set_string(o, "not_inspected", a->not_inspected) ||
        !set_covered(o, a->covered))
        return -ENOMEM;
    r = set_summary(o, a->summary);
    return r < 0 ? r : to_text_within(o, max, ret);
}
