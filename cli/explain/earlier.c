/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain/earlier.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/jsontext.h"
#include "trace/findings/code.h"

#define CANDIDATES 60  /* keys that are looked at, of which some may have no label */
#define FLAT_MOST 2000 /* records of a directory without keys that are read */

/* Keys of earlier traces, the newest first. */
struct candidates {
    struct name names[CANDIDATES];
    size_t n;
};

struct search {
    const struct subject *subject;
    struct candidates host, service;
    int error; /* the first one worth telling */
};

static void note(struct search *s, int r)
{
    if (r < 0 && s->error == 0 && r != -ENOENT && r != -ENOTDIR && r != -ELOOP)
        s->error = r;
}

static void keep(struct candidates *c, const struct name *name)
{
    size_t at = c->n;

    while (at > 0 && name_compare(&c->names[at - 1], name) < 0)
        at--;
    if (at == CANDIDATES)
        return;
    if (c->n < CANDIDATES)
        c->n++;
    memmove(&c->names[at + 1], &c->names[at], (c->n - at - 1) * sizeof(*c->names));
    c->names[at] = *name;
}

static bool is_earlier(const struct name *ours, const struct name *other)
{
    return other->kind == ours->kind && strcmp(other->service, ours->service) == 0 &&
           name_compare(other, ours) < 0;
}

static DIR *open_directory(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir)
        (void)close_fd(fd);
    return dir;
}

#define DEPTH 3 /* host, day and file below the service */

/* `key` is the beginning of the keys in this directory. */
static void walk(struct search *s, int parent, const char *name, const char *key, unsigned depth)
{
    DIR *dir = open_directory(parent, name);
    struct dirent *entry;

    if (!dir) {
        note(s, -errno);
        return;
    }
    while ((entry = readdir(dir))) {
        char path[NAME_KEY_MAX];
        struct name found;
        int n = snprintf(path, sizeof(path), "%s/%s", key, entry->d_name);

        if (entry->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof(path))
            continue;
        if (depth < DEPTH) {
            walk(s, dirfd(dir), entry->d_name, path, depth + 1);
        } else if (name_parse(path, &found) == 0 && is_earlier(&s->subject->name, &found)) {
            keep(&s->service, &found);
            if (strcmp(found.host, s->subject->name.host) == 0)
                keep(&s->host, &found);
        }
    }
    (void)closedir(dir);
}

/* What counts of a record. False: nothing. */
static bool read_values(json_t *record, struct usual_values *values, const char **ret_label)
{
    json_t *summary = json_object_get(record, "summary"),
           *context = json_object_get(record, "context");
    const char *label = json_string_value(json_object_get(record, "label"));

    if (!json_is_object(summary) || !label || strcmp(label, CODE_NOT_INSPECTED) == 0 ||
        strspn(label, "abcdefghijklmnopqrstuvwxyz-") != strlen(label) ||
        strlen(label) >= RECORD_LABEL_SIZE)
        return false;
    if (context && json_object_set(summary, "context", context) < 0)
        return false;
    usual_read(summary, values);
    *ret_label = label;
    return true;
}

/* In its place by time, as long as it is among the newest. */
static void enter(struct earlier_list *l, const struct name *name,
                  const struct usual_values *values, const char *label)
{
    size_t at = l->n, behind;

    while (at > 0 && name_compare(&l->names[at - 1], name) < 0)
        at--;
    if (at == USUAL_MAX)
        return;
    l->n += l->n < USUAL_MAX;
    behind = l->n - at - 1;
    memmove(&l->names[at + 1], &l->names[at], behind * sizeof(l->names[0]));
    memmove(&l->values[at + 1], &l->values[at], behind * sizeof(l->values[0]));
    memmove(&l->labels[at + 1], &l->labels[at], behind * sizeof(l->labels[0]));
    l->names[at] = *name;
    l->values[at] = *values;
    (void)snprintf(l->labels[at], sizeof(l->labels[at]), "%s", label);
}

/* A record of at most RECORD_MAX bytes. 0 and NULL: there is none that can be read. 0 or -ENOMEM. */
static int read_record(int dir, const char *path, json_t **ret)
{
    _cleanup_close_ int fd =
        openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct buf text;
    int r;

    *ret = NULL;
    if (fd < 0)
        return 0;
    buf_init(&text, RECORD_MAX);
    r = buf_read_fd(&text, fd);
    if (r == 0)
        r = jsontext_parse(buf_str(&text), text.len, 0, NULL, ret);
    buf_done(&text);
    return r == -ENOMEM ? r : 0;
}

static const char *const spool_parts[] = {"archive/", "pending/", "archive/", NULL};
static const char *const tree_parts[] = {"", NULL};

static const char *const *parts_of(enum layout layout)
{
    return layout == LAYOUT_SPOOL ? spool_parts : tree_parts;
}

/* Looks in each part of a spool. NULL: there is none. 0 or -ENOMEM. */
static int read_keyed(int root, enum layout layout, const char *key, json_t **ret)
{
    char record_key[NAME_KEY_MAX], path[NAME_KEY_MAX + 16];
    int r = 0;

    *ret = NULL;
    (void)name_record_key(key, record_key);
    for (const char *const *part = parts_of(layout); *part && !*ret && r == 0; part++) {
        (void)snprintf(path, sizeof(path), "%s%s", *part, record_key);
        r = read_record(root, path, ret);
    }
    return r;
}

/* Reads the candidates' records, the newest first, until the list is full. 0 or -ENOMEM. */
static int read_candidates(int root, enum layout layout, const struct candidates *c,
                           struct earlier_list *list)
{
    int r = 0;

    for (size_t i = 0; i < c->n && list->n < USUAL_MAX && r == 0; i++) {
        _cleanup_json_ json_t *record = NULL;
        char key[NAME_KEY_MAX];
        struct usual_values values;
        const char *label;

        r = read_keyed(root, layout, name_key(&c->names[i], key), &record);
        if (record && read_values(record, &values, &label))
            enter(list, &c->names[i], &values, label);
    }
    return r;
}

/* By keys, so that only records are read that may count. */
static int find_by_keys(struct search *s, int root, struct earlier *e)
{
    const char *service = s->subject->name.service;
    enum layout layout = s->subject->layout;
    int r;

    for (size_t i = 0; i < (layout == LAYOUT_SPOOL ? 2 : 1); i++) {
        char path[NAME_KEY_MAX];

        (void)snprintf(path, sizeof(path), "%s%s", parts_of(layout)[i], service);
        walk(s, root, path, service, 1);
    }
    r = read_candidates(root, layout, &s->host, &e->host);
    if (r == 0 && e->host.n < EARLIER_ENOUGH)
        r = read_candidates(root, layout, &s->service, &e->service);
    return r < 0 ? r : s->error;
}

/* Whose a record is, if it says so. */
static bool name_of(const json_t *record, struct name *ret)
{
    const char *service = json_string_value(json_object_get(record, "service")),
               *host = json_string_value(json_object_get(record, "host")),
               *start = json_string_value(json_object_get(record, "start")),
               *artifact = json_string_value(json_object_get(record, "artifact"));
    usec at;

    if (!service || !start || clock_parse_rfc3339(start, &at) < 0)
        return false;
    name_init(ret, service, host ? host : "", at,
              (uint32_t)json_integer_value(json_object_get(record, "pid")));
    return !artifact || kind_of_name(artifact, &ret->kind);
}

static int offer_file(const struct subject *s, int dir, const char *file, struct earlier *e)
{
    _cleanup_json_ json_t *record = NULL;
    struct usual_values values;
    const char *label;
    struct name name;
    int r = read_record(dir, file, &record);

    if (!record || !name_of(record, &name) || !is_earlier(&s->name, &name) ||
        !read_values(record, &values, &label))
        return r;
    enter(&e->service, &name, &values, label);
    if (strcmp(name.host, s->name.host) == 0)
        enter(&e->host, &name, &values, label);
    return 0;
}

static int find_in_directory(const struct subject *s, struct earlier *e)
{
    DIR *dir = open_directory(AT_FDCWD, s->root);
    struct dirent *entry;
    size_t read = 0;
    int r = 0;

    if (!dir)
        return -errno;
    while (r == 0 && read < FLAT_MOST && (entry = readdir(dir))) {
        size_t n = strlen(entry->d_name);

        if (n < 5 || strcmp(entry->d_name + n - 5, ".json") != 0)
            continue;
        r = offer_file(s, dirfd(dir), entry->d_name, e);
        read++;
    }
    (void)closedir(dir);
    return r;
}

int earlier_find(const struct subject *s, struct earlier *ret)
{
    _cleanup_close_ int root = -1;
    struct search *search;
    int r;

    memset(ret, 0, sizeof(*ret));
    if (s->layout == LAYOUT_NONE || !*s->name.service)
        return 0;
    if (s->layout == LAYOUT_FLAT)
        return find_in_directory(s, ret);
    root = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    search = calloc(1, sizeof(*search));
    if (!search)
        return -ENOMEM;
    search->subject = s;
    r = find_by_keys(search, root, ret);
    free(search);
    return r;
}

/* The key of the recording; of one that `contrace pull --flat` brought, its name. */
static bool recording_key(const struct subject *s, char key[static NAME_KEY_MAX])
{
    const char *incident = json_string_value(json_object_get(s->record, "incident"));

    if (!incident || !name_is_stem(incident) || s->name.kind == KIND_FLIGHT)
        return false;
    (void)snprintf(key, NAME_KEY_MAX, "%s%s", incident, kind_suffix(KIND_FLIGHT));
    for (char *c = key; *c && s->layout == LAYOUT_FLAT; c++)
        *c = *c == '/' ? '_' : *c;
    return true;
}

int earlier_before(const struct subject *s, struct before *ret)
{
    _cleanup_close_ int root = -1;
    _cleanup_json_ json_t *record = NULL;
    char key[NAME_KEY_MAX];
    const char *label;
    int r;

    ret->known = false;
    if (s->layout == LAYOUT_NONE || !recording_key(s, key))
        return 0;
    root = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return 0;
    r = read_keyed(root, s->layout, key, &record);
    ret->known = record && read_values(record, &ret->values, &label);
    if (ret->known)
        (void)snprintf(ret->label, sizeof(ret->label), "%s", label);
    return r;
}

const struct earlier_list *earlier_chosen(const struct earlier *e)
{
    return e->host.n >= EARLIER_ENOUGH || e->host.n >= e->service.n ? &e->host : &e->service;
}

const char *earlier_host(const struct earlier_list *l)
{
    for (size_t i = 1; i < l->n; i++)
        if (strcmp(l->names[i].host, l->names[0].host) != 0)
            return NULL;
    return l->n > 0 ? l->names[0].host : NULL;
}
