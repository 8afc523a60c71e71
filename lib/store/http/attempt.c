/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One request of a call: composes and sends it, reads the answer, and reduces that to an
 * attempt_end.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/config/upload_url.h"
#include "lib/store/dialect/message.h"
#include "lib/store/http/remote_state.h"

#define CONNECT_TIMEOUT (10 * USEC_PER_SEC)
/* Bytes of a body from which on Expect: 100-continue is worth the wait. */
#define EXPECT_LEAST (1u << 20)

/*
 * The whole request's timeout, as a slow trickle of bytes never meets the stall timeout: this long,
 * plus the body's time at this rate, or at half of its rate limit if that is lower.
 */
#define TIMEOUT_BASE (5 * USEC_PER_MIN)
#define SLOWEST (8u << 10)

static const struct http_handlers handlers;

usec remote_now(const struct remote *r, int64_t skew)
{
    uint64_t now = 0;

    if (sd_event_now(r->event, CLOCK_REALTIME, &now) < 0)
        now = clock_real();
    return (usec)((int64_t)now + skew);
}

static bool is_put(const struct remote_call *c)
{
    return c->verb == DIALECT_PUT && !c->comparing;
}

static enum dialect_verb verb_of(const struct remote_call *c)
{
    return c->comparing ? DIALECT_HEAD : c->verb;
}

static usec timeout_of(const struct remote_call *c)
{
    uint64_t rate = c->remote->max_rate / 2, seconds;

    if (c->verb == DIALECT_GET)
        return 0; /* the size is unknown; the user who waits can end it */
    if (!is_put(c))
        return TIMEOUT_BASE;
    if (rate == 0 || rate > SLOWEST)
        rate = c->remote->max_rate == 0 || rate > SLOWEST ? SLOWEST : 1;
    seconds = c->object.size / rate;
    return TIMEOUT_BASE + (seconds > USEC_PER_DAY ? USEC_PER_DAY : seconds) * USEC_PER_SEC;
}

/* The store also knows the keys that sign the request, though they are not sent. */
static int know_secrets(struct remote_call *c, const struct http_options *o)
{
    const struct secret_set *set =
        c->remote->identity ? identity_secrets(c->remote->identity) : NULL;
    int r = redact_request(&c->secrets, o);

    if (r == 0 && set)
        r = redact_add(&c->secrets, set->secret_key);
    return r == 0 && set ? redact_add(&c->secrets, set->session_token) : r;
}

/*
 * Over plain http a session token is visible, but useless without the secret key, which is never
 * sent. So it is allowed with a warning.
 */
static void warn_open(struct remote *r, const char *url)
{
    const struct secret_set *set = r->identity ? identity_secrets(r->identity) : NULL;

    if (r->warned || !set || !set->secret_key || !set->session_token ||
        upload_url_is_open(url) <= 0)
        return;
    r->warned = true;
    log_warn("upload: the session token goes to %s over http, where others may read it: use https",
             r->store.description);
}

static int start(struct remote_call *c, const struct message *m)
{
    struct remote *r = c->remote;
    int e;
    const struct http_body body = {
        .data = c->object.size == 0 ? "" : c->object.data,
        .fd = c->object.fd,
        .size = c->object.size,
    };
    struct http_options o = {
        .url = buf_str(&m->url),
        .method = m->method,
        .headers = m->headers,
        .n_headers = m->n_headers,
        .body = is_put(c) ? &body : NULL,
        .expect_continue = c->asks,
        .keep = true,
        .max_rate = r->max_rate,
        .connect_timeout = CONNECT_TIMEOUT,
        .timeout = timeout_of(c),
        .stall_timeout = r->stall_timeout,
    };

    reach_store(&r->reach, &o);
    warn_open(r, o.url);
    e = know_secrets(c, &o);
    return e < 0 ? e : http_start(r->http, &o, &handlers, c, &c->request);
}

/* Options of this attempt. */
static void choose(struct remote_call *c)
{
    const struct remote *r = c->remote;
    const struct dialect *d = r->dialect;
    bool put = is_put(c);

    (void)snprintf(c->region, sizeof(c->region), "%s", d->region ? d->region : "");
    c->conditional = put && d->conditional && !c->object.replace;
    c->asks = put && d->expect_continue && !r->never_asks && c->object.size > EXPECT_LEAST;
    c->sums = put && d->checksum && !r->never_sums && !(c->tried & REMOTE_BARED);
    c->skew = r->skew;
}

static int compose(struct remote_call *c, struct message *ret, char *why)
{
    struct remote *r = c->remote;
    struct dialect_request q;
    const struct secret_set *secrets = NULL;

    if (r->identity) {
        secrets = identity_secrets(r->identity);
        c->version = identity_version(r->identity);
        if (!secrets) {
            (void)snprintf(why, STORE_TEXT_MAX, "there are no credentials");
            return -ENOKEY;
        }
    }
    choose(c);
    q = (struct dialect_request){
        .verb = verb_of(c),
        .key = c->key,
        .object = is_put(c) ? &c->object : NULL,
        .checksum = c->sums,
        .after = c->after,
        .token = c->token,
    };
    return r->dialect->ops->compose(r->dialect, &q, secrets, remote_now(r, c->skew), ret, why);
}

int attempt_start(struct remote_call *c, attempt_fn fn, char why[static STORE_TEXT_MAX])
{
    struct message m;
    int r;

    attempt_clear(c);
    c->attempted = fn;
    why[0] = '\0';
    if (c->verb == DIALECT_LIST && listing_new(c->remote->dialect->prefix, &c->listing) < 0)
        return -ENOMEM;
    r = compose(c, &m, why);
    if (r < 0)
        return r;
    r = start(c, &m);
    message_done(&m);
    if (r == -EINVAL)
        (void)snprintf(why, STORE_TEXT_MAX,
                       "the request cannot be sent: its URL, its headers or "
                       "its size are not fit for it");
    return r;
}

void attempt_clear(struct remote_call *c)
{
    http_cancel(steal(&c->request));
    answer_done(&c->answer);
    answer_init(&c->answer);
    redact_done(&c->secrets);
    redact_init(&c->secrets);
    listing_free(steal(&c->listing));
    c->failure = 0;
    c->received = 0;
    c->date_at = 0;
}

static void on_header(void *userdata, const char *name, const char *value)
{
    struct remote_call *c = userdata;

    answer_header(&c->answer, c->remote->dialect->meta_prefix, name, value);
    if (strcasecmp(name, "Date") == 0)
        c->date_at = remote_now(c->remote, c->skew);
}

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct remote_call *c = userdata;
    bool ok = http_status(c->request) == 200;
    int r;

    if (ok && c->verb == DIALECT_GET) {
        c->received += n;
        c->failure = c->body(c->userdata, data, n);
        return c->failure < 0 ? HTTP_ABORT : (ssize_t)n;
    }
    /* An error is valid without the rest of its document; so is a failure to read a page. */
    r = ok && c->verb == DIALECT_LIST ? listing_feed(c->listing, data, n)
                                      : answer_body(&c->answer, data, n);
    if (r == -ENOMEM)
        c->failure = r;
    return r < 0 ? HTTP_ABORT : (ssize_t)n;
}

/* Why this is no answer to the request, although its status is 2xx; NULL: it is one. */
static const char *check_success(struct remote_call *c, const struct http_result *result)
{
    if (c->verb == DIALECT_LIST)
        return listing_finish(c->listing) < 0 ? "this is no listing of a store" : NULL;
    if (c->verb != DIALECT_GET)
        return NULL;
    if (result->status != 200)
        return "a part was sent where the whole was asked for";
    if (c->answer.sized ? c->received != c->answer.size : !result->delimited)
        return "the object may have been cut: its length is not what was announced";
    return NULL;
}

static void classify(struct remote_call *c, const struct http_result *result, struct reply *ret)
{
    struct reply_facts f = {
        .error = result->error,
        .status = result->status,
        .put = is_put(c),
        .conditional = c->conditional,
        .summed = c->sums,
        .sent = result->sent_all,
        .region = c->region,
        .text = result->text,
        .s3 = c->remote->dialect->s3,
        .access_hint = c->remote->dialect->access_hint,
        .now = c->date_at ? c->date_at : remote_now(c->remote, c->skew),
    };
    const char *wrong;

    answer_facts(&c->answer, &f);
    reply_classify(&f, ret);
    if (ret->class == REPLY_OK && (wrong = check_success(c, result)))
        *ret = (struct reply){.class = REPLY_RETRY, .trouble = true, .hint = wrong};
    else if (result->error == HTTP_ABORTED && result->status < 300)
        *ret = (struct reply){.class = REPLY_RETRY,
                              .trouble = true,
                              .hint = "what answers does not speak like a store"};
}

/* The file is shorter than announced. */
static bool file_shrank(const struct remote_call *c)
{
    struct stat st;

    return is_put(c) && !c->object.data && c->object.size > 0 &&
           (fstat(c->object.fd, &st) < 0 || (uint64_t)st.st_size < c->object.size);
}

static void on_finished(void *userdata, const struct http_result *result)
{
    struct remote_call *c = userdata;
    struct attempt_end end = {0};

    c->request = NULL;
    if (c->failure < 0) {
        end.local = true;
        (void)snprintf(end.text, sizeof(end.text), "%s", strerror(-c->failure));
    } else {
        classify(c, result, &end.reply);
        end.unasked = result->status == 417 && c->asks;
        end.changed = result->error == HTTP_LOCAL && file_shrank(c);
        end.local = result->error == HTTP_LOCAL && !end.changed;
        answer_text(&c->answer, result, &c->secrets, end.reply.hint, end.text);
    }
    c->attempted(c, &end);
}

static const struct http_handlers handlers = {
    .body = on_body,
    .header = on_header,
    .finished = on_finished,
};
