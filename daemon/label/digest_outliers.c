/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/label/digest_outliers.h"

#include <stdbool.h>
#include <string.h>

#include "base/jsontext.h"

#define TEXT_MAX 120 /* bytes; longer texts are left out */
#define WAITS_MAX 12 /* reasons that a task waited for */

static const char *const kinds[] = {"tasks", "regions", "syscalls", "runs", "latencies", "pauses"};
static const char *const waits[] = {"lock", "call", "request", "channel", "network", "unknown"};

/* The members of an outlier. What is 0 or false in most is left out then. */
static const char *const numbers[] = {"at_ns", "duration_ns", "g", "line", "task", "parent"};
static const char *const texts[] = {"type", "reason", "func", "file"};
static const char *const marks[] = {"open", "at_start"};
static const char *const ids[] = {"trace_id", "span_id", "traceparent"};
static const char *const work[] = {"running_ns", "runnable_ns", "syscall_ns",
                                   "assist_ns",  "standing_ns", "other_waits_ns"};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static int add_number(json_t *to, const char *name, const json_t *value)
{
    json_int_t n = json_integer_value(value);

    return json_is_integer(value) && n >= 0 ? json_object_set_new(to, name, json_integer(n)) : 0;
}

/* A copy without control characters. */
static int add_text(json_t *to, const char *name, const json_t *value)
{
    char text[TEXT_MAX + 1];
    size_t n = json_string_length(value);

    if (n == 0 || n > TEXT_MAX)
        return 0;
    memcpy(text, json_string_value(value), n);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = '?';
    return json_object_set_new(to, name, json_stringn(text, n));
}

static int add_texts(json_t *to, const json_t *from, const char *const *names, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_text(to, names[i], json_object_get(from, names[i]));
    return r;
}

static bool is_printable(const char *text)
{
    while (*text != '\0' && (unsigned char)*text >= ' ' && *text != 0x7f)
        text++;
    return *text == '\0';
}

static int add_waits(json_t *to, const json_t *from)
{
    json_t *copy = json_object(), *value;
    const char *name;
    int r = copy ? 0 : -1;

    json_object_foreach((json_t *)from, name, value) {
        if (r == 0 && json_object_size(copy) < WAITS_MAX && strlen(name) <= TEXT_MAX &&
            is_printable(name) && json_integer_value(value) > 0)
            r = add_number(copy, name, value);
    }
    if (r == 0 && json_object_size(copy) > 0)
        r = json_object_set(to, "waits_ns", copy);
    json_decref(copy);
    return r;
}

static int add_work(json_t *to, const json_t *from)
{
    json_t *copy = json_object();
    int r = copy ? 0 : -1;

    for (size_t i = 0; r == 0 && i < N_OF(work); i++)
        if (json_integer_value(json_object_get(from, work[i])) > 0)
            r = add_number(copy, work[i], json_object_get(from, work[i]));
    if (r == 0)
        r = add_waits(copy, json_object_get(from, "waits_ns"));
    if (r == 0)
        r = json_object_set(to, "work", copy);
    json_decref(copy);
    return r;
}

static int add_ids(json_t *to, const json_t *from)
{
    json_t *copy = json_object();
    int r = copy ? add_texts(copy, from, ids, N_OF(ids)) : -1;

    if (r == 0 && json_object_size(copy) > 0)
        r = json_object_set(to, "ids", copy);
    json_decref(copy);
    return r;
}

static int add_members(json_t *to, const json_t *from)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < N_OF(numbers); i++)
        r = add_number(to, numbers[i], json_object_get(from, numbers[i]));
    if (r == 0)
        r = add_texts(to, from, texts, N_OF(texts));
    for (size_t i = 0; r == 0 && i < N_OF(marks); i++)
        if (json_is_true(json_object_get(from, marks[i])))
            r = json_object_set_new(to, marks[i], json_true());
    if (r == 0 && json_is_object(json_object_get(from, "ids")))
        r = add_ids(to, json_object_get(from, "ids"));
    if (r == 0 && json_is_object(json_object_get(from, "work")))
        r = add_work(to, json_object_get(from, "work"));
    return r;
}

static int add_lists(json_t *to, const json_t *from, const char *const *names, size_t n,
                     size_t most)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        const json_t *list = json_object_get(from, names[i]);
        json_t *copy = json_array();

        r = copy ? 0 : -1;
        for (size_t k = 0; r == 0 && k < json_array_size(list) && k < most; k++) {
            json_t *outlier;

            if (!json_is_object(json_array_get(list, k)))
                continue;
            outlier = json_object();
            r = outlier ? add_members(outlier, json_array_get(list, k)) : -1;
            if (r == 0)
                r = json_array_append(copy, outlier);
            json_decref(outlier);
        }
        if (r == 0 && json_array_size(copy) > 0)
            r = json_object_set(to, names[i], copy);
        json_decref(copy);
    }
    return r;
}

json_t *digest_outliers(const json_t *from, size_t most)
{
    json_t *to = json_object(), *of_waits = json_object();
    int r = to && of_waits ? add_lists(to, from, kinds, N_OF(kinds), most) : -1;

    if (r == 0)
        r = add_lists(of_waits, json_object_get(from, "waits"), waits, N_OF(waits), most);
    if (r == 0 && json_object_size(of_waits) > 0)
        r = json_object_set(to, "waits", of_waits);
    json_decref(of_waits);
    if (r == 0)
        return to;
    json_decref(to);
    return NULL;
}
