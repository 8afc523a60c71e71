/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "daemon/api/api_state.h"
#include "daemon/artifact/artifacts.h"
#include "lib/spool/kept.h"

#define DEFAULT_LIMIT 100

static void put_entry(struct jsonwriter *w, const struct spool_entry *e)
{
    struct name name = {0};

    (void)name_parse(e->key, &name);
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "key", e->key);
    jsonwriter_text(w, "service", name.service);
    jsonwriter_text(w, "host", name.host);
    jsonwriter_text(w, "artifact", kind_name(name.kind));
    api_put_time(w, "start", name.time);
    if (name.pid > 0)
        jsonwriter_count(w, "pid", name.pid);
    else
        jsonwriter_null(w, "pid");
    jsonwriter_count(w, "bytes", e->bytes);
    jsonwriter_text(w, "state", e->pending ? "pending" : "archive");
    jsonwriter_text(w, "label", e->label);
    api_put_latency(w, "scheduler_latency_p99_seconds", e->latency);
    if (e->label && e->severity >= 0)
        jsonwriter_real(w, "severity", e->severity);
    else
        jsonwriter_null(w, "severity");
    api_put_covered(w, e->covered);
    jsonwriter_text(w, "incident", e->incident);
    jsonwriter_end(w);
}

static void on_listed(void *userdata, int r, const struct spool_page *page)
{
    struct admin_call *call = userdata;
    struct api_body body;
    struct jsonwriter *w = &body.json;

    if (r == -ENOMEM) {
        admin_no_memory(call);
        return;
    }
    if (r < 0) {
        admin_fail(call, 503, "records cannot be read: %s; ask again in a while", strerror(-r));
        return;
    }
    api_body_init(&body);
    jsonwriter_array(w, "captures");
    for (size_t i = 0; i < page->n; i++)
        put_entry(w, &page->entries[i]);
    jsonwriter_end(w);
    jsonwriter_count(w, "total", page->total);
    jsonwriter_text(w, "before", page->more && page->n > 0 ? page->entries[page->n - 1].key : NULL);
    api_reply(call, 200, &body);
}

static void on_gone(void *userdata, struct admin_call *call)
{
    (void)call;
    spool_list_forget(userdata);
}

void api_get_captures(void *userdata, struct admin_call *call)
{
    struct api *a = userdata;
    struct spool_query query = {
        .service = api_query_text(call, "service"),
        .host = api_query_text(call, "host"),
        .label = admin_call_query(call, "label"),
        .until = USEC_NEVER,
        .incident = api_query_text(call, "incident"),
        .before = api_query_text(call, "before"),
        .limit = DEFAULT_LIMIT,
    };
    const struct artifact *artifact = NULL;
    struct spool_list *list;
    int r;

    if (!api_query_artifact(call, &artifact))
        return;
    query.one_kind = artifact;
    query.kind = artifact ? artifact->kind : KIND_TRACE;
    if (!api_query_limit(call, &query.limit) || !api_query_time(call, "since", &query.since) ||
        !api_query_time(call, "until", &query.until))
        return;
    if (query.incident && strcmp(query.incident, "*") != 0 && !name_is_stem(query.incident)) {
        admin_fail(call, 400,
                   "`incident` is no id of an incident: give one as `incident` of a "
                   "capture or of GET /api/v1/incidents tells it, or * for all incidents");
        return;
    }
    r = spool_list(a->context.spool, &query, on_listed, call, &list);
    if (r == -EINVAL)
        admin_fail(call, 400, "`before` is no key: give what `before` of the page before was");
    else if (r < 0)
        admin_no_memory(call);
    else
        admin_call_on_gone(call, on_gone, list);
}

void api_reply_file(struct admin_call *call, int r, int fd, const char *type, const char *name)
{
    struct stat st;

    if (r == -ENOENT)
        admin_fail(call, 404, "no such trace is kept here; GET /api/v1/captures tells which are");
    else if (r < 0 || fstat(fd, &st) < 0)
        admin_fail(call, 500, "cannot open it: %s", strerror(r < 0 ? -r : errno));
    else
        admin_reply_file(call, type, name, steal_fd(&fd), (uint64_t)st.st_size);
    if (r >= 0)
        (void)close_fd(fd);
}

static void reply_artifact(struct api *api, struct admin_call *call, const char *key)
{
    const struct artifact *a;
    char name[NAME_KEY_MAX];
    int fd = -1, r = spool_open(api->context.spool, key, &fd);

    (void)snprintf(name, sizeof(name), "%s", key);
    for (char *p = name; *p; p++) {
        if (*p == '/')
            *p = '-';
    }
    a = artifacts_of_kind(name_kind(key));
    api_reply_file(call, r, fd, a ? a->content_type : "application/octet-stream", name);
}

static void reply_record(struct api *a, struct admin_call *call, const char *key)
{
    int fd = -1, r = spool_open_record(a->context.spool, key, &fd);

    api_reply_file(call, r, fd, "application/json", NULL);
}

/* The path must be a well-formed key that is in the spool's index before any file name is made of
 * it. */
void api_get_capture(void *userdata, struct admin_call *call)
{
    const char *path = admin_call_path(call), *view = api_query_text(call, "view");
    char key[NAME_KEY_MAX];
    struct name name;

    if (name_of_record(path, key) == 0)
        reply_record(userdata, call, key);
    else if (name_parse(path, &name) == 0 && view)
        api_get_view(userdata, call, path, view);
    else if (name_parse(path, &name) == 0)
        reply_artifact(userdata, call, path);
    else
        admin_fail(call, 404,
                   "a key of GET /api/v1/captures is wanted here, or with .json for .trace, or"
                   " behind another ending, that of its record");
}
