/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/judgement.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD_SHOWN 100 /* bytes of a body quoted in a message */

/* A trace is short if it spans less than this share of the window. Not 1, because clocks may differ
 * a little. */
#define WHOLE_SHARE 0.9

/* How much later than due a service may end its answer. */
#define END_SLACK (500 * USEC_PER_MSEC)

/* An answer that ends sooner than this was refused at once, not cut by a timeout. */
#define AT_ONCE (100 * USEC_PER_MSEC)

#define SHORTER                                                                                     \
    "is http.Server's WriteTimeout, a middleware's timeout or a proxy's read timeout shorter than " \
    "`seconds`? Make `seconds` shorter, or except this path from it"
#define HINT_CUT "; " SHORTER
#define HINT_CLOSED "; did the service restart, or " SHORTER
#define HINT_GAVE_UP                                                                                \
    "; it waited and gave up: is the timeout of a middleware (http.TimeoutHandler), of a proxy or " \
    "of a load balancer shorter than `seconds`? Make `seconds` shorter, or except this path from "  \
    "it"
#define HINT_GZIP                                                                                    \
    "; it is compressed, which was not asked for: except this path from what compresses answers (a " \
    "middleware or a proxy)"

#define HINT_SINCE_START                                                                        \
    "; is it net/http/pprof that answers there, and does it get `seconds`, which a proxy or a " \
    "middleware may drop?"

#define HINT_LARGE                                                                               \
    "; body_size_limit must have room for a generation at least, which is a second of what the " \
    "service does: raise it, or set `seconds` below 1"
#define HINT_LARGER "; raise body_size_limit to keep more, or make `seconds` shorter"
#define HINT_NEWEST "; raise body_size_limit: the newest part is missing"

#define HINT_OWN_PATH \
    "; is it there that the service has it? That path is its own `path` in the job's `artifacts`"

#define HINT_TLS "; the service speaks TLS there: set scheme: https"
#define HINT_PLAIN "; the service speaks no TLS there: set scheme: http"
#define HINT_NOT_HTTP1 \
    "; what answers there is no HTTP/1 server: contraced does not speak HTTP/2 without TLS (h2c)"
#define HINT_SILENT                                                                               \
    "; it was closed at once, without an answer: does the service speak only TLS there (scheme: " \
    "https) or only HTTP/2 without TLS (h2c), which contraced does not?"

/* Where to look for words that show the cause of a failure. */
enum place {
    PLACE_START, /* of the answer's body */
    PLACE_BODY,  /* anywhere in the bytes of the body that are kept */
    PLACE_ERROR, /* libcurl's error text */
};

#define WORDS(text) (text), sizeof(text) - 1

static const struct sign {
    enum outcome outcome;
    enum place place;
    const char *words;
    size_t n;
    const char *hint;
} signs[] = {
    {OUTCOME_NOT_A_TRACE, PLACE_START, WORDS("\x1f\x8b"), HINT_GZIP},
    {OUTCOME_NOT_A_TRACE, PLACE_START, WORDS("\x28\xb5\x2f\xfd"), HINT_GZIP}, /* zstd */
    {OUTCOME_HTTP_STATUS, PLACE_BODY, WORDS("HTTP request to an HTTPS server"), HINT_TLS},
    {OUTCOME_HTTP_STATUS, PLACE_BODY, WORDS("HTTP request was sent to HTTPS port"), HINT_TLS},
    {OUTCOME_TLS, PLACE_ERROR, WORDS("wrong version number"), HINT_PLAIN},
    {OUTCOME_TLS, PLACE_ERROR, WORDS("packet length too long"), HINT_PLAIN},
    {OUTCOME_PROTOCOL, PLACE_ERROR, WORDS("HTTP/0.9"), HINT_NOT_HTTP1},
};

static bool shows(const struct sign *s, const struct evidence *e)
{
    bool body = s->place != PLACE_ERROR;
    const void *text = body ? e->head : e->http->text;
    const void *at = memmem(text, body ? e->head_len : strlen(e->http->text), s->words, s->n);

    return at && (s->place != PLACE_START || at == text);
}

static const char *hint_of(const struct evidence *e, enum outcome outcome)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (signs[i].outcome == outcome && shows(&signs[i], e))
            return signs[i].hint;
    return NULL;
}

static bool head_has(const struct evidence *e, const char *words)
{
    return memmem(e->head, e->head_len, words, strlen(words)) != NULL;
}

static double seconds(usec t)
{
    return (double)t / (double)USEC_PER_SEC;
}

/* The answer lasted for a while, but clearly less than the window. */
static bool ended_early(const struct evidence *e)
{
    return e->http->taken >= AT_ONCE && (double)e->http->taken < WHOLE_SHARE * (double)e->window;
}

/*
 * The connection ended neither at once nor later than the answer was due. So a deadline may have
 * caused it: one that has passed ends the connection at the next write, at the latest when the
 * trace ends.
 */
static bool closed_in_time(const struct evidence *e)
{
    return e->window > 0 && e->http->taken >= AT_ONCE &&
           e->http->taken < e->window + e->window / 10 + END_SLACK;
}

/* The status is one of a gateway or of a handler with a time limit, and it did not come at once. */
static bool gave_up(const struct evidence *e)
{
    long status = e->http->status;

    return e->window > 0 && e->http->taken >= AT_ONCE &&
           (status == 408 || status == 502 || status == 503 || status == 504);
}

static void add_time(const struct evidence *e, struct buf *text)
{
    (void)buf_addf(text, ", after %.3g s of the %.3g s that were asked for",
                   seconds(e->http->taken), seconds(e->window));
}

/* Knows the answers of net/http/pprof's Trace, Profile and serveError. */
static enum outcome outcome_of_status(const struct evidence *e)
{
    long status = e->http->status;

    if (status == 401 || status == 403)
        return OUTCOME_UNAUTHORIZED;
    if (status >= 300 && status < 400)
        return OUTCOME_REDIRECT;
    if (status == 500 && e->artifact->taken && head_has(e, e->artifact->taken))
        return e->artifact->taken_outcome;
    if (status == 400 && head_has(e, "exceeds server's WriteTimeout"))
        return OUTCOME_WRITE_TIMEOUT;
    if (e->artifact->may_wait && (status == 429 || status == 503))
        return OUTCOME_NOT_READY;
    return OUTCOME_HTTP_STATUS;
}

static enum outcome outcome_of_error(enum http_error error)
{
    switch (error) {
    case HTTP_DNS: return OUTCOME_DNS;
    case HTTP_PROXY:
    case HTTP_PROXY_REFUSED:
    case HTTP_CONNECT: return OUTCOME_CONNECT;
    case HTTP_TLS: return OUTCOME_TLS;
    case HTTP_TLS_FILE: return OUTCOME_CREDENTIALS;
    case HTTP_TIMEOUT: return OUTCOME_TIMEOUT;
    case HTTP_CLOSED: return OUTCOME_CLOSED;
    case HTTP_LOCAL: return OUTCOME_RESOURCES;
    case HTTP_OK:
    case HTTP_ABORTED:
    case HTTP_PROTOCOL: break;
    }
    return OUTCOME_PROTOCOL;
}

/* Quotes the start of a body for the log. The body may repeat secrets of the request; they are
 * redacted. */
static void quote_head(const struct evidence *e, struct buf *out)
{
    const char *head = e->head;
    size_t n = e->head_len;

    while (n > 0 && head[n - 1] == '\n')
        n--;
    if (n == 0) {
        (void)buf_adds(out, "an empty body");
        return;
    }
    (void)buf_adds(out, "\"");
    redact_text(e->secrets, 0, head, n, HEAD_SHOWN, out);
    (void)buf_adds(out, e->head_len > HEAD_SHOWN ? "\"…" : "\"");
}

/* Chooses the hint for a failed connection, from the error's words and from the time at which the
 * peer ended it. */
static void judge_error(const struct evidence *e, struct capture_result *r, struct buf *text)
{
    r->hint = hint_of(e, r->outcome);
    if (r->outcome != OUTCOME_CLOSED)
        return;
    if (closed_in_time(e)) {
        add_time(e, text);
        r->hint = HINT_CLOSED;
    } else if (e->http->status == 0 && e->http->taken < AT_ONCE) {
        r->hint = HINT_SILENT;
    }
}

/* Something answers there that is not what was asked for, or not by this method. */
static bool shows_place(enum outcome outcome, long status)
{
    return outcome == OUTCOME_REDIRECT || outcome == OUTCOME_MISSING ||
           (outcome == OUTCOME_HTTP_STATUS && (status == 400 || status == 404 || status == 405));
}

void judgement_refused(const struct evidence *e, struct capture_result *r, struct buf *text)
{
    long status = e->http->status;

    if (status == 0 || status == 200) {
        r->outcome = outcome_of_error(e->http->error);
        (void)buf_adds(text, e->http->text);
        judge_error(e, r, text);
        return;
    }
    r->outcome = status == 404 && e->artifact->optional ? OUTCOME_MISSING : outcome_of_status(e);
    r->hint = hint_of(e, r->outcome);
    if (!r->hint && shows_place(r->outcome, status))
        r->hint = e->own_path ? HINT_OWN_PATH : e->artifact->place_hint;
    else if (!r->hint && e->artifact->place_hint && r->outcome == OUTCOME_HTTP_STATUS)
        r->hint = ""; /* it is the place, and its answer says why */
    (void)buf_addf(text, "HTTP status %ld%s%s: ", status,
                   e->http->proxy[0] ? " through the proxy " : "", e->http->proxy);
    quote_head(e, text);
    if (r->outcome == OUTCOME_HTTP_STATUS && gave_up(e)) {
        add_time(e, text);
        r->hint = HINT_GAVE_UP;
    }
}

static void judge_foreign(const struct evidence *e, struct capture_result *r, struct buf *text)
{
    const char *found = e->facts->found;

    (void)buf_addf(text, "the %s is not %s but ", e->sent ? "body" : "answer", e->artifact->what);
    if (found[0]) {
        (void)buf_adds(text, "a profile of ");
        redact_text(e->secrets, 0, found, strlen(found), HEAD_SHOWN, text);
    } else {
        quote_head(e, text);
    }
    r->hint = e->facts->hint ? e->facts->hint : hint_of(e, r->outcome);
    if (!r->hint)
        r->hint = e->artifact->place_hint;
}

static enum outcome outcome_of_nothing(const struct evidence *e)
{
    enum http_error error = e->http->error;

    if (e->error < 0)
        return outcome_of_errno(e->error);
    if (e->cut_by && strcmp(e->cut_by, "no_space") == 0)
        return OUTCOME_NO_SPACE;
    if (e->stopped)
        return OUTCOME_CANCELLED;
    /*
     * This comes before the kind: a body that breaks off at its beginning has not shown its kind
     * yet. A body of another kind was aborted at its first wrong byte.
     */
    if (error != HTTP_OK && error != HTTP_ABORTED)
        return outcome_of_error(error);
    return e->facts->end == ARTIFACT_FOREIGN ? e->artifact->foreign : OUTCOME_INCOMPLETE;
}

static bool is_over_size(const struct evidence *e)
{
    return e->artifact->part && e->cut_by && strcmp(e->cut_by, "size_limit") == 0;
}

static void add_why(const struct evidence *e, struct buf *text)
{
    if (e->cut_by)
        (void)buf_addf(text, "cut by %s", e->cut_by);
    else if (e->http->error != HTTP_ABORTED && e->http->text[0])
        (void)buf_adds(text, e->http->text);
    else if (e->facts->error)
        (void)buf_adds(text, e->facts->error);
    else
        (void)buf_addf(text, "the %s ended", e->artifact->noun);
    (void)buf_addf(text, " after %llu bytes", (unsigned long long)e->written);
    if (e->artifact->part)
        (void)buf_addf(text, ", before %s was whole", e->artifact->part);
    else
        (void)buf_addf(text, "; a %s is kept whole or not at all", e->artifact->noun);
}

void judgement_nothing(const struct evidence *e, struct capture_result *r, struct buf *text)
{
    r->outcome = outcome_of_nothing(e);
    if (r->outcome == e->artifact->foreign) {
        judge_foreign(e, r, text);
        return;
    }
    if (e->error < 0) {
        (void)buf_addf(text, "cannot write the %s: %s after %llu bytes", e->artifact->noun,
                       strerror(-e->error), (unsigned long long)e->written);
        return;
    }
    add_why(e, text);
    judge_error(e, r, text);
    if (is_over_size(e))
        r->hint = HINT_LARGE;
}

/* One word for the cause that ended a body of which a part is kept. */
static const char *cut_by(const struct evidence *e)
{
    enum http_error error = e->http->error;

    if (e->cut_by)
        return e->cut_by;
    if (error == HTTP_OK)
        return e->facts->error && e->facts->accepted < e->written ? "corrupt" : "incomplete";
    if (error == HTTP_ABORTED)
        return "corrupt";
    return outcome_name(outcome_of_error(error));
}

#define CUT_WORDS_SIZE 64

/* The same for a sentence. */
static const char *cut_words(const char *cut_by, char out[static CUT_WORDS_SIZE])
{
    if (strcmp(cut_by, "incomplete") == 0)
        return "it is incomplete: it ends";
    if (strcmp(cut_by, "corrupt") == 0)
        return "it is corrupt";
    if (strcmp(cut_by, "closed") == 0)
        return "the connection was closed";
    (void)snprintf(out, CUT_WORDS_SIZE, "cut by %s", cut_by);
    return out;
}

static void judge_part(const struct evidence *e, struct capture_result *r, struct buf *text)
{
    char words[CUT_WORDS_SIZE];

    r->outcome = OUTCOME_TRUNCATED;
    r->cut_by = cut_by(e);
    (void)buf_addf(text, "%s after %llu bytes, of which %llu are %s", cut_words(r->cut_by, words),
                   (unsigned long long)e->written, (unsigned long long)r->bytes,
                   e->artifact->parts);
    if (strcmp(r->cut_by, "closed") == 0 && closed_in_time(e)) {
        add_time(e, text);
        r->hint = HINT_CLOSED;
    }
    if (is_over_size(e))
        r->hint = e->artifact->snapshot ? HINT_NEWEST : HINT_LARGER;
}

/* It is kept, for it is a profile all the same; but it is not one of the window. */
static void judge_since_start(const struct evidence *e, struct capture_result *r, struct buf *text)
{
    (void)buf_addf(text, "the %s is since the start of the process: the server ignored ?seconds=",
                   e->artifact->noun);
    r->outcome = e->facts->empty ? OUTCOME_EMPTY : OUTCOME_SHORT;
    r->hint = e->facts->empty ? e->artifact->empty_hint : HINT_SINCE_START;
    r->cut_by = e->facts->empty ? NULL : outcome_name(r->outcome);
}

void judgement_kept(const struct evidence *e, struct capture_result *r, struct buf *text)
{
    usec span = e->facts->span;
    bool is_short = span > 0 && (double)span < WHOLE_SHARE * (double)e->window;

    /* A trace that breaks off exactly between two generations is whole, but it is not all that was
     * requested. */
    if (e->artifact->part &&
        (e->facts->end != ARTIFACT_WHOLE || e->http->error != HTTP_OK || e->cut_by)) {
        judge_part(e, r, text);
        return;
    }
    if (e->facts->since_start && e->window > 0) {
        judge_since_start(e, r, text);
        return;
    }
    if (!is_short) {
        r->outcome = e->facts->empty ? OUTCOME_EMPTY : OUTCOME_OK;
        r->hint = e->facts->empty ? e->artifact->empty_hint : NULL;
        return;
    }
    r->outcome = OUTCOME_SHORT;
    r->cut_by = outcome_name(r->outcome);
    r->hint = ended_early(e) ? HINT_CUT : NULL;
    (void)buf_addf(text, "it spans %.3g s of the %.3g s that were asked for", seconds(span),
                   seconds(e->window));
}
