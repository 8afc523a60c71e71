/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/credential/secret.h"

static void test_make(void **state)
{
    struct secret_set s;

    (void)state;
    secret_init(&s);
    assert_int_equal(secret_make("AK", "s+/=", "tok", 7, &s), 0);
    assert_string_equal(s.access_key, "AK");
    assert_string_equal(s.secret_key, "s+/=");
    assert_string_equal(s.session_token, "tok");
    assert_true(s.expiry == 7);
    secret_done(&s);
    assert_null(s.access_key);
    assert_true(s.expiry == USEC_NEVER);
    secret_done(&s);
    assert_int_equal(secret_make("AK", "s", "", USEC_NEVER, &s), 0);
    assert_null(s.session_token);
    secret_done(&s);
}

static void test_bad_values(void **state)
{
    static const char *const bad[] = {"", " a", "a b", "a\n", "a\r\nX: y", "\x7f", "\xc3\xa4"};
    char *big = malloc(SECRET_TOKEN_MAX + 2);
    struct secret_set s;

    (void)state;
    assert_non_null(big);
    secret_init(&s);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(secret_make(bad[i], "s", NULL, 0, &s), -EINVAL);
        assert_int_equal(secret_make("a", bad[i], NULL, 0, &s), -EINVAL);
        if (*bad[i])
            assert_int_equal(secret_make("a", "s", bad[i], 0, &s), -EINVAL);
        assert_null(s.access_key);
    }
    memset(big, 'x', SECRET_TOKEN_MAX + 2);
    big[SECRET_TOKEN_MAX + 1] = '\0';
    assert_int_equal(secret_make("a", "s", big, 0, &s), -E2BIG);
    big[SECRET_TOKEN_MAX] = '\0';
    assert_int_equal(secret_make("a", "s", big, 0, &s), 0);
    secret_done(&s);
    assert_int_equal(secret_make("a", big, NULL, 0, &s), -E2BIG);
    big[SECRET_KEY_MAX] = '\0';
    assert_int_equal(secret_make(big, big, NULL, 0, &s), 0);
    secret_done(&s);
    free(big);
}

static void test_copy_move_equal(void **state)
{
    struct secret_set a, b, c;

    (void)state;
    secret_init(&a);
    secret_init(&b);
    secret_init(&c);
    assert_true(secret_equal(&a, &b));
    assert_int_equal(secret_make("AK", "sk", "t", 9, &a), 0);
    assert_false(secret_equal(&a, &b));
    assert_int_equal(secret_copy(&a, &b), 0);
    assert_true(secret_equal(&a, &b));
    assert_ptr_not_equal(a.secret_key, b.secret_key);
    b.expiry++;
    assert_false(secret_equal(&a, &b));
    b.expiry--;
    b.secret_key[1] = 'K';
    assert_false(secret_equal(&a, &b));
    secret_move(&a, &b); /* b's old values are released */
    assert_null(a.access_key);
    assert_string_equal(b.secret_key, "sk");
    secret_move(&b, &b);
    assert_string_equal(b.secret_key, "sk");
    assert_int_equal(secret_copy(&a, &c), 0);
    assert_null(c.access_key);
    secret_done(&b);
}

static void test_token_alone(void **state)
{
    struct secret_set a, b;

    (void)state;
    secret_init(&a);
    secret_init(&b);
    assert_int_equal(secret_make_token("", 7, &a), -EINVAL);
    assert_int_equal(secret_make_token("a\nb", 7, &a), -EINVAL);
    assert_int_equal(secret_make_token("ya29", 7, &a), 0);
    assert_null(a.access_key);
    assert_int_equal(secret_copy(&a, &b), 0);
    assert_string_equal(b.session_token, "ya29");
    assert_null(b.access_key);
    assert_true(secret_equal(&a, &b));
    b.expiry++;
    assert_false(secret_equal(&a, &b));
    assert_true(secret_same_keys(&a, &b));
    b.session_token[0] = 'Y';
    assert_false(secret_same_keys(&a, &b));
    secret_done(&a);
    assert_null(a.session_token);
    secret_done(&b);
}

/* What is given back is overwritten first: seen through a free(3) that looks before it frees. */
void __real_free(void *p);
void __wrap_free(void *p);
static const void *watched;
static size_t watched_size;
static int seen_wiped;

void __wrap_free(void *p)
{
    if (p && p == watched) {
        seen_wiped = 1;
        for (size_t i = 0; i < watched_size; i++) {
            if (((const char *)p)[i] != 0)
                seen_wiped = -1;
        }
        watched = NULL;
    }
    __real_free(p);
}

static void watch(const void *p, size_t n)
{
    watched = p;
    watched_size = n;
    seen_wiped = 0;
}

static void test_wipes(void **state)
{
    struct secret_set s;
    char *block;

    (void)state;
    secret_init(&s);
    assert_int_equal(secret_make("AK", "canary", "token", 0, &s), 0);
    watch(s.secret_key, 7);
    secret_done(&s);
    assert_int_equal(seen_wiped, 1);
    block = secret_strndup("canary", 6);
    assert_non_null(block);
    watch(block, 7);
    block = secret_realloc(block, 1 << 16);
    assert_int_equal(seen_wiped, 1);
    assert_string_equal(block, "canary");
    block = secret_realloc(block, 3);
    assert_memory_equal(block, "can", 3);
    watch(block, 3);
    assert_null(secret_realloc(block, 0));
    assert_int_equal(seen_wiped, 1);
    secret_free(NULL);
    block = secret_realloc(NULL, 8);
    assert_non_null(block);
    secret_free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_copy_move_equal),
        cmocka_unit_test(test_token_alone),
        cmocka_unit_test(test_wipes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
