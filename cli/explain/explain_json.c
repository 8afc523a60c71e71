/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain/explain.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/jsonwriter.h"
#include "cli/read/summary.h"
#include "lib/record/context.h"

static void put_text_or_null(struct jsonwriter *w, const char *key, const char *text)
{
    jsonwriter_text(w, key, text && *text ? text : NULL);
}

static void put_trace(struct jsonwriter *w, const struct explanation *e)
{
    const struct subject *s = e->subject;
    struct failure failure = summary_failure(e->summary);
    char key[NAME_KEY_MAX], start[CLOCK_RFC3339_SIZE];

    jsonwriter_integer(w, "schema", EXPLAIN_SCHEMA);
    jsonwriter_text(w, "file", s->path);
    jsonwriter_text(w, "key", s->keyed ? name_key(&s->name, key) : NULL);
    put_text_or_null(w, "service", s->name.service);
    put_text_or_null(w, "host", s->name.host);
    jsonwriter_text(w, "start", *s->name.service ? clock_rfc3339(s->name.time, start) : NULL);
    jsonwriter_integer(w, "window_ns", e->summary->window);
    jsonwriter_bool(w, "complete", e->summary->complete);
    failure_write(w, e->summary->complete ? NULL : &failure);
    jsonwriter_real(w, "covered", e->summary->covered);
}

/* Why it was taken, as the record has it. */
static void put_why(struct jsonwriter *w, const json_t *record)
{
    json_t *trigger = json_object_get(record, "trigger");
    char *text = json_is_object(trigger) ? jsontext_print(trigger, JSON_COMPACT) : NULL;

    jsonwriter_text(w, "reason", json_string_value(json_object_get(record, "reason")));
    jsonwriter_text(w, "incident", json_string_value(json_object_get(record, "incident")));
    if (text)
        jsonwriter_json(w, "trigger", text);
    else if (json_is_object(trigger))
        buf_fail(w->out, -ENOMEM);
    else
        jsonwriter_null(w, "trigger");
    free(text);
}

static void put_site(struct jsonwriter *w, const struct finding_site *site)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "func", site->at.func);
    jsonwriter_text(w, "file", site->at.file);
    jsonwriter_count(w, "line", site->at.line);
    place_own_json(w, &site->own);
    jsonwriter_count(w, "count", site->count);
    jsonwriter_integer(w, "total_ns", site->total);
    jsonwriter_count(w, "open", site->open);
    jsonwriter_end(w);
}

static void put_names(struct jsonwriter *w, const struct earlier_list *l)
{
    char key[NAME_KEY_MAX];

    jsonwriter_array(w, "keys");
    for (size_t i = 0; i < l->n; i++)
        jsonwriter_text(w, NULL, name_key(&l->names[i], key));
    jsonwriter_end(w);
}

static void put_moves(struct jsonwriter *w, const struct usual_move *moves, size_t n,
                      const char *then)
{
    jsonwriter_array(w, "moved");
    for (size_t i = 0; i < n; i++) {
        const struct usual_move *m = &moves[i];

        jsonwriter_object(w, NULL);
        jsonwriter_text(w, "number", m->number->path);
        jsonwriter_text(w, "what", m->number->words);
        jsonwriter_text(w, "unit",
                        m->number->form == USUAL_DURATION ? "nanoseconds"
                        : m->number->form == USUAL_SHARE  ? "share"
                        : m->number->form == USUAL_BYTES  ? "bytes"
                        : m->number->form == USUAL_RATE   ? "per second"
                                                          : "count");
        jsonwriter_real(w, then, m->usual);
        jsonwriter_real(w, "now", m->now);
        jsonwriter_count(w, "records", m->n);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
}

static void put_usual(struct jsonwriter *w, const struct explanation *e)
{
    if (!e->usual_label) {
        jsonwriter_null(w, "usual");
        return;
    }
    jsonwriter_object(w, "usual");
    jsonwriter_count(w, "records", e->earlier->n);
    jsonwriter_text(w, "service", e->subject->name.service);
    jsonwriter_text(w, "host", earlier_host(e->earlier));
    jsonwriter_text(w, "label", e->usual_label);
    jsonwriter_count(w, "label_records", e->usual_label_times);
    put_names(w, e->earlier);
    put_moves(w, e->moves, e->n_moves, "usual");
    jsonwriter_end(w);
}

/* The flight recording of the incident. */
static void put_before(struct jsonwriter *w, const struct explanation *e)
{
    if (!e->before.known) {
        jsonwriter_null(w, "before");
        return;
    }
    jsonwriter_object(w, "before");
    jsonwriter_text(w, "label", e->before.label);
    put_moves(w, e->since, e->n_since, "before");
    jsonwriter_end(w);
}

static void put_steps(struct jsonwriter *w, const struct steps *steps)
{
    jsonwriter_array(w, "next");
    for (size_t i = 0; i < steps->n; i++) {
        jsonwriter_object(w, NULL);
        jsonwriter_text(w, "text", steps->list[i].text);
        if (steps->list[i].command)
            jsonwriter_text(w, "command", steps->list[i].command);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
}

int explain_json(const struct explanation *e, struct buf *out)
{
    struct jsonwriter w;

    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&w, NULL);
    put_trace(&w, e);
    put_why(&w, e->subject->record);
    summary_findings_json(&w, e->summary, e->context);
    jsonwriter_array(&w, "sites");
    for (size_t i = 0; i < e->n_sites; i++)
        put_site(&w, &e->sites[i]);
    jsonwriter_end(&w);
    summary_outliers_json(&w, e->summary);
    if (e->context)
        context_write(&w, "context", e->context);
    else
        jsonwriter_null(&w, "context");
    put_before(&w, e);
    put_usual(&w, e);
    put_steps(&w, &e->steps);
    jsonwriter_end(&w);
    return jsonwriter_finish(&w);
}
