/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "daemon/api/api_state.h"
#include "daemon/artifact/artifacts.h"

#define BODY_MAX ADMIN_REPLIES_MAX
#define NANOSECONDS 1e9

const struct jsonwriter_style api_style = {.digits = 12};

void api_body_init(struct api_body *b)
{
    buf_init(&b->text, BODY_MAX);
    jsonwriter_init(&b->json, &b->text, api_style);
    jsonwriter_object(&b->json, NULL);
}

void api_reply(struct admin_call *call, unsigned status, struct api_body *b)
{
    int r;

    jsonwriter_end(&b->json);
    r = jsonwriter_finish(&b->json);
    if (r < 0)
        buf_fail(&b->text, r);
    admin_reply_json(call, status, &b->text);
}

void api_put_time(struct jsonwriter *w, const char *key, usec real)
{
    char text[CLOCK_RFC3339_SIZE];

    jsonwriter_text(w, key, real > 0 ? clock_rfc3339(real, text) : NULL);
}

void api_put_seconds(struct jsonwriter *w, const char *key, usec duration)
{
    jsonwriter_real(w, key, (double)duration / (double)USEC_PER_SEC);
}

void api_put_window(struct jsonwriter *w, usec window)
{
    if (window > 0)
        api_put_seconds(w, "seconds", window);
    else
        jsonwriter_null(w, "seconds");
}

/* The index stores 24 significant bits; rounding to whole nanoseconds restores short values. */
void api_put_latency(struct jsonwriter *w, const char *key, double nanoseconds)
{
    if (nanoseconds < 0)
        jsonwriter_null(w, key);
    else
        jsonwriter_real(w, key, (double)(uint64_t)(nanoseconds + 0.5) / NANOSECONDS);
}

void api_put_covered(struct jsonwriter *w, double covered)
{
    if (covered < 0)
        jsonwriter_null(w, "covered");
    else
        jsonwriter_real(w, "covered", covered);
}

void api_put_counts(struct jsonwriter *w, const char *key, const uint64_t *counts, unsigned n,
                    const char *(*name)(unsigned i))
{
    jsonwriter_object(w, key);
    for (unsigned i = 0; i < n; i++) {
        if (counts[i] > 0)
            jsonwriter_count(w, name(i), counts[i]);
    }
    jsonwriter_end(w);
}

void api_put_whose(struct jsonwriter *w, const struct target *t)
{
    jsonwriter_text(w, "target", t->shown);
    jsonwriter_text(w, "service", t->service);
    jsonwriter_text(w, "host", t->host);
    jsonwriter_text(w, "job", t->job->name);
}

void api_put_target(struct jsonwriter *w, const struct target *t, const struct artifact *artifact)
{
    api_put_whose(w, t);
    jsonwriter_text(w, "artifact", kind_name(artifact->kind));
}

void api_put_names(struct jsonwriter *w, const struct lane *l)
{
    api_put_target(w, l->target, l->artifact);
    jsonwriter_text(w, "url", target_shown(l));
}

void api_list_init(struct api_list *l)
{
    buf_init(&l->text, ADMIN_REPLIES_MAX);
    jsonwriter_init(&l->json, &l->text, api_style);
    jsonwriter_array(&l->json, NULL);
    l->n = 0;
}

void api_list_done(struct api_list *l)
{
    buf_done(&l->text);
}

void api_list_put(struct api_list *l, const char *name, struct jsonwriter *w)
{
    int r;

    if (l->n == 0)
        return;
    jsonwriter_end(&l->json);
    r = jsonwriter_finish(&l->json);
    if (r < 0)
        buf_fail(w->out, r);
    jsonwriter_json(w, name, buf_str(&l->text));
}

const char *api_query_text(struct admin_call *call, const char *name)
{
    const char *text = admin_call_query(call, name);

    return text && text[0] ? text : NULL;
}

bool api_query_limit(struct admin_call *call, size_t *ret)
{
    const char *text = admin_call_query(call, "limit");
    uint64_t value;

    if (!text)
        return true;
    if (parse_unsigned(text, API_PAGE_MAX, &value) < 0 || value == 0) {
        admin_fail(call, 400, "`limit` must be a number from 1 to %d", API_PAGE_MAX);
        return false;
    }
    *ret = value;
    return true;
}

bool api_query_artifact(struct admin_call *call, const struct artifact **ret)
{
    const char *text = api_query_text(call, "artifact");
    char names[ARTIFACTS_NAMES_SIZE];

    if (!text)
        return true;
    *ret = artifacts_find(text);
    if (!*ret)
        admin_fail(call, 400, "`artifact` must be one of %s", artifacts_names(names));
    return *ret;
}

bool api_query_time(struct admin_call *call, const char *name, usec *ret)
{
    const char *text = admin_call_query(call, name);

    if (!text || clock_parse_rfc3339(text, ret) >= 0)
        return true;
    admin_fail(call, 400,
               "`%s` must be a time such as 2026-03-14T09:26:53Z (a + of an offset is"
               " written %%2B in a URL)",
               name);
    return false;
}

bool api_target_is(const struct target *t, const char *text)
{
    return strcmp(text, t->shown) == 0 || strcmp(text, t->address) == 0;
}
