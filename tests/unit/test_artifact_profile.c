/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "daemon/artifact/artifacts.h"
#include "daemon/artifact/profile.h"

/* Fields of message Profile as they stand in it: key, and then a length or a number. */
#define TYPE "\x0a\x04\x08\x01\x10\x02" /* sample_type */
#define SAMPLE "\x12\x03\x0a\x01\x01"   /* sample */
#define STRINGS        \
    "\x32\x00\x32\x05" \
    "delay"                                 /* string_table */
#define TOOK "\x50\x80\xc8\xaf\xa0\x25"     /* duration_nanos: 10,000,000,000 */
#define COMMENTS "\x6a\x02\x01\x02\x68\x03" /* comment: packed, and not */
#define LATER "\xf2\x01\x01x\xf8\x01\x05"   /* fields that are not known yet */

#define GZIP 31

struct bytes {
    unsigned char *data;
    size_t n;
};

static struct bytes compress_as(const void *data, size_t n, int bits)
{
    z_stream z = {0};
    struct bytes out = {.n = n + n / 1000 + 200};

    out.data = malloc(out.n);
    assert_non_null(out.data);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)n;
    z.next_out = out.data;
    z.avail_out = (uInt)out.n;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.n = z.total_out;
    (void)deflateEnd(&z);
    return out;
}

/* What a sink is given. */
struct heard {
    unsigned char *data;
    size_t n;
    unsigned whole;
};

static void on_bytes(void *userdata, const void *data, size_t n)
{
    struct heard *h = userdata;

    h->data = realloc(h->data, h->n + n + 1);
    assert_non_null(h->data);
    memcpy(h->data + h->n, data, n);
    h->n += n;
}

static void on_whole(void *userdata)
{
    ((struct heard *)userdata)->whole++;
}

#define TAKEN (10 * USEC_PER_SEC)

static usec window = 2 * TAKEN; /* it came sooner than was asked for */

/* The body in pieces of `step` bytes, until one of them is refused. */
static int play_as(enum kind kind, const void *data, size_t n, size_t step,
                   struct artifact_facts *ret)
{
    struct heard heard = {0};
    const struct artifact_sink sink = {on_bytes, on_whole, &heard};
    void *body = calloc(1, profile_body.size);
    size_t accepted = 0;
    int r = 0;

    assert_non_null(body);
    assert_int_equal(profile_body.init(body, artifacts_of_kind(kind), &sink), 0);
    for (size_t at = 0; at < n && r == 0; at += step) {
        size_t good, more = n - at < step ? n - at : step;

        r = profile_body.feed(body, (const char *)data + at, more, &good);
        assert_true(good <= more && (r < 0 || good == more));
        accepted += good;
    }
    if (r < 0) {
        size_t good;

        assert_true(profile_body.feed(body, "x", 1, &good) < 0); /* and stays so */
        assert_int_equal(good, 0);
    }
    profile_body.finish(body, r == 0, TAKEN, window, ret);
    profile_body.done(body);
    free(body);
    assert_int_equal(ret->accepted, accepted);
    assert_int_equal(heard.n, accepted);
    assert_true(accepted == 0 || memcmp(heard.data, data, accepted) == 0);
    assert_int_equal(heard.whole, ret->end == ARTIFACT_WHOLE);
    assert_int_equal(ret->bytes, ret->end == ARTIFACT_WHOLE ? n : 0);
    free(heard.data);
    return r;
}

static int play(const void *data, size_t n, size_t step, struct artifact_facts *ret)
{
    return play_as(KIND_MUTEX, data, n, step, ret);
}

static int play_profile(const char *message, size_t n, struct artifact_facts *ret)
{
    struct bytes b = compress_as(message, n, GZIP);
    int r = play(b.data, b.n, b.n, ret);

    for (size_t step = 1; step < b.n; step += step < 16 ? 1 : 97) {
        struct artifact_facts again;

        (void)play(b.data, b.n, step, &again);
        assert_int_equal(again.end, ret->end);
        assert_int_equal(again.count, ret->count);
    }
    free(b.data);
    return r;
}

#define PLAY(message, ret) play_profile(message, sizeof(message) - 1, ret)

static void test_whole(void **state)
{
    static const char message[] = TYPE SAMPLE SAMPLE STRINGS TOOK COMMENTS LATER;
    struct artifact_facts f;

    (void)state;
    assert_int_equal(PLAY(message, &f), 0);
    assert_int_equal(f.end, ARTIFACT_WHOLE);
    assert_string_equal(f.counted, "samples");
    assert_int_equal(f.count, 2);
    assert_false(f.empty);
    assert_int_equal(f.span, 10 * USEC_PER_SEC);
    assert_false(f.since_start);
    assert_string_equal(f.found, "");
    assert_int_equal(f.go_minor, 0);
    assert_null(f.error);
}

static void test_empty(void **state)
{
    static const char message[] = TYPE STRINGS TOOK;
    struct artifact_facts f;

    (void)state;
    assert_int_equal(PLAY(message, &f), 0);
    assert_int_equal(f.end, ARTIFACT_WHOLE);
    assert_true(f.empty);
    assert_int_equal(f.count, 0);
}

/* Wherever it breaks off: nothing of it is kept. */
static void test_cut(void **state)
{
    static const char message[] = TYPE SAMPLE STRINGS TOOK;
    struct bytes b = compress_as(message, sizeof(message) - 1, GZIP);
    struct artifact_facts f;

    (void)state;
    for (size_t n = 1; n < b.n; n++) {
        assert_int_equal(play(b.data, n, 7, &f), 0);
        assert_int_equal(f.end, ARTIFACT_NOTHING);
        assert_int_equal(f.bytes, 0);
    }
    free(b.data);
    (void)play("", 0, 1, &f);
    assert_int_equal(f.end, ARTIFACT_FOREIGN); /* nothing at all */
}

static void test_trailing_bytes(void **state)
{
    static const char message[] = TYPE SAMPLE STRINGS;
    struct bytes b = compress_as(message, sizeof(message) - 1, GZIP);
    struct artifact_facts f;

    (void)state;
    for (size_t step = 1; step <= b.n + 1; step += b.n) { /* in one piece, and behind the last */
        unsigned char *more = malloc(b.n + 1);

        assert_non_null(more);
        memcpy(more, b.data, b.n);
        more[b.n] = '\n';
        assert_int_equal(play(more, b.n + 1, step, &f), -EBADMSG);
        assert_int_equal(f.end, ARTIFACT_NOTHING);
        assert_string_equal(f.error, "other bytes follow its end");
        free(more);
    }
    free(b.data);
}

/* The trailer's CRC and length are looked at. */
static void test_damaged(void **state)
{
    static const char message[] = TYPE SAMPLE STRINGS;
    struct bytes b = compress_as(message, sizeof(message) - 1, GZIP);
    struct artifact_facts f;

    (void)state;
    for (size_t i = 1; i <= 8; i++) {
        b.data[b.n - i] ^= 1;
        assert_int_equal(play(b.data, b.n, 64, &f), -EBADMSG);
        assert_int_equal(f.end, ARTIFACT_NOTHING);
        b.data[b.n - i] ^= 1;
    }
    free(b.data);
}

static void test_foreign(void **state)
{
    static const char html[] = "<!DOCTYPE html><title>Sign in</title>";
    static const char trace[] = "go 1.26 trace\0\0\0";
    static const char message[] = TYPE SAMPLE STRINGS;
    struct artifact_facts f;
    struct bytes b, twice;

    (void)state;
    (void)play(html, sizeof(html) - 1, 5, &f);
    assert_int_equal(f.end, ARTIFACT_FOREIGN);
    assert_null(f.hint);
    (void)play(trace, sizeof(trace) - 1, 100, &f);
    assert_int_equal(f.end, ARTIFACT_FOREIGN);
    b = compress_as(html, sizeof(html) - 1, GZIP); /* HTML, compressed */
    (void)play(b.data, b.n, 5, &f);
    assert_int_equal(f.end, ARTIFACT_FOREIGN);
    assert_null(f.hint);
    free(b.data);
    b = compress_as("", 0, GZIP); /* a message without anything in it */
    (void)play(b.data, b.n, 5, &f);
    assert_int_equal(f.end, ARTIFACT_FOREIGN);
    free(b.data);
    b = compress_as(message, sizeof(message) - 1, 15); /* zlib's own header */
    (void)play(b.data, b.n, 5, &f);
    assert_int_equal(f.end, ARTIFACT_FOREIGN);
    free(b.data);
    b = compress_as(message, sizeof(message) - 1, GZIP);
    twice = compress_as(b.data, b.n, GZIP);
    (void)play(twice.data, twice.n, 5, &f);
    assert_int_equal(f.end, ARTIFACT_FOREIGN);
    assert_non_null(strstr(f.hint, "compressed twice"));
    free(b.data);
    free(twice.data);
}

static void test_no_profile(void **state)
{
    static const struct {
        const char *message;
        size_t n;
    } rows[] = {
#define ROW(m) {m, sizeof(m) - 1}
        ROW(TYPE STRINGS "\x12\x03\x0a"), /* ends in a sample */
        ROW(TYPE STRINGS "\x50"),         /* ends before a number */
        ROW(TYPE STRINGS "\x50\x80"),     /* ends in a number */
        ROW(TYPE STRINGS "\x10\x01"),     /* a sample as a number */
        ROW(TYPE STRINGS "\x52\x01x"),    /* a duration as text */
        ROW(TYPE STRINGS "\x00\x01"),     /* field 0 */
        ROW(TYPE STRINGS "\x13"),         /* a group */
        ROW(TYPE STRINGS "\x50\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* too long */
        ROW(STRINGS SAMPLE),                                                  /* nothing is typed */
        ROW(TYPE SAMPLE), /* nothing has a name */
    };
    struct artifact_facts f;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)play_profile(rows[i].message, rows[i].n, &f);
        assert_int_equal(f.end, ARTIFACT_FOREIGN);
    }
}

/* A sample type that is named by this string, of a unit. */
#define TYPED(name) "\x0a\x04\x08" name "\x10\x07"
#define NONE "\x32\x00"
#define CONTENTIONS \
    "\x32\x0b"      \
    "contentions"
#define DELAY  \
    "\x32\x05" \
    "delay"
#define SPACE  \
    "\x32\x0b" \
    "inuse_space"
#define LONG   \
    "\x32\x28" \
    "a_name_of_forty_bytes_cut_after_31_bytes"

static void test_sample_types(void **state)
{
    static const struct {
        const char *message;
        size_t n;
        const char *found; /* NULL: it is a mutex profile */
    } rows[] = {
#define ROW_OF(m, found) {m, sizeof(m) - 1, found}
        ROW_OF(TYPED("\x01") TYPED("\x02") SAMPLE NONE CONTENTIONS DELAY, NULL),
        ROW_OF(TYPED("\x01") TYPED("\x02") NONE CONTENTIONS DELAY, NULL), /* an empty one */
        ROW_OF(NONE CONTENTIONS DELAY TYPED("\x01") TYPED("\x02"), NULL), /* the strings first */
        ROW_OF(TYPED("\x02") TYPED("\x01") NONE CONTENTIONS DELAY, NULL), /* in another order */
        ROW_OF(TYPED("\x00") TYPED("\x02") NONE CONTENTIONS DELAY, NULL), /* one without a name */
        ROW_OF(TYPED("\x02") NONE DELAY DELAY, NULL),                     /* a string twice */
        ROW_OF("\x0a\x04\x10\x07\x08\x01" NONE DELAY, NULL),              /* the unit first */
        ROW_OF(TYPED("\x02") SAMPLE NONE DELAY SPACE, "inuse_space"),     /* it is only mentioned */
        ROW_OF(TYPED("\x01") TYPED("\x02") NONE CONTENTIONS SPACE, "inuse_space"),
        ROW_OF(TYPED("\x01") NONE LONG, "a_name_of_forty_bytes_cut_after"),
        ROW_OF(TYPED("\x01") NONE "\x32\x06"
                                  "delays",
               "delays"),
        ROW_OF(TYPED("\x05") NONE DELAY, ""),      /* no such string */
        ROW_OF("\x0a\x00" NONE DELAY, ""),         /* an empty sample type */
        ROW_OF("\x0a\x02\x08\x81" NONE DELAY, ""), /* one that breaks off */
    };
    struct artifact_facts f;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(play_profile(rows[i].message, rows[i].n, &f), 0);
        assert_int_equal(f.end, rows[i].found ? ARTIFACT_FOREIGN : ARTIFACT_WHOLE);
        assert_string_equal(f.found, rows[i].found ? rows[i].found : "");
    }
}

/* The sample types of each of Go's profiles, in its order. */
#define ONE(length, name) TYPED("\x01") SAMPLE NONE "\x32" length name
#define MEMORY                          \
    TYPED("\x01")                       \
    TYPED("\x02")                       \
    TYPED("\x03")                       \
    TYPED("\x04")                       \
    SAMPLE NONE "\x32\x0d"              \
                "alloc_objects\x32\x0b" \
                "alloc_space\x32\x0d"   \
                "inuse_objects" SPACE

/* Each is taken for itself alone, but for the two pairs that nothing in the bytes tells apart. */
static void test_each_kind(void **state)
{
    static const struct {
        const char *message;
        size_t n;
        unsigned kinds;
    } rows[] = {
#define ROW_FOR(m, kinds) {m, sizeof(m) - 1, kinds}
        ROW_FOR(TYPED("\x01") TYPED("\x02") SAMPLE NONE CONTENTIONS DELAY,
                1u << KIND_MUTEX | 1u << KIND_BLOCK),
        ROW_FOR(MEMORY, 1u << KIND_HEAP | 1u << KIND_ALLOCS),
        ROW_FOR(TYPED("\x01") TYPED("\x02") SAMPLE NONE "\x32\x07"
                                                        "samples"
                                                        "\x32\x03"
                                                        "cpu",
                1u << KIND_CPU),
        ROW_FOR(ONE("\x09", "goroutine"), 1u << KIND_GOROUTINE),
        ROW_FOR(ONE("\x0d", "goroutineleak"), 1u << KIND_GOROUTINELEAK),
        ROW_FOR(ONE("\x0c", "threadcreate"), 1u << KIND_THREADCREATE),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes b = compress_as(rows[i].message, rows[i].n, GZIP);

        for (size_t k = 0; k < n_artifacts; k++) {
            enum kind kind = artifacts[k]->kind;
            struct artifact_facts f;

            if (artifacts[k]->body != &profile_body)
                continue;
            assert_int_equal(play_as(kind, b.data, b.n, b.n, &f), 0);
            assert_int_equal(f.end == ARTIFACT_WHOLE, (rows[i].kinds & 1u << kind) != 0);
        }
        free(b.data);
    }
}

/* More sample types than are kept are no harm. */
static void test_many_sample_types(void **state)
{
    static const char message[] =
        TYPED("\x01") TYPED("\x02") TYPED("\x02") TYPED("\x02") TYPED("\x02") TYPED("\x02")
            TYPED("\x02") TYPED("\x02") TYPED("\x02") TYPED("\x02") NONE DELAY SPACE;
    struct artifact_facts f;

    (void)state;
    assert_int_equal(PLAY(message, &f), 0);
    assert_int_equal(f.end, ARTIFACT_WHOLE);
}

/* A server that ignores `seconds`: no duration, or one longer than the request. */
static void test_since_start(void **state)
{
    static const char none[] = TYPE SAMPLE STRINGS;
    static const char longer[] = TYPE SAMPLE STRINGS "\x50\x80\xb0\x9d\xc2\xdf\x01"; /* 60 s */
    static const char shorter[] = TYPE SAMPLE STRINGS "\x50\x80\x94\xeb\xdc\x03";    /* 1 s */
    struct artifact_facts f;

    (void)state;
    assert_int_equal(PLAY(none, &f), 0);
    assert_int_equal(f.end, ARTIFACT_WHOLE);
    assert_true(f.since_start);
    assert_int_equal(PLAY(longer, &f), 0);
    assert_int_equal(f.span, 60 * USEC_PER_SEC);
    assert_true(f.since_start);
    assert_int_equal(PLAY(shorter, &f), 0);
    assert_int_equal(f.span, USEC_PER_SEC);
    assert_false(f.since_start);
}

/* net/http/pprof takes the duration from the wall clock: below zero where that was set back. */
static void test_clock_set_back(void **state)
{
    static const char back[] =
        TYPE SAMPLE STRINGS "\x50\x80\xec\x94\xa3\xfc\xff\xff\xff\xff\x01"; /* -1 s */
    struct artifact_facts f;

    (void)state;
    assert_int_equal(PLAY(back, &f), 0);
    assert_int_equal(f.end, ARTIFACT_WHOLE);
    assert_int_equal(f.span, 0);
    assert_false(f.since_start);
}

/* The same where it was set forward: the request took as long as was asked for. */
static void test_clock_set_forward(void **state)
{
    static const char none[] = TYPE SAMPLE STRINGS;
    static const char longer[] = TYPE SAMPLE STRINGS "\x50\x80\xb0\x9d\xc2\xdf\x01"; /* 60 s */
    struct artifact_facts f;

    (void)state;
    window = TAKEN;
    assert_int_equal(PLAY(longer, &f), 0);
    assert_int_equal(f.end, ARTIFACT_WHOLE);
    assert_int_equal(f.span, 0);
    assert_false(f.since_start);
    assert_int_equal(PLAY(none, &f), 0);
    assert_true(f.since_start);
    window = 2 * TAKEN;
}

/* A few hundred KB that would become more than what a profile may. */
static void test_bomb(void **state)
{
    size_t n = PROFILE_INFLATED_MAX + 1000;
    char *zeros = calloc(1, n);
    struct artifact_facts f;
    struct bytes b;

    (void)state;
    assert_non_null(zeros);
    memcpy(zeros, TYPE STRINGS "\x12\xff\xff\xff\xff\x7f", 21); /* one enormous sample */
    b = compress_as(zeros, n, GZIP);
    free(zeros);
    assert_true(b.n < 1 << 20);
    assert_int_equal(play(b.data, b.n, 16384, &f), -EFBIG);
    assert_int_equal(f.end, ARTIFACT_NOTHING);
    assert_non_null(strstr(f.error, "64 MiB"));
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_trailing_bytes),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_no_profile),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_sample_types),
        cmocka_unit_test(test_many_sample_types),
        cmocka_unit_test(test_since_start),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_clock_set_forward),
        cmocka_unit_test(test_each_kind),
    };

    return cmocka_run_group_tests_name("artifact_profile", tests, NULL, NULL);
}
