/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sections compared after a reload: each key of `upload` alone makes a difference.
 */

#include "lib/config/equal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/config/config.h"
#include "lib/config/upload.h"

#define BASE "scrape_configs: [{job_name: a, static_configs: [{targets: [\"h:1\"]}]}]\nupload:\n"

static struct config *parsed(const char *section)
{
    char text[2048];
    struct config *c = NULL;
    struct diags diags = {0};

    (void)snprintf(text, sizeof(text), BASE "%s", section);
    if (config_load_text("c.yaml", text, strlen(text), &c, &diags) < 0) {
        diags_print(&diags, stderr);
        fail_msg("not a configuration: %s", section);
    }
    diags_done(&diags);
    return c;
}

static bool equal(const char *a, const char *b)
{
    struct config *x = parsed(a), *y = parsed(b);
    bool same = upload_equal(&x->upload, &y->upload);

    assert_int_equal(same, upload_equal(&y->upload, &x->upload));
    config_free(x);
    config_free(y);
    return same;
}

#define S3 "  url: s3://b/p\n"
#define FULL                                                                                     \
    S3 "  endpoint: https://s3.example\n  region: eu-test-1\n  addressing: path\n"               \
       "  concurrency: 3\n  keep_local: false\n  if_none_match: true\n  max_rate: 1MiB\n"        \
       "  stall_timeout: 30s\n  storage_class: STANDARD_IA\n  server_side_encryption: aws:kms\n" \
       "  sse_kms_key_id: k\n  tags: {a: b, c: d}\n  access_key_file: /k/a\n"                    \
       "  secret_key_file: /k/s\n  session_token_file: /k/t\n  tls_config: {ca_file: /ca}\n"

static void test_same(void **state)
{
    (void)state;
    assert_true(equal(S3, S3));
    assert_true(equal(FULL, FULL));
    assert_true(equal(S3, S3 "  concurrency: 4\n  keep_local: true\n")); /* the defaults */
}

static void test_each_key(void **state)
{
    static const char *const changed[] = {
        "  url: s3://b/q\n",
        S3 "  endpoint: https://s3.example\n",
        S3 "  region: eu-test-1\n",
        S3 "  addressing: path\n",
        S3 "  concurrency: 3\n",
        S3 "  keep_local: false\n",
        S3 "  if_none_match: true\n",
        S3 "  max_rate: 1MiB\n",
        S3 "  stall_timeout: 30s\n",
        S3 "  storage_class: STANDARD_IA\n",
        S3 "  server_side_encryption: AES256\n",
        S3 "  tags: {a: b}\n",
        S3 "  tags: {a: c}\n",
        S3 "  tags: {b: b}\n",
        S3 "  access_key_file: /k/a\n  secret_key_file: /k/s\n",
        S3 "  access_key_file: /k/a\n  secret_key_file: /k/x\n",
        S3 "  tls_config: {ca_file: /ca}\n",
        S3 "  tls_config: {server_name: s}\n",
        S3 "  tls_config: {insecure_skip_verify: true}\n",
        FULL,
    };
    size_t n = sizeof(changed) / sizeof(changed[0]);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_false(equal(S3, changed[i]));
        for (size_t j = 0; j < i; j++)
            assert_false(equal(changed[j], changed[i]));
    }
}

static void test_other_kinds(void **state)
{
    (void)state;
    assert_false(equal("  url: https://h/\n  basic_auth: {username: u, password_file: /p}\n",
                       "  url: https://h/\n  basic_auth: {username: v, password_file: /p}\n"));
    assert_false(equal("  url: https://h/\n  authorization: {credentials_file: /p}\n",
                       "  url: https://h/\n  authorization: {credentials_file: /q}\n"));
    assert_false(equal("  url: az://account/container\n  sas_token_file: /p\n",
                       "  url: az://account/container\n  sas_token_file: /q\n"));
    assert_false(equal("  url: az://account/container\n  account_key_file: /p\n",
                       "  url: az://account/container\n  sas_token_file: /p\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_each_key),
        cmocka_unit_test(test_other_kinds),
    };

    return cmocka_run_group_tests_name("equal", tests, NULL, NULL);
}
