/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/facts.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/jsontext.h"

#define FINDINGS_MAX 1024

static int copy_string(const json_t *object, const char *key, char **ret)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (!text)
        return 0;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

/* Whether there is a count. */
static bool copy_count(const json_t *object, const char *key, uint64_t *ret)
{
    const json_t *value = json_object_get(object, key);
    bool is_count = json_is_integer(value) && json_integer_value(value) >= 0;

    *ret = is_count ? (uint64_t)json_integer_value(value) : 0;
    return is_count;
}

/* 0 or -ENOMEM. Codes that cannot be of contrace are left out. */
static int read_findings(const json_t *o, char **ret)
{
    const json_t *finding;
    struct buf text;
    size_t i;
    int r = 0;

    buf_init(&text, FINDINGS_MAX);
    json_array_foreach(json_object_get(json_object_get(o, "summary"), "findings"), i, finding) {
        const char *code = json_string_value(json_object_get(finding, "code"));

        if (code && code[strspn(code, "abcdefghijklmnopqrstuvwxyz-")] == '\0')
            (void)buf_addf(&text, "%s%s", text.len > 0 ? ", " : "", code);
    }
    if (text.len > 0) {
        *ret = strdup(buf_str(&text));
        r = *ret ? 0 : -ENOMEM;
    }
    buf_done(&text);
    return r;
}

/* What joined the incident, as one text. 0 or -ENOMEM. */
static int read_joined(const json_t *list, char **ret)
{
    const json_t *item;
    struct buf text;
    size_t i;
    int r = 0;

    buf_init(&text, FINDINGS_MAX);
    json_array_foreach(list, i, item) {
        if (json_is_string(item))
            (void)buf_addf(&text, "%s%s", text.len > 0 ? ", " : "", json_string_value(item));
    }
    if (text.len > 0) {
        *ret = strdup(buf_str(&text));
        r = *ret ? 0 : -ENOMEM;
    }
    buf_done(&text);
    return r;
}

/* 0 or -ENOMEM. Unknown kinds, as of a later contraced, are left out. */
static int read_progress(const json_t *o, struct facts *f)
{
    const json_t *progress = json_object_get(o, "incident_so_far"), *item;
    const json_t *without = json_object_get(progress, "without");
    size_t i;

    json_array_foreach(json_object_get(progress, "artifacts"), i, item) {
        const char *name = json_string_value(item);
        enum kind kind;

        if (!name || !kind_of_name(name, &kind) || f->takes & 1u << kind)
            continue;
        f->takes |= 1u << kind;
        if (copy_string(without, name, &f->without[kind]) < 0)
            return -ENOMEM;
    }
    return read_joined(json_object_get(progress, "joined"), &f->joined);
}

static int read_incident(const json_t *o, struct facts *f)
{
    const json_t *trigger = json_object_get(o, "trigger");
    const json_t *value = json_object_get(trigger, "value");

    f->has_value = json_is_number(value);
    f->value = json_number_value(value);
    f->threshold = json_number_value(json_object_get(trigger, "threshold"));
    if (copy_string(o, "incident", &f->incident) < 0 ||
        copy_string(trigger, "rule", &f->rule) < 0 || copy_string(trigger, "unit", &f->unit) < 0 ||
        copy_string(trigger, "text", &f->text) < 0 || read_progress(o, f) < 0)
        return -ENOMEM;
    return read_findings(o, &f->findings);
}

static int read_facts(const json_t *o, struct facts *f)
{
    const json_t *complete = json_object_get(o, "complete");

    if (copy_string(o, "reason", &f->reason) < 0 || copy_string(o, "sha256", &f->sha256) < 0 ||
        copy_string(o, "go_version", &f->go_version) < 0 ||
        copy_string(o, "label", &f->label) < 0 || read_incident(o, f) < 0 ||
        copy_string(json_object_get(o, "truncated"), "by", &f->truncated_by) < 0)
        return -ENOMEM;
    if (f->sha256 && !hex_is_sha256(f->sha256)) {
        free(f->sha256);
        f->sha256 = NULL;
    }
    f->seconds = json_number_value(json_object_get(o, "seconds"));
    f->requested_seconds = json_number_value(json_object_get(o, "requested_seconds"));
    f->has_covered = json_is_number(json_object_get(o, "covered"));
    f->covered = json_number_value(json_object_get(o, "covered"));
    f->has_bytes = copy_count(o, "bytes", &f->bytes);
    f->has_samples = copy_count(o, "samples", &f->samples);
    f->has_complete = json_is_boolean(complete);
    f->complete = json_is_true(complete);
    return 0;
}

int facts_parse(const char *json, size_t n, bool keep, struct facts *ret)
{
    struct facts f = {0};
    json_t *o;
    int r = jsontext_parse(json, n, 0, NULL, &o);

    if (r < 0)
        return r;
    r = json_is_object(o) ? read_facts(o, &f) : -EINVAL;
    if (keep)
        f.record = o;
    else
        json_decref(o);
    if (r < 0)
        facts_done(&f);
    else
        *ret = f;
    return r;
}

void facts_done(struct facts *f)
{
    free(f->reason);
    free(f->sha256);
    free(f->go_version);
    free(f->truncated_by);
    free(f->label);
    free(f->incident);
    free(f->rule);
    free(f->unit);
    free(f->findings);
    free(f->text);
    free(f->joined);
    for (size_t k = 0; k < KINDS; k++)
        free(f->without[k]);
    json_decref(f->record);
    *f = (struct facts){0};
}
