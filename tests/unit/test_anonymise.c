/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/support/rawtrace.h"
#include "trace/anonymise/anonpprof.h"
#include "trace/anonymise/anonymise.h"
#include "trace/reader/specs.h"

static int digest(void *userdata, const void *text, size_t n, uint8_t ret[PSEUDONYM_DIGEST])
{
    uint8_t sum = 0;

    (void)userdata;
    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum * 31 + ((const uint8_t *)text)[i]);
    memset(ret, sum, PSEUDONYM_DIGEST);
    return 0;
}

static int add(void *userdata, const void *data, size_t n)
{
    return buf_add(userdata, data, n);
}

static struct buf made;
static struct anonymise_fault fault;

static int setup(void **state)
{
    (void)state;
    buf_init(&made, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&made);
    return 0;
}

static int anonymise(int (*write_fn)(void *userdata, const void *data, size_t n))
{
    struct pseudonyms p = {.digest = digest};
    struct anonymise_output out = {.write = write_fn, .userdata = &made};
    int fd = memfd_create("trace", MFD_CLOEXEC), r;

    buf_clear(&made);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, rawtrace.data, rawtrace.n), rawtrace.n);
    r = anonymise_trace(fd, &p, 7, &out, &fault);
    (void)close(fd);
    return r;
}

static bool made_has(const char *text)
{
    return memmem(made.data, made.len, text, strlen(text)) != NULL;
}

/* The reader takes it to its end. */
static uint64_t events_made(void)
{
    const struct gotrace_event *ev;
    struct gotrace *t;
    uint64_t n = 0;
    int r;

    memcpy(rawtrace.data, made.data, made.len);
    t = rawtrace_open(made.len, NULL);
    while ((r = gotrace_next(t, &ev)) == 1)
        n++;
    assert_int_equal(r, 0);
    gotrace_close(t);
    return n;
}

static void test_small(void **state)
{
    (void)state;
    rawtrace_small();
    assert_int_equal(anonymise(add), 0);
    assert_true(made_has("main.main") && made_has("sync"));
    assert_false(made_has("inner") || made_has("a.go"));
    assert_true(events_made() > 4);
}

/* The same strings are given out anew in each generation, by other ids. */
static void test_generations(void **state)
{
    (void)state;
    rawtrace_begin(26);
    for (unsigned i = 0; i < 3; i++) {
        rawtrace_sync();
        rawtrace_begin_batch(UINT64_MAX, 1);
        rawtrace_number(&rawtrace_batch, EV_STRINGS);
        rawtrace_string(1 + i, "net.Dial");
        rawtrace_string(2 + i, i == 1 ? "/home/u/net/secret.go" : "net/dial.go");
        rawtrace_end_batch();
        rawtrace_begin_batch(UINT64_MAX, 1);
        rawtrace_number(&rawtrace_batch, EV_STACKS);
        rawtrace_event(EV_STACK, 2, U(7), U(1));
        rawtrace_event(100, 3, U(1 + i), U(2 + i), U(5));
        rawtrace_end_batch();
        rawtrace_end_generation();
    }
    assert_int_equal(anonymise(add), 0);
    assert_true(made_has("net.Dial") && made_has("net/dial.go"));
    assert_false(made_has("secret"));
    assert_true(made_has(".go")); /* in the second one it is the program's own */
}

static void add_strings(unsigned n)
{
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    for (unsigned i = 0; i < n; i++)
        rawtrace_string(1 + i, "qq");
    rawtrace_end_batch();
}

/* Each of 8,000 strings of two bytes becomes one of 17: two batches, of which none is too large. */
static void test_what_grows(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    add_strings(8000);
    rawtrace_end_generation();
    assert_int_equal(anonymise(add), 0);
    assert_true(made.len > 100000);
    assert_false(made_has("qq"));
}

static void refused(int r, const char *text)
{
    assert_int_equal(anonymise(add), r);
    assert_non_null(fault.text);
    assert_non_null(strstr(fault.text, text));
}

static void test_damage(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_event(EV_STRING, 2, U(1), U(40));
    rawtrace_end_batch();
    rawtrace_end_generation();
    refused(-EBADMSG, "not a string");

    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    rawtrace_event(EV_STACK, 2, U(7), U(129));
    rawtrace_end_batch();
    rawtrace_end_generation();
    refused(-EBADMSG, "not a stack");

    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_batch(3, 1);
    rawtrace_event(200, 1, U(1));
    rawtrace_end_batch();
    rawtrace_end_generation();
    refused(-EBADMSG, "a batch that is not known");

    rawtrace_begin(21);
    refused(-ENOTSUP, "Go 1.21 or older");
    rawtrace_small();
    rawtrace.data[6] = '8';
    refused(-ENOTSUP, "a newer format");
    rawtrace_small();
    rawtrace.n--;
    refused(-EBADMSG, "ends within a generation");
    rawtrace.data[0] = 'G';
    refused(-ENOMSG, "not a Go execution trace");
}

static int full(void *userdata, const void *data, size_t n)
{
    (void)userdata;
    (void)data;
    (void)n;
    return -ENOSPC;
}

static void test_a_full_disk(void **state)
{
    (void)state;
    rawtrace_small();
    assert_int_equal(anonymise(full), -ENOSPC);
    assert_null(fault.text);
}

static int profile(const void *data, size_t n)
{
    struct pseudonyms p = {.digest = digest};
    struct anonymise_output out = {.write = add, .userdata = &made};

    buf_clear(&made);
    return anonymise_pprof(data, n, &p, 7, &out, &fault);
}

#define PROFILE(text) profile(text, sizeof(text) - 1)
#define NO_STRING "\x32\x00"

static void test_profiles(void **state)
{
    (void)state;
    /* Comments, packed, before the strings. */
    assert_int_equal(PROFILE("\x6a\x02\x01\x02" NO_STRING "\x32\x06secret\x32\x03who"), 0);
    assert_false(made_has("secret") || made_has("who"));
    /* A sample type, and a function of the standard library that has no file. */
    assert_int_equal(PROFILE("\x0a\x02\x08\x01\x2a\x04\x08\x01\x10\x02" NO_STRING "\x32\x03"
                             "cpu\x32\x08net.Dial"),
                     0);
    assert_true(made_has("cpu") && made_has("net.Dial"));
    /* A label: its key stays. */
    assert_int_equal(PROFILE("\x12\x06\x1a\x04\x08\x01\x10\x02" NO_STRING "\x32\x06tenant\x32\x04"
                             "acme"),
                     0);
    assert_true(made_has("tenant") && !made_has("acme"));
}

static void test_what_is_no_profile(void **state)
{
    (void)state;
    assert_int_equal(PROFILE(""), -EBADMSG);
    assert_int_equal(PROFILE("\x32\x05who"), -EBADMSG);               /* cut */
    assert_int_equal(PROFILE(NO_STRING "\x6a\x01\x05"), -EBADMSG);    /* no such string */
    assert_int_equal(PROFILE(NO_STRING "\x6a\x01\x85"), -EBADMSG);    /* half a number */
    assert_int_equal(PROFILE(NO_STRING "\xa2\x01\x03who"), -EBADMSG); /* field 20 */
    assert_int_equal(PROFILE(NO_STRING "\x2a\x05\x32\x03who"),
                     -EBADMSG);                                /* field 6 of a function */
    assert_int_equal(PROFILE(NO_STRING "\x10\x01"), -EBADMSG); /* a sample as a number */
    assert_int_equal(PROFILE(NO_STRING "\x30\x01"), -EBADMSG); /* a string as a number */
    assert_int_equal(PROFILE(NO_STRING "\x09"
                                       "12345678"),
                     -EBADMSG); /* of a fixed size */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_what_grows),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_what_is_no_profile),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
