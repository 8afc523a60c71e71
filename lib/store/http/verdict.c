/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What becomes of a call: which step is next after what an attempt said, and how it ends.
 *
 * The states of a call, by what it waits for:
 *   begin     its first turn of the event loop
 *   hash      the hash of its file, which nobody knew or which the store doubts
 *   wait      credentials
 *   request   an answer
 * and from each it may end.
 */

#include "lib/store/http/remote_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/net/retryafter.h"

#define PAGES_MAX 1000000 /* pages of one listing: a thousand million objects */

void remote_call_free(struct remote_call *c)
{
    attempt_clear(c);
    sd_event_source_disable_unref(c->begin);
    identity_wait_cancel(c->wait);
    filehash_cancel(c->hash);
    free(c->key);
    free(c->after);
    free(c->token);
    free(c->refusal);
    free(c);
}

static void finish(struct remote_call *c, const struct store_result *result)
{
    store_done_fn done = c->done;
    void *userdata = c->userdata;

    remote_call_free(c);
    done(userdata, result);
}

static void finish_with(struct remote_call *c, enum store_end end, const char *text)
{
    struct store_result result = {.end = end};

    (void)snprintf(result.text, sizeof(result.text), "%s", text);
    finish(c, &result);
}

static void finish_retry(struct remote_call *c, const struct attempt_end *end)
{
    struct store_result result = {.end = STORE_RETRY, .trouble = end->reply.trouble};

    (void)retryafter_parse(c->answer.retry_after, remote_now(c->remote, c->remote->skew),
                           &result.retry_after);
    memcpy(result.text, end->text, sizeof(result.text));
    finish(c, &result);
}

static void finish_done(struct remote_call *c)
{
    struct store_result result = {.end = STORE_DONE};

    if (c->verb == DIALECT_HEAD || c->verb == DIALECT_GET) {
        result.size = c->verb == DIALECT_GET ? c->received : c->answer.size;
        memcpy(result.sha256, c->answer.sha256, sizeof(result.sha256));
    }
    finish(c, &result);
}

/* Memory or descriptors are short: not the store's fault. */
static bool is_local(int r)
{
    return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -ENOBUFS;
}

static void attempted(struct remote_call *c, const struct attempt_end *end);

static void attempt(struct remote_call *c)
{
    char why[STORE_TEXT_MAX];
    int r = attempt_start(c, attempted, why);

    if (r == 0)
        return;
    if (!why[0])
        (void)snprintf(why, sizeof(why), "%s", strerror(-r));
    if (r == -E2BIG)
        finish_with(c, STORE_REFUSED, "the key or the meta data are too long for a request");
    else
        finish_with(c, is_local(r) ? STORE_LOCAL : STORE_PARKED, why);
}

/* -EAGAIN: a temporary error of the credentials' source; any other that is not local needs a
 * person. */
static void on_identity(void *userdata, int r, const char *why)
{
    struct remote_call *c = userdata;
    struct store_result result = {.end = STORE_PARKED, .trouble = r == -EAGAIN};

    c->wait = NULL;
    if (r >= 0) {
        attempt(c);
        return;
    }
    if (r == -EAGAIN)
        result.end = STORE_RETRY;
    else if (is_local(r))
        result.end = STORE_LOCAL;
    (void)snprintf(result.text, sizeof(result.text), "%.*s%s%s", STORE_TEXT_MAX / 2,
                   c->refusal ? c->refusal : "", c->refusal ? "; " : "", why);
    finish(c, &result);
}

/* Makes an attempt with other secrets than those of version `refused`; 0: any. */
static void get_ready(struct remote_call *c, unsigned refused)
{
    int r = 1;

    if (c->remote->identity)
        r = identity_wait(c->remote->identity, refused, on_identity, c, &c->wait);
    if (r < 0)
        finish_with(c, STORE_LOCAL, strerror(-r));
    else if (r > 0)
        attempt(c);
}

/* True the first time for each reason: trying again may help once, but not twice. */
static bool first_time(struct remote_call *c, unsigned reason)
{
    bool first = !(c->tried & reason);

    c->tried |= reason;
    return first;
}

static void refresh(struct remote_call *c, const struct attempt_end *end)
{
    if (!first_time(c, REMOTE_REFRESHED)) {
        finish_with(c, STORE_PARKED, end->text);
        return;
    }
    c->refusal = strdup(end->text); /* without it the text is just shorter */
    get_ready(c, c->version);
}

/* Added to the offset of this call's signature, as other calls may have corrected the store's
 * meanwhile. */
static void correct_clock(struct remote_call *c, const struct attempt_end *end)
{
    if (!first_time(c, REMOTE_SKEWED)) {
        finish_with(c, STORE_PARKED, end->text);
        return;
    }
    c->remote->skew = c->skew + end->reply.skew;
    get_ready(c, 0);
}

/* A server that refuses Expect gets no such header again, and this body at once. */
static void retry(struct remote_call *c, const struct attempt_end *end)
{
    if (end->unasked) {
        c->remote->never_asks = true;
        get_ready(c, 0);
    } else {
        finish_retry(c, end);
    }
}

static void move(struct remote_call *c, const struct attempt_end *end)
{
    struct dialect *d = c->remote->dialect;
    struct reply_facts f = {0};
    int r = 0;

    answer_facts(&c->answer, &f);
    if (!first_time(c, REMOTE_MOVED) || !d->ops->move)
        r = -EINVAL;
    else if (!d->region || strcmp(d->region, f.region_told) != 0)
        r = d->ops->move(d, f.region_told);
    if (r < 0)
        finish_with(c, r == -ENOMEM ? STORE_LOCAL : STORE_PARKED, end->text);
    else
        get_ready(c, 0);
}

/* If the next request without the header for the hash succeeds, that header was the reason. */
static void bare(struct remote_call *c, const struct attempt_end *end)
{
    if (first_time(c, REMOTE_BARED))
        get_ready(c, 0);
    else
        finish_with(c, STORE_PARKED, end->text);
}

/* The store accepted the object without the header that it refused before. */
static void stop_summing(struct remote_call *c)
{
    if (!(c->tried & REMOTE_BARED) || c->remote->never_sums)
        return;
    c->remote->never_sums = true;
    log_info("upload: %s refuses x-amz-checksum-sha256: objects are sent without it; "
             "`checksum: none` would say so at once",
             c->remote->store.description);
}

static void take_hash(struct remote_call *c, const char *sha256)
{
    if (!c->sha256[0]) {
        (void)snprintf(c->sha256, sizeof(c->sha256), "%s", sha256);
        c->object.sha256 = c->sha256;
    } else if (strcasecmp(c->sha256, sha256) != 0) {
        finish_with(c, STORE_CHANGED, "the file is not what it was when its hash was made");
        return;
    }
    get_ready(c, 0);
}

static void on_hash(void *userdata, int r, const char *sha256)
{
    struct remote_call *c = userdata;

    c->hash = NULL;
    if (r == -ENODATA)
        finish_with(c, STORE_CHANGED, "the file is shorter than it was");
    else if (r < 0)
        finish_with(c, STORE_LOCAL, strerror(-r));
    else
        take_hash(c, sha256);
}

/* Hashes the object: its hash is unknown, or the store doubts it. */
static void hash(struct remote_call *c)
{
    const struct store_object *o = &c->object;
    char sha256[STORE_SHA256_SIZE];
    int r;

    if (!o->data && o->size > 0) {
        r = filehash_start(c->remote->disk, o->fd, o->size, on_hash, c, &c->hash);
        if (r < 0)
            finish_with(c, STORE_LOCAL, strerror(-r));
        return;
    }
    r = filehash_memory(o->size > 0 ? o->data : "", o->size, sha256);
    if (r < 0)
        finish_with(c, STORE_LOCAL, strerror(-r));
    else
        take_hash(c, sha256);
}

static void rehash(struct remote_call *c, const struct attempt_end *end)
{
    if (first_time(c, REMOTE_REHASHED))
        hash(c);
    else
        finish_retry(c, end);
}

/*
 * Compares size and hash of the existing object with ours. If the server keeps no metadata, only
 * the size; but the key also names service, host, process and second.
 */
static void compare(struct remote_call *c)
{
    const struct answer *a = &c->answer;
    bool same = a->sized && a->size == c->object.size;

    if (a->sha256[0] || !c->remote->dialect->forgets_meta)
        same = same && strcasecmp(a->sha256, c->sha256) == 0;
    if (same)
        finish_done(c);
    else
        finish_with(c, STORE_REFUSED, "another object of this key is there already");
}

/* The request for the existing object failed. True: it has been dealt with. */
static bool cannot_compare(struct remote_call *c, const struct attempt_end *end)
{
    char text[STORE_TEXT_MAX];

    switch (end->reply.class) {
    case REPLY_MISSING:
        finish_with(c, STORE_RETRY, "the key was taken, and is free again");
        return true;
    case REPLY_PARK:
    case REPLY_QUARANTINE:
    case REPLY_EXISTS:
    case REPLY_REHASH:
    case REPLY_BARE:
        (void)snprintf(text, sizeof(text),
                       "an object of this key is there, and cannot be compared: "
                       "%.*s",
                       STORE_TEXT_MAX - 80, end->text);
        finish_with(c, STORE_REFUSED, text);
        return true;
    default: return false;
    }
}

static void exists(struct remote_call *c, const struct attempt_end *end)
{
    if (c->verb != DIALECT_PUT) {
        finish_with(c, STORE_PARKED, end->text);
        return;
    }
    c->comparing = true;
    get_ready(c, 0);
}

static void take_page(struct remote_call *c)
{
    const char *next = listing_next(c->listing);
    char *token = NULL;
    int r = listing_tell(c->listing, c->after, c->on_object, c->userdata);

    if (r == 0 && next && !(token = strdup(next)))
        r = -ENOMEM;
    if (r < 0) {
        finish_with(c, STORE_LOCAL, strerror(-r));
        return;
    }
    if (!token) {
        finish_done(c);
        return;
    }
    if ((c->token && strcmp(c->token, token) == 0) || ++c->pages >= PAGES_MAX) {
        free(token);
        finish_with(c, STORE_RETRY, "the store's listing has no end");
        return;
    }
    free(c->token);
    c->token = token;
    c->tried = 0; /* credentials may expire more than once during a long listing */
    free(steal(&c->refusal));
    get_ready(c, 0);
}

static void succeed(struct remote_call *c)
{
    if (c->comparing)
        compare(c);
    else if (c->verb == DIALECT_LIST)
        take_page(c);
    else {
        stop_summing(c);
        finish_done(c);
    }
}

static void attempted(struct remote_call *c, const struct attempt_end *end)
{
    if (end->local || end->changed) {
        finish_with(c, end->local ? STORE_LOCAL : STORE_CHANGED, end->text);
        return;
    }
    if (c->comparing && cannot_compare(c, end))
        return;
    switch (end->reply.class) {
    case REPLY_OK: succeed(c); break;
    case REPLY_RETRY: retry(c, end); break;
    case REPLY_REFRESH: refresh(c, end); break;
    case REPLY_SKEW: correct_clock(c, end); break;
    case REPLY_REGION: move(c, end); break;
    case REPLY_REHASH: rehash(c, end); break;
    case REPLY_BARE: bare(c, end); break;
    case REPLY_EXISTS: exists(c, end); break;
    case REPLY_QUARANTINE: finish_with(c, STORE_REFUSED, end->text); break;
    case REPLY_MISSING:
        finish_with(c, c->verb == DIALECT_LIST ? STORE_PARKED : STORE_MISSING, end->text);
        break;
    case REPLY_PARK:
    case REPLY_CLASS_COUNT: finish_with(c, STORE_PARKED, end->text); break;
    }
}

void remote_call_begin(struct remote_call *c)
{
    if (c->verb == DIALECT_LIST && !c->remote->dialect->lists)
        finish_with(c, STORE_PARKED, "this kind of store has no listings");
    else if (c->verb == DIALECT_PUT && !c->sha256[0])
        hash(c);
    else
        get_ready(c, 0);
}
