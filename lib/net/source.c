/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/exchange.h"

int source_init(struct source *s, const struct http_body *body)
{
    *s = (struct source){.fd = body->fd, .size = body->size};
    if (!body->data)
        return body->size > INT64_MAX || body->fd < 0 ? -EINVAL : 0;
    if (body->size > HTTP_BODY_MAX)
        return -EINVAL;
    s->memory = malloc(body->size + 1);
    if (!s->memory)
        return -ENOMEM;
    memcpy(s->memory, body->data, body->size);
    return 0;
}

void source_done(struct source *s)
{
    if (s->memory)
        explicit_bzero(s->memory, s->size);
    free(s->memory);
    *s = (struct source){.fd = -1};
}

ssize_t source_read(struct source *s, void *out, size_t n)
{
    ssize_t got;

    if (n > s->size - s->at)
        n = (size_t)(s->size - s->at);
    if (n == 0)
        return 0;
    if (s->memory) {
        memcpy(out, s->memory + s->at, n);
        got = (ssize_t)n;
    } else {
        do
            got = pread(s->fd, out, n, (off_t)s->at);
        while (got < 0 && errno == EINTR);
    }
    if (got < 0) {
        got = -errno;
        (void)snprintf(s->error, sizeof(s->error), "cannot read the file to send: %s",
                       strerror((int)-got));
        return got;
    }
    if (got == 0) {
        (void)snprintf(s->error, sizeof(s->error),
                       "the file to send ends at byte %" PRIu64 " of %" PRIu64, s->at, s->size);
        return -ENODATA;
    }
    s->at += (uint64_t)got;
    return got;
}

int source_seek(struct source *s, uint64_t at)
{
    if (at > s->size)
        return -EINVAL;
    s->at = at;
    return 0;
}
