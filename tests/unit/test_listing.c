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

#include "lib/store/dialect/listing.h"

#define PAGE(inside) "<ListBucketResult>" inside "</ListBucketResult>"
#define URL "<EncodingType>url</EncodingType>"
#define KEY(key) "<Contents><Key>" key "</Key><Size>7</Size></Contents>"

struct told {
    char keys[1024];
    int refuse;
};

static int on_object(void *userdata, const char *key, uint64_t size, usec modified)
{
    struct told *t = userdata;
    size_t n = strlen(t->keys);

    assert_int_equal(size, 7);
    assert_int_equal(modified, 0);
    (void)snprintf(t->keys + n, sizeof(t->keys) - n, "%s|", key);
    return t->refuse;
}

/* In pieces of so many bytes. */
static struct listing *read_page(const char *text, const char *prefix, size_t piece)
{
    struct listing *l;
    size_t n = strlen(text);

    assert_int_equal(listing_new(prefix, &l), 0);
    for (size_t at = 0; at < n; at += piece)
        assert_int_equal(listing_feed(l, text + at, n - at < piece ? n - at : piece), 0);
    return l;
}

static void expect(const char *text, const char *prefix, const char *after, const char *keys)
{
    struct listing *l = read_page(text, prefix, 5);
    struct told t = {.keys = ""};

    assert_int_equal(listing_finish(l), 0);
    assert_null(listing_next(l));
    assert_int_equal(listing_tell(l, after, on_object, &t), 0);
    assert_string_equal(t.keys, keys);
    listing_free(l);
}

static void test_keys(void **state)
{
    (void)state;
    expect(PAGE(""), "", NULL, "");
    expect(PAGE(KEY("a") KEY("b/c")), "", NULL, "a|b/c|");
    expect(PAGE(KEY("p/a") KEY("p/") KEY("p") KEY("pp/x") KEY("p/b")), "p/", NULL, "a|b|");
    expect(PAGE(KEY("p/a") KEY("p/b") KEY("p/c")), "p/", "b", "c|");
    expect(PAGE(KEY("p/a")), "p/", "", "a|");
}

/* Whether keys are encoded is known only when the page is whole. */
static void test_encoded(void **state)
{
    (void)state;
    expect(PAGE(KEY("p/a+b%2Bc%25") URL), "p/", NULL, "a b+c%|");
    expect(PAGE(URL KEY("p/%e6%BC%A2")), "p/", NULL, "\xe6\xbc\xa2|");
    expect(PAGE(URL KEY("p%2Fa") KEY("p/%4") KEY("p/%zz") KEY("p/%")), "p/", NULL, "a|%4|%zz|%|");
    expect(PAGE(KEY("p/a+b%2B")), "p/", NULL, "a+b%2B|");
    expect(PAGE(URL KEY("p/%00x")), "p/", NULL, "");
}

static void test_next(void **state)
{
    struct listing *l = read_page(PAGE("<IsTruncated>true</IsTruncated>"
                                       "<NextContinuationToken>t=</NextContinuationToken>"),
                                  "", 1000);

    (void)state;
    assert_int_equal(listing_finish(l), 0);
    assert_string_equal(listing_next(l), "t=");
    listing_free(l);
    l = read_page(PAGE("<IsTruncated>true</IsTruncated>"), "", 1000);
    assert_int_equal(listing_finish(l), -EBADMSG);
    listing_free(l);
    l = read_page("<ListBucketResult>" KEY("a"), "", 1000);
    assert_int_equal(listing_finish(l), -EBADMSG);
    listing_free(l);
}

static void test_handler_refuses(void **state)
{
    struct listing *l = read_page(PAGE(KEY("a") KEY("b")), "", 1000);
    struct told t = {.refuse = -ECANCELED};

    (void)state;
    assert_int_equal(listing_finish(l), 0);
    assert_int_equal(listing_tell(l, NULL, on_object, &t), -ECANCELED);
    assert_string_equal(t.keys, "a|");
    listing_free(l);
    listing_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_encoded),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_handler_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
