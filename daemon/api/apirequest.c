/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/apirequest.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "daemon/artifact/artifacts.h"

#define NAME_MAX_LEN 4200 /* bytes: enough for a target's URL or any service's name */

static int wrong(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int wrong(char *why, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, APIREQUEST_WHY_SIZE, fmt, ap);
    va_end(ap);
    for (char *p = why; *p; p++)
        *p = *p >= 0x20 && *p <= 0x7e ? *p : '?';
    return -EINVAL;
}

static int load(const char *body, size_t n, json_t **ret, char *why)
{
    json_error_t error;
    json_t *o;
    int r = jsontext_parse(body, n, JSON_REJECT_DUPLICATES, &error, &o);

    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return wrong(why, "the body is no JSON: line %d, column %d: %s", error.line, error.column,
                     error.text);
    if (!json_is_object(o)) {
        json_decref(o);
        return wrong(why, "the body must be a JSON object");
    }
    *ret = o;
    return 0;
}

/* Refuses keys other than `names`. `known` lists the same names as text for the message. */
static int refuse_unknown(json_t *o, const char *const *names, size_t n, const char *known,
                          char *why)
{
    const char *key;
    json_t *value;

    json_object_foreach(o, key, value) {
        bool found = false;

        for (size_t i = 0; i < n && !found; i++)
            found = strcmp(key, names[i]) == 0;
        if (!found)
            return wrong(why, "unknown key \"%.60s\": there are %s", key, known);
    }
    return 0;
}

static bool printable(const char *text)
{
    for (; *text; text++) {
        if (*text < 0x20 || *text > 0x7e)
            return false;
    }
    return true;
}

bool apirequest_is_reason(const char *text)
{
    return text[0] != '\0' && strlen(text) <= APIREQUEST_TEXT_MAX && printable(text);
}

/* 0, also if there is no reason. */
static int read_reason(const json_t *o, char **ret, char *why)
{
    const json_t *value = json_object_get(o, "reason");
    const char *text = json_string_value(value);

    if (!value)
        return 0;
    if (!text || !apirequest_is_reason(text))
        return wrong(why, "\"reason\" must be a text of 1 to %d printable ASCII characters",
                     APIREQUEST_TEXT_MAX);
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

static int read_window(const json_t *o, usec *ret, char *why)
{
    const json_t *value = json_object_get(o, "seconds");
    double seconds = json_number_value(value);

    if (!value)
        return 0;
    if (!json_is_number(value) || !(seconds * (double)USEC_PER_SEC >= APIREQUEST_WINDOW_MIN) ||
        !(seconds * (double)USEC_PER_SEC <= APIREQUEST_WINDOW_MAX))
        return wrong(why, "\"seconds\" must be a number from 0.001 to 30");
    *ret = (usec)(seconds * (double)USEC_PER_SEC + 0.5);
    return 0;
}

static int read_artifact(const json_t *o, const struct artifact **ret, char *why)
{
    const json_t *value = json_object_get(o, "artifact");
    const char *text = json_string_value(value);
    char names[ARTIFACTS_NAMES_SIZE];

    if (!value)
        return 0;
    *ret = text ? artifacts_find(text) : NULL;
    return *ret ? 0 : wrong(why, "\"artifact\" must be one of %s", artifacts_names(names));
}

static int read_flag(const json_t *o, const char *key, bool *ret, char *why)
{
    const json_t *value = json_object_get(o, key);

    if (value && !json_is_boolean(value))
        return wrong(why, "\"%s\" must be true or false", key);
    *ret = json_is_true(value);
    return 0;
}

static int add_artifact(const json_t *item, unsigned *ret, char *why)
{
    const char *text = json_string_value(item);
    const struct artifact *a = text ? artifacts_find(text) : NULL;
    char names[ARTIFACTS_NAMES_SIZE];

    if (!a)
        return wrong(why, "\"artifacts\" must be a list of some of %s", artifacts_names(names));
    *ret |= 1u << a->kind;
    return 0;
}

static int read_artifacts(const json_t *o, struct capture_request *request, char *why)
{
    const json_t *list = json_object_get(o, "artifacts");
    int r = 0;

    if (request->incident && request->artifact)
        return wrong(why, "an incident has several artifacts: give \"artifacts\", a list, or leave "
                          "\"artifact\" out");
    if (!list)
        return 0;
    if (!request->incident)
        return wrong(why, "\"artifacts\" belongs to \"incident\": true; for a single capture there "
                          "is \"artifact\"");
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
        r = add_artifact(json_array_get(list, i), &request->artifacts, why);
    return r == 0 && request->artifacts == 0 ? add_artifact(NULL, &request->artifacts, why) : r;
}

/* Without an artifact, it is the trace that is meant. */
static int read_samples(const json_t *o, struct capture_request *request, char *why)
{
    int r = read_flag(o, "cpu_samples", &request->samples, why);

    if (r < 0 || !request->samples || request->incident)
        return r;
    if (!request->artifact)
        request->artifact = artifacts_of_kind(KIND_TRACE);
    if (!request->artifact->sampled)
        return wrong(why, "\"cpu_samples\" puts CPU samples into a trace: a %s has none",
                     request->artifact->noun);
    return 0;
}

static int read_name(const json_t *value, const char *key, char **ret, char *why)
{
    const char *text = json_string_value(value);

    if (!text || text[0] == '\0' || strlen(text) > NAME_MAX_LEN)
        return wrong(why, "\"%s\" must be a text", key);
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

static int read_scope(const json_t *o, struct capture_request *r, char *why)
{
    static const char *const keys[] = {
        [CAPTURE_TARGET] = "target",
        [CAPTURE_SERVICE] = "service",
        [CAPTURE_JOB] = "job",
        [CAPTURE_ALL] = "all",
    };
    const json_t *value = NULL;
    unsigned found = 0;

    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!json_object_get(o, keys[i]))
            continue;
        r->scope = (enum capture_scope)i;
        value = json_object_get(o, keys[i]);
        found++;
    }
    if (found != 1)
        return wrong(why, "say what to capture by exactly one of \"target\", \"service\","
                          " \"job\" and \"all\"");
    if (r->scope != CAPTURE_ALL)
        return read_name(value, keys[r->scope], &r->name, why);
    return json_is_true(value) ? 0 : wrong(why, "\"all\" must be true");
}

int capture_request_parse(const char *body, size_t n, struct capture_request *ret,
                          char why[static APIREQUEST_WHY_SIZE])
{
    static const char *const names[] = {"target",   "service",  "job",       "all",
                                        "artifact", "incident", "artifacts", "cpu_samples",
                                        "seconds",  "reason",   "wait"};
    struct capture_request request = {0};
    _cleanup_json_ json_t *o = NULL;
    int r = load(body, n, &o, why);

    if (r == 0)
        r = refuse_unknown(o, names, sizeof(names) / sizeof(names[0]),
                           "target, service, job, all, artifact, incident, artifacts, cpu_samples, "
                           "seconds, reason and wait",
                           why);
    if (r == 0)
        r = read_scope(o, &request, why);
    if (r == 0)
        r = read_artifact(o, &request.artifact, why);
    if (r == 0)
        r = read_flag(o, "incident", &request.incident, why);
    if (r == 0)
        r = read_artifacts(o, &request, why);
    if (r == 0)
        r = read_samples(o, &request, why);
    if (r == 0)
        r = read_window(o, &request.window, why);
    if (r == 0)
        r = read_reason(o, &request.reason, why);
    if (r == 0)
        r = read_flag(o, "wait", &request.wait, why);
    if (r < 0)
        capture_request_done(&request);
    else
        *ret = request;
    return r;
}

void capture_request_done(struct capture_request *r)
{
    free(r->name);
    free(r->reason);
    *r = (struct capture_request){0};
}

int suspend_request_parse(const char *body, size_t n, char **ret,
                          char why[static APIREQUEST_WHY_SIZE])
{
    static const char *const names[] = {"reason"};
    _cleanup_json_ json_t *o = NULL;
    char *reason = NULL;
    int r = n > 0 ? load(body, n, &o, why) : 0;

    if (r == 0 && o)
        r = refuse_unknown(o, names, 1, "reason, and nothing else", why);
    if (r == 0 && o)
        r = read_reason(o, &reason, why);
    if (r == 0)
        *ret = reason;
    return r;
}

int empty_request_parse(const char *body, size_t n, char why[static APIREQUEST_WHY_SIZE])
{
    _cleanup_json_ json_t *o = NULL;
    int r = n > 0 ? load(body, n, &o, why) : 0;

    if (r == 0 && o && json_object_size(o) > 0)
        r = wrong(why, "this takes no body, or {}");
    return r;
}
