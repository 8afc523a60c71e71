/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What was captured last of a target, for programs that ask again and again: its newest artifact of
 * a kind as it is, or profiles of its newest trace, in pprof's format.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "base/parse.h"
#include "daemon/api/api_state.h"
#include "daemon/artifact/artifacts.h"
#include "lib/record/name.h"
#include "lib/spool/kept.h"

#define PATH_MAX_SIZE 4096
#define CONTENT_TYPE "application/octet-stream"
#define BUSY_SECONDS "5"
#define SAME_SECOND 16 /* keys of one second that are told apart by their sequence */

/* What is asked for. */
struct wanted {
    char target[PATH_MAX_SIZE]; /* as the client names it */
    const struct artifact *artifact;
    enum extraction_view view;
    bool profile; /* of it, not the artifact itself */
    usec max_age; /* USEC_NEVER: any */
};

/* A question that is not answered at once. */
struct question {
    struct api *api;
    struct admin_call *call;
    struct wanted wanted;
    char key[NAME_KEY_MAX];
    struct spool_list *list;     /* NULL, or it is looked up which is the newest */
    struct extractor_wait *wait; /* NULL, or the profile is made */
};

static bool parse_kind(struct admin_call *call, const char *name, struct wanted *w)
{
    char names[ARTIFACTS_NAMES_SIZE];

    w->artifact = artifacts_find(name);
    if (!w->artifact)
        admin_fail(call, 404, "there is no artifact `%s`; there is %s", name,
                   artifacts_names(names));
    return w->artifact;
}

static bool parse_view(struct admin_call *call, const char *name, struct wanted *w)
{
    w->profile = true;
    if (!extraction_view_find(name, &w->view)) {
        admin_fail(call, 404, "there is no profile `%s`; there is sched, sync, net, syscall", name);
        return false;
    }
    w->artifact = artifacts_of_kind(KIND_TRACE);
    if (!api_query_artifact(call, &w->artifact))
        return false;
    if (w->artifact->inspected)
        return true;
    admin_fail(call, 400,
               "`artifact` must be trace or flight: other artifacts are profiles already"
               " (GET …/artifacts/%s)",
               kind_name(w->artifact->kind));
    return false;
}

static bool parse_max_age(struct admin_call *call, usec *ret)
{
    const char *text = api_query_text(call, "max_age");

    *ret = USEC_NEVER;
    if (!text || parse_duration(text, ret) >= 0)
        return true;
    admin_fail(call, 400, "`max_age` must be a duration such as 10m");
    return false;
}

/* The path is TARGET/pprof/VIEW or TARGET/artifacts/KIND. A target that is a URL has slashes of its
 * own, so it is read from its end. False: an error was sent. */
static bool parse(struct admin_call *call, struct wanted *w)
{
    const char *path = admin_call_path(call), *last = strrchr(path, '/'), *middle = last;
    size_t n;

    while (middle && middle > path && middle[-1] != '/')
        middle--;
    n = middle && middle > path ? (size_t)(middle - 1 - path) : 0;
    if (n == 0 || n >= sizeof(w->target)) {
        admin_fail(call, 404,
                   "TARGET/pprof/sched or TARGET/artifacts/trace is wanted here; GET"
                   " /api/v1/targets tells which targets there are");
        return false;
    }
    memcpy(w->target, path, n);
    w->target[n] = '\0';
    if (!parse_max_age(call, &w->max_age))
        return false;
    if ((size_t)(last - middle) == strlen("pprof") && memcmp(middle, "pprof", 5) == 0)
        return parse_view(call, last + 1, w);
    if ((size_t)(last - middle) == strlen("artifacts") && memcmp(middle, "artifacts", 9) == 0)
        return parse_kind(call, last + 1, w);
    admin_fail(call, 404,
               "of a target there is pprof/sched, sync, net and syscall, and artifacts/KIND");
    return false;
}

static bool is_kept(const struct api *a, const char *key)
{
    _cleanup_close_ int fd = -1;

    return key && spool_open(a->context.spool, key, &fd) == 0;
}

/* The newest of this run that is still kept, of the targets of that name; NULL: there is none. */
static const char *newest_of_run(const struct api *a, const struct wanted *w)
{
    struct targets *ts = a->context.targets;
    const struct lane *newest = NULL;

    for (size_t i = 0; i < targets_count(ts); i++) {
        const struct target *t = targets_at(ts, i);
        const struct lane *l = api_target_is(t, w->target) ? target_lane(t, w->artifact) : NULL;

        if (l && is_kept(a, l->last.key) && (!newest || l->last.captured > newest->last.captured))
            newest = l;
    }
    return newest ? newest->last.key : NULL;
}

static void names_of(const struct target *t, struct name *ret)
{
    name_init(ret, t->service, t->host, 0, 0);
}

/*
 * The service and host in keys of the target with this name. 1; 0 and nothing if other targets have
 * the same, so that a key does not tell whose it is; -ENOENT if there is no such target.
 */
static int name_in_keys(const struct api *a, const struct wanted *w, struct name *ret)
{
    struct targets *ts = a->context.targets;
    const struct target *found = NULL;
    size_t same = 0;

    for (size_t i = 0; i < targets_count(ts) && !found; i++) {
        if (api_target_is(targets_at(ts, i), w->target))
            found = targets_at(ts, i);
    }
    if (!found)
        return -ENOENT;
    names_of(found, ret);
    for (size_t i = 0; i < targets_count(ts); i++) {
        struct name other;

        names_of(targets_at(ts, i), &other);
        same += strcmp(other.service, ret->service) == 0 && strcmp(other.host, ret->host) == 0 &&
                strcmp(targets_at(ts, i)->address, found->address) != 0;
    }
    return same == 0;
}

static void reply_none(struct admin_call *call, const struct wanted *w)
{
    admin_fail(call, 404,
               "no %s of `%s` is kept yet; POST /api/v1/capture takes one now, and GET"
               " /api/v1/targets tells when the next one is due",
               w->artifact->noun, w->target);
}

static bool is_too_old(const struct api *a, const struct wanted *w, const char *key)
{
    usec now = loop_now(a->context.event, CLOCK_REALTIME);
    struct name name;

    return w->max_age != USEC_NEVER && name_parse(key, &name) == 0 && now > name.time &&
           now - name.time > w->max_age;
}

static void reply_extraction(struct admin_call *call, const char *key,
                             const struct extraction *result)
{
    static const struct {
        unsigned status;
        const char *text;
    } answers[EXTRACTION_ENDS] = {
        [EXTRACTION_GONE] = {404, "it is no longer kept; ask again for the next one"},
        [EXTRACTION_FORMAT] = {500, "traces of its Go version are not read"},
        [EXTRACTION_UNREADABLE] = {500, "it cannot be read"},
        [EXTRACTION_TIMEOUT] = {500, "reading it took longer than inspect.timeout"},
        [EXTRACTION_MEMORY] = {500, "reading it took more than inspect.max_memory"},
        [EXTRACTION_LONG] = {500, "the profile is too long; contrace pprof writes it into a file"},
        [EXTRACTION_UNAVAILABLE] = {500, "contrace, which reads it, does not run"},
        [EXTRACTION_CUT] = {503, "contraced is stopping, or has no memory"},
    };

    admin_call_header(call, "Contrace-Key", key);
    if (result->end == EXTRACTION_OK) {
        admin_reply(call, 200, CONTENT_TYPE, result->data, result->n);
        return;
    }
    if (answers[result->end].status == 503)
        admin_call_header(call, "Retry-After", BUSY_SECONDS);
    admin_fail(call, answers[result->end].status, "%s: %s", key, answers[result->end].text);
}

static void on_extracted(void *userdata, const struct extraction *result)
{
    struct question *q = userdata;

    reply_extraction(q->call, q->key, result);
    free(q);
}

static void on_gone(void *userdata, struct admin_call *call)
{
    struct question *q = userdata;

    (void)call;
    if (q->list)
        spool_list_forget(q->list);
    if (q->wait)
        extractor_forget(q->wait);
    free(q);
}

static void reply_busy(struct admin_call *call, int r)
{
    if (r == -ENOMEM) {
        admin_no_memory(call);
        return;
    }
    admin_call_header(call, "Retry-After", BUSY_SECONDS);
    admin_fail(call, 503,
               r == -EBUSY ? "too many wait for profiles; ask again in a while"
                           : "contraced is stopping");
}

static void reply_artifact(const struct question *q)
{
    int fd = -1, r = spool_open(q->api->context.spool, q->key, &fd);

    admin_call_header(q->call, "Contrace-Key", q->key);
    api_reply_file(q->call, r, fd, q->wanted.artifact->content_type, NULL);
}

/* Answers with what is of the key; now, and frees the question, or later. */
static void give(struct question *q)
{
    int r;

    if (is_too_old(q->api, &q->wanted, q->key)) {
        admin_fail(q->call, 404, "the newest %s of `%s` is older than `max_age`: %s",
                   q->wanted.artifact->noun, q->wanted.target, q->key);
    } else if (!q->wanted.profile) {
        reply_artifact(q);
    } else {
        r = extractor_ask(q->api->context.extractor, q->key, q->wanted.view, on_extracted, q,
                          &q->wait);
        if (r == 0)
            return;
        reply_busy(q->call, r);
    }
    free(q);
}

/* The last of the entries, which are the newest first, but in any order within a second. */
static const char *newest_of(const struct spool_page *page)
{
    const char *newest = page->entries[0].key;
    struct name best, other;

    if (name_parse(newest, &best) < 0)
        return newest;
    for (size_t i = 1; i < page->n; i++) {
        if (name_parse(page->entries[i].key, &other) < 0 || name_compare(&other, &best) <= 0)
            continue;
        best = other;
        newest = page->entries[i].key;
    }
    return newest;
}

static void on_listed(void *userdata, int r, const struct spool_page *page)
{
    struct question *q = userdata;

    q->list = NULL;
    if (r >= 0 && page->n > 0) {
        (void)snprintf(q->key, sizeof(q->key), "%s", newest_of(page));
        give(q);
        return;
    }
    if (r < 0)
        reply_busy(q->call, r == -ENOMEM ? r : -EBUSY);
    else
        reply_none(q->call, &q->wanted);
    free(q);
}

/* After a restart, the spool still has those of an earlier run. */
static int look_up(struct question *q, const struct name *name)
{
    const struct spool_query query = {
        .service = name->service,
        .host = name->host,
        .one_kind = true,
        .kind = q->wanted.artifact->kind,
        .until = USEC_NEVER,
        .limit = SAME_SECOND,
    };

    return spool_list(q->api->context.spool, &query, on_listed, q, &q->list);
}

void api_get_evidence(void *userdata, struct admin_call *call)
{
    struct api *a = userdata;
    struct question *q = calloc(1, sizeof(*q));
    const char *key;
    struct name name;
    int r;

    if (!q) {
        admin_no_memory(call);
        return;
    }
    *q = (struct question){.api = a, .call = call};
    if (!parse(call, &q->wanted)) {
        free(q);
        return;
    }
    admin_call_on_gone(call, on_gone, q);
    key = newest_of_run(a, &q->wanted);
    if (key) {
        (void)snprintf(q->key, sizeof(q->key), "%s", key);
        give(q);
        return;
    }
    r = name_in_keys(a, &q->wanted, &name);
    if (r == 1)
        r = look_up(q, &name) < 0 ? -ENOMEM : 1;
    if (r == 1)
        return;
    if (r == -ENOMEM)
        admin_no_memory(call);
    else if (r == 0)
        reply_none(call, &q->wanted);
    else
        api_reply_not_found(
            a, call, &(struct capture_request){.scope = CAPTURE_TARGET, .name = q->wanted.target});
    free(q);
}
