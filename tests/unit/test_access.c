/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>

#include "lib/net/access.h"
#include "tests/support/allocations.h"
#include "tests/support/text.h"

static struct access full(void)
{
    return (struct access){
        .auth = {TEXT("user"), TEXT("/password"), TEXT("Token"), TEXT("/token")},
        .tls = {TEXT("/ca"), TEXT("/cert"), TEXT("/key"), TEXT("name"), true},
        .proxy = {TEXT("http://p:1"), TEXT("inner"), true},
    };
}

static void assert_own(const char *copy, const char *from)
{
    assert_ptr_not_equal(copy, from);
    assert_string_equal(copy, from);
}

static void test_copy(void **state)
{
    const struct access from = full();
    struct access a;

    (void)state;
    assert_int_equal(access_copy(&from, &a), 0);
    assert_own(a.auth.basic_username, from.auth.basic_username);
    assert_own(a.auth.basic_password_file, from.auth.basic_password_file);
    assert_own(a.auth.type, from.auth.type);
    assert_own(a.auth.credentials_file, from.auth.credentials_file);
    assert_own(a.tls.ca_file, from.tls.ca_file);
    assert_own(a.tls.cert_file, from.tls.cert_file);
    assert_own(a.tls.key_file, from.tls.key_file);
    assert_own(a.tls.server_name, from.tls.server_name);
    assert_true(a.tls.insecure_skip_verify);
    assert_own(a.proxy.url, from.proxy.url);
    assert_own(a.proxy.no_proxy, from.proxy.no_proxy);
    assert_true(a.proxy.from_environment);
    access_done(&a);
    assert_null(a.tls.ca_file);
}

static void test_nothing(void **state)
{
    const struct access none = {0};
    struct access a = full();

    (void)state;
    assert_int_equal(access_copy(&none, &a), 0);
    assert_null(a.auth.type);
    assert_null(a.proxy.url);
    assert_false(a.tls.insecure_skip_verify);
    access_done(&a);
}

/* Nothing is left of a copy that is not whole; the sanitizers see what would leak. */
static void test_memory(void **state)
{
    const struct access from = full();
    struct access a = full();

    (void)state;
    for (allocations_fail_at = 0; allocations_fail_at < 10; allocations_fail_at++) {
        allocations_made = 0;
        allocations_fail_once = allocations_failing = true;
        assert_int_equal(access_copy(&from, &a), -ENOMEM);
        allocations_failing = false;
        assert_null(a.auth.basic_username);
        assert_null(a.tls.server_name);
        assert_null(a.proxy.no_proxy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
