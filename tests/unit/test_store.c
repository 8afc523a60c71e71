/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "lib/store/kinds.h"

static char logged[1024];

static void sink(void *userdata, enum log_level level, const struct log_fields *fields,
                 const char *message)
{
    (void)userdata;
    (void)fields;
    assert_int_equal(level, LOG_LEVEL_ERROR);
    assert_string_equal(logged, "");
    assert_true(strlen(message) < sizeof(logged));
    (void)strcpy(logged, message);
}

static void test_good(void **state)
{
    static const struct upload_config rows[] = {
        {.url = (char *)"s3://bucket"},
        {.url = (char *)"s3://bucket/prefix",
         .endpoint = (char *)"http://127.0.0.1:9000",
         .region = (char *)"auto",
         .storage_class = (char *)"STANDARD",
         .sse = (char *)"AES256",
         .access.tls = {.ca_file = (char *)"/nowhere"}},
    };
    char why[STORE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(store_check(&rows[i], why), 0);
        assert_string_equal(why, "");
    }
}

static void test_wrong(void **state)
{
    static const struct {
        struct upload_config u;
        const char *begins;
    } rows[] = {
        {{.url = NULL}, "url: must begin with s3://"},
        {{.url = (char *)"ftp://host/"}, "url: must begin with s3://"},
        {{.url = (char *)"S3://bucket"}, "url: must begin with s3://"},
        {{.url = (char *)"s3://A"}, "url: "},
        {{.url = (char *)"s3://bucket", .secret_key_file = (char *)"f"}, "access_key_file: "},
    };
    const struct store_context context = {0};

    (void)state;
    log_set_sink(sink, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[STORE_TEXT_MAX];
        struct store *s = NULL;

        assert_int_equal(store_check(&rows[i].u, why), -EINVAL);
        assert_memory_equal(why, rows[i].begins, strlen(rows[i].begins));
        /* store_new says the same in the log, before it touches anything. */
        logged[0] = '\0';
        assert_int_equal(store_new(&context, &rows[i].u, &s), -EINVAL);
        assert_null(s);
        assert_non_null(strstr(logged, why));
    }
    log_set_sink(NULL, NULL);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(store_end_name(STORE_DONE), "done");
    for (unsigned i = 0; i < STORE_END_COUNT; i++)
        assert_true(strlen(store_end_name((enum store_end)i)) > 0);
    store_free(NULL);
    store_cancel(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
