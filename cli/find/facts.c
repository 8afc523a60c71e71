/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/facts.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/jsontext.h"

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

static int read_facts(const json_t *o, struct facts *f)
{
    const json_t *complete = json_object_get(o, "complete");

    if (copy_string(o, "reason", &f->reason) < 0 || copy_string(o, "sha256", &f->sha256) < 0 ||
        copy_string(o, "go_version", &f->go_version) < 0 ||
        copy_string(o, "label", &f->label) < 0 ||
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

int facts_parse(const char *json, size_t n, struct facts *ret)
{
    struct facts f = {0};
    json_t *o;
    int r = jsontext_parse(json, n, 0, NULL, &o);

    if (r < 0)
        return r;
    r = json_is_object(o) ? read_facts(o, &f) : -EINVAL;
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
    *f = (struct facts){0};
}
