/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/reader/specs.h"

struct rawtrace_bytes rawtrace, rawtrace_batch;
uint64_t rawtrace_generation;
static uint64_t batch_m, batch_time;

void rawtrace_put(struct rawtrace_bytes *b, const void *data, size_t n)
{
    assert_true(n <= sizeof(b->data) - b->n);
    if (n > 0)
        memcpy(b->data + b->n, data, n);
    b->n += n;
}

void rawtrace_number(struct rawtrace_bytes *b, uint64_t v)
{
    uint8_t byte;

    for (; v >= 0x80; v >>= 7) {
        byte = (uint8_t)(v | 0x80);
        rawtrace_put(b, &byte, 1);
    }
    byte = (uint8_t)v;
    rawtrace_put(b, &byte, 1);
}

void rawtrace_begin(unsigned minor)
{
    char text[17] = {0};

    rawtrace.n = 0;
    rawtrace_generation = 1;
    (void)snprintf(text, sizeof(text), "go 1.%02u trace", minor % 100);
    rawtrace_put(&rawtrace, text, 16);
}

void rawtrace_begin_batch(uint64_t m, uint64_t time)
{
    rawtrace_batch.n = 0;
    batch_m = m;
    batch_time = time;
}

uint64_t rawtrace_end_batch(void)
{
    uint64_t at;

    rawtrace_number(&rawtrace, EV_EVENT_BATCH);
    rawtrace_number(&rawtrace, rawtrace_generation);
    rawtrace_number(&rawtrace, batch_m);
    rawtrace_number(&rawtrace, batch_time);
    rawtrace_number(&rawtrace, rawtrace_batch.n);
    at = rawtrace.n;
    rawtrace_put(&rawtrace, rawtrace_batch.data, rawtrace_batch.n);
    return at;
}

uint64_t rawtrace_event(unsigned type, unsigned n, ...)
{
    uint64_t at = rawtrace_batch.n;
    va_list args;

    va_start(args, n);
    rawtrace_number(&rawtrace_batch, type);
    for (unsigned i = 0; i < n; i++)
        rawtrace_number(&rawtrace_batch, va_arg(args, uint64_t));
    va_end(args);
    return at;
}

void rawtrace_sync(void)
{
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_SYNC);
    rawtrace_event(EV_FREQUENCY, 1, U(2000000000));
    rawtrace_event(EV_CLOCK_SNAPSHOT, 4, U(99), U(7000), U(1700000000), U(5));
    rawtrace_end_batch();
}

void rawtrace_string(uint64_t id, const char *text)
{
    rawtrace_number(&rawtrace_batch, EV_STRING);
    rawtrace_number(&rawtrace_batch, id);
    rawtrace_number(&rawtrace_batch, strlen(text));
    rawtrace_put(&rawtrace_batch, text, strlen(text));
}

void rawtrace_tables(void)
{
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(1, "main.inner");
    rawtrace_string(2, "main.main");
    rawtrace_string(3, "a.go");
    rawtrace_string(4, "sync");
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    rawtrace_event(EV_STACK, 2, U(7), U(2));
    for (unsigned i = 0; i < 2; i++) {
        rawtrace_number(&rawtrace_batch, 100 * (i + 1));
        rawtrace_number(&rawtrace_batch, i + 1);
        rawtrace_number(&rawtrace_batch, 3);
        rawtrace_number(&rawtrace_batch, 10 + i);
    }
    rawtrace_end_batch();
}

void rawtrace_begin_running(uint64_t time)
{
    rawtrace_begin_batch(5, time);
    EVENT3(PROC_STATUS, 1, 0, P_RUNNING);
    EVENT4(GO_STATUS, 1, 1, 5, G_RUNNING);
}

void rawtrace_end_generation(void)
{
    rawtrace_number(&rawtrace, EV_END_OF_GENERATION);
    rawtrace_generation++;
}

void rawtrace_small(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(200);
    EVENT4(GO_CREATE, 10, 2, 7, 7);
    EVENT3(GO_BLOCK, 10, 4, 7);
    EVENT3(GO_START, 10, 2, 1);
    rawtrace_end_batch();
    rawtrace_end_generation();
}

struct rawtrace_source rawtrace_source;

ssize_t rawtrace_read(void *userdata, void *data, size_t n)
{
    struct rawtrace_source *s = userdata;

    if (n > s->left)
        n = s->left;
    if (n > s->piece)
        n = s->piece;
    if (n == 0)
        return s->error;
    memcpy(data, s->data, n);
    s->data += n;
    s->left -= n;
    return (ssize_t)n;
}

struct gotrace *rawtrace_open(size_t n, const struct gotrace_options *options)
{
    struct gotrace *t;

    rawtrace_source = (struct rawtrace_source){rawtrace.data, n, SIZE_MAX, 0};
    assert_int_equal(gotrace_open(options, rawtrace_read, &rawtrace_source, &t), 0);
    return t;
}
