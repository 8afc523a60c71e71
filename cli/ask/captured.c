/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/captured.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli/ask/fields.h"
#include "cli/ask/incident.h"
#include "cli/common/screen.h"

/* Only the labels of traces are waited for. An older contraced takes nothing else, and does not say
 * so. */
bool captured_is_trace(const json_t *capture)
{
    const char *artifact = json_string_value(json_object_get(capture, "artifact"));

    return !artifact || strcmp(artifact, "trace") == 0;
}

#define NAME_SIZE (3 * FIELD_SIZE + 4)

/* "checkout http://10.0.0.1:6060/debug/pprof/mutex". Without `url`, as from an older contraced or
 * where it is not known, the URL is that of the target's traces, with ": mutex" behind it. */
static const char *target_name(const json_t *capture, char out[static NAME_SIZE])
{
    char service[FIELD_SIZE], target[FIELD_SIZE], artifact[FIELD_SIZE];
    bool has_url = json_is_string(json_object_get(capture, "url"));
    bool more = !has_url && !captured_is_trace(capture);

    (void)snprintf(out, NAME_SIZE, "%s %s%s%s", field_text(capture, "service", service),
                   field_text(capture, has_url ? "url" : "target", target), more ? ": " : "",
                   more ? field_text(capture, "artifact", artifact) : "");
    return out;
}

/* Says why nothing was kept, or nothing that is of use. */
static void say_outcome(const json_t *capture, const char *otherwise)
{
    char name[NAME_SIZE], outcome[FIELD_SIZE], text[FIELD_SIZE];

    (void)field_text(capture, "outcome", outcome);
    (void)field_text(capture, "text", text);
    complain("%s: %s%s%s", target_name(capture, name), *outcome ? outcome : otherwise,
             *text ? ": " : "", text);
}

/* Whether it failed. */
static bool say_failed(const json_t *capture)
{
    if (json_is_string(json_object_get(capture, "key")))
        return false;
    say_outcome(capture, captured_is_trace(capture) ? "no trace" : "nothing was kept");
    return !incident_lacks(capture);
}

/* Nor is a trace without CPU samples. */
static void say_unsampled(const json_t *capture)
{
    char name[NAME_SIZE], why[FIELD_SIZE];

    if (*field_text(capture, "no_cpu_profile", why))
        complain("%s: %s CPU samples: %s", target_name(capture, name),
                 json_is_false(json_object_get(capture, "cpu_samples")) ? "no" : "perhaps no", why);
}

static bool is_empty(const json_t *capture)
{
    const char *outcome = json_string_value(json_object_get(capture, "outcome"));

    return outcome && strcmp(outcome, "empty") == 0;
}

/* A profile without samples is kept, and is no failure. With labels, its line of captured_print_labels
 * says so. */
static void say_empty(const struct captured_style *style, const json_t *capture)
{
    char name[NAME_SIZE], text[FIELD_SIZE];

    if (!is_empty(capture) || style->labels)
        return;
    (void)field_text(capture, "text", text);
    (void)fprintf(stderr, "%s: empty%s%s\n", target_name(capture, name), *text ? ": " : "", text);
}

static void say_limited(const json_t *limited)
{
    const json_t *one;
    size_t i;

    json_array_foreach(limited, i, one) {
        char name[NAME_SIZE];

        complain("%s: captured too often; try again in %.0f s", target_name(one, name),
                 field_number(one, "retry_after_seconds", 0) + 0.5);
    }
}

static void say_placeless(const struct captured_style *style, const json_t *placeless)
{
    const json_t *one;
    size_t i;

    json_array_foreach(placeless, i, one) {
        char name[NAME_SIZE];

        complain("%s: it is not known where: %s must say it", target_name(one, name),
                 style->flight ? "the job's `flight`"
                               : "its `path` does not end in /trace, so profiles_path");
    }
}

bool captured_tell(const json_t *answer, const struct captured_style *style)
{
    const json_t *limited = json_object_get(answer, "limited");
    const json_t *placeless = json_object_get(answer, "placeless");
    bool failed = json_array_size(limited) > 0 || json_array_size(placeless) > 0;
    const json_t *capture;
    size_t i;

    json_array_foreach(style->ended ? json_object_get(answer, "captures") : NULL, i, capture) {
        failed = say_failed(capture) || failed;
        say_empty(style, capture);
        say_unsampled(capture);
    }
    say_limited(limited);
    say_placeless(style, placeless);
    return failed;
}

int captured_print_objects(const json_t *captures)
{
    const json_t *capture;
    size_t i;

    json_array_foreach(captures, i, capture) {
        int r = field_print(capture);

        if (r < 0)
            return r;
    }
    return screen_finish();
}

int captured_print_keys(const json_t *captures)
{
    const json_t *capture;
    char key[FIELD_SIZE];
    size_t i;

    json_array_foreach(captures, i, capture) {
        if (*field_text(capture, "key", key))
            (void)puts(key);
        if (*field_text(capture, "cpu_profile", key))
            (void)puts(key);
    }
    return screen_finish();
}

void captured_print_labels(const json_t *captures)
{
    const json_t *capture;
    size_t i;

    json_array_foreach(captures, i, capture) {
        char label[FIELD_SIZE], name[NAME_SIZE], size[PARSE_TEXT_SIZE], text[FIELD_SIZE];

        if (!json_is_string(json_object_get(capture, "key")))
            continue;
        (void)format_size(field_count(capture, "bytes"), size);
        (void)field_text(capture, "label", label);
        (void)field_text(capture, "text", text);
        (void)fprintf(stderr, "%s: %s%s%s%s%s\n", target_name(capture, name), size,
                      captured_is_trace(capture) ? ", " : "",
                      *label                       ? label
                      : captured_is_trace(capture) ? "no label yet"
                                                   : "",
                      !is_empty(capture) ? ""
                      : *text            ? ", empty: "
                                         : ", empty",
                      is_empty(capture) ? text : "");
    }
}
