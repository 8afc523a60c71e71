/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/secretname.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool value, section; /* by itself, and where it may be a section */
    } cases[] = {
        {"sig", true, true},
        {"X-Goog-Signature", true, true},
        {"api_key", true, true},
        {"SAS_TOKEN", true, true},
        {"bearer", true, true},
        {"pwd", true, true},
        {"session-cookie", true, true},
        {"http_headers", false, true},
        {"params", false, true},
        {"seconds", false, false},
        {"url", false, false},
        {"word", false, false},
        {"", false, false},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        size_t n = strlen(cases[i].name);

        assert_int_equal(secretname_is(cases[i].name, n), cases[i].value);
        assert_int_equal(secretname_is_section(cases[i].name, n), cases[i].section);
    }
    assert_false(secretname_is("api_key", strlen("api_ke"))); /* no more than the name is read */
}

static void test_ends(void **state)
{
    static const char *const good[] = {"the new password", "Passwd", "PASSPHRASE", "credentials",
                                       "Authorization",    "token",  "x-api-key"};
    static const char *const bad[] = {"", "pass", "the password was", "keys", "author", "header"};

    (void)state;
    for (size_t i = 0; i < N(good); i++)
        assert_true(secretname_ends(good[i], strlen(good[i])));
    for (size_t i = 0; i < N(bad); i++)
        assert_false(secretname_ends(bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
