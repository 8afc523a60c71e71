/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"

/* As client-go's reflectors, whose load API servers are built for. */
#define WATCH_LEAST (5 * USEC_PER_MIN)
#define WATCH_SPREAD (5 * USEC_PER_MIN)

/* What ends earlier counts as a failure, so that no answer makes us ask again and again. */
#define SHORT_WATCH (5 * USEC_PER_SEC)

/* A watch's version was refused: the first list follows so soon. */
#define LIST_SOON (250 * USEC_PER_MSEC)

#define BAD_REQUEST 400 /* as for a version of another cluster */
#define GONE 410
#define GATEWAY_TIMEOUT 504

static const struct backoff waits = {.base = USEC_PER_SEC, .cap = 30 * USEC_PER_SEC};

void follow_init(struct follow *f)
{
    *f = (struct follow){.step = FOLLOW_LIST};
}

static void forget_pages(struct follow *f)
{
    free(f->continuation);
    f->continuation = NULL;
}

void follow_done(struct follow *f)
{
    forget_pages(f);
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~", c);
}

static int add_escaped(struct buf *out, const char *text)
{
    int r = 0;

    for (; *text && r == 0; text++) {
        if (is_plain(*text))
            r = buf_add(out, text, 1);
        else
            r = buf_addf(out, "%%%02X", (unsigned char)*text);
    }
    return r;
}

static void add_pair(struct buf *out, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    (void)buf_addf(out, "&%s=", name);
    (void)add_escaped(out, value);
}

usec follow_watch_time(uint64_t random)
{
    return WATCH_LEAST + backoff_draw(WATCH_SPREAD / USEC_PER_SEC, random) * USEC_PER_SEC;
}

static void add_list(const struct follow *f, struct buf *out)
{
    if (f->continuation) {
        (void)buf_addf(out, "&limit=%d", FOLLOW_PAGE);
        add_pair(out, "continue", f->continuation);
    } else if (f->newest) {
        if (!f->whole)
            (void)buf_addf(out, "&limit=%d", FOLLOW_PAGE);
    } else if (f->version[0]) {
        /* With a limit older servers would ask etcd. */
        add_pair(out, "resourceVersion", f->version);
        add_pair(out, "resourceVersionMatch", "NotOlderThan");
    } else {
        (void)buf_addf(out, "&limit=%d&resourceVersion=0", FOLLOW_PAGE);
    }
}

static void add_watch(const struct follow *f, uint64_t random, struct buf *out)
{
    (void)buf_adds(out, "&watch=1&allowWatchBookmarks=true");
    add_pair(out, "resourceVersion", f->version);
    (void)buf_addf(out, "&timeoutSeconds=%u", (unsigned)(follow_watch_time(random) / USEC_PER_SEC));
}

int follow_request(const struct follow *f, const struct follow_scope *scope, uint64_t random,
                   struct buf *out)
{
    struct buf query;
    int r;

    buf_init(&query, out->max);
    add_pair(&query, "labelSelector", scope->label);
    add_pair(&query, "fieldSelector", scope->field);
    if (f->step == FOLLOW_LIST)
        add_list(f, &query);
    else
        add_watch(f, random, &query);
    r = buf_error(&query);
    if (r == 0)
        r = buf_adds(out, "/api/v1/");
    if (r == 0 && scope->namespace[0])
        r = buf_adds(out, "namespaces/");
    if (r == 0 && scope->namespace[0])
        r = add_escaped(out, scope->namespace);
    if (r == 0)
        r = buf_adds(out, scope->namespace[0] ? "/pods" : "pods");
    if (r == 0 && query.len > 0)
        r = buf_addf(out, "?%s", query.data + 1);
    buf_done(&query);
    return r;
}

static int set_version(struct follow *f, const char *version)
{
    size_t n = version ? strlen(version) : 0;

    if (n == 0 || n >= sizeof(f->version))
        return -EBADMSG;
    memcpy(f->version, version, n + 1);
    return 0;
}

int follow_listed(struct follow *f, const char *version, const char *continuation)
{
    char *next = NULL;
    int r;

    if (continuation && continuation[0]) {
        if (strlen(continuation) > FOLLOW_CONTINUE_MAX)
            return -EBADMSG;
        next = strdup(continuation);
        if (!next)
            return -ENOMEM;
        forget_pages(f);
        f->continuation = next;
        return 0;
    }
    r = set_version(f, version);
    if (r < 0)
        return r;
    forget_pages(f);
    f->step = FOLLOW_WATCH;
    f->newest = f->whole = false;
    return 0;
}

int follow_event(struct follow *f, const char *version)
{
    return set_version(f, version);
}

/* The server does not have, or not any more, what was asked for. Returns whether that helps. */
static bool list_otherwise(struct follow *f)
{
    bool before = f->whole;

    if (f->step == FOLLOW_WATCH) {
        f->step = FOLLOW_LIST;
        return true;
    }
    f->whole = f->continuation != NULL || f->whole;
    if (f->newest && f->whole == before)
        return false;
    f->newest = true;
    forget_pages(f);
    return true;
}

static usec wait_longer(struct follow *f, usec least, uint64_t random)
{
    usec wait = backoff_wait(&waits, f->failures, least, random);

    f->failures++;
    return wait;
}

static bool is_refused(const struct follow_end *end)
{
    return end->status == BAD_REQUEST || end->status == GONE ||
           (end->status == GATEWAY_TIMEOUT && end->too_large);
}

usec follow_ended(struct follow *f, const struct follow_end *end, uint64_t random)
{
    bool watched = f->step == FOLLOW_WATCH;

    if (watched && end->lasted >= SHORT_WATCH)
        f->failures = 0;
    if (is_refused(end) && list_otherwise(f)) {
        f->failures++;
        return f->failures == 1 ? backoff_draw(LIST_SOON, random)
                                : backoff_wait(&waits, f->failures - 1, end->retry_after, random);
    }
    /* Something in the stream was no event: what else was missed is not known. */
    if (watched && end->broken)
        f->step = FOLLOW_LIST;
    else if (watched && end->complete && f->failures == 0 && end->lasted >= SHORT_WATCH)
        return 0;
    return wait_longer(f, end->retry_after, random);
}
