/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/outcome/outcome.h"

/* Names go into metrics and records: lower-case words, each once. */
static void test_names(void **state)
{
    (void)state;
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        const char *name = outcome_name((enum outcome)o);

        assert_non_null(name);
        assert_true(name[0] != '\0');
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        for (int other = 0; other < o; other++)
            assert_string_not_equal(name, outcome_name((enum outcome)other));
        assert_non_null(outcome_hint((enum outcome)o));
    }
    assert_string_equal(outcome_name(OUTCOME_WRITE_TIMEOUT), "write_timeout");
}

static void test_kinds(void **state)
{
    (void)state;
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        enum outcome outcome = (enum outcome)o;

        assert_false(outcome_published(outcome) && outcome_failed(outcome));
        assert_int_equal(outcome_tells(outcome), outcome_published(outcome) ||
                                                     outcome_failed(outcome) ||
                                                     outcome_absent(outcome));
        assert_false(outcome_absent(outcome) &&
                     (outcome_published(outcome) || outcome_failed(outcome)));
        if (outcome_published(outcome))
            assert_int_equal(outcome_retry(outcome), OUTCOME_RETRY_NEXT);
    }
    assert_true(outcome_published(OUTCOME_OK));
    assert_true(outcome_published(OUTCOME_TRUNCATED));
    assert_true(outcome_published(OUTCOME_EMPTY));
    assert_true(outcome_absent(OUTCOME_MISSING));
    assert_true(outcome_absent(OUTCOME_IN_USE));
    assert_int_equal(outcome_retry(OUTCOME_IN_USE), OUTCOME_RETRY_NEXT);
    assert_true(outcome_failed(OUTCOME_BUSY)); /* when it lasts */
    assert_true(outcome_patient(OUTCOME_BUSY));
    assert_false(outcome_patient(OUTCOME_CONNECT));
    assert_false(outcome_tells(OUTCOME_NO_SPACE));
    assert_false(outcome_tells(OUTCOME_STORAGE));
    assert_false(outcome_tells(OUTCOME_CANCELLED));
    assert_true(outcome_failed(OUTCOME_WRITE_TIMEOUT));
}

static void test_retries(void **state)
{
    (void)state;
    assert_int_equal(outcome_retry(OUTCOME_BUSY), OUTCOME_RETRY_BUSY);
    assert_int_equal(outcome_retry(OUTCOME_DNS), OUTCOME_RETRY_DOWN);
    assert_int_equal(outcome_retry(OUTCOME_CONNECT), OUTCOME_RETRY_DOWN);
    assert_int_equal(outcome_retry(OUTCOME_WRITE_TIMEOUT), OUTCOME_RETRY_NEXT);
    assert_non_null(strstr(outcome_hint(OUTCOME_WRITE_TIMEOUT), "1.9"));
}

static void test_errno(void **state)
{
    static const struct {
        int error;
        enum outcome outcome;
    } rows[] = {
        {ENOSPC, OUTCOME_NO_SPACE},  {EDQUOT, OUTCOME_NO_SPACE},  {EFBIG, OUTCOME_NO_SPACE},
        {EMFILE, OUTCOME_RESOURCES}, {ENFILE, OUTCOME_RESOURCES}, {ENOMEM, OUTCOME_RESOURCES},
        {EIO, OUTCOME_STORAGE},      {EROFS, OUTCOME_STORAGE},    {EBADF, OUTCOME_STORAGE},
        {EACCES, OUTCOME_STORAGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(outcome_of_errno(-rows[i].error), rows[i].outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_errno),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
