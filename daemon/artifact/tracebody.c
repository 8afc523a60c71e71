/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/artifact/tracebody.h"

#include <errno.h>

#include "trace/framing.h"

/* If a trace claims to be longer than this, its clock is wrong. */
#define SPAN_MAX 1e6 /* seconds */

struct body {
    struct framing framing;
};

static int body_init(void *userdata, const struct artifact *a, const struct artifact_sink *sink)
{
    struct body *b = userdata;

    (void)a;
    framing_init(&b->framing, &(struct framing_sink){sink->bytes, sink->whole, sink->userdata});
    return 0;
}

static void body_done(void *userdata)
{
    (void)userdata;
}

static int body_feed(void *userdata, const void *data, size_t n, size_t *ret_good)
{
    struct body *b = userdata;
    uint64_t before = b->framing.offset;
    int r = framing_feed(&b->framing, data, n);

    /* A body that turns out to be text may have begun in an earlier call, so `offset` may be below
     * `before`. */
    *ret_good = n;
    if (r < 0)
        *ret_good = b->framing.offset > before ? (size_t)(b->framing.offset - before) : 0;
    return r;
}

/*
 * The time that the trace covers, by its own clock. A trace of Go before 1.22 is not parsed for it:
 * its span is taken to be that of the request, because the service waits that long before it ends
 * the answer.
 */
static usec span_of(const struct framing *f, usec taken)
{
    double span = framing_span(f);

    if (f->format == FRAMING_V1)
        return taken;
    return span < SPAN_MAX ? (usec)(span * (double)USEC_PER_SEC) : 0;
}

static enum artifact_end end_of(const struct framing *f, int kept)
{
    if (kept >= 0)
        return kept == 1 ? ARTIFACT_WHOLE : ARTIFACT_PART;
    return f->format == FRAMING_NOT_A_TRACE || kept == -EBADMSG ? ARTIFACT_FOREIGN
                                                                : ARTIFACT_NOTHING;
}

static void body_finish(void *userdata, bool clean, usec taken, usec window,
                        struct artifact_facts *ret)
{
    struct framing *f = &((struct body *)userdata)->framing;
    int kept = framing_finish(f, clean);

    (void)window;
    *ret = (struct artifact_facts){
        .end = end_of(f, kept),
        .bytes = f->whole_bytes,
        .accepted = f->offset,
        .error = f->error,
        .span = kept >= 0 ? span_of(f, taken) : 0,
        .go_minor = f->go_minor,
        .counted = "generations",
        .count = f->generations,
    };
}

const struct artifact_body trace_body = {
    .size = sizeof(struct body),
    .init = body_init,
    .done = body_done,
    .feed = body_feed,
    .finish = body_finish,
};
