/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/config/config.h"
#include "lib/config/upload_rules.h"
#include "lib/config/upload_url.h"
#include "tests/support/allocations.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define JOB \
    "scrape_configs:\n  - job_name: shop\n    static_configs: [{targets: [\"127.0.0.1:6060\"]}]\n"

static char *printed(struct diags *d)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    diags_print(d, out);
    assert_int_equal(fclose(out), 0);
    diags_done(d);
    return text;
}

/* The errors of the section as text, and the configuration if there are none. */
static char *errors_of(const char *upload, struct config **ret)
{
    struct diags d = {0};
    _cleanup_free_ char *text = NULL;

    assert_true(asprintf(&text, "%s%s", JOB, upload) > 0);
    (void)config_load_text("etc/test.yaml", text, strlen(text), ret, &d);
    return printed(&d);
}

static struct config *load(const char *upload)
{
    struct config *c = NULL;
    _cleanup_free_ char *errors = errors_of(upload, &c);

    assert_string_equal(errors, "");
    assert_non_null(c);
    return c;
}

static char *checked(struct config *c)
{
    struct diags d = {0};
    int r = config_check(c, false, &d);

    assert_int_equal(r < 0, diags_count(&d) > 0);
    return printed(&d);
}

static void assert_checked(struct config *c, const char *expected)
{
    _cleanup_free_ char *errors = checked(c);

    assert_string_equal(errors, expected);
}

static void test_defaults(void **state)
{
    struct config *c = config_new();
    const struct upload_config *u = &c->upload;

    (void)state;
    assert_null(u->url);
    assert_null(u->endpoint);
    assert_null(u->region);
    assert_int_equal(u->addressing, UPLOAD_ADDRESSING_AUTO);
    assert_int_equal(u->concurrency, 4);
    assert_true(u->keep_local);
    assert_false(u->if_none_match);
    assert_int_equal(u->max_rate, 0);
    assert_int_equal(u->stall_timeout, USEC_PER_MIN);
    assert_null(u->storage_class);
    assert_null(u->sse);
    assert_int_equal(u->n_tags, 0);
    assert_null(u->access_key_file);
    assert_null(u->access.auth.type);
    assert_null(u->access.tls.ca_file);
    config_free(c);
}

static void test_s3_keys(void **state)
{
    struct config *c = load("upload:\n  url: s3://traces/prod\n  endpoint: http://minio:9000\n"
                            "  region: eu-west-1\n  addressing: virtual\n  concurrency: 16\n"
                            "  keep_local: false\n  if_none_match: true\n  max_rate: 2MiB\n"
                            "  stall_timeout: 30s\n  storage_class: STANDARD_IA\n"
                            "  server_side_encryption: aws:kms\n  sse_kms_key_id: alias/x\n"
                            "  tags: {team: shop, cost centre: \"42 é\", empty: \"\"}\n"
                            "  access_key_file: a\n  secret_key_file: /s\n"
                            "  session_token_file: t\n  tls_config: {ca_file: ca.pem}\n");
    const struct upload_config *u = &c->upload;

    (void)state;
    assert_string_equal(u->url, "s3://traces/prod");
    assert_string_equal(u->endpoint, "http://minio:9000");
    assert_string_equal(u->region, "eu-west-1");
    assert_int_equal(u->addressing, UPLOAD_ADDRESSING_VIRTUAL);
    assert_int_equal(u->concurrency, 16);
    assert_false(u->keep_local);
    assert_true(u->if_none_match);
    assert_int_equal(u->max_rate, 2 << 20);
    assert_int_equal(u->stall_timeout, 30 * USEC_PER_SEC);
    assert_string_equal(u->storage_class, "STANDARD_IA");
    assert_string_equal(u->sse, "aws:kms");
    assert_string_equal(u->sse_kms_key_id, "alias/x");
    assert_int_equal(u->n_tags, 3);
    assert_string_equal(u->tags[0].name, "team");
    assert_string_equal(u->tags[1].name, "cost centre");
    assert_string_equal(u->tags[1].value, "42 é");
    assert_string_equal(u->tags[2].value, "");
    assert_string_equal(u->access_key_file, "etc/a");
    assert_string_equal(u->secret_key_file, "/s");
    assert_string_equal(u->session_token_file, "etc/t");
    assert_string_equal(u->access.tls.ca_file, "etc/ca.pem");
    assert_checked(c, "");
    config_free(c);
}

static void test_other_keys(void **state)
{
    struct config *c = load("upload: {url: \"az://acc/traces\", account_key_file: k}\n");

    (void)state;
    assert_string_equal(c->upload.account_key_file, "etc/k");
    config_free(c);
    c = load("upload: {url: \"az://acc/traces\", sas_token_file: s}\n");
    assert_string_equal(c->upload.sas_token_file, "etc/s");
    config_free(c);
    c = load("upload: {url: \"https://h/x/\", authorization: {credentials_file: t}}\n");
    assert_string_equal(c->upload.access.auth.type, "Bearer");
    assert_string_equal(c->upload.access.auth.credentials_file, "etc/t");
    config_free(c);
    c = load("upload:\n  url: https://h/x/\n  basic_auth: {username: u, password_file: p}\n");
    assert_null(c->upload.access.auth.type);
    assert_string_equal(c->upload.access.auth.basic_username, "u");
    assert_string_equal(c->upload.access.auth.basic_password_file, "etc/p");
    config_free(c);
}

/* Where the URL stands, for those who find it wrong later. */
static void test_place(void **state)
{
    struct config *c = load("upload:\n  url: s3://traces\n");

    (void)state;
    assert_int_equal(c->upload.url_line, 5);
    assert_int_equal(c->upload.url_column, 8);
    assert_int_equal(config_set_upload_url(c, "s3://other"), 0);
    assert_int_equal(c->upload.url_line, 0);
    config_free(c);
    c = load("upload:\n  concurrency: 2\n");
    assert_int_equal(c->upload.url_line, 0);
    config_free(c);
}

/* Bounds that the fixtures of errors don't show from the good side. */
static void test_bounds(void **state)
{
    static const char *const good[] = {
        "  concurrency: 1\n",    "  concurrency: 64\n",   "  max_rate: 16KiB\n",
        "  stall_timeout: 5s\n", "  stall_timeout: 1h\n", "  max_rate:\n",
    };
    char key[UPLOAD_WHY_MAX], text[4 * UPLOAD_WHY_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        (void)snprintf(text, sizeof(text), "upload:\n  url: s3://x\n%s", good[i]);
        config_free(load(text));
    }
    /* Characters, not bytes. */
    for (size_t i = 0; i < 128; i++)
        memcpy(key + 2 * i, "é", 3);
    (void)snprintf(text, sizeof(text), "upload:\n  url: s3://x\n  tags: {%s: %s%s}\n", key, key,
                   key);
    config_free(load(text));
}

#define BLOCK ".Bd -literal -offset indent\n"

/* Each display of contraced.yaml(5) that begins with the section is one that works. */
static void test_examples_of_the_manual(void **state)
{
    const char *dir = getenv("CONTRACE_SRC_DIR"), *at;
    char path[PATH_MAX];
    struct buf text;
    unsigned n = 0;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/man/contraced.yaml.5", dir ? dir : ".");
    buf_init(&text, YAML_FILE_MAX);
    assert_int_equal(buf_read_file(&text, path), 0);
    for (at = buf_str(&text); (at = strstr(at, BLOCK "upload:")); n++) {
        const char *start = at + strlen(BLOCK), *end = strstr(start, ".Ed\n");
        _cleanup_free_ char *upload = NULL;

        assert_non_null(end);
        upload = strndup(start, (size_t)(end - start));
        config_free(load(upload));
        at = end;
    }
    assert_true(n >= 6);
    buf_done(&text);
}

static const char *const urls[] = {"s3://b",     "gs://b",        "az://a/c",
                                   "https://h/", "http://[::1]/", "file:///d"};

static void test_keys_of_stores(void **state)
{
    static const struct {
        const char *key, *text;
        const char *fits; /* one letter for each of the URLs */
    } rows[] = {
        {"endpoint", "endpoint: https://h", "yyynnn"},
        {"region", "region: eu-west-1", "ynnnnn"},
        {"addressing", "addressing: path", "ynnnnn"},
        {"storage_class", "storage_class: X", "yyynnn"},
        {"server_side_encryption", "server_side_encryption: AES256", "ynnnnn"},
        {"sse_kms_key_id", "server_side_encryption: aws:kms\n  sse_kms_key_id: x", "ynnnnn"},
        {"tags", "tags: {a: b}", "ynnnnn"},
        {"access_key_file", "access_key_file: a\n  secret_key_file: s", "yynnnn"},
        {"secret_key_file", "access_key_file: a\n  secret_key_file: s", "yynnnn"},
        {"session_token_file", "access_key_file: a\n  secret_key_file: s\n  session_token_file: t",
         "ynnnnn"},
        {"account_key_file", "account_key_file: k", "nnynnn"},
        {"sas_token_file", "sas_token_file: k", "nnynnn"},
        {"basic_auth", "basic_auth: {username: u, password_file: p}", "nnnyyn"},
        {"authorization", "authorization: {credentials_file: t}", "nnnyyn"},
        {"tls_config", "tls_config: {ca_file: c}", "yyyynn"},
        {"tls_config", "tls_config: {cert_file: c, key_file: k}", "yyyynn"},
        {"tls_config", "tls_config: {server_name: c}", "yyyynn"},
        {"tls_config", "tls_config: {insecure_skip_verify: true}", "yyyynn"},
        {"concurrency", "concurrency: 1", "yyyyyy"},
        {"keep_local", "keep_local: false", "yyyyyy"},
        {"require_mount", "require_mount: true", "nnnnny"},
        {"if_none_match", "if_none_match: true", "yyyyyy"},
        {"max_rate", "max_rate: 1MiB", "yyyyyn"},
        {"stall_timeout", "stall_timeout: 30s", "yyyyyy"},
        {"sse_kms_context", "server_side_encryption: aws:kms\n  sse_kms_context: {a: b}", "ynnnnn"},
        {"acl", "acl: private", "ynnnnn"},
        {"request_payer", "request_payer: requester", "ynnnnn"},
        {"checksum", "checksum: none", "ynnnnn"},
        {"checksum", "checksum: auto", "yyyyyy"},
        {"proxy_url", "proxy_url: http://p", "yyyyyn"},
        {"no_proxy", "proxy_url: http://p\n  no_proxy: a", "yyyyyn"},
        {"proxy_from_environment", "proxy_from_environment: false", "yyyyyy"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * COUNT(urls); i++) {
        const char *url = urls[i % COUNT(urls)];
        char text[512], said[64];
        struct config *c = NULL;
        _cleanup_free_ char *errors = NULL;
        bool fits = rows[i / COUNT(urls)].fits[i % COUNT(urls)] == 'y';

        (void)snprintf(text, sizeof(text), "upload:\n  url: %s\n  %s\n", url,
                       rows[i / COUNT(urls)].text);
        (void)snprintf(said, sizeof(said), ": upload: %s is for stores at ",
                       rows[i / COUNT(urls)].key);
        errors = errors_of(text, &c);
        if (fits ? *errors != '\0' : !strstr(errors, said))
            fail_msg("%s\ngives:\n%s", text, errors);
        config_free(c);
    }
}

static void test_endpoints(void **state)
{
    static const struct {
        const char *endpoint;
        int r;
    } rows[] = {
        {"https://h", 0},
        {"http://h:1/", 0},
        {"https://[::1]:9000", 0},
        {"https://h/acc", 0},
        {"https://h/a/b/", 0},
        {"https://h//", -EINVAL},
        {"https://h#x", -EINVAL},
        {"h:1", -EINVAL},
        {"https://:1", -EINVAL},
        {"https://h/..", -EINVAL},
        {"https://h/%2E/", -EINVAL},
        {"https://h/a//b", -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char why[UPLOAD_WHY_MAX] = "";
        int r = upload_endpoint_check(rows[i].endpoint, why);

        if (r != rows[i].r || (r < 0) != (why[0] != '\0'))
            fail_msg("%s: %d, %s", rows[i].endpoint, r, why);
    }
}

static void test_option(void **state)
{
    struct config *c = config_new();
    const char *why;

    (void)state;
    assert_int_equal(config_add_target(c, "http://a:1", &why), 0);
    assert_int_equal(config_set_upload_url(c, "s3://traces"), 0);
    assert_string_equal(c->upload.url, "s3://traces");
    assert_checked(c, "");
    assert_int_equal(config_set_upload_url(c, "/mnt/traces"), 0);
    assert_checked(c, "contraced: upload: url `/mnt/traces` is a path: write "
                      "file:///mnt/traces\n");
    assert_int_equal(config_set_upload_url(c, "https://u:canary@h/"), 0);
    assert_checked(c, "contraced: upload: url must not have a user or a password: use "
                      "`basic_auth`, and name the password's file with `password_file`\n");
    assert_int_equal(config_set_upload_url(c, "https://h/\x1b"), 0);
    assert_checked(c, "contraced: upload: url must not contain control characters\n");
    assert_int_equal(config_set_upload_url(c, ""), 0);
    assert_null(c->upload.url);
    assert_checked(c, "");
    config_free(c);
}

#define S3_KEYS                                                                        \
    "  endpoint: https://minio\n  region: r\n  addressing: path\n  storage_class: X\n" \
    "  server_side_encryption: AES256\n  tags: {a: b}\n  access_key_file: a\n"         \
    "  secret_key_file: s\n  tls_config: {insecure_skip_verify: true}\n  concurrency: 9\n"

/* Another store of the same kind is asked with what the file says; one of another kind is not. */
static void test_option_over_file(void **state)
{
    struct config *c = load("upload:\n  url: s3://traces\n" S3_KEYS);

    (void)state;
    assert_int_equal(config_set_upload_url(c, "s3://other"), 0);
    assert_checked(c, "");
    assert_string_equal(c->upload.region, "r");
    assert_int_equal(config_set_upload_url(c, "file:///mnt"), 0);
    assert_checked(c, "");
    assert_null(c->upload.region);
    assert_null(c->upload.tags);
    assert_int_equal(c->upload.n_tags, 0);
    assert_int_equal(c->upload.addressing, UPLOAD_ADDRESSING_AUTO);
    assert_false(c->upload.access.tls.insecure_skip_verify);
    assert_int_equal(c->upload.concurrency, 9);
    config_free(c);
    c = load("upload:\n" S3_KEYS);
    assert_int_equal(config_set_upload_url(c, "s3://other"), 0);
    assert_string_equal(c->upload.region, "r");
    assert_checked(c, "");
    /* Whose the keys of a file without a URL are is not known: they must fit. */
    assert_int_equal(config_set_upload_url(c, ""), 0);
    assert_int_equal(config_set_upload_url(c, "file:///mnt"), 0);
    {
        _cleanup_free_ char *errors = checked(c);

        assert_non_null(strstr(errors, "contraced: upload: region is for stores at s3://: "));
    }
    config_free(c);
}

/* Whatever is refused, no message shows what may be a secret. */
static void test_no_secret_is_shown(void **state)
{
    static const char *const texts[] = {
        "upload: {url: \"https://u:canary@h/\", concurrency: 0}\n",
        "upload: {url: \"s3://b?X-Amz-Signature=canary\", region: X}\n",
        "upload: {url: \"s3://b\", secret_key: canary, regoin: x}\n",
        "upload: {url: \"s3://b\", regoin: x, session_token: canary, nonsense: y}\n",
        "upload:\n  url: s3://b\n  endpoint: https://canary@minio\n",
        "upload:\n  url: az://acc/c\n  endpoint: https://acc/?sig=canary\n",
        "upload:\n  url: https://h\n  authorization: {credentials: canary, type: a b}\n",
        "upload:\n  url: https://h\n  tls_config: {key: canary}\n",
        "upload:\n  url: https://u:p/canary@h/\n",
        "upload:\n  url: https://canary@h/\n",
        "upload:\n  url: canary:canary@h\n",
        "upload:\n  url: ftp://u:canary@h\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct config *c = NULL;
        _cleanup_free_ char *errors = errors_of(texts[i], &c);

        assert_null(c);
        assert_true(*errors);
        if (strstr(errors, "canary"))
            fail_msg("%s\ngives:\n%s", texts[i], errors);
    }
}

static void test_open_network(void **state)
{
    static const struct {
        const char *url;
        int open;
    } rows[] = {
        {"http://store.example/", 1},
        {"http://10.0.0.1:80", 1},
        {"http://[2001:db8::1]/", 1},
        {"http://localhost.example/", 1},
        {"http://127.0.0.1/", 0},
        {"http://127.9.9.9:1/x", 0},
        {"http://localhost:8080/", 0},
        {"http://[::1]:8080/", 0},
        {"https://store.example/", 0},
        {"s3://b", 0},
        {"http://", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(upload_url_is_open(rows[i].url), rows[i].open);
    /* A signature is no secret, and neither is an account's key that signs. */
    config_free(load("upload:\n  url: s3://b\n  endpoint: http://minio:9000\n"));
    config_free(load("upload:\n  url: az://a/c\n  endpoint: http://azurite:1\n"
                     "  account_key_file: k\n"));
    config_free(load("upload:\n  url: gs://b\n  endpoint: http://gcs:1\n  access_key_file: a\n"
                     "  secret_key_file: s\n"));
    config_free(load("upload:\n  url: http://store.example/\n"));
    config_free(load("upload:\n  url: http://localhost/\n"
                     "  basic_auth: {username: u, password_file: p}\n"));
}

static void fail_allocations(const char *text, bool once)
{
    bool again = true;

    allocations_fail_once = once;
    for (allocations_fail_at = 0; again; allocations_fail_at++) {
        struct diags d = {0};
        struct config *c = NULL;
        int r;

        allocations_made = 0;
        allocations_failing = true;
        r = config_load_text("etc/f.yaml", text, strlen(text), &c, &d);
        if (r == 0)
            r = config_set_upload_url(c, "az://acc/c");
        if (r == 0)
            r = config_check(c, false, &d);
        allocations_failing = false;
        again = allocations_made > allocations_fail_at;
        if (!again)
            assert_int_equal(r, strstr(text, "unknown") ? -EINVAL : 0);
        diags_done(&d);
        config_free(c);
    }
    assert_true(allocations_fail_at > 10);
}

static void test_memory_is_short(void **state)
{
    static const char *const texts[] = {
        JOB "upload:\n  url: s3://traces\n" S3_KEYS,
        JOB "upload:\n  url: http://h/\n  authorization: {credentials_file: t}\n"
            "  tags: {a: 1, a: 2, \"aws:\": x}\n  endpoint: x\n  secret_key: x # unknown\n",
        JOB "upload:\n  url: http://localhost/\n  authorization: {credentials_file: t}\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        fail_allocations(texts[i], true);
        fail_allocations(texts[i], false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_s3_keys),
        cmocka_unit_test(test_other_keys),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_examples_of_the_manual),
        cmocka_unit_test(test_keys_of_stores),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_option),
        cmocka_unit_test(test_option_over_file),
        cmocka_unit_test(test_no_secret_is_shown),
        cmocka_unit_test(test_open_network),
        cmocka_unit_test(test_memory_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
