/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whatever a service answers, in one piece or in many: each artifact's body says the same of it,
 * never keeps more than came, and tells its sink of all that it accepts.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon/artifact/artifacts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    uint64_t bytes, whole;
};

static void on_bytes(void *userdata, const void *data, size_t n)
{
    (void)data;
    ((struct heard *)userdata)->bytes += n;
}

static void on_whole(void *userdata)
{
    struct heard *h = userdata;

    h->whole = h->bytes;
}

static struct artifact_facts play(const struct artifact *a, const uint8_t *data, size_t size,
                                  size_t step)
{
    struct heard heard = {0};
    const struct artifact_sink sink = {on_bytes, on_whole, &heard};
    void *body = calloc(1, a->body->size);
    struct artifact_facts facts;
    size_t accepted = 0, good;
    int r = 0;

    if (!body || a->body->init(body, a, &sink) < 0)
        abort();
    for (size_t at = 0; at < size && r == 0; at += step) {
        size_t n = size - at < step ? size - at : step;

        r = a->body->feed(body, data + at, n, &good);
        if (good > n || (r == 0 && good < n))
            abort();
        accepted += good;
    }
    a->body->finish(body, r == 0, 1, 1, &facts);
    a->body->done(body);
    free(body);
    if (facts.accepted > accepted || facts.bytes > accepted || heard.bytes > accepted)
        abort();
    if ((facts.end == ARTIFACT_WHOLE || facts.end == ARTIFACT_PART) && heard.whole != facts.bytes)
        abort();
    return facts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < n_artifacts; i++) {
        const struct artifact *a = artifacts[i];
        struct artifact_facts whole = play(a, data, size, size ? size : 1);
        struct artifact_facts pieces = play(a, data, size, 1 + size / 7);

        if (whole.end != pieces.end || whole.bytes != pieces.bytes || whole.count != pieces.count)
            abort();
        (void)play(a, data, size, 1);
    }
    return 0;
}
