/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/expvar.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/jsontext.h"

#define PATH_MAX_BYTES 512 /* deeper numbers have no name that a rule may ask for */

struct walk {
    const struct names *wanted;
    scrape_fn sample;
    void *userdata;
    struct scrape_verdict *verdict;
    char path[PATH_MAX_BYTES];
};

static void take(struct walk *w, const json_t *value, size_t length)
{
    struct scrape_sample sample = {.name = -1};

    w->verdict->samples++;
    sample.name = names_find(w->wanted, w->path, length);
    if (sample.name < 0)
        return;
    sample.value = json_number_value(value);
    w->verdict->wanted++;
    w->sample(w->userdata, &sample);
}

/* The recursion is as deep as the path has dots. */
static void walk(struct walk *w, json_t *object, size_t length)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value) {
        int n =
            snprintf(w->path + length, sizeof(w->path) - length, "%s%s", length ? "." : "", key);
        size_t end = length + (size_t)n;

        if (n < 0 || end >= sizeof(w->path))
            continue;
        if (json_is_number(value))
            take(w, value, end);
        else if (json_is_object(value) && end > 0)
            walk(w, value, end);
    }
}

int expvar_read(const char *text, size_t n, const struct names *wanted, scrape_fn sample,
                void *userdata, struct scrape_verdict *verdict)
{
    struct walk w = {.wanted = wanted, .sample = sample, .userdata = userdata, .verdict = verdict};
    _cleanup_json_ json_t *json = NULL;
    json_error_t error = {.line = 0};
    int r = jsontext_parse(text, n, 0, &error, &json);

    if (r == -ENOMEM)
        return r;
    if (r < 0 || !json_is_object(json)) {
        verdict->bad_line = r < 0 && error.line > 0 ? (uint64_t)error.line : 0;
        (void)snprintf(verdict->error, sizeof(verdict->error),
                       "begins as JSON, but is none: %.100s", r < 0 ? error.text : "no object");
        return -EBADMSG;
    }
    walk(&w, json, 0);
    return 0;
}
