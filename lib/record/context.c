/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/context.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/jsontext.h"

#define LEVEL_JSON_MAX 1000 /* bytes; twice that and all numbers are within CONTEXT_JSON_MAX */

enum form { INTEGER, REAL, TEXT };

struct member {
    const char *name;
    size_t offset; /* in struct context */
    enum form form;
};

#define MEMBER(name, field, form) {name, offsetof(struct context, field), form}
#define INTEGER_OF(name, field) MEMBER(name, field, INTEGER)
#define PRESSURE(field) \
    INTEGER_OF("pressure_some_ns", field.some), INTEGER_OF("pressure_full_ns", field.full)
#define MEMBERS_MAX 12

/* An object, in order; its members may be objects that follow. */
static const struct object {
    const char *outer, *name; /* outer: the object that it stands in; NULL: the context itself */
    struct member members[MEMBERS_MAX];
} objects[] = {
    {NULL, NULL, {INTEGER_OF("window_ns", window)}},
    {NULL, "cgroup", {INTEGER_OF("version", cgroup_version)}},
    {"cgroup",
     "cpu",
     {MEMBER("level", level, TEXT), INTEGER_OF("levels_up", levels_up),
      INTEGER_OF("usage_ns", usage), INTEGER_OF("quota_ns", quota), INTEGER_OF("period_ns", period),
      INTEGER_OF("nr_periods", periods), INTEGER_OF("nr_throttled", throttled_periods),
      INTEGER_OF("throttled_ns", throttled), PRESSURE(cgroup_cpu)}},
    {"cgroup",
     "memory",
     {MEMBER("level", memory_level, TEXT), INTEGER_OF("levels_up", memory_levels_up),
      INTEGER_OF("current_bytes", memory_current), INTEGER_OF("max_bytes", memory_max),
      PRESSURE(cgroup_memory)}},
    {"cgroup", "io", {PRESSURE(cgroup_io)}},
    {NULL,
     "process",
     {INTEGER_OF("threads", threads), INTEGER_OF("rss_bytes", rss),
      INTEGER_OF("open_fds", open_fds), INTEGER_OF("cpus_allowed", cpus_allowed),
      INTEGER_OF("cpu_ns", cpu), INTEGER_OF("run_wait_ns", run_wait),
      INTEGER_OF("voluntary_switches", voluntary_switches),
      INTEGER_OF("involuntary_switches", involuntary_switches),
      INTEGER_OF("major_faults", major_faults)}},
    {NULL,
     "host",
     {INTEGER_OF("cpus", cpus), MEMBER("load1", load, REAL), INTEGER_OF("busy_ns", busy),
      INTEGER_OF("steal_ns", steal)}},
    {"host", "cpu", {PRESSURE(host_cpu)}},
    {"host", "memory", {PRESSURE(host_memory)}},
    {"host", "io", {PRESSURE(host_io)}},
};

#define N_OBJECTS (sizeof(objects) / sizeof(objects[0]))

static const void *field(const struct context *c, const struct member *m)
{
    return (const char *)c + m->offset;
}

static bool member_tells(const struct context *c, const struct member *m)
{
    switch (m->form) {
    case INTEGER: return *(const int64_t *)field(c, m) >= 0;
    case REAL: return *(const double *)field(c, m) >= 0;
    case TEXT: return *(const char *)field(c, m) != '\0';
    }
    return false;
}

static bool members_tell(const struct context *c, const struct object *o)
{
    for (size_t i = 0; i < MEMBERS_MAX && o->members[i].name; i++) {
        if (member_tells(c, &o->members[i]))
            return true;
    }
    return false;
}

static bool stands_in(const struct object *inner, const struct object *outer)
{
    return inner->outer && outer->name && strcmp(inner->outer, outer->name) == 0;
}

static bool object_tells(const struct context *c, const struct object *o)
{
    bool tells = members_tell(c, o);

    for (size_t i = 0; i < N_OBJECTS && !tells; i++)
        tells = stands_in(&objects[i], o) && members_tell(c, &objects[i]);
    return tells;
}

bool context_tells(const struct context *c)
{
    for (size_t i = 0; i < N_OBJECTS; i++) {
        if (members_tell(c, &objects[i]))
            return true;
    }
    return false;
}

/*
 * The path of a cgroup, or null: its name may be any bytes, of which some take six in JSON. That
 * must cost the path alone, not the numbers, and least of all the record.
 */
static void write_text(struct jsonwriter *w, const char *name, const char *value)
{
    char memory[LEVEL_JSON_MAX + 1];
    struct buf text;
    struct jsonwriter alone;

    buf_over(&text, memory, sizeof(memory));
    jsonwriter_init(&alone, &text, w->style);
    jsonwriter_text(&alone, NULL, value);
    if (jsonwriter_finish(&alone) == 0)
        jsonwriter_json(w, name, buf_str(&text));
    else
        jsonwriter_null(w, name);
}

static void write_members(struct jsonwriter *w, const struct context *c, const struct object *o)
{
    for (size_t i = 0; i < MEMBERS_MAX && o->members[i].name; i++) {
        const struct member *m = &o->members[i];

        if (!member_tells(c, m))
            continue;
        switch (m->form) {
        case INTEGER: jsonwriter_integer(w, m->name, *(const int64_t *)field(c, m)); break;
        case REAL: jsonwriter_real(w, m->name, *(const double *)field(c, m)); break;
        case TEXT: write_text(w, m->name, field(c, m)); break;
        }
    }
}

static void write_object(struct jsonwriter *w, const struct context *c, const struct object *o)
{
    if (!object_tells(c, o))
        return;
    if (o->name)
        jsonwriter_object(w, o->name);
    write_members(w, c, o);
    for (size_t i = 0; i < N_OBJECTS; i++) {
        if (stands_in(&objects[i], o) && members_tell(c, &objects[i])) {
            jsonwriter_object(w, objects[i].name);
            write_members(w, c, &objects[i]);
            jsonwriter_end(w);
        }
    }
    if (o->name)
        jsonwriter_end(w);
}

void context_write(struct jsonwriter *w, const char *key, const struct context *c)
{
    jsonwriter_object(w, key);
    for (size_t i = 0; i < N_OBJECTS; i++) {
        if (!objects[i].outer)
            write_object(w, c, &objects[i]);
    }
    jsonwriter_end(w);
}

static void read_text(const json_t *value, char *out)
{
    size_t n = json_string_length(value);

    if (json_is_string(value) && n < CONTEXT_LEVEL_SIZE && !memchr(json_string_value(value), 0, n))
        (void)strcpy(out, json_string_value(value));
}

#define REAL_MAX 1e9 /* of a load: more is no number of tasks */

static void read_member(const json_t *o, const struct member *m, struct context *c)
{
    const json_t *value = json_object_get(o, m->name);
    double number = json_number_value(value);

    if (m->form == TEXT)
        read_text(value, (char *)c + m->offset);
    else if (m->form == REAL && json_is_number(value) && number >= 0 && number <= REAL_MAX)
        *(double *)((char *)c + m->offset) = number;
    else if (m->form == INTEGER && json_is_integer(value) && json_integer_value(value) >= 0)
        *(int64_t *)((char *)c + m->offset) = json_integer_value(value);
}

/* The object itself is known by what stands in it: a record's `host` is a text. */
static const json_t *find_context(const json_t *o)
{
    static const char *const names[] = {"cgroup", "process", "host"};
    const json_t *member = json_object_get(o, "context");

    if (json_is_object(member))
        return member;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_is_object(json_object_get(o, names[i])))
            return o;
    }
    return NULL;
}

int context_of_json(const json_t *o, struct context *ret)
{
    context_init(ret);
    if (!json_is_object(o))
        return -EINVAL;
    o = find_context(o);
    for (size_t i = 0; i < N_OBJECTS; i++) {
        const json_t *in = objects[i].outer ? json_object_get(o, objects[i].outer) : o;

        if (objects[i].name)
            in = json_object_get(in, objects[i].name);
        for (size_t m = 0; in && m < MEMBERS_MAX && objects[i].members[m].name; m++)
            read_member(in, &objects[i].members[m], ret);
    }
    return context_tells(ret) ? 0 : -ENOENT;
}

int context_parse(const char *json, size_t n, struct context *ret)
{
    _cleanup_json_ json_t *o = NULL;
    int r = jsontext_parse(json, n, 0, NULL, &o);

    return r < 0 ? r : context_of_json(o, ret);
}
