/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/advise/advise.h"

#include "base/clock.h"
#include "base/jsonwriter.h"

static const char *const verdicts[] = {
    [VERDICT_KEEP] = "no-change",
    [VERDICT_CHANGE] = "change",
    [VERDICT_UNKNOWN] = "not-known",
};

static void put_text(struct jsonwriter *w, const char *key, const char *text)
{
    jsonwriter_text(w, key, *text ? text : NULL);
}

static void put_time(struct jsonwriter *w, const char *key, usec time)
{
    char text[CLOCK_RFC3339_SIZE];

    jsonwriter_text(w, key, time > 0 ? clock_rfc3339(time, text) : NULL);
}

static void put_advice(struct jsonwriter *w, const struct advice *a)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "rule", a->rule);
    jsonwriter_text(w, "verdict", verdicts[a->verdict]);
    jsonwriter_text(w, "text", a->text);
    put_text(w, "reason", a->reason);
    put_text(w, "cost", a->cost);
    jsonwriter_count(w, "samples", a->samples);
    jsonwriter_count(w, "of", a->of);
    jsonwriter_object(w, "numbers");
    for (size_t i = 0; i < a->n; i++)
        jsonwriter_real(w, a->numbers[i].name, a->numbers[i].value);
    jsonwriter_end(w);
    jsonwriter_end(w);
}

int advise_json(const struct advise_view *v, struct buf *out)
{
    struct jsonwriter w;
    usec first, last;
    double ns;

    advise_span(v->samples, &first, &last, &ns);
    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 15});
    jsonwriter_object(&w, NULL);
    jsonwriter_integer(&w, "schema", ADVISE_SCHEMA);
    put_text(&w, "service", v->of);
    jsonwriter_count(&w, "samples", v->samples->n);
    jsonwriter_count(&w, "left_out", v->samples->left_out);
    put_time(&w, "first", first);
    put_time(&w, "last", last);
    jsonwriter_real(&w, "traced_ns", ns);
    jsonwriter_array(&w, "advice");
    for (size_t i = 0; i < RULES; i++)
        put_advice(&w, &v->advice[i]);
    jsonwriter_end(&w);
    jsonwriter_end(&w);
    return jsonwriter_finish(&w);
}
