/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

/* Room is requested in steps of this many bytes, so that requests are rare. */
#define ROOM_STEP (1u << 20)

static void on_bytes(void *userdata, const void *data, size_t n)
{
    struct intake *in = userdata;

    if (EVP_DigestUpdate(in->hash, data, n) != 1)
        in->hash_failed = true;
}

/* A copy that failed leaves a context behind into which OpenSSL 3.5 must not copy again. */
static void on_whole(void *userdata)
{
    struct intake *in = userdata;

    if (!in->hash_failed && EVP_MD_CTX_copy_ex(in->whole, in->hash) != 1)
        in->hash_failed = true;
}

static int finish_hash(struct intake *in, char hex[static 65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (in->hash_failed || EVP_DigestFinal_ex(in->whole, digest, &n) != 1 || n != 32)
        return -EIO;
    hex_encode(digest, n, hex);
    return 0;
}

static void keep_head(struct intake *in, const void *data, size_t n)
{
    size_t left = sizeof(in->head) - in->head_len;

    if (n > left)
        n = left;
    memcpy(in->head + in->head_len, data, n);
    in->head_len += n;
}

static int store(struct intake *in, const char *data, size_t n)
{
    if (in->error == 0)
        in->error = writer_add(&in->writer, data, n);
    return in->error;
}

static int flush(struct intake *in)
{
    if (in->error == 0)
        in->error = writer_flush(&in->writer);
    return in->error;
}

static void set_room(struct intake *in, uint64_t room)
{
    in->room = room;
    writer_reserve(&in->writer, room);
}

/*
 * Makes sure that there is room for n more bytes. 1: there is; 0: it was requested, and
 * intake_room brings the answer; or a negative errno.
 */
static int get_room(struct intake *in, size_t n)
{
    uint64_t want = in->written + n;
    int r;

    if (want <= in->room)
        return 1;
    want = (want / ROOM_STEP + 1) * ROOM_STEP;
    if (want > in->limit)
        want = in->limit;
    r = in->grow(in->userdata, want);
    if (r > 0)
        set_room(in, want);
    else if (r < 0)
        in->cut_by = "no_space";
    return r;
}

/* Judges the next bytes and stores them up to the first invalid one. Of a body that turns out to be
 * text, a few bytes may be stored. */
static int take(struct intake *in, const char *data, size_t n)
{
    size_t good;
    int r = in->artifact->body->feed(in->body, data, n, &good);

    if (in->head_len < sizeof(in->head))
        keep_head(in, data, n);
    if (store(in, data, good) < 0)
        return in->error;
    in->written += good;
    return r;
}

int intake_take(struct intake *in, const void *data, size_t n)
{
    size_t len = n;

    if (in->cut_by)
        return -ECANCELED;
    if (len > in->limit - in->written)
        len = (size_t)(in->limit - in->written);
    if (len > 0) {
        int r = get_room(in, len);

        if (r <= 0)
            return r;
        r = take(in, data, len);
        if (r < 0)
            return r;
    }
    if (len < n) {
        in->cut_by = "size_limit";
        return -EFBIG;
    }
    return 1;
}

void intake_room(struct intake *in, uint64_t room, int r)
{
    if (r < 0)
        in->cut_by = "no_space";
    else
        set_room(in, room);
}

bool intake_look(struct intake *in, const void *data, size_t n)
{
    keep_head(in, data, n);
    return in->head_len < sizeof(in->head);
}

void intake_cut(struct intake *in, const char *why)
{
    in->cut_by = why;
}

/* Judges the body of a 200: all, a part or nothing of it is kept. */
static void judge_body(struct intake *in, const struct evidence *e, struct capture_result *r,
                       struct buf *text)
{
    const struct artifact_facts *facts = e->facts;

    /* After a failed write, facts and hash include bytes that are not in the file. */
    if (facts->end == ARTIFACT_NOTHING || facts->end == ARTIFACT_FOREIGN || in->error < 0) {
        judgement_nothing(e, r, text);
        return;
    }
    if (finish_hash(in, r->sha256) < 0) {
        r->outcome = OUTCOME_RESOURCES;
        (void)buf_adds(text, "the SHA-256 could not be computed");
        return;
    }
    r->facts = *facts;
    r->bytes = facts->bytes;
    judgement_kept(e, r, text);
}

/* Tells the artifact that the body has ended, and returns its facts. */
static struct artifact_facts facts_of(struct intake *in, const struct evidence *e)
{
    bool clean = e->http->error == HTTP_OK && e->http->delimited && !in->cut_by && in->error == 0;
    struct artifact_facts facts;

    in->artifact->body->finish(in->body, clean, e->http->taken, e->window, &facts);
    /* This side cut the body, so a complete-looking start proves nothing about the rest. */
    if (in->cut_by && !in->artifact->part && facts.end == ARTIFACT_WHOLE)
        facts.end = ARTIFACT_NOTHING;
    return facts;
}

void intake_judge(struct intake *in, const struct evidence *request, struct capture_result *ret)
{
    const struct http_result *h = request->http;
    bool refused = (h->status != 0 && h->status != 200) || h->error == HTTP_PROXY_REFUSED ||
                   (h->error != HTTP_OK && h->error != HTTP_ABORTED && in->head_len == 0);
    struct evidence e = *request;
    struct artifact_facts facts;
    struct buf text;

    if (!refused)
        (void)flush(in);
    *ret = (struct capture_result){.received = in->written, .error = in->error};
    e.artifact = in->artifact;
    e.head = in->head;
    e.head_len = in->head_len;
    e.written = in->written;
    e.cut_by = in->cut_by;
    e.error = in->error;
    buf_init(&text, CAPTURE_TEXT_MAX - 1);
    if (refused) {
        judgement_refused(&e, ret, &text);
    } else {
        facts = facts_of(in, &e);
        e.facts = &facts;
        judge_body(in, &e, ret, &text);
    }
    (void)snprintf(ret->text, sizeof(ret->text), "%s",
                   buf_error(&text) == -ENOMEM ? strerror(ENOMEM) : buf_str(&text));
    buf_done(&text);
}

static int begin_body(struct intake *in)
{
    const struct artifact_sink sink = {.bytes = on_bytes, .whole = on_whole, .userdata = in};
    void *body = calloc(1, in->artifact->body->size);

    if (!body || in->artifact->body->init(body, in->artifact, &sink) < 0) {
        free(body);
        return -ENOMEM;
    }
    in->body = body;
    return 0;
}

int intake_init(struct intake *in, const struct artifact *a, int fd, uint64_t limit, uint64_t room,
                intake_grow_fn grow, void *userdata)
{
    *in = (struct intake){.artifact = a, .limit = limit, .grow = grow, .userdata = userdata};
    in->hash = EVP_MD_CTX_new();
    in->whole = EVP_MD_CTX_new();
    if (writer_init(&in->writer, fd) < 0 || !in->hash || !in->whole ||
        EVP_DigestInit_ex(in->hash, EVP_sha256(), NULL) != 1 || begin_body(in) < 0) {
        intake_done(in);
        return -ENOMEM;
    }
    set_room(in, room);
    return 0;
}

void intake_done(struct intake *in)
{
    if (in->body)
        in->artifact->body->done(in->body);
    free(in->body);
    EVP_MD_CTX_free(in->hash);
    EVP_MD_CTX_free(in->whole);
    writer_done(&in->writer);
}
