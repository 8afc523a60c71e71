/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/traces.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1, FREQUENCY = 8, SYNC = 50, END = 52 };

#define BATCH_MAX 65536

static void put_byte(struct trace *t, unsigned byte)
{
    t->data[t->n++] = (uint8_t)byte;
}

static void put_number(struct trace *t, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        put_byte(t, (unsigned)(v & 0x7f) | 0x80);
    put_byte(t, (unsigned)v);
}

static void put_batch(struct trace *t, uint64_t generation, unsigned event, size_t n)
{
    put_byte(t, BATCH);
    put_number(t, generation);
    put_number(t, 4711); /* thread */
    put_number(t, t->time);
    put_number(t, n);
    for (size_t i = 0; i < n; i++)
        put_byte(t, i == 0 ? event : (unsigned)(i * 31 + generation * 7) & 0xff);
}

static void begin(struct trace *t, unsigned minor)
{
    t->n = (size_t)sprintf((char *)t->data, "go 1.%02u trace", minor % 100);
    memset(t->data + t->n, 0, 3);
    t->n += 3;
}

void traces_make(struct trace *t, unsigned minor, unsigned generations, size_t payload)
{
    *t = (struct trace){.time = 1234567890};
    t->data = malloc(64 + generations * (payload + payload / BATCH_MAX * 32 + 256));
    if (!t->data || generations > TRACES_GENERATIONS_MAX)
        abort();
    begin(t, minor);
    for (unsigned g = 1; g <= generations; g++) {
        if (minor >= 25)
            put_batch(t, g, SYNC, 9);
        for (size_t left = payload; left > 0;) {
            size_t n = left < BATCH_MAX ? left : BATCH_MAX;

            put_batch(t, g, 10, n);
            left -= n;
        }
        if (minor < 25)
            put_batch(t, g, FREQUENCY, 9);
        if (minor >= 26)
            put_byte(t, END);
        t->ends[t->n_ends++] = t->n;
    }
}

/* Of a nanosecond's clock. */
static void put_clock(struct trace *t, uint64_t generation, unsigned minor)
{
    static const uint8_t frequency[] = {SYNC, FREQUENCY, 0x80, 0x94, 0xeb, 0xdc, 0x03};
    size_t skip = minor < 25;

    put_byte(t, BATCH);
    put_number(t, generation);
    put_number(t, 4711); /* thread */
    put_number(t, t->time);
    put_number(t, sizeof(frequency) - skip);
    memcpy(t->data + t->n, frequency + skip, sizeof(frequency) - skip);
    t->n += sizeof(frequency) - skip;
}

void traces_make_timed(struct trace *t, unsigned minor, unsigned generations, uint64_t span)
{
    *t = (struct trace){0};
    t->data = malloc(64 + (size_t)generations * 256);
    if (!t->data || generations > TRACES_GENERATIONS_MAX)
        abort();
    begin(t, minor);
    for (unsigned g = 1; g <= generations; g++) {
        if (minor >= 25)
            put_clock(t, g, minor);
        put_batch(t, g, 10, 50);
        t->time = span * g / generations;
        put_batch(t, g, 10, 50);
        if (minor < 25)
            put_clock(t, g, minor);
        if (minor >= 26)
            put_byte(t, END);
        t->ends[t->n_ends++] = t->n;
    }
}

void traces_done(struct trace *t)
{
    free(t->data);
    *t = (struct trace){0};
}

void traces_sha256(const void *data, size_t n, char out[static 65])
{
    unsigned char digest[32];

    if (EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)sprintf(out + 2 * i, "%02x", digest[i]);
}

char *traces_chunked(const void *data, size_t n, size_t piece, size_t *ret_n)
{
    char *out = malloc(n + (n / piece + 2) * 32);
    size_t at = 0, len = 0;

    if (!out)
        abort();
    while (at < n) {
        size_t k = n - at < piece ? n - at : piece;

        len += (size_t)sprintf(out + len, "%zx\r\n", k);
        memcpy(out + len, (const char *)data + at, k);
        len += k;
        len += (size_t)sprintf(out + len, "\r\n");
        at += k;
    }
    len += (size_t)sprintf(out + len, "0\r\n\r\n");
    *ret_n = len;
    return out;
}
