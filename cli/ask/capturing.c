/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/capturing.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli/ask/fields.h"

static bool says(const json_t *target, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(target, key));

    return text && strcmp(text, value) == 0;
}

bool capturing_is_meant(const struct capturing_scope *scope, const json_t *target)
{
    if (scope->target)
        return says(target, "target", scope->target) || says(target, "address", scope->target);
    if (scope->service)
        return says(target, "service", scope->service);
    return !scope->job || says(target, "job", scope->job);
}

static void count_flight(struct capturing *c, const json_t *flight)
{
    double seconds = field_number(flight, "seconds", 0);

    if (!json_is_object(flight))
        return;
    if (says(flight, "state", "capturing"))
        c->capturing++;
    else if (says(flight, "state", "looking_up"))
        c->looking++;
    else if (says(flight, "state", "publishing"))
        c->publishing++;
    else
        c->waiting++;
    c->bytes += field_count(flight, "bytes");
    c->seconds = seconds > c->seconds ? seconds : c->seconds;
}

void capturing_count(struct capturing *c, const struct capturing_scope *scope,
                     const json_t *targets, usec now)
{
    usec since = c->since;
    const json_t *target;
    size_t i;

    *c = (struct capturing){0};
    json_array_foreach(targets, i, target) {
        if (!capturing_is_meant(scope, target))
            continue;
        c->targets++;
        count_flight(c, json_object_get(target, "in_flight"));
    }
    if (c->capturing > 0)
        c->since = since ? since : now;
}

/* Appends what the captures are doing, behind the name. */
static void add_phases(const struct capturing *c, char *out, size_t size)
{
    const struct {
        unsigned n;
        const char *many, *one;
    } phases[] = {
        {c->capturing, "capturing", "capturing"},
        {c->waiting, "waiting", "waiting for its turn"},
        {c->looking, "looked up", "looking up the process"},
        {c->publishing, "publishing", "publishing"},
    };
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        if (phases[i].n == 0)
            continue;
        if (c->targets == 1)
            used += (size_t)snprintf(out + used, size - used, "%s", phases[i].one);
        else
            used += (size_t)snprintf(out + used, size - used, "%s%u %s", used ? ", " : "",
                                     phases[i].n, phases[i].many);
    }
    if (c->targets > 1 && used > 0)
        (void)snprintf(out + used, size - used, " of %u", c->targets);
}

const char *capturing_text(const struct capturing *c, const char *name, usec now, unsigned width,
                           char out[static CAPTURING_TEXT_SIZE])
{
    char phases[96], size[PARSE_TEXT_SIZE];
    size_t n;

    add_phases(c, phases, sizeof(phases));
    n = (size_t)snprintf(out, CAPTURING_TEXT_SIZE, "%.60s: %s", name, *phases ? phases : "asked");
    if (c->capturing > 0 && c->seconds > 0)
        n += (size_t)snprintf(out + n, CAPTURING_TEXT_SIZE - n, ", %.1f s of %g s",
                              (double)(now > c->since ? now - c->since : 0) / USEC_PER_SEC,
                              c->seconds);
    if (c->bytes > 0)
        n +=
            (size_t)snprintf(out + n, CAPTURING_TEXT_SIZE - n, ", %s", format_size(c->bytes, size));
    if (width > 0 && n >= width)
        out[width - 1] = '\0';
    return out;
}
