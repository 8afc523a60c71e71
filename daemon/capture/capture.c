/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/capture.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "daemon/capture/writer.h"
#include "lib/config/flight.h"
#include "lib/net/credentials.h"
#include "lib/net/redact.h"

/* How long connecting and the TLS handshake may take. */
#define CONNECT_TIMEOUT (5 * USEC_PER_SEC)

/* Room is requested in steps of this many bytes, so that requests are rare. */
#define ROOM_STEP (1u << 20)

/* Bytes kept from the start of a body, to show what it is if it is not the artifact. */
#define HEAD_MAX 512

struct capture {
    struct http_request *request;
    const struct capture_handlers *handlers;
    void *userdata;
    struct writer writer;
    usec window;    /* of the request */
    uint64_t limit; /* of decoded bytes */
    uint64_t room;
    uint64_t written; /* bytes accepted so far, in the writer's block or in the file */
    const struct artifact *artifact;
    void *body;        /* the artifact's state for judging the body; NULL: not begun */
    EVP_MD_CTX *hash;  /* of all bytes that the artifact has accepted */
    EVP_MD_CTX *whole; /* a copy of `hash` from the last time when all accepted bytes were whole */
    bool hash_failed;
    bool stopped;       /* by capture_stop */
    const char *cut_by; /* why this side ended the body: size_limit, no_space, …; static */
    int error;          /* of write(2), as a negative errno */
    char head[HEAD_MAX];
    size_t head_len;
    struct redact secrets; /* in the request; the answer may repeat them */
};

static void on_bytes(void *userdata, const void *data, size_t n)
{
    struct capture *c = userdata;

    if (EVP_DigestUpdate(c->hash, data, n) != 1)
        c->hash_failed = true;
}

/* A copy that failed leaves a context behind into which OpenSSL 3.5 must not copy again. */
static void on_whole(void *userdata)
{
    struct capture *c = userdata;

    if (!c->hash_failed && EVP_MD_CTX_copy_ex(c->whole, c->hash) != 1)
        c->hash_failed = true;
}

static int finish_hash(struct capture *c, char hex[static 65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (c->hash_failed || EVP_DigestFinal_ex(c->whole, digest, &n) != 1 || n != 32)
        return -EIO;
    hex_encode(digest, n, hex);
    return 0;
}

static void keep_head(struct capture *c, const void *data, size_t n)
{
    size_t left = sizeof(c->head) - c->head_len;

    if (n > left)
        n = left;
    memcpy(c->head + c->head_len, data, n);
    c->head_len += n;
}

static int store(struct capture *c, const char *data, size_t n)
{
    if (c->error == 0)
        c->error = writer_add(&c->writer, data, n);
    return c->error;
}

static int flush(struct capture *c)
{
    if (c->error == 0)
        c->error = writer_flush(&c->writer);
    return c->error;
}

static void set_room(struct capture *c, uint64_t room)
{
    c->room = room;
    writer_reserve(&c->writer, room);
}

/*
 * Makes sure that there is room for n more bytes. 1: there is; 0: it was requested, and
 * capture_room brings the answer; or a negative errno.
 */
static int get_room(struct capture *c, size_t n)
{
    uint64_t want = c->written + n;
    int r;

    if (want <= c->room)
        return 1;
    want = (want / ROOM_STEP + 1) * ROOM_STEP;
    if (want > c->limit)
        want = c->limit;
    r = c->handlers->grow(c->userdata, want);
    if (r > 0)
        set_room(c, want);
    else if (r < 0)
        c->cut_by = "no_space";
    return r;
}

/* Judges the next bytes and stores them up to the first invalid one. Of a body that turns out to be
 * text, a few bytes may be stored. */
static int take(struct capture *c, const char *data, size_t n)
{
    size_t good;
    int r = c->artifact->body->feed(c->body, data, n, &good);

    if (c->head_len < sizeof(c->head))
        keep_head(c, data, n);
    if (store(c, data, good) < 0)
        return c->error;
    c->written += good;
    return r;
}

static void on_connected(void *userdata)
{
    struct capture *c = userdata;

    if (c->handlers->connected)
        c->handlers->connected(c->userdata, peer_of_socket(http_socket(c->request)));
}

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct capture *c = userdata;
    size_t len = n;

    if (http_status(c->request) != 200) {
        keep_head(c, data, n);
        return c->head_len < sizeof(c->head) ? (ssize_t)n : HTTP_ABORT;
    }
    if (c->cut_by)
        return HTTP_ABORT;
    if (len > c->limit - c->written)
        len = (size_t)(c->limit - c->written);
    if (len > 0) {
        int r = get_room(c, len);

        if (r == 0)
            return HTTP_PAUSE;
        if (r < 0 || take(c, data, len) < 0)
            return HTTP_ABORT;
    }
    if (len < n) {
        c->cut_by = "size_limit";
        return HTTP_ABORT;
    }
    return (ssize_t)n;
}

/* Judges the body of a 200: all, a part or nothing of it is kept. */
static void judge_body(struct capture *c, const struct evidence *e, struct capture_result *r,
                       struct buf *text)
{
    const struct artifact_facts *facts = e->facts;

    /* After a failed write, facts and hash include bytes that are not in the file. */
    if (facts->end == ARTIFACT_NOTHING || facts->end == ARTIFACT_FOREIGN || c->error < 0) {
        judgement_nothing(e, r, text);
        return;
    }
    if (finish_hash(c, r->sha256) < 0) {
        r->outcome = OUTCOME_RESOURCES;
        (void)buf_adds(text, "the SHA-256 could not be computed");
        return;
    }
    r->facts = *facts;
    r->bytes = facts->bytes;
    judgement_kept(e, r, text);
}

/* Tells the artifact that the body has ended, and returns its facts. */
static struct artifact_facts facts_of(struct capture *c, const struct http_result *h)
{
    bool clean = h->error == HTTP_OK && h->delimited && !c->cut_by && c->error == 0;
    struct artifact_facts facts;

    c->artifact->body->finish(c->body, clean, h->taken, c->window, &facts);
    /* This side cut the body, so a complete-looking start proves nothing about the rest. */
    if (c->cut_by && !c->artifact->part && facts.end == ARTIFACT_WHOLE)
        facts.end = ARTIFACT_NOTHING;
    return facts;
}

static struct evidence evidence_of(const struct capture *c, const struct http_result *h)
{
    return (struct evidence){
        .artifact = c->artifact,
        .http = h,
        .secrets = &c->secrets,
        .head = c->head,
        .head_len = c->head_len,
        .written = c->written,
        .window = c->window,
        .cut_by = c->cut_by,
        .error = c->error,
        .stopped = c->stopped,
    };
}

static void judge(struct capture *c, const struct http_result *h, struct capture_result *r)
{
    bool refused = (h->status != 0 && h->status != 200) || h->error == HTTP_PROXY_REFUSED ||
                   (h->error != HTTP_OK && h->error != HTTP_ABORTED && c->head_len == 0);
    struct artifact_facts facts;
    struct evidence evidence;
    struct buf text;

    if (!refused)
        (void)flush(c);
    *r = (struct capture_result){.received = c->written, .error = c->error};
    evidence = evidence_of(c, h);
    buf_init(&text, CAPTURE_TEXT_MAX - 1);
    if (refused) {
        judgement_refused(&evidence, r, &text);
    } else {
        facts = facts_of(c, h);
        evidence.facts = &facts;
        judge_body(c, &evidence, r, &text);
    }
    (void)snprintf(r->text, sizeof(r->text), "%s",
                   buf_error(&text) == -ENOMEM ? strerror(ENOMEM) : buf_str(&text));
    buf_done(&text);
}

static void capture_free(struct capture *c)
{
    if (c->body)
        c->artifact->body->done(c->body);
    free(c->body);
    EVP_MD_CTX_free(c->hash);
    EVP_MD_CTX_free(c->whole);
    writer_done(&c->writer);
    redact_done(&c->secrets);
    free(c);
}

static void finish(struct capture *c, const struct http_result *h)
{
    const struct capture_handlers *handlers = c->handlers;
    void *userdata = c->userdata;
    struct capture_result result;

    judge(c, h, &result);
    capture_free(c);
    handlers->finished(userdata, &result);
}

static void on_finished(void *userdata, const struct http_result *h)
{
    finish(userdata, h);
}

static const struct http_handlers http_handlers = {
    .connected = on_connected,
    .body = on_body,
    .finished = on_finished,
};

static int begin_body(struct capture *c)
{
    const struct artifact_sink sink = {.bytes = on_bytes, .whole = on_whole, .userdata = c};
    void *body = calloc(1, c->artifact->body->size);

    if (!body || c->artifact->body->init(body, c->artifact, &sink) < 0) {
        free(body);
        return -ENOMEM;
    }
    c->body = body;
    return 0;
}

static struct capture *capture_new(const struct lane *l, usec window, int fd, uint64_t room,
                                   const struct capture_handlers *handlers, void *userdata)
{
    struct capture *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    redact_init(&c->secrets);
    c->artifact = l->artifact;
    c->handlers = handlers;
    c->userdata = userdata;
    c->window = window;
    c->limit = l->target->job->body_size_limit;
    c->hash = EVP_MD_CTX_new();
    c->whole = EVP_MD_CTX_new();
    if (writer_init(&c->writer, fd) < 0 || !c->hash || !c->whole ||
        EVP_DigestInit_ex(c->hash, EVP_sha256(), NULL) != 1 || begin_body(c) < 0) {
        capture_free(c);
        return NULL;
    }
    set_room(c, room);
    return c;
}

/* The first `n` headers of the job's flight recordings. */
static void headers_of(const struct flight_config *flight, struct http_header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        headers[i] = (struct http_header){flight->headers[i].name, flight->headers[i].value};
}

/* The request's options, without the URL and the headers themselves. */
static struct http_options options_of(const struct lane *l, usec window)
{
    const struct target *t = l->target;
    const struct target_job *j = t->job;
    usec timeout = window > j->window ? j->timeout + (window - j->window) : j->timeout;

    return (struct http_options){
        .method = l->artifact->elsewhere && j->flight.post ? "POST" : "GET",
        .n_headers = l->artifact->elsewhere ? j->flight.n_headers : 0,
        .unix_path = t->unix_path,
        .tls = j->access.tls,
        .proxy = &j->access.proxy,
        .connect_timeout = timeout < CONNECT_TIMEOUT ? timeout : CONNECT_TIMEOUT,
        .timeout = timeout,
    };
}

int capture_start(struct http *http, const struct lane *l, usec window, int fd, uint64_t room,
                  const struct capture_handlers *handlers, void *userdata, struct capture **ret,
                  struct capture_result *ret_failure)
{
    const struct target *t = l->target;
    struct http_options options = options_of(l, window);
    struct http_header headers[FLIGHT_HEADERS_MAX];
    struct capture_result failure = {.outcome = OUTCOME_CREDENTIALS};
    _cleanup_free_ char *url = target_request(l, window);
    struct buf authorization;
    struct capture *c = NULL;
    int r;

    credentials_init(&authorization);
    r = credentials_header(&t->job->access.auth, &authorization, failure.text,
                           sizeof(failure.text));
    if (r == 0) {
        failure.outcome = OUTCOME_RESOURCES;
        options.url = url;
        headers_of(&t->job->flight, headers, options.n_headers);
        options.headers = headers;
        if (authorization.len > 0)
            options.authorization = buf_str(&authorization);
        c = url ? capture_new(l, window, fd, room, handlers, userdata) : NULL;
        r = c ? redact_request(&c->secrets, &options) : -ENOMEM;
        if (r == 0)
            r = http_start(http, &options, &http_handlers, c, &c->request);
        (void)snprintf(failure.text, sizeof(failure.text), "cannot start the request: %s",
                       strerror(-r));
    }
    buf_wipe(&authorization);
    if (r < 0) {
        if (c)
            capture_free(c);
        *ret_failure = failure;
        return r;
    }
    *ret = c;
    return 0;
}

void capture_room(struct capture *c, uint64_t room, int r)
{
    if (r < 0)
        c->cut_by = "no_space";
    else
        set_room(c, room);
    http_resume(c->request);
}

uint64_t capture_received(const struct capture *c)
{
    return c->written;
}

void capture_stop(struct capture *c, const char *why)
{
    const struct http_result h = {.error = HTTP_ABORTED, .status = http_status(c->request)};

    http_cancel(c->request);
    c->stopped = true;
    c->cut_by = why;
    finish(c, &h);
}
