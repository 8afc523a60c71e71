/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/seed.h"
#include "trace/framing.h"

enum { BATCH = 1, FREQUENCY = 8, EXPERIMENTAL = 49, SYNC = 50, END = 52 };

struct stream {
    uint8_t data[160 << 10];
    size_t n;
    size_t ends[16]; /* where generations end, the last one of a clean stream included */
    size_t n_ends;
};

static struct stream stream; /* too big for the stack; every test begins with stream_header */

static void put(const void *data, size_t n)
{
    assert_true(n <= sizeof(stream.data) - stream.n);
    memcpy(stream.data + stream.n, data, n);
    stream.n += n;
}

static void put_byte(unsigned byte)
{
    uint8_t b = (uint8_t)byte;

    put(&b, 1);
}

/* width: as the runtime pads the size of a batch */
static void put_number(uint64_t v, unsigned width)
{
    for (; v >= 0x80 || width > 1; v >>= 7, width -= width > 1)
        put_byte((unsigned)(v & 0x7f) | 0x80);
    put_byte((unsigned)v);
}

static void put_header(unsigned minor)
{
    char text[17];

    memset(&stream, 0, sizeof(stream));
    assert_int_equal(snprintf(text, sizeof(text), "go 1.%02u trace", minor % 100), 13);
    put(text, 13);
    put("\0\0\0", 3);
}

static void put_batch_header(uint64_t gen, uint64_t size)
{
    put_byte(BATCH);
    put_number(gen, 1);
    put_number(UINT64_MAX, 1);
    put_number(1234567890123, 1);
    put_number(size, 10);
}

/* A batch of n bytes that opens with an event and goes on with what looks like batch headers. */
static void put_batch(uint64_t gen, unsigned event, size_t n)
{
    put_batch_header(gen, n);
    for (size_t i = 0; i < n; i++)
        put_byte(i == 0 ? event : i % 3 == 0 ? END : BATCH);
}

static unsigned clock_event(unsigned minor)
{
    return minor >= 25 ? SYNC : FREQUENCY;
}

static void put_end(unsigned minor)
{
    if (minor >= 26)
        put_byte(END);
    stream.ends[stream.n_ends++] = stream.n;
}

static void put_generation(unsigned minor, uint64_t gen)
{
    put_batch(gen, 10, 50);
    put_batch(gen, clock_event(minor), 9);
    if (minor >= 23) {
        put_byte(EXPERIMENTAL);
        put_byte(1);
        put_number(gen, 1);
        put_number(77, 1);
        put_number(88, 1);
        put_number(3, 1);
        put("\1\2\3", 3);
    }
    put_batch(gen, 4, 0);
    put_batch(gen, 4, 130);
    put_end(minor);
}

static void put_trace(unsigned minor)
{
    put_header(minor);
    for (uint64_t gen = 126; gen <= 129; gen++) /* the number's width changes on the way */
        put_generation(minor, gen);
}

#define FNV_BASIS 0xcbf29ce484222325U

static uint64_t fnv(uint64_t hash, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ data[i]) * 0x100000001b3U;
    return hash;
}

struct follower {
    struct framing f;
    uint64_t running, whole; /* hashes of what settled, and of what is whole */
    size_t ends[16];
    size_t n_ends;
    int fed, finished;
};

static void on_bytes(void *userdata, const void *data, size_t n)
{
    struct follower *w = userdata;

    w->running = fnv(w->running, data, n);
}

static void on_whole(void *userdata)
{
    struct follower *w = userdata;

    w->whole = w->running;
    if (w->n_ends < sizeof(w->ends) / sizeof(w->ends[0]))
        w->ends[w->n_ends++] = (size_t)w->f.whole_bytes;
}

static void start(struct follower *w)
{
    struct framing_sink sink = {on_bytes, on_whole, w};

    memset(w, 0, sizeof(*w));
    w->running = FNV_BASIS;
    framing_init(&w->f, &sink);
}

/* longest 0: all at once; otherwise pieces of that many bytes, or of 1 to that many at random. */
static void follow(struct follower *w, const uint8_t *data, size_t size, size_t longest,
                   bool random_pieces, bool clean)
{
    start(w);
    for (size_t at = 0; at < size && w->fed == 0;) {
        size_t n = longest == 0 ? size : random_pieces ? 1 + (size_t)random() % longest : longest;

        if (n > size - at)
            n = size - at;
        w->fed = framing_feed(&w->f, data + at, n);
        at += n;
    }
    w->finished = framing_finish(&w->f, clean && w->fed == 0);
    assert_true(w->f.whole_bytes <= w->f.settled);
    assert_true(w->f.settled <= w->f.offset);
    assert_true(w->f.offset <= size);
    if (w->f.whole_bytes > 0)
        assert_true(w->whole == fnv(FNV_BASIS, data, (size_t)w->f.whole_bytes));
}

static void assert_same(const struct follower *a, const struct follower *b)
{
    assert_int_equal(a->fed, b->fed);
    assert_int_equal(a->finished, b->finished);
    assert_int_equal(a->f.format, b->f.format);
    assert_int_equal(a->f.go_minor, b->f.go_minor);
    assert_int_equal(a->f.offset, b->f.offset);
    assert_int_equal(a->f.whole_bytes, b->f.whole_bytes);
    assert_int_equal(a->f.generations, b->f.generations);
    assert_ptr_equal(a->f.error, b->f.error);
    assert_int_equal(a->n_ends, b->n_ends);
    assert_memory_equal(a->ends, b->ends, sizeof(a->ends));
}

/* Feeds the stream in every way; they must agree. */
static void follow_stream(struct follower *w, bool clean)
{
    static const size_t longest[] = {1, 2, 15, 16, 17, 41, 42, 100};
    struct follower other;

    follow(w, stream.data, stream.n, 0, false, clean);
    for (size_t i = 0; i < sizeof(longest) / sizeof(longest[0]); i++) {
        follow(&other, stream.data, stream.n, longest[i], false, clean);
        assert_same(w, &other);
        follow(&other, stream.data, stream.n, longest[i], true, clean);
        assert_same(w, &other);
    }
}

static void assert_refused(uint64_t whole_bytes, const char *error)
{
    struct follower w;

    follow_stream(&w, true);
    assert_int_equal(w.fed, -EBADMSG);
    assert_string_equal(w.f.error, error);
    assert_int_equal(w.f.whole_bytes, whole_bytes);
    assert_int_equal(w.finished, whole_bytes > 0 ? 0 : -ENODATA);
    assert_int_equal(framing_feed(&w.f, "x", 1), -EBADMSG);
    assert_int_equal(framing_finish(&w.f, true), w.finished);
}

static void test_versions(void **state)
{
    (void)state;
    for (unsigned minor = 0; minor < 100; minor++) {
        bool v1 = minor == 11 || minor == 19 || minor == 21;
        bool v2 = minor == 22 || minor == 23 || minor >= 25;
        struct follower w;

        put_header(minor);
        put_byte(BATCH);
        follow_stream(&w, false);
        assert_int_equal(w.f.format, v1 ? FRAMING_V1 : v2 ? FRAMING_V2 : FRAMING_NOT_A_TRACE);
        assert_int_equal(w.f.go_minor, v1 || v2 ? minor : 0);
        assert_int_equal(w.finished, v1 || v2 ? -ENODATA : -EBADMSG);
    }
}

static void test_refused_at_the_first_wrong_byte(void **state)
{
    (void)state;
    put_header(26);
    for (size_t at = 0; at < 16; at++) {
        uint8_t right = stream.data[at];

        for (unsigned byte = 0; byte < 256; byte++) {
            struct framing f;
            int r;

            stream.data[at] = (uint8_t)byte;
            framing_init(&f, NULL);
            r = framing_feed(&f, stream.data, at);
            assert_int_equal(r, 0);
            assert_int_equal(f.format, FRAMING_UNKNOWN);
            r = framing_feed(&f, stream.data + at, 1);
            if (byte == right || (at == 5 && byte >= '0' && byte <= '9'))
                continue;
            if (at == 6 && byte >= '1' && byte <= '9' && byte != '4')
                continue;
            assert_int_equal(r, -EBADMSG);
            assert_int_equal(f.format, FRAMING_NOT_A_TRACE);
            assert_int_equal(f.offset, at);
            assert_non_null(f.error);
            assert_int_equal(framing_finish(&f, true), -EBADMSG);
        }
        stream.data[at] = right;
    }
}

static void test_too_short(void **state)
{
    struct follower w;

    (void)state;
    put_header(26);
    for (size_t n = 0; n < 16; n++) {
        follow(&w, stream.data, n, 0, false, true);
        assert_int_equal(w.fed, 0);
        assert_int_equal(w.finished, -EBADMSG);
        assert_int_equal(w.f.format, FRAMING_NOT_A_TRACE);
        assert_string_equal(w.f.error, n == 0 ? "empty" : "ends within the header");
    }
    for (unsigned minor = 21; minor <= 26; minor++) {
        if (minor == 24)
            continue;
        put_header(minor);
        follow_stream(&w, true);
        assert_int_equal(w.finished, -ENODATA);
        assert_string_equal(w.f.error, "nothing after the header");
    }
}

static void test_old_format(void **state)
{
    struct follower w;

    (void)state;
    put_header(21);
    for (unsigned i = 0; i < 1000; i++)
        put_byte(i * 7);
    follow_stream(&w, true);
    assert_int_equal(w.finished, 1);
    assert_int_equal(w.f.whole_bytes, 1016);
    assert_int_equal(w.f.generations, 0);
    assert_null(w.f.error);

    follow_stream(&w, false);
    assert_int_equal(w.finished, -ENODATA);
    assert_int_equal(w.f.whole_bytes, 0);
    assert_string_equal(w.f.error, "broken off");
}

static const unsigned v2_minors[] = {22, 23, 25, 26, 27, 99};
#define N_V2_MINORS (sizeof(v2_minors) / sizeof(v2_minors[0]))

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_V2_MINORS; i++) {
        struct follower w;

        put_trace(v2_minors[i]);
        follow_stream(&w, true);
        assert_int_equal(w.finished, 1);
        assert_null(w.f.error);
        assert_int_equal(w.f.generations, 4);
        assert_int_equal(w.f.whole_bytes, stream.n);
        assert_int_equal(w.n_ends, 4);
        assert_memory_equal(w.ends, stream.ends, sizeof(w.ends));
    }
}

/* A trace cut anywhere, cleanly or not, is whole up to the last end of a generation that shows. */
static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_V2_MINORS; i++) {
        bool explicit_end = v2_minors[i] >= 26;
        struct follower w;

        put_trace(v2_minors[i]);
        for (size_t n = 16; n <= stream.n; n++) {
            size_t expected = 0, generations = 0;

            for (size_t g = 0; g < stream.n_ends; g++) {
                /* the next batch's header, a byte longer from generation 128 on */
                size_t shows = stream.ends[g] + (explicit_end ? 0 : g == 0 ? 28 : 29);

                if (n >= shows) {
                    expected = stream.ends[g];
                    generations = g + 1;
                }
            }
            follow(&w, stream.data, n, 0, false, false);
            assert_int_equal(w.fed, 0);
            assert_int_equal(w.f.whole_bytes, expected);
            assert_int_equal(w.f.generations, generations);
            assert_int_equal(w.finished, expected == 0 ? -ENODATA : expected == n ? 1 : 0);
            assert_true(w.finished == 1 || w.f.error);
            follow(&w, stream.data, n, 7, true, false);
            assert_int_equal(w.f.whole_bytes, expected);
        }
    }
}

/* Without an explicit end, a clean one counts between batches, after the generation's clock. */
static void test_clean_end(void **state)
{
    size_t clock_end, batch_end;
    struct follower w;

    (void)state;
    put_header(22);
    put_generation(22, 1);
    put_batch(2, 10, 20);
    batch_end = stream.n;
    put_batch(2, FREQUENCY, 5);
    clock_end = stream.n;
    put_batch(2, 4, 20);

    follow(&w, stream.data, batch_end, 0, false, true);
    assert_int_equal(w.finished, 0);
    assert_int_equal(w.f.whole_bytes, stream.ends[0]);
    assert_string_equal(w.f.error, "ends within a generation");

    for (size_t n = batch_end + 1; n <= stream.n; n++) {
        bool whole = n == clock_end || n == stream.n;

        follow(&w, stream.data, n, 0, false, true);
        assert_int_equal(w.finished, whole ? 1 : 0);
        assert_int_equal(w.f.whole_bytes, whole ? n : stream.ends[0]);
        assert_int_equal(w.f.generations, whole ? 2 : 1);
        if (!whole)
            assert_string_equal(w.f.error, "ends within a batch");
    }
}

/* From 1.26 on only the end that the trace itself states counts, and it counts at once. */
static void test_explicit_end(void **state)
{
    struct follower w;

    (void)state;
    put_trace(26);
    start(&w);
    assert_int_equal(framing_feed(&w.f, stream.data, stream.ends[0] - 1), 0);
    assert_int_equal(w.f.whole_bytes, 0);
    assert_int_equal(framing_feed(&w.f, stream.data + stream.ends[0] - 1, 1), 0);
    assert_int_equal(w.f.whole_bytes, stream.ends[0]);
    assert_int_equal(w.f.generations, 1);

    follow(&w, stream.data, stream.ends[1] - 1, 0, false, true);
    assert_int_equal(w.finished, 0);
    assert_int_equal(w.f.whole_bytes, stream.ends[0]);
    assert_string_equal(w.f.error, "ends within a generation");

    follow(&w, stream.data, stream.ends[1], 0, false, false);
    assert_int_equal(w.finished, 1);
}

/* The sink is behind by a batch header and never by more. */
static void test_sink_lags_by_a_header(void **state)
{
    struct follower w;

    (void)state;
    put_trace(25);
    start(&w);
    for (size_t n = 1; n <= stream.n; n++) {
        assert_int_equal(framing_feed(&w.f, stream.data + n - 1, 1), 0);
        assert_int_equal(w.f.offset, n);
        assert_true(w.f.offset - w.f.settled < FRAMING_HEADER_MAX);
        assert_true(w.running == fnv(FNV_BASIS, stream.data, (size_t)w.f.settled));
    }
    assert_int_equal(w.f.settled, stream.n);
}

static void test_generation_numbers(void **state)
{
    static const uint64_t wrong[] = {1, 4, 6 + (1ULL << 32), UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < N_V2_MINORS; i++) {
        unsigned minor = v2_minors[i];

        put_header(minor);
        put_batch(0, clock_event(minor), 9);
        assert_refused(0, "generation 0");

        for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
            put_header(minor);
            put_generation(minor, 4);
            put_generation(minor, 5);
            put_batch(wrong[k], clock_event(minor), 9);
            if (minor < 26) /* nothing proved that the second one is over */
                assert_refused(stream.ends[0], "generations out of order");
            else
                assert_refused(stream.ends[1], "generations out of order");
        }
    }
    put_header(26);
    put_generation(26, 5);
    put_generation(26, 5);
    assert_refused(stream.ends[0], "generations out of order");
    put_header(26);
    put_batch(5, SYNC, 9);
    put_batch(6, SYNC, 9);
    assert_refused(0, "generation without an end");
}

static void test_wraparound(void **state)
{
    static const uint64_t greatest[] = {UINT32_MAX, UINT64_MAX};
    struct follower w;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        put_header(26);
        put_generation(26, greatest[i]);
        put_generation(26, 4);
        follow_stream(&w, true);
        assert_int_equal(w.finished, 1);
        assert_int_equal(w.f.generations, 2);

        put_header(25);
        put_generation(25, greatest[i]);
        put_generation(25, 4);
        assert_refused(0, "generations out of order");
    }
    put_header(26);
    put_generation(26, UINT64_MAX);
    put_generation(26, 0);
    assert_refused(stream.ends[0], "generation 0");
}

static void test_clock_is_needed(void **state)
{
    (void)state;
    put_header(22);
    put_batch(1, SYNC, 9); /* the later version's */
    put_batch(2, FREQUENCY, 9);
    assert_refused(0, "generation without a frequency batch");
    put_header(25);
    put_batch(1, FREQUENCY, 9); /* the earlier version's */
    put_batch(2, SYNC, 9);
    assert_refused(0, "generation without a sync batch");

    put_header(26);
    put_byte(EXPERIMENTAL); /* an experiment's bytes mean what the experiment likes */
    put("\1\1\1\1\1\62", 6);
    put_byte(END);
    assert_refused(0, "generation without a sync batch");
}

#define NO_BATCH "not a batch"
#define TEXT "text in the trace: another trace, or what the program printed"

static void test_stray_bytes(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        bool text = (byte >= ' ' && byte <= '~') || (byte >= '\t' && byte <= '\r');

        if (byte == BATCH || byte == EXPERIMENTAL || byte == END)
            continue;
        put_trace(26);
        put_byte(byte);
        put("\1\1\1\1", 4);
        assert_refused(stream.ends[3], NO_BATCH);
        put_trace(26);
        put_byte(byte);
        put("and", 3);
        assert_refused(stream.ends[3], text ? TEXT : NO_BATCH);
    }
    put_trace(26);
    put_byte(END);
    assert_refused(stream.ends[3], "end of a generation that has no batch");
    put_trace(25);
    put_byte(END);
    assert_refused(stream.ends[2], "end of generation in a version that has none");
}

/* A few characters may be chance, unless the trace ends with them; however the stream is cut. */
static void test_text(void **state)
{
    static const struct {
        const char *text;
        int fed;
        const char *error;
    } rows[] = {
        {"ok!\1", -EBADMSG, NO_BATCH},
        {"ok\1\1", -EBADMSG, NO_BATCH},
        {"o\1\1\1", -EBADMSG, NO_BATCH},
        {"done", -EBADMSG, TEXT},
        {"done and more", -EBADMSG, TEXT},
        {"ok\n", 0, TEXT},
        {"\n", 0, TEXT},
    };
    struct follower w;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t step = 0; step < 6; step++) {
            put_trace(26);
            put(rows[i].text, strlen(rows[i].text));
            follow(&w, stream.data, stream.n, step, false, true);
            assert_int_equal(w.fed, rows[i].fed);
            assert_int_equal(w.finished, 0);
            assert_string_equal(w.f.error, rows[i].error);
            assert_int_equal(w.f.offset, stream.ends[3]);
            assert_int_equal(w.f.whole_bytes, stream.ends[3]);
        }
    }
}

static void test_batch_size(void **state)
{
    struct follower w;

    (void)state;
    put_header(26);
    put_batch(1, SYNC, 64 << 10);
    put_end(26);
    follow(&w, stream.data, stream.n, 0, false, true);
    assert_int_equal(w.finished, 1);
    follow(&w, stream.data, stream.n, 4096, true, true);
    assert_int_equal(w.finished, 1);

    for (uint64_t size = 65537; size != 0; size <<= 1) {
        put_header(26);
        put_generation(26, 1);
        put_batch_header(2, size);
        assert_refused(stream.ends[0], "batch of more than 64 KiB");
    }
}

static void test_long_numbers(void **state)
{
    static const char text[] = "number of more than 64 bits in a batch header";

    (void)state;
    for (unsigned field = 0; field < 4; field++) {
        for (unsigned last = 0; last <= 2; last++) {
            struct follower w;

            put_header(22);
            put_byte(BATCH);
            for (unsigned i = 0; i < field; i++)
                put_byte(1);
            put("\x81\x80\x80\x80\x80\x80\x80\x80\x80", 9);
            put_byte(last); /* the tenth holds the 64th bit and nothing more */
            for (unsigned i = field + 1; i < 4; i++)
                put_byte(1);
            put_byte(FREQUENCY);
            if (last == 2 || (last == 1 && field == 3)) {
                assert_refused(0, last == 2 ? text : "batch of more than 64 KiB");
                continue;
            }
            follow_stream(&w, true);
            assert_int_equal(w.finished, 1);
        }
        put_header(22);
        put_byte(BATCH);
        for (unsigned i = 0; i < field; i++)
            put_byte(1);
        put("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
        assert_refused(0, text);
    }
}

/* Any byte of the trace changed to anything: pieces change nothing, and what is kept is whole. */
static void test_corruption(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_V2_MINORS; i++) {
        put_trace(v2_minors[i]);
        for (size_t at = 0; at < stream.n; at++) {
            uint8_t right = stream.data[at];

            for (unsigned k = 0; k < 12; k++) {
                static const uint8_t bytes[] = {0, 1, 4, 8, 49, 50, 52, 0x7f, 0x80, 0xff};
                struct follower a, b;

                stream.data[at] = k < sizeof(bytes) ? bytes[k] : (uint8_t)random();
                follow(&a, stream.data, stream.n, 0, false, true);
                follow(&b, stream.data, stream.n, 5, true, true);
                assert_same(&a, &b);
                if (a.f.whole_bytes == 0)
                    continue;
                follow(&b, stream.data, (size_t)a.f.whole_bytes, 0, false, true);
                assert_int_equal(b.finished, 1);
                assert_int_equal(b.f.generations, a.f.generations);
            }
            stream.data[at] = right;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_refused_at_the_first_wrong_byte),
        cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_old_format),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_clean_end),
        cmocka_unit_test(test_explicit_end),
        cmocka_unit_test(test_sink_lags_by_a_header),
        cmocka_unit_test(test_generation_numbers),
        cmocka_unit_test(test_wraparound),
        cmocka_unit_test(test_clock_is_needed),
        cmocka_unit_test(test_stray_bytes),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_batch_size),
        cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_corruption),
    };

    return cmocka_run_group_tests_name("framing", tests, seed_setup, NULL);
}
