/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/artifact/profile.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "daemon/artifact/profile_fields.h"

#define GZIP_ONLY (15 + 16) /* zlib.h, inflateInit2: the largest window, and only gzip's header */
#define PIECE ((size_t)16 << 10)

#define HINT_TWICE                                                                            \
    "; it is compressed twice, and the second was not asked for: except this path from what " \
    "compresses answers (a middleware or a proxy)"

struct body {
    struct artifact_sink sink;
    z_stream gzip;
    struct profile_fields fields;
    uint64_t accepted; /* bytes of the body */
    uint64_t inflated;
    uint8_t start[2]; /* the first inflated bytes */
    bool ended;       /* gzip's trailer came and is correct */
    bool foreign;     /* it cannot be a profile */
    const char *error;
    uint8_t piece[PIECE];
};

static int body_init(void *userdata, const struct artifact *a, const struct artifact_sink *sink)
{
    struct body *b = userdata;

    b->sink = *sink;
    b->fields.wanted = a->sample_type;
    return inflateInit2(&b->gzip, GZIP_ONLY) == Z_OK ? 0 : -ENOMEM;
}

static void body_done(void *userdata)
{
    struct body *b = userdata;

    (void)inflateEnd(&b->gzip);
}

static int wrong(struct body *b, int r, const char *error)
{
    b->error = error;
    return r;
}

/* Inflating failed. If not one byte was inflated before, the body is not gzip at all. */
static int not_inflated(struct body *b, int z)
{
    if (z == Z_MEM_ERROR)
        return wrong(b, -ENOMEM, "not enough memory to inflate it");
    b->foreign = b->inflated == 0;
    return wrong(b, -EBADMSG, "its compression is damaged");
}

static int take_piece(struct body *b, size_t n)
{
    for (size_t i = 0; i < n && b->inflated + i < sizeof(b->start); i++)
        b->start[b->inflated + i] = b->piece[i];
    b->inflated += n;
    if (b->inflated > PROFILE_INFLATED_MAX)
        return wrong(b, -EFBIG, "it inflates to more than 64 MiB");
    if (profile_fields_feed(&b->fields, b->piece, n) == 0)
        return 0;
    b->foreign = true;
    return wrong(b, -EBADMSG, "what is compressed is no profile");
}

/* Inflates all input that is there. 0 or a negative errno. */
static int inflate_all(struct body *b)
{
    int z = Z_OK, r = 0;

    while (r == 0 && z != Z_STREAM_END && (b->gzip.avail_in > 0 || b->gzip.avail_out == 0)) {
        b->gzip.next_out = b->piece;
        b->gzip.avail_out = PIECE;
        z = inflate(&b->gzip, Z_NO_FLUSH);
        if (z == Z_BUF_ERROR)
            break;                                    /* all input has been inflated */
        r = take_piece(b, PIECE - b->gzip.avail_out); /* also the bytes before an error */
        if (r == 0 && z != Z_OK && z != Z_STREAM_END)
            r = not_inflated(b, z);
    }
    b->ended = r == 0 && z == Z_STREAM_END;
    if (b->ended && b->gzip.avail_in > 0)
        r = wrong(b, -EBADMSG, "other bytes follow its end");
    return r;
}

static int body_feed(void *userdata, const void *data, size_t n, size_t *ret_good)
{
    struct body *b = userdata;
    int r;

    *ret_good = 0;
    if (b->error)
        return -EBADMSG;
    if (b->ended)
        return n == 0 ? 0 : wrong(b, -EBADMSG, "other bytes follow its end");
    b->gzip.next_in = (z_const Bytef *)(uintptr_t)data;
    b->gzip.avail_in = (uInt)n;
    r = inflate_all(b);
    *ret_good = n - b->gzip.avail_in;
    b->accepted += *ret_good;
    b->sink.bytes(b->sink.userdata, data, *ret_good);
    return r;
}

static enum artifact_end end_of(struct body *b)
{
    if (b->foreign || b->accepted == 0)
        return ARTIFACT_FOREIGN;
    if (b->error || !b->ended)
        return ARTIFACT_NOTHING;
    return profile_fields_whole(&b->fields) && profile_fields_matches(&b->fields)
             ? ARTIFACT_WHOLE
             : ARTIFACT_FOREIGN;
}

/* A profile of a window says how long that was, by the service's wall clock: it is negative if that
 * was set back meanwhile, and longer than the request if it was set forward. */
static bool is_too_long(int64_t duration, usec taken)
{
    return duration > (int64_t)(taken + taken / 10) * 1000;
}

/* One since the start of the process says nothing, or its whole life, and comes without a wait for
 * the window. */
static bool is_since_start(int64_t duration, usec taken, usec window)
{
    return duration == 0 || (is_too_long(duration, taken) && taken < window);
}

static bool is_twice(const struct body *b)
{
    return b->inflated >= sizeof(b->start) && memcmp(b->start, "\x1f\x8b", 2) == 0;
}

/* Ignores `clean`: gzip's trailer alone shows whether the end is there. */
static void body_finish(void *userdata, bool clean, usec taken, usec window,
                        struct artifact_facts *ret)
{
    struct body *b = userdata;
    enum artifact_end end = end_of(b);
    int64_t duration = b->fields.duration;
    bool since_start = is_since_start(duration, taken, window);
    bool told = duration > 0 && (since_start || !is_too_long(duration, taken));

    (void)clean;
    if (end == ARTIFACT_WHOLE)
        b->sink.whole(b->sink.userdata);
    *ret = (struct artifact_facts){
        .end = end,
        .bytes = end == ARTIFACT_WHOLE ? b->accepted : 0,
        .accepted = b->accepted,
        .error = b->error,
        .hint = is_twice(b) ? HINT_TWICE : NULL,
        .span = told ? (usec)duration / 1000 : 0,
        .since_start = end == ARTIFACT_WHOLE && since_start,
        .counted = "samples",
        .count = b->fields.samples,
        .empty = b->fields.samples == 0,
    };
    if (end == ARTIFACT_FOREIGN && profile_fields_whole(&b->fields))
        memcpy(ret->found, b->fields.type, sizeof(ret->found));
}

_Static_assert(sizeof(((struct artifact_facts *)0)->found) ==
                   sizeof(((struct profile_fields *)0)->type),
               "the sample type is copied as it is");

const struct artifact_body profile_body = {
    .size = sizeof(struct body),
    .init = body_init,
    .done = body_done,
    .feed = body_feed,
    .finish = body_finish,
};
