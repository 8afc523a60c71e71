/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/export/proto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define VARINT_MAX 10
#define FIRST ((size_t)4096)

enum wire { WIRE_VARINT = 0, WIRE_BYTES = 2 };

void proto_init(struct proto *p)
{
    *p = (struct proto){0};
}

void proto_done(struct proto *p)
{
    free(p->data);
    *p = (struct proto){0};
}

void proto_clear(struct proto *p)
{
    p->n = 0;
    p->depth = 0;
}

static void grow(struct proto *p, size_t n)
{
    size_t cap = p->cap > 0 ? p->cap : FIRST;
    uint8_t *data;

    while (cap - p->n < n && cap < PROTO_MAX)
        cap *= 2;
    if (cap - p->n < n) {
        p->error = -E2BIG;
        return;
    }
    data = realloc(p->data, cap);
    if (!data) {
        p->error = -ENOMEM;
        return;
    }
    p->data = data;
    p->cap = cap;
}

/* Room for n more bytes; NULL after a failure. */
static inline uint8_t *room(struct proto *p, size_t n)
{
    if (__builtin_expect(p->cap - p->n < n, 0) && p->error == 0)
        grow(p, n);
    return __builtin_expect(p->error != 0, 0) ? NULL : p->data + p->n;
}

static inline uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *put_tag(uint8_t *at, unsigned field, enum wire wire)
{
    return put_varint(at, (uint64_t)field << 3 | (uint64_t)wire);
}

void proto_number(struct proto *p, unsigned field, uint64_t value)
{
    uint8_t *at = room(p, (size_t)2 * VARINT_MAX);

    if (at)
        p->n = (size_t)(put_varint(put_tag(at, field, WIRE_VARINT), value) - p->data);
}

static void put(struct proto *p, const char *data, size_t n)
{
    uint8_t *at = room(p, n);

    if (at && n > 0) {
        (void)memcpy(at, data, n);
        p->n += n;
    }
}

void proto_bytes(struct proto *p, unsigned field, const void *data, size_t n)
{
    proto_begin(p, field);
    put(p, data, n);
    proto_end(p);
}

void proto_text(struct proto *p, unsigned field, const char *text, size_t len)
{
    proto_begin(p, field);
    for (size_t i = 0; i < len && p->error == 0;) {
        size_t whole = 0, n = utf8_length(text + i, len - i);

        while (n > 0 && i + whole + n <= len) {
            whole += n;
            n = i + whole < len ? utf8_length(text + i + whole, len - i - whole) : 0;
        }
        put(p, text + i, whole);
        i += whole;
        if (i < len) {
            put(p, UTF8_REPLACEMENT, sizeof(UTF8_REPLACEMENT) - 1);
            i++;
        }
    }
    proto_end(p);
}

/* One byte is left free for the length, which is enough for most messages. */
void proto_begin(struct proto *p, unsigned field)
{
    uint8_t *at = room(p, VARINT_MAX + 1);

    if (!at)
        return;
    if (p->depth == PROTO_DEPTH) {
        p->error = -E2BIG;
        return;
    }
    p->n = (size_t)(put_tag(at, field, WIRE_BYTES) - p->data) + 1;
    p->open[p->depth++] = p->n;
}

void proto_end(struct proto *p)
{
    uint8_t length[VARINT_MAX];
    size_t begin, n, more;

    if (!room(p, VARINT_MAX))
        return;
    begin = p->open[--p->depth];
    n = p->n - begin;
    more = (size_t)(put_varint(length, n) - length) - 1;
    if (more > 0)
        (void)memmove(p->data + begin + more, p->data + begin, n);
    (void)memcpy(p->data + begin - 1, length, more + 1);
    p->n += more;
}
