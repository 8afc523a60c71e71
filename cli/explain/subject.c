/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/jsontext.h"
#include "cli/read/summary.h"
#include "cli/read/tracefile.h"
#include "lib/record/context.h"
#include "lib/record/record.h"

static const char *text_of(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));

    return text ? text : "";
}

/* Whether the record is of a trace of so many bytes, the number that it names. */
static bool is_of(const json_t *record, int fd)
{
    const char *artifact = text_of(record, "artifact");
    struct stat st;

    return (!*artifact || strcmp(artifact, kind_name(KIND_TRACE)) == 0 ||
            strcmp(artifact, kind_name(KIND_FLIGHT)) == 0) &&
           fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           json_integer_value(json_object_get(record, "bytes")) == st.st_size;
}

/* A record that is damaged, or another's, counts as none. 0 or -ENOMEM. */
static int use_record(struct subject *s, const struct buf *text)
{
    json_t *record;
    usec start;
    int r = jsontext_parse(buf_str(text), text->len, 0, NULL, &record);

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    if (!json_is_object(record) || !is_of(record, s->fd)) {
        json_decref(record);
        return 0;
    }
    s->record = record;
    s->has_context = context_of_json(record, &s->context) == 0;
    if (!s->keyed && *text_of(record, "service") &&
        clock_parse_rfc3339(text_of(record, "start"), &start) == 0) {
        name_init(&s->name, text_of(record, "service"), text_of(record, "host"), start,
                  (uint32_t)json_integer_value(json_object_get(record, "pid")));
        (void)kind_of_name(text_of(record, "artifact"), &s->name.kind);
    }
    return 0;
}

/* Where the last `count` components of a path begin; NULL if it has fewer. */
static char *components(char *path, unsigned count)
{
    for (char *at = path + strlen(path); at > path; at--)
        if (at[-1] == '/' && --count == 0)
            return at;
    return NULL;
}

/* Whether a path ends in this directory; it is cut off then. */
static bool cut_part(char *root, const char *part)
{
    char *last = strrchr(root, '/');

    if (!last || strcmp(last + 1, part) != 0)
        return false;
    last[last == root] = '\0';
    return true;
}

/* By the file's place: ROOT/service/host/day/name.trace is a key below ROOT. */
static void locate(struct subject *s, char *path)
{
    char *key = components(path, 4), *name;

    if (key && name_parse(key, &s->name) == 0) {
        s->keyed = true;
        key[key - path > 1 ? -1 : 0] = '\0';
        s->layout =
            cut_part(path, "archive") || cut_part(path, "pending") ? LAYOUT_SPOOL : LAYOUT_TREE;
        return;
    }
    name = components(path, 1);
    if (!name)
        return;
    name[name - path > 1 ? -1 : 0] = '\0';
    s->layout = LAYOUT_FLAT;
}

static int read_beside(struct subject *s)
{
    char path[SUMMARY_PATH_MAX];
    struct buf text;
    int r = 0;

    if (!summary_record_beside(s->path, path))
        return 0;
    buf_init(&text, RECORD_MAX);
    if (buf_read_file(&text, path) == 0)
        r = use_record(s, &text);
    buf_done(&text);
    return r;
}

static int describe_file(struct subject *s, const char *path)
{
    s->path = strdup(path);
    if (!s->path)
        return -ENOMEM;
    if (strcmp(path, "-") == 0)
        return 0;
    s->root = realpath(path, NULL);
    if (!s->root)
        return errno == ENOMEM ? -ENOMEM : 0;
    locate(s, s->root);
    return read_beside(s);
}

int subject_open_file(const char *path, struct subject *ret)
{
    struct subject s = {.fd = tracefile_open(path)};
    int r = s.fd < 0 ? s.fd : describe_file(&s, path);

    if (r < 0)
        subject_close(&s);
    else
        *ret = s;
    return r;
}

static int describe_key(struct subject *s, const struct local *local, const char *key,
                        unsigned where)
{
    struct buf text;
    int r;

    if (name_parse(key, &s->name) < 0)
        return -EINVAL;
    s->keyed = true;
    s->layout = LAYOUT_SPOOL;
    s->root = strdup(local->path);
    if (!s->root)
        return -ENOMEM;
    if (asprintf(&s->path, "%s/%s/%s", local->path, where == WHERE_PENDING ? "pending" : "archive",
                 key) < 0) {
        s->path = NULL;
        return -ENOMEM;
    }
    buf_init(&text, RECORD_MAX);
    r = local_record(local, key, &text);
    r = r == 0 ? use_record(s, &text) : 0;
    buf_done(&text);
    return r;
}

int subject_open_key(const struct local *local, const char *key, struct subject *ret)
{
    struct subject s = {.fd = -1};
    unsigned where;
    int r = local_trace(local, key, &s.fd, &where);

    if (r == 0)
        r = describe_key(&s, local, key, where);
    if (r < 0)
        subject_close(&s);
    else
        *ret = s;
    return r;
}

void subject_close(struct subject *s)
{
    s->fd = close_fd(s->fd);
    free(s->path);
    free(s->root);
    json_decref(s->record);
    *s = (struct subject){.fd = -1};
}
