/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/rows/rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/jsonwriter.h"
#include "lib/record/name.h"
#include "lib/rows/columns.h"

#define FINDINGS_MAX 64 /* of a record; contraced writes fewer */
#define OUTLIERS_MAX 16 /* of a kind, likewise */
#define LABELS_MAX 64
#define ID_SIZE (NAME_KEY_MAX + 32)

/* Where outliers are in a summary, and what rows call them. */
static const struct {
    const char *path, *kind;
} outliers[] = {
    {"summary.outliers.tasks", "task"},
    {"summary.outliers.regions", "region"},
    {"summary.outliers.syscalls", "syscall"},
    {"summary.outliers.runs", "run"},
    {"summary.outliers.latencies", "latency"},
    {"summary.outliers.pauses", "pause"},
    {"summary.outliers.waits.lock", "wait-lock"},
    {"summary.outliers.waits.call", "wait-call"},
    {"summary.outliers.waits.request", "wait-request"},
    {"summary.outliers.waits.channel", "wait-channel"},
    {"summary.outliers.waits.network", "wait-network"},
    {"summary.outliers.waits.unknown", "wait-unknown"},
};

struct source {
    const char *key;
    struct name name;
    const json_t *record;
    char start[CLOCK_RFC3339_SIZE], written[CLOCK_RFC3339_SIZE];
    struct buf *out;
};

static bool is_trace(const struct source *s)
{
    return s->name.kind == KIND_TRACE || s->name.kind == KIND_FLIGHT;
}

static void write_labels(struct jsonwriter *w, json_t *labels)
{
    const char *name;
    json_t *value;
    unsigned n = 0;

    if (!json_is_object(labels))
        return;
    jsonwriter_object(w, "labels");
    json_object_foreach(labels, name, value) {
        if (json_is_string(value) && n++ < LABELS_MAX)
            jsonwriter_text(w, name, json_string_value(value));
    }
    jsonwriter_end(w);
}

/* What every row has. `part` names the row among those of its record; "": the capture's own. */
static void begin(struct jsonwriter *w, const struct source *s, const char *row, const char *part)
{
    char id[ID_SIZE];

    jsonwriter_init(w, s->out, (struct jsonwriter_style){.digits = 9});
    jsonwriter_object(w, NULL);
    (void)snprintf(id, sizeof(id), "%s%s%s", s->key, part[0] ? "#" : "", part);
    jsonwriter_integer(w, "schema", ROWS_SCHEMA);
    jsonwriter_text(w, "row_kind", row);
    jsonwriter_text(w, "id", id);
    jsonwriter_text(w, "written", s->written);
    jsonwriter_text(w, "key", s->key);
    jsonwriter_text(w, "artifact", kind_name(s->name.kind));
    jsonwriter_text(w, "service", s->name.service);
    jsonwriter_text(w, "host", s->name.host);
    jsonwriter_text(w, "start", s->start);
    columns_write(w, columns_record, s->record);
    write_labels(w, json_object_get(s->record, "labels"));
}

static void end(struct jsonwriter *w)
{
    jsonwriter_end(w);
    if (jsonwriter_finish(w) == -EINVAL)
        buf_fail(w->out, -EINVAL);
    (void)buf_adds(w->out, "\n");
}

static void write_capture(const struct source *s)
{
    const json_t *findings = columns_at(s->record, "summary.findings");
    struct jsonwriter w;

    begin(&w, s, is_trace(s) ? "trace" : "profile", "");
    columns_write(&w, columns_trace, s->record);
    if (json_is_array(findings)) {
        const json_t *score = json_object_get(json_array_get(findings, 0), "score");

        jsonwriter_count(&w, "findings", json_array_size(findings));
        if (json_is_number(score))
            jsonwriter_real(&w, "score", json_number_value(score));
    }
    end(&w);
}

/* Numbers by name, as the text of a JSON object: engines have functions for that, and it has other
 * members in each kind of finding. */
static void write_evidence(struct jsonwriter *w, const json_t *evidence)
{
    struct jsonwriter inner;
    const char *name;
    json_t *value;
    struct buf text;

    if (json_object_size(evidence) == 0)
        return;
    buf_init(&text, w->out->max);
    jsonwriter_init(&inner, &text, w->style);
    jsonwriter_object(&inner, NULL);
    json_object_foreach((json_t *)evidence, name, value) {
        if (json_is_integer(value))
            jsonwriter_integer(&inner, name, json_integer_value(value));
        else if (json_is_number(value))
            jsonwriter_real(&inner, name, json_number_value(value));
        else if (json_is_string(value))
            jsonwriter_text(&inner, name, json_string_value(value));
    }
    jsonwriter_end(&inner);
    if (jsonwriter_finish(&inner) < 0)
        buf_fail(w->out, jsonwriter_finish(&inner));
    else
        jsonwriter_text(w, "evidence", buf_str(&text));
    buf_done(&text);
}

static void write_findings(const struct source *s)
{
    const json_t *findings = columns_at(s->record, "summary.findings");

    for (size_t i = 0; i < json_array_size(findings) && i < FINDINGS_MAX; i++) {
        const json_t *finding = json_array_get(findings, i);
        struct jsonwriter w;
        char part[32];

        if (!json_is_object(finding))
            continue;
        (void)snprintf(part, sizeof(part), "finding-%zu", i + 1);
        begin(&w, s, "finding", part);
        jsonwriter_count(&w, "rank", i + 1);
        columns_write(&w, columns_finding, finding);
        write_evidence(&w, json_object_get(finding, "evidence"));
        end(&w);
    }
}

/* What a task waited for: all of it, and the reason of the most. */
static void write_waits(struct jsonwriter *w, const json_t *work)
{
    json_int_t total = json_integer_value(json_object_get(work, "other_waits_ns")), most = 0;
    const char *reason, *name = NULL;
    json_t *value;

    if (!work)
        return;
    json_object_foreach(json_object_get(work, "waits_ns"), reason, value) {
        json_int_t ns = json_integer_value(value);

        if (ns > 0 && ns <= INT64_MAX - total)
            total += ns;
        if (ns > most) {
            most = ns;
            name = reason;
        }
    }
    jsonwriter_integer(w, "waiting_ns", total);
    if (name)
        jsonwriter_text(w, "waited_for", name);
}

static void write_outlier(const struct source *s, const char *kind, size_t rank,
                          const json_t *outlier)
{
    struct jsonwriter w;
    char part[48];

    (void)snprintf(part, sizeof(part), "%s-%zu", kind, rank);
    begin(&w, s, "outlier", part);
    jsonwriter_text(&w, "kind", kind);
    jsonwriter_count(&w, "rank", rank);
    columns_write(&w, columns_outlier, outlier);
    write_waits(&w, json_object_get(outlier, "work"));
    end(&w);
}

static void write_outliers(const struct source *s)
{
    for (size_t k = 0; k < sizeof(outliers) / sizeof(outliers[0]); k++) {
        const json_t *list = columns_at(s->record, outliers[k].path);

        for (size_t i = 0; i < json_array_size(list) && i < OUTLIERS_MAX; i++) {
            if (json_is_object(json_array_get(list, i)))
                write_outlier(s, outliers[k].kind, i + 1, json_array_get(list, i));
        }
    }
}

/* The record has milliseconds, the key only seconds. */
static void set_start(struct source *s)
{
    const char *start = json_string_value(json_object_get(s->record, "start"));
    usec time;

    if (!start || clock_parse_rfc3339(start, &time) < 0)
        time = s->name.time;
    (void)clock_rfc3339(time, s->start);
}

int rows_of_record(const char *key, const char *json, size_t n, usec written, struct buf *out)
{
    _cleanup_json_ json_t *record = NULL;
    struct source s = {.key = key, .out = out};
    size_t before = out->len;
    int r;

    if (name_parse(key, &s.name) < 0)
        return -EINVAL;
    r = jsontext_parse(json, n, 0, NULL, &record);
    if (r < 0)
        return r;
    s.record = record;
    set_start(&s);
    (void)clock_rfc3339(written, s.written);
    write_capture(&s);
    write_findings(&s);
    write_outliers(&s);
    r = buf_error(out);
    if (r < 0 && out->data) {
        out->len = before;
        out->data[before] = '\0';
        out->error = 0;
    }
    return r;
}
