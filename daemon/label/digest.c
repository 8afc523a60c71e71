/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/label/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsontext.h"
#include "base/random.h"
#include "daemon/label/digest_outliers.h"
#include "lib/record/abridge.h"
#include "trace/findings/code.h"

#define SCHEMA 1
#define DEPTH_MAX 4
#define TEXT_MAX 120 /* bytes; longer strings are left out */
#define NAME_MAX_LEN 60
#define MEMBERS_MAX 64 /* of one object */
#define FINDINGS_MAX 16
#define EVIDENCE_SHOWN 4
#define NUMBER_MAX 1e18 /* nanoseconds or goroutines; more is neither */

static const char label_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

static bool is_label(const char *text)
{
    size_t n = text ? strlen(text) : 0;

    return n > 0 && n < DIGEST_LABEL_SIZE && strspn(text, label_characters) == n;
}

static bool is_scalar(const json_t *value)
{
    return json_is_number(value) || json_is_boolean(value) ||
           (json_is_string(value) && json_string_length(value) <= TEXT_MAX);
}

/* Copies numbers, flags and short strings, and objects of them. Leaves out lists, which make a
 * summary long. */
static json_t *reduce(const json_t *from, unsigned depth)
{
    json_t *to = json_object(), *value, *copy;
    const char *name;

    json_object_foreach((json_t *)from, name, value) {
        if (json_object_size(to) >= MEMBERS_MAX || strlen(name) > NAME_MAX_LEN)
            continue;
        if (json_is_object(value) && depth < DEPTH_MAX)
            copy = reduce(value, depth + 1);
        else if (is_scalar(value))
            copy = json_incref(value);
        else
            continue;
        if (json_object_set_new(to, name, copy) < 0) {
            json_decref(to);
            return NULL;
        }
    }
    return to;
}

/* The summary's `covered`; -1 if it has none, as from an earlier version. */
static double covered_of(const json_t *o)
{
    const json_t *covered = json_object_get(o, "covered");
    double value = json_number_value(covered);

    return json_is_number(covered) && value >= 0 && value <= 1 ? value : -1;
}

/* Where it is worst: in the program's own code, if that is known. False without memory. */
static bool add_site(json_t *to, const json_t *finding)
{
    static const char *const members[] = {"func", "file", "line"};
    const json_t *site = json_array_get(json_object_get(finding, "sites"), 0);
    const json_t *own = json_object_get(site, "own");
    json_t *copy;

    if (json_string_length(json_object_get(own, "func")) > 0)
        site = own;
    if (json_string_length(json_object_get(site, "func")) == 0)
        return true;
    copy = json_object();
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_object_get(site, members[i]);

        if (value && is_scalar(value))
            (void)json_object_set(copy, members[i], value);
    }
    return json_object_set_new(to, "site", copy) == 0;
}

/* Copies the findings: their codes, scores, evidence and first call sites, without `next`. */
static json_t *reduce_findings(const json_t *from)
{
    json_t *to = json_array();

    for (size_t i = 0; i < json_array_size(from) && i < FINDINGS_MAX; i++) {
        const json_t *finding = json_array_get(from, i);
        json_t *kept;

        if (!json_is_object(finding) ||
            !is_label(json_string_value(json_object_get(finding, "code"))))
            continue;
        kept = reduce(finding, 1);
        (void)json_object_del(kept, "next");
        if (kept && !add_site(kept, finding)) {
            json_decref(kept);
            kept = NULL;
        }
        if (json_array_append_new(to, kept) < 0) {
            json_decref(to);
            return NULL;
        }
    }
    return to;
}

static char *to_text(const json_t *o)
{
    return jsontext_print(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9)); /* as a record is written */
}

/* Sets the member `outliers`, or removes it. 0, or -ENOMEM. */
static int set_outliers(json_t *o, const json_t *outliers, size_t most)
{
    json_t *kept;

    (void)json_object_del(o, "outliers");
    if (most == 0 || !json_is_object(outliers))
        return 0;
    kept = digest_outliers(outliers, most);
    if (!kept)
        return -ENOMEM;
    if (json_object_size(kept) > 0)
        return json_object_set_new(o, "outliers", kept) < 0 ? -ENOMEM : 0;
    json_decref(kept);
    return 0;
}

/* Leaves out outliers, and then the longest members, until the text fits in DIGEST_MAX. */
static int to_short_text(json_t *o, const json_t *outliers, char **ret)
{
    for (size_t most = DIGEST_OUTLIERS;; most -= most > 0) {
        int r = most > 0 || json_object_get(o, "outliers") ? set_outliers(o, outliers, most) : 0;
        char *text = r < 0 ? NULL : to_text(o);

        if (!text)
            return -ENOMEM;
        if (strlen(text) <= DIGEST_MAX) {
            *ret = text;
            return 0;
        }
        free(text);
        if (most == 0 && !abridge(o))
            return -EINVAL;
    }
}

/* Writes a finding's evidence as "blocked_share 0.41, waits 1200". */
static void describe(const json_t *finding, struct digest *d)
{
    json_t *evidence = json_object_get(finding, "evidence"), *value;
    struct buf text;
    unsigned shown = 0;
    const char *name;

    buf_over(&text, d->evidence, sizeof(d->evidence));
    json_object_foreach(evidence, name, value) {
        int r = -EINVAL;

        if (shown == EVIDENCE_SHOWN || strlen(name) > NAME_MAX_LEN)
            break;
        if (json_is_integer(value))
            r = buf_addf(&text, "%s%s %" JSON_INTEGER_FORMAT, shown > 0 ? ", " : "", name,
                         json_integer_value(value));
        else if (json_is_real(value))
            r = buf_addf(&text, "%s%s %.3g", shown > 0 ? ", " : "", name, json_real_value(value));
        else if (json_is_string(value) && is_scalar(value))
            r = buf_addf(&text, "%s%s %s", shown > 0 ? ", " : "", name, json_string_value(value));
        shown += r >= 0;
    }
}

static int shorten(const json_t *o, struct digest *d)
{
    _cleanup_json_ json_t *kept = reduce(o, 1);
    json_t *findings = kept ? reduce_findings(json_object_get(o, "findings")) : NULL;

    if (!kept || json_object_set_new(kept, "findings", findings) < 0)
        return -ENOMEM;
    (void)json_object_del(kept, "label"); /* it has a place of its own in the record */
    (void)json_object_del(kept, "file");  /* standard input */
    (void)json_object_del(kept, "not_inspected");
    (void)json_object_del(kept, "covered");
    (void)json_object_del(kept, "context"); /* the record has it already, and more of it */
    return to_short_text(kept, json_object_get(o, "outliers"), &d->summary);
}

static double latency_of(const json_t *o)
{
    const json_t *latency = json_object_get(json_object_get(o, "scheduler"), "latency");
    const json_t *p99 = json_object_get(latency, "p99_ns");
    double value = json_number_value(p99);

    return json_is_number(p99) && value >= 0 && value <= NUMBER_MAX ? value : -1;
}

/* A hash of what names the `go` statement that most goroutines are left of; 0: there is none. */
static uint64_t growing_of(const json_t *goroutines)
{
    const json_t *growing = json_object_get(goroutines, "growing");
    const char *func = json_string_value(json_object_get(growing, "func"));
    uint64_t h;

    if (!func || json_integer_value(json_object_get(growing, "created")) <=
                     json_integer_value(json_object_get(growing, "ended")))
        return 0;
    h = random_mix(random_fnv(RANDOM_FNV, func) ^
                   (uint64_t)json_integer_value(json_object_get(growing, "line")));
    return h > 0 ? h : 1;
}

static void note_goroutines(const json_t *o, struct digest *d)
{
    const json_t *goroutines = json_object_get(o, "goroutines");
    const json_t *at_end = json_object_get(goroutines, "at_end");
    double value = json_number_value(at_end);

    d->goroutines = json_is_number(at_end) && value >= 0 && value <= NUMBER_MAX ? value : -1;
    d->growing = growing_of(goroutines);
}

int digest_parse(const char *json, size_t n, struct digest *ret)
{
    _cleanup_json_ json_t *o = NULL;
    const char *label;
    const json_t *first;
    struct digest d = {0};
    int r = jsontext_parse(json, n, 0, NULL, &o);

    if (r < 0)
        return r;
    label = json_string_value(json_object_get(o, "label"));
    first = json_array_get(json_object_get(o, "findings"), 0);
    if (json_integer_value(json_object_get(o, "schema")) != SCHEMA || !is_label(label))
        return -EINVAL;
    if (strcmp(label, CODE_NOT_INSPECTED) == 0) {
        const char *why = json_string_value(json_object_get(o, "not_inspected"));

        if (!is_label(why))
            return -EINVAL;
        (void)snprintf(d.why, sizeof(d.why), "%s", why);
    }
    (void)snprintf(d.label, sizeof(d.label), "%s", label);
    d.score = json_number_value(json_object_get(first, "score"));
    d.latency = d.why[0] ? -1 : latency_of(o);
    d.covered = covered_of(o);
    note_goroutines(o, &d);
    describe(first, &d);
    r = shorten(o, &d);
    if (r >= 0)
        *ret = d;
    return r;
}

/* The finding of that code, or a new one behind the others, but before the notes, whose score is 0;
 * borrowed. NULL without memory. */
static json_t *finding_of(json_t *findings, const char *code, double score)
{
    json_t *finding;
    size_t i;

    json_array_foreach(findings, i, finding) {
        const char *is = json_string_value(json_object_get(finding, "code"));

        if (is && strcmp(is, code) == 0)
            return finding;
    }
    for (i = 0; i < json_array_size(findings); i++) {
        if (json_number_value(json_object_get(json_array_get(findings, i), "score")) <= 0)
            break;
    }
    finding = json_pack("{s:s, s:f, s:{}}", "code", code, "score", score, "evidence");
    return json_array_insert_new(findings, i, finding) < 0 ? NULL : finding;
}

static int tell_growth(json_t *o, const struct growth *growth)
{
    json_t *finding =
        finding_of(json_object_get(o, "findings"), code_text(CODE_leak), growth->score);
    json_t *more =
        json_pack("{s:I, s:I, s:I, s:I}", "goroutines_first", (json_int_t)growth->from,
                  "goroutines_last", (json_int_t)growth->to, "samples", (json_int_t)growth->samples,
                  "samples_over_s", (json_int_t)(growth->over / USEC_PER_SEC));
    int r = finding && more ? json_object_update(json_object_get(finding, "evidence"), more) : -1;

    json_decref(more);
    return r < 0 ? -ENOMEM : 0;
}

int digest_add_growth(struct digest *d, const struct growth *growth)
{
    _cleanup_json_ json_t *o = NULL, *outliers = NULL;
    char *text;
    int r = jsontext_parse(d->summary, strlen(d->summary), 0, NULL, &o);

    outliers = r >= 0 ? json_incref(json_object_get(o, "outliers")) : NULL;
    if (r >= 0)
        r = tell_growth(o, growth);
    if (r >= 0)
        r = to_short_text(o, outliers, &text);
    if (r < 0)
        return r;
    free(d->summary);
    d->summary = text;
    if (digest_alarming(d) || d->why[0] != '\0')
        return 0;
    (void)snprintf(d->label, sizeof(d->label), "%s", code_text(CODE_leak));
    d->score = growth->score;
    (void)snprintf(d->evidence, sizeof(d->evidence),
                   "%" PRIu64 " goroutines became %" PRIu64 " over %u samples", growth->from,
                   growth->to, growth->samples);
    return 0;
}

void digest_done(struct digest *d)
{
    free(d->summary);
    d->summary = NULL;
}

bool digest_alarming(const struct digest *d)
{
    return d->why[0] == '\0' && strcmp(d->label, code_text(CODE_healthy)) != 0 &&
           strcmp(d->label, code_text(CODE_idle)) != 0;
}
