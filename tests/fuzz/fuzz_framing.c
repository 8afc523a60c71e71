/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes, in any pieces. The first two bytes of the input choose the pieces and whether the end
 * is clean; the rest is the stream. Whatever it is, the result must not depend on the pieces, the
 * sink must be given the stream's beginning, each byte once, and what is called whole must be whole
 * when it is all there is.
 */

#include <errno.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "trace/framing.h"

struct follower {
    const uint8_t *stream;
    size_t given;
    size_t whole;
    uint64_t n_whole;
};

struct result {
    struct framing f;
    struct follower follower;
    int fed;
    int finished;
};

static void on_bytes(void *userdata, const void *data, size_t n)
{
    struct follower *w = userdata;

    CHECK(n > 0);
    CHECK(memcmp(w->stream + w->given, data, n) == 0);
    w->given += n;
}

static void on_whole(void *userdata)
{
    struct follower *w = userdata;

    CHECK(w->given > w->whole);
    w->whole = w->given;
    w->n_whole++;
}

/* A step of 0 is the whole stream at once; otherwise pieces of 1 to step bytes. */
static void run(struct result *r, const uint8_t *data, size_t size, uint32_t step, bool clean)
{
    struct framing_sink sink = {on_bytes, on_whole, &r->follower};
    uint32_t random = step * 2654435761U + 1;

    memset(r, 0, sizeof(*r));
    r->follower.stream = data;
    framing_init(&r->f, &sink);
    for (size_t at = 0; at < size && r->fed == 0;) {
        size_t n = size - at;

        random = random * 1664525U + 1013904223U;
        if (step > 0 && n > 1 + (random >> 16) % step)
            n = 1 + (random >> 16) % step;
        r->fed = framing_feed(&r->f, data + at, n);
        at += n;
        CHECK(r->fed == 0 || r->fed == -EBADMSG);
        CHECK((r->fed < 0) == (r->f.error != NULL));
        CHECK(r->fed < 0 || r->f.offset == at);
        CHECK(r->f.whole_bytes <= r->f.settled && r->f.settled <= r->f.offset && r->f.offset <= at);
        CHECK(r->fed < 0 || r->f.offset - r->f.settled < FRAMING_HEADER_MAX);
        CHECK(r->f.settled == r->follower.given && r->f.whole_bytes == r->follower.whole);
    }
    if (r->fed < 0)
        CHECK(framing_feed(&r->f, data, size) == -EBADMSG);
    r->finished = framing_finish(&r->f, clean && r->fed == 0);
}

static void check_finished(const struct result *r, size_t size)
{
    const struct framing *f = &r->f;

    CHECK(f->format != FRAMING_UNKNOWN);
    CHECK(f->whole_bytes == r->follower.whole);
    CHECK(f->format == FRAMING_V2 ? f->generations == r->follower.n_whole : f->generations == 0);
    switch (r->finished) {
    case 1: CHECK(f->whole_bytes == size && !f->error); break;
    case 0: CHECK(f->whole_bytes > 16 && f->whole_bytes < size && f->error); break;
    case -ENODATA: CHECK(f->whole_bytes == 0 && f->error); break;
    default:
        CHECK(r->finished == -EBADMSG && f->format == FRAMING_NOT_A_TRACE);
        CHECK(f->whole_bytes == 0 && f->error);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct result once, pieces, cut;
    uint32_t step;
    bool clean;

    if (size < 2)
        return 0;
    step = 1 + (uint32_t)data[0];
    clean = data[1] & 1;
    data += 2;
    size -= 2;

    run(&once, data, size, 0, clean);
    check_finished(&once, size);
    run(&pieces, data, size, step, clean);
    check_finished(&pieces, size);

    CHECK(once.fed == pieces.fed && once.finished == pieces.finished);
    CHECK(once.f.format == pieces.f.format && once.f.go_minor == pieces.f.go_minor);
    CHECK(once.f.offset == pieces.f.offset && once.f.generations == pieces.f.generations);
    CHECK(once.f.whole_bytes == pieces.f.whole_bytes && once.f.error == pieces.f.error);

    if (once.f.whole_bytes > 0) {
        run(&cut, data, (size_t)once.f.whole_bytes, step, true);
        CHECK(cut.finished == 1 && cut.f.generations == once.f.generations);
    }
    return 0;
}
