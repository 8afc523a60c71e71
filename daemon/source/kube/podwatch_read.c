/* SPDX-License-Identifier: Apache-2.0 */

/* The answers to the requests for pods: lists, events of a watch, and refusals. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/jsontext.h"
#include "base/log.h"
#include "base/loop.h"
#include "daemon/source/kube/podwatch_state.h"
#include "lib/net/retryafter.h"

#define REFUSAL_MAX (16u << 10)
#define SHOWN_MAX 300

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static const char *version_of(const json_t *object)
{
    return text_of(json_object_get(object, "metadata"), "resourceVersion");
}

static bool is_over(const struct pod *p)
{
    const char *phase = pod_fact(p, POD_PHASE);

    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

static void say_full(struct podwatch *w)
{
    if (!w->full)
        log_warn("kubernetes: there are more than %d %s: those beyond are not captured; let "
                 "namespaces or selectors choose fewer",
                 PODSET_MAX, w->name);
    w->full = true;
}

/* Takes a pod, or its end. */
static int take_pod(struct podwatch *w, const json_t *object, bool deleted)
{
    struct pod *p;
    int r = pod_read(object, &p);

    if (r < 0)
        return r;
    if (deleted || is_over(p)) {
        if (podset_remove(w->pods, p))
            w->changed(w->userdata);
        pod_free(p);
        return 0;
    }
    r = podset_put(w->pods, p);
    if (r == -E2BIG) {
        say_full(w);
        return 0;
    }
    if (r > 0)
        w->changed(w->userdata);
    return r < 0 ? r : 0;
}

/* Text of the server, for the log. */
static void set_text(struct podwatch *w, const char *text)
{
    struct buf shown;

    buf_over(&shown, w->text, sizeof(w->text));
    redact_text(&w->secrets, 0, text, strlen(text), SHOWN_MAX, &shown);
}

static bool is_too_large(const json_t *status)
{
    const json_t *cause;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(status, "details"), "causes"), i, cause) {
        if (strcmp(text_of(cause, "reason"), "ResourceVersionTooLarge") == 0)
            return true;
    }
    return strstr(text_of(status, "message"), "Too large resource version") != NULL;
}

/* A Status (meta/v1), as the body of a refusal or in an event. */
static void take_status(struct podwatch *w, const json_t *status)
{
    json_int_t seconds = json_integer_value(
        json_object_get(json_object_get(status, "details"), "retryAfterSeconds"));

    set_text(w, text_of(status, "message"));
    w->end.too_large = is_too_large(status);
    if (w->end.retry_after == 0 && seconds > 0)
        w->end.retry_after = (seconds < 3600 ? (usec)seconds : (usec)3600) * USEC_PER_SEC;
}

static int take_event(struct podwatch *w, const json_t *event)
{
    const json_t *object = json_object_get(event, "object");
    const char *type = text_of(event, "type");
    bool deleted = strcmp(type, "DELETED") == 0;
    int r = 0;

    if (strcmp(type, "ERROR") == 0) {
        w->end.status = (long)json_integer_value(json_object_get(object, "code"));
        take_status(w, object);
        return -ECANCELED;
    }
    if (deleted || strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
        r = take_pod(w, object, deleted);
    else if (strcmp(type, "BOOKMARK") != 0)
        return -EBADMSG;
    return r < 0 ? r : follow_event(&w->follow, version_of(object));
}

static int on_document(void *userdata, const char *text, size_t n)
{
    struct podwatch *w = userdata;
    _cleanup_json_ json_t *json = NULL;
    int r = jsontext_parse(text, n, 0, NULL, &json);

    if (r == 0)
        r = w->follow.step == FOLLOW_LIST ? take_pod(w, json, false) : take_event(w, json);
    return r == -EINVAL ? -EBADMSG : r;
}

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct podwatch *w = userdata;

    if (http_status(w->request) != 200) {
        (void)buf_add(&w->refusal, data, n);
        return (ssize_t)n;
    }
    w->error = cutter_add(&w->cutter, data, n);
    return w->error < 0 ? HTTP_ABORT : (ssize_t)n;
}

void podwatch_read_works(struct podwatch *w)
{
    if (w->failing)
        log_info("kubernetes: %s are followed again: %zu now", w->name, podset_count(w->pods));
    w->failing = false;
}

static void on_header(void *userdata, const char *name, const char *value)
{
    struct podwatch *w = userdata;

    if (strcasecmp(name, "Retry-After") == 0)
        (void)retryafter_parse(value, loop_now(w->event, CLOCK_REALTIME), &w->end.retry_after);
    /* A watch may be silent for long. */
    if (w->follow.step == FOLLOW_WATCH && http_status(w->request) == 200)
        podwatch_read_works(w);
}

/* The end of a page: what is around its pods. */
static int take_list(struct podwatch *w)
{
    const struct buf *rest = cutter_rest(&w->cutter);
    _cleanup_json_ json_t *list = NULL;
    const json_t *metadata;
    bool first = !w->synced;
    int r = cutter_at_end(&w->cutter) ? jsontext_parse(buf_str(rest), rest->len, 0, NULL, &list)
                                      : -EBADMSG;

    if (r < 0)
        return r == -EINVAL ? -EBADMSG : r;
    metadata = json_object_get(list, "metadata");
    r = strcmp(text_of(list, "kind"), "PodList") != 0
          ? -EBADMSG
          : follow_listed(&w->follow, text_of(metadata, "resourceVersion"),
                          text_of(metadata, "continue"));
    if (r < 0 || w->follow.step == FOLLOW_LIST)
        return r;
    if (podset_sweep(w->pods) > 0)
        w->changed(w->userdata);
    w->synced = true;
    w->full = false;
    if (first && !w->failing)
        log_info("kubernetes: %s are followed at %s: %zu now", w->name, w->server,
                 podset_count(w->pods));
    return 0;
}

static void read_refusal(struct podwatch *w)
{
    _cleanup_json_ json_t *status = NULL;

    if (buf_error(&w->refusal) == 0 &&
        jsontext_parse(buf_str(&w->refusal), w->refusal.len, 0, NULL, &status) == 0)
        take_status(w, status);
    if (!w->text[0])
        (void)snprintf(w->text, sizeof(w->text), "it answers %ld", w->end.status);
}

static void explain(struct podwatch *w, int error)
{
    if (error == -ECANCELED)
        return; /* the server's own words are there */
    w->end.broken = true;
    (void)snprintf(w->text, sizeof(w->text), "%s",
                   error == -EBADMSG ? "its answer is not one of Kubernetes' API"
                   : error == -E2BIG ? "its answer has a pod of more than 4 MiB"
                                     : strerror(-error));
}

static void on_finished(void *userdata, const struct http_result *result)
{
    struct podwatch *w = userdata;
    bool listing = w->follow.step == FOLLOW_LIST, turned = false;

    w->request = NULL;
    w->end.lasted = loop_now(w->event, CLOCK_BOOTTIME) - w->began;
    if (w->end.status == 0)
        w->end.status = result->status;
    w->end.complete = result->error == HTTP_OK;
    if (result->status != 0 && result->status != 200)
        read_refusal(w);
    else if (w->error == 0 && result->error != HTTP_OK)
        (void)snprintf(w->text, sizeof(w->text), "%s", result->text);
    else if (w->error == 0 && listing)
        w->error = take_list(w);
    if (w->error < 0)
        explain(w, w->error);
    turned = listing && w->error == 0 && result->error == HTTP_OK && result->status == 200;
    w->next(w, turned);
}

const struct http_handlers podwatch_handlers = {
    .body = on_body,
    .header = on_header,
    .finished = on_finished,
};

void podwatch_read_begin(struct podwatch *w)
{
    podwatch_read_done(w);
    cutter_init(&w->cutter, w->follow.step == FOLLOW_LIST, on_document, w);
    buf_init(&w->refusal, REFUSAL_MAX);
    w->end = (struct follow_end){0};
    w->error = 0;
    w->text[0] = '\0';
    w->began = loop_now(w->event, CLOCK_BOOTTIME);
    if (w->follow.step == FOLLOW_LIST && !w->follow.continuation)
        podset_begin(w->pods);
}

void podwatch_read_done(struct podwatch *w)
{
    cutter_done(&w->cutter);
    buf_done(&w->refusal);
    redact_done(&w->secrets);
}
