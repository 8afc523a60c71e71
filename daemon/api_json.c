/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "daemon/api_state.h"

#define ESCAPED_MAX (64u << 10)
#define NANOSECONDS 1e9

json_t *api_text(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();
    struct buf escaped;

    if (value || !text)
        return value;
    buf_init(&escaped, ESCAPED_MAX);
    buf_add_escaped(&escaped, text, strlen(text));
    value = json_string(buf_str(&escaped));
    buf_done(&escaped);
    return value;
}

json_t *api_time(usec real)
{
    char text[CLOCK_RFC3339_SIZE];

    return real > 0 ? json_string(clock_rfc3339(real, text)) : json_null();
}

json_t *api_seconds(usec duration)
{
    return json_real((double)duration / (double)USEC_PER_SEC);
}

/* The index rounds to 24 bits; whole nanoseconds undo that where they can. */
json_t *api_latency(double nanoseconds)
{
    return nanoseconds < 0 ? json_null()
                           : json_real((double)(uint64_t)(nanoseconds + 0.5) / NANOSECONDS);
}

json_t *api_number(uint64_t n)
{
    return json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
}

void api_reply_no_memory(struct admin_call *call)
{
    admin_fail(call, 503, "contraced has not enough memory for that; ask again in a while");
}

void api_reply(struct admin_call *call, unsigned status, json_t *object)
{
    if (object)
        admin_reply_json(call, status, object);
    else
        api_reply_no_memory(call);
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

json_t *api_target_names(const struct target *t)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "target", api_text(t->shown), "service",
                     api_text(t->service), "host", api_text(t->host), "job",
                     api_text(t->job->name));
}

bool api_target_is(const struct target *t, const char *text)
{
    return strcmp(text, t->shown) == 0 || strcmp(text, t->address) == 0;
}
