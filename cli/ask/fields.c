/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsontext.h"
#include "cli/common/screen.h"

static const char more[] = "...";

const char *field_plain(const char *text, size_t len, char out[static FIELD_SIZE])
{
    size_t n = 0;

    for (; n < len && n < FIELD_SIZE - 1; n++)
        out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    out[n] = '\0';
    if (n < len)
        (void)memcpy(out + n + 1 - sizeof(more), more, sizeof(more));
    return out;
}

const char *field_text(const json_t *o, const char *key, char out[static FIELD_SIZE])
{
    const json_t *value = json_object_get(o, key);
    const char *text = json_string_value(value);

    return field_plain(text ? text : "", json_string_length(value), out);
}

uint64_t field_count(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));

    return n > 0 ? (uint64_t)n : 0;
}

double field_number(const json_t *o, const char *key, double otherwise)
{
    const json_t *value = json_object_get(o, key);
    double x = json_number_value(value);

    return json_is_number(value) && isfinite(x) && x >= 0 ? x : otherwise;
}

bool field_bool(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

usec field_time(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    usec time;

    return text && clock_parse_rfc3339(text, &time) == 0 ? time : 0;
}

char *field_json(const json_t *value)
{
    return jsontext_print(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
}

int field_print(const json_t *value)
{
    _cleanup_free_ char *text = field_json(value);

    if (!text)
        return complain_memory();
    (void)puts(text);
    return 0;
}
